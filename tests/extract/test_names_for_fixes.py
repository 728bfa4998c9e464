"""Names and places that fixes need: what the code calls things where a fix would use them."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Unknown, items, plain

HEAD = """\
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


"""
STEP = """\
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
"""
PLAIN = f"""\
model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(EPOCHS):
    for x, y in loader:
{STEP}"""


class TestTheTrainingStep:
    def test_calls_things_by_their_names(self, facts_of: FactsOf) -> None:
        step = facts_of("EPOCHS = 3\n" + HEAD + PLAIN).training_step
        assert (plain(step.optimizer), plain(step.model), plain(step.parameters)) == (
            "optimizer", "model", "model.parameters()",
        )  # fmt: skip
        assert [(act.kind, plain(act.of)) for act in items(step.order)] == [
            ("zero_grad", "optimizer"), ("forward", "model"), ("backward", "loss"), ("step", "optimizer"),
        ]  # fmt: skip

    def test_names_are_those_of_the_function_that_trains(self, facts_of: FactsOf) -> None:
        step = facts_of(
            HEAD
            + """\
def train(net, opt, x, y):
    opt.zero_grad()
    nn.functional.mse_loss(net(x), y).backward()
    opt.step()


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(3):
    for x, y in loader:
        train(model, optimizer, x, y)
"""
        ).training_step
        assert (plain(step.optimizer), plain(step.model), plain(step.parameters)) == ("opt", "net", "net.parameters()")

    def test_several_models_give_one_list(self, facts_of: FactsOf) -> None:
        step = facts_of(
            HEAD
            + """\
one, other = Model(), Model()
optimizer = torch.optim.Adam([*one.parameters(), *other.parameters()], lr=1e-3)
for x, y in loader:
    optimizer.zero_grad()
    nn.functional.mse_loss(one(x) + other(x), y).backward()
    optimizer.step()
"""
        ).training_step
        assert plain(step.parameters) == "[*one.parameters(), *other.parameters()]"
        assert isinstance(step.model, Unknown)

    def test_a_model_without_a_name_there_is_reached_through_the_optimizer(self, facts_of: FactsOf) -> None:
        step = facts_of(
            HEAD
            + """\
def update(loss, opt):
    opt.zero_grad()
    loss.backward()
    opt.step()


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for x, y in loader:
    update(nn.functional.mse_loss(model(x), y), optimizer)
"""
        ).training_step
        assert plain(step.parameters) == '[p for group in opt.param_groups for p in group["params"]]'
        assert isinstance(step.model, Unknown)

    def test_behind_a_scaler_the_optimizer_is_what_it_steps(self, facts_of: FactsOf) -> None:
        step = facts_of(
            HEAD
            + """\
model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler()
for x, y in loader:
    optimizer.zero_grad()
    scaler.scale(nn.functional.mse_loss(model(x), y)).backward()
    scaler.step(optimizer)
    scaler.update()
"""
        ).training_step
        assert plain(step.optimizer) == "optimizer"
        assert [plain(act.of) for act in items(step.order) if act.kind == "step"] == ["scaler"]


class TestTheLoopOverTheEpochs:
    @pytest.mark.parametrize(
        ("written", "count"),
        [
            ("range(EPOCHS)", "EPOCHS"),
            ("range(1, EPOCHS + 1)", "EPOCHS"),
            ("range(0, EPOCHS)", "EPOCHS"),
            ("tqdm(range(EPOCHS))", "EPOCHS"),
            ("range(2, EPOCHS)", None),
        ],
    )
    def test_its_count_is_an_expression(self, written: str, count: str | None, facts_of: FactsOf) -> None:
        text = "from tqdm import tqdm\n\nEPOCHS = 3\n" + HEAD + PLAIN.replace("range(EPOCHS)", written)
        loop = facts_of(text).epoch_loop
        assert plain(loop.count) == count
        assert loop.at is not None
        assert loop.at.line == text[: text.index("for epoch")].count("\n") + 1

    def test_the_optimizer_has_a_name_beside_it(self, facts_of: FactsOf) -> None:
        assert plain(facts_of("EPOCHS = 3\n" + HEAD + PLAIN).epoch_loop.optimizers) == ["optimizer"]
        nameless = """\
