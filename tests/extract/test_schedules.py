"""Learning-rate schedules of PyTorch and optimizers of Keras, by idiom."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Unknown, items, known, plain
from tests.extract.conftest import FactsOf

START = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
EPOCHS = 20
X = torch.zeros(640, 5, 1)
loader = DataLoader(TensorDataset(X, X[:, 0]), batch_size=32, shuffle=True)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8, batch_first=True)
        self.fc = nn.Linear(8, 1)
    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])
model = Net()
lr = 1e-3
optimizer = torch.optim.Adam(model.parameters(), lr=lr)
"""
LOOP = """
for epoch in range(EPOCHS):
    for x, y in loader:
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {batch}
    {epoch}
"""


def program(made: str, batch: str = "pass", epoch: str = "pass") -> str:
    return START + made + "\n" + LOOP.format(batch=batch, epoch=epoch)


@pytest.mark.parametrize(
    ("made", "unit"),
    [
        ("OneCycleLR(optimizer, 1e-2, epochs=EPOCHS, steps_per_epoch=len(loader))", "batch"),
        ("OneCycleLR(optimizer, 1e-2, total_steps=EPOCHS * len(loader))", "batch"),
        ("OneCycleLR(optimizer, 1e-2, epochs=EPOCHS, steps_per_epoch=100)", "batch"),
        ("OneCycleLR(optimizer, 1e-2, total_steps=EPOCHS)", None),
        ("OneCycleLR(optimizer, 1e-2, epochs=EPOCHS, steps_per_epoch=1)", None),
        ("CosineAnnealingLR(optimizer, T_max=len(loader) * EPOCHS)", "batch"),
        ("CosineAnnealingLR(optimizer, T_max=len(range(EPOCHS)))", None),
        ("CosineAnnealingLR(optimizer, T_max=EPOCHS)", None),
    ],
)
def test_what_a_length_counts(made: str, unit: str | None, facts_of: FactsOf) -> None:
    (found,) = items(facts_of(program("s = torch.optim.lr_scheduler." + made, epoch="s.step()")).schedules)
    assert (plain(found.unit), plain(found.stepped)) == (unit, "epoch")


@pytest.mark.parametrize(
    ("batch", "epoch", "stepped"),
    [
        ("s.step()", "pass", "batch"),
        ("pass", "s.step()", "epoch"),
        ("pass", "if epoch > 3:\n        s.step()", "epoch"),
        ("pass", "pass", "never"),
        ("pass", "print(s.get_last_lr(), s)", "never"),
        ("pass", "torch.save({'s': s.state_dict()}, 'x')", "never"),
        ("pass", "advance(s)", "?"),
        ("pass", "advance({'schedules': [s]})", "?"),
        ("pass", "if advance is None:\n        s.step()", "?"),
    ],
)
def test_how_often_it_is_stepped(batch: str, epoch: str, stepped: str, facts_of: FactsOf) -> None:
    made = "from somewhere import advance\ns = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)"
    (found,) = items(facts_of(program(made, batch, epoch)).schedules)
    assert plain(found.stepped, "?") == stepped


def test_switched_off(facts_of: FactsOf) -> None:
    made = "USE = False\ns = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)"
    (found,) = items(facts_of(program(made, epoch="if USE:\n        s.step()")).schedules)
    assert isinstance(found.stepped, Unknown)


@pytest.mark.parametrize("change", ["lr *= 0.5", "lr = lr * 0.5", "lr = lr / 2"])
def test_a_variable_that_the_optimizer_does_not_look_at(change: str, facts_of: FactsOf) -> None:
    (found,) = items(facts_of(program("", epoch=change)).schedules)
    assert (plain(found.stepped), plain(found.gamma), plain(found.by_hand)) == ("never", 0.5, True)
    assert found.optimizer is not None
    assert found.optimizer.line == 17


@pytest.mark.parametrize(
    "epoch",
    [
        "lr *= 0.5\n    optimizer.param_groups[0]['lr'] = lr",
        "lr *= 0.5\n    for group in optimizer.param_groups:\n        group['lr'] = lr",
        "lr *= 0.5\n    optimizer = torch.optim.Adam(model.parameters(), lr=lr)",
        "lr *= 0.5\n    set_rate(optimizer, lr)",
    ],
)
def test_a_variable_that_reaches_the_optimizer(epoch: str, facts_of: FactsOf) -> None:
    found = facts_of(program("from somewhere import set_rate", epoch=epoch)).schedules
    assert known(found)
    assert "never" not in [plain(s.stepped) for s in items(found)]


KERAS = """
import numpy as np
import keras
X, y = np.zeros((90, 5, 1)), np.zeros(90)
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(1)])
"""


@pytest.mark.parametrize(
    ("made", "gone"),
    [
        ("opt = keras.optimizers.SGD(lr=0.1, decay=1e-4)\nmodel.compile(opt, 'mse')", ["lr", "decay"]),
        ("opt = keras.optimizers.SGD(lr=0.1)\nmodel.compile('sgd', 'mse')", ["lr"]),
        ("model.compile(keras.optimizers.SGD(learning_rate=0.1), 'mse')", []),
        ("model.compile(keras.optimizers.legacy.SGD(lr=0.1, decay=1e-4), 'mse')", []),
        ("from keras.optimizers.legacy import SGD\nmodel.compile(SGD(lr=0.1), 'mse')", []),
        (
            "s = keras.optimizers.schedules.CosineDecay(0.1, 100)\nmodel.compile(keras.optimizers.SGD(s), 'mse')",
            [],
        ),
    ],
)
def test_removed_arguments_of_optimizers(made: str, gone: list[str], facts_of: FactsOf) -> None:
    found = facts_of(KERAS + made + "\nmodel.fit(X, y, epochs=2)\n").removed_arguments
    assert [plain(r.name) for r in items(found)] == gone


def test_a_warm_up_begins_below_the_rate(facts_of: FactsOf) -> None:
    made = "keras.optimizers.schedules.CosineDecay(0.0, 1000, warmup_target=1e-3, warmup_steps=100)"
    program = facts_of(KERAS + f"model.compile(keras.optimizers.Adam({made}), 'mse')\nmodel.fit(X, y, epochs=2)\n")
    assert [plain(o.learning_rate) for o in items(program.optimizers)] == [1e-3]


def test_what_takes_effect_instead(facts_of: FactsOf) -> None:
    text = KERAS + (
        "opt = keras.optimizers.SGD(0.1)\nmodel.compile('adam', 'mse')\nstop = keras.callbacks.EarlyStopping()\n"
        "model.fit(X, y, validation_split=0.2, epochs=2)\n"
    )
    dead = items(facts_of(text).dead_settings)
    assert [(plain(d.kind), d.instead and d.instead.line) for d in dead] == [
        ("optimizer-discarded", 7),
        ("callback-not-passed", 9),
    ]


@pytest.mark.parametrize(
    ("text", "overridden"),
    [
        ("model.compile('adam', 'mse')\nmodel.compile('sgd', 'mse')", True),
        ("if len(X) > y.max():\n    model.compile('adam', 'mse')\nelse:\n    model.compile('sgd', 'mse')", False),
        (
            "if y.max() > 3:\n    model.compile('adam', 'mse')\nelif y.min() < 3:\n    model.compile('sgd', 'mse')",
            False,
        ),
        ("model.compile('adam', 'mse')\nmodel.fit(X, y)\nmodel.compile('sgd', 'mse')", False),
    ],
)
def test_compiled_twice(text: str, overridden: bool, facts_of: FactsOf) -> None:
    dead = items(facts_of(KERAS + text + "\nmodel.fit(X, y)\n").dead_settings)
    assert [plain(d.kind) for d in dead] == ["compile-overridden"] * overridden


ITEM = "\n    def __getitem__(self, i):\n        return X, y\n"


@pytest.mark.parametrize(
    ("data", "ignored"),
    [
        ("class Data(keras.utils.PyDataset):" + ITEM + "model.fit(Data(), batch_size=8)", True),
        ("class Data:" + ITEM + "model.fit(Data(), batch_size=8)", False),
        ("model.fit(X, y, batch_size=8)", False),
    ],
)  # fmt: skip
def test_batch_size_of_data_with_batches(data: str, ignored: bool, facts_of: FactsOf) -> None:
    found = items(facts_of(KERAS + "model.compile('adam', 'mse')\n" + data + "\n").dead_settings)
    assert [(plain(d.kind), plain(d.value)) for d in found] == ([("batch-size-ignored", 8)] if ignored else [])