def train(net, opt, x, y):
    opt.zero_grad()
    nn.functional.mse_loss(net(x), y).backward()
    opt.step()


model = Model()
made = {"optimizer": torch.optim.Adam(model.parameters(), lr=1e-3)}
for epoch in range(3):
    for x, y in loader:
        train(model, made["optimizer"], x, y)
"""
        assert isinstance(facts_of(HEAD + nameless).epoch_loop.optimizers, Unknown)

    def test_an_optimizer_that_is_replaced_on_the_way_has_no_lasting_name(self, facts_of: FactsOf) -> None:
        again = "    if epoch == EPOCHS // 2:\n        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)\n"
        assert isinstance(facts_of("EPOCHS = 9\n" + HEAD + PLAIN + again).epoch_loop.optimizers, Unknown)

    def test_several_optimizers(self, facts_of: FactsOf) -> None:
        more = "other = Model()\nsecond = torch.optim.Adam(other.parameters())\n"
        step = PLAIN.replace("model(x)", "model(x) + other(x)") + "        second.step()\n"
        loop = facts_of("EPOCHS = 9\n" + HEAD + more + step).epoch_loop
        assert plain(loop.optimizers) == ["optimizer", "second"]
        assert [at.line for at in loop.made] == [19, 17]

    @pytest.mark.parametrize(("test", "count"), [("epoch < EPOCHS", "EPOCHS"), ("epoch < 7", None), ("True", None)])
    def test_the_count_of_a_while_loop(self, test: str, count: str | None, facts_of: FactsOf) -> None:
        head = f"epoch = 0\nwhile {test}:\n    epoch += 1\n    if epoch > 4:\n        break\n"
        if count:
            head = head.replace("    if epoch > 4:\n        break\n", "")
        text = "EPOCHS = 9\n" + HEAD + PLAIN.replace("for epoch in range(EPOCHS):\n", head)
        assert plain(facts_of(text).epoch_loop.count) == count

    def test_whether_a_turn_of_it_is_one_step(self, facts_of: FactsOf) -> None:
        single = HEAD + PLAIN.replace("    for x, y in loader:\n", "").replace("        ", "    ")
        assert plain(facts_of("EPOCHS = 3\n" + HEAD + PLAIN).epoch_loop.single) is False
        assert plain(facts_of("EPOCHS = 3\n" + single).epoch_loop.single) is True

    def test_a_schedule_has_a_name_beside_it(self, facts_of: FactsOf) -> None:
        made = "decay = torch.optim.lr_scheduler.StepLR(optimizer, 10)\nfor epoch"
        (schedule,) = items(facts_of("EPOCHS = 3\n" + HEAD + PLAIN.replace("for epoch", made, 1)).schedules)
        assert plain(schedule.called) == "decay"


KERAS = """\
import keras

model = keras.Sequential([keras.Input((20, 8)), keras.layers.LSTM(32), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.1)
stop = keras.callbacks.EarlyStopping()
model.compile("adam", "mse")
model.fit(x, y, epochs=5)
"""


class TestKeras:
    def test_the_one_call_of_fit(self, facts_of: FactsOf) -> None:
        at = facts_of(KERAS).epoch_loop.at
        assert at is not None
        assert (at.line, at.column, at.end_column) == (7, 1, 26)
        assert facts_of(KERAS.replace("model.fit", "for n in range(3):\n    model.fit")).epoch_loop.at is None

    def test_what_is_not_used_has_a_name(self, facts_of: FactsOf) -> None:
        dead = {plain(item.kind): plain(item.called) for item in items(facts_of(KERAS).dead_settings)}
        assert dead == {"optimizer-discarded": "optimizer", "callback-not-passed": "stop"}

    def test_an_optimizer_that_is_named_and_not_built(self, facts_of: FactsOf) -> None:
        (optimizer,) = items(facts_of(KERAS).optimizers)
        assert (plain(optimizer.name), plain(optimizer.by_name)) == ("Adam", "adam")
