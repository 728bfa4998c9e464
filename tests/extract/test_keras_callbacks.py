"""Early stopping, checkpoints and settings of Keras that never take effect: source text → facts."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import Program, Unknown, items, plain
from tests.extract.conftest import FactsOf
from tests.extract.test_keras_training import FIRST, HEAD, MODEL

READY = MODEL + "m.compile('adam', 'mse')\n"


def stopping(program: Program) -> list[tuple[Any, ...]]:
    """(active, by hand, monitor, patience, restores the best, can act) of each."""
    return [
        (s.active, *(plain(getattr(s, f)) for f in ("by_hand", "monitor", "patience", "restores_best", "can_act")))
        for s in items(program.early_stopping)
    ]


STOPPING = {
    "none": ("m.fit(x, y, epochs=50)", []),
    "restoring the best": (
        "es = EarlyStopping(patience=5, restore_best_weights=True)\n"
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=[es])",
        [(True, False, "val_loss", 5, True, True)],
    ),
    "in a variable": (
        "es = EarlyStopping(monitor='val_accuracy', patience=5)\n"
        "m.fit(x, y, epochs=50, validation_data=(a, b), callbacks=[es])",
        [(True, False, "val_accuracy", 5, False, True)],
    ),
    "in a list": (
        "cbs = []\ncbs.append(EarlyStopping('loss', patience=3))\nm.fit(x, y, epochs=50, callbacks=cbs)",
        [(True, False, "loss", 3, False, True)],
    ),
    "of a function": (
        "def cbs(p=4):\n    return [EarlyStopping(patience=p), ModelCheckpoint('best.keras')]\n"
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=cbs())",
        [(True, False, "val_loss", 4, False, True)],
    ),
    "alone": (
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=EarlyStopping(patience=3))",
        [(True, False, "val_loss", 3, False, True)],
    ),
    "never passed": (
        "es = EarlyStopping(patience=5)\nm.fit(x, y, epochs=50, validation_split=0.1)",
        [(False, False, "val_loss", 5, False, False)],
    ),
    "without validation data": (
        "m.fit(x, y, epochs=50, callbacks=[EarlyStopping(patience=5)])",
        [(False, False, "val_loss", 5, False, False)],
    ),
    "more patient than the training": (
        "m.fit(x, y, epochs=5, validation_split=0.1, callbacks=[EarlyStopping(patience=10)])",
        [(True, False, "val_loss", 10, False, False)],
    ),
    "an own callback that logs the quantity": (
        "class F1(Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        logs['val_f1'] = 0.5\n"
        "m.fit(x, y, epochs=50, callbacks=[F1(), EarlyStopping('val_f1', patience=3)])",
        [(True, False, "val_f1", 3, False, True)],
    ),
    "an own callback": (
        "class Stop(Callback):\n    def on_epoch_end(self, epoch, logs={}):\n        if logs.get('accuracy') > 0.99:\n"
        "            self.model.stop_training = True\nm.fit(x, y, epochs=50, callbacks=[Stop()])",
        [(True, True, "accuracy", None, False, True)],
    ),
    "an own callback with patience": (
        "class Stop(Callback):\n    def __init__(self, patience=3):\n        super().__init__()\n"
        "        self.patience, self.wait = patience, 0\n"
        "    def on_epoch_end(self, epoch, logs=None):\n        current = logs.get('val_loss')\n"
        "        self.wait += 1\n"
        "        if self.wait >= self.patience:\n            self.model.stop_training = True\n"
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=[Stop(patience=7)])",
        [(True, True, None, 7, False, True)],
    ),
    "an own callback that is never passed": (
        "class Stop(Callback):\n    def on_epoch_end(self, epoch, logs={}):\n"
        "        self.model.stop_training = True\nm.fit(x, y, epochs=5)",
        [],
    ),
    "a subclass": (
        "class Late(EarlyStopping):\n    def __init__(self, **kw):\n        super().__init__(**kw)\n"
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=[Late(monitor='val_loss', patience=4)])",
        [(True, False, "val_loss", 4, False, True)],
    ),
    "on a branch that is not taken": (
        "stop = False\ncbs = []\nif stop:\n    cbs.append(EarlyStopping(patience=2))\n"
        "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=cbs)",
        [(False, False, "val_loss", 2, False, False)],
    ),
    "commented out": ("m.fit(x, y, epochs=50)  # callbacks=[EarlyStopping()]", []),
}


@pytest.mark.parametrize(("body", "expected"), STOPPING.values(), ids=STOPPING)
def test_early_stopping(facts_of: FactsOf, body: str, expected: list[Any]) -> None:
    assert stopping(facts_of(HEAD + READY + body)) == expected


def test_callbacks_that_are_not_known(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "def train(callbacks):\n    " + READY.replace("\n", "\n    ") + "m.fit(x, y, callbacks=callbacks)"
    )
    assert isinstance(program.early_stopping, Unknown)


def test_early_stopping_of_another_model_does_not_count(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + READY + "m.fit(x, y, epochs=5)\nd = Sequential([Dense(8), Dense(1)])\nd.compile('adam', 'mse')\n"
        "d.fit(x, y, epochs=90, validation_split=0.1, callbacks=[EarlyStopping()])"
    )
    assert stopping(program) == []


CHECKPOINTS = {
    "best by validation, loaded again": (
        "m.fit(x, y, validation_split=0.1, callbacks=[ModelCheckpoint('b.keras', save_best_only=True)])\n"
        "m = load_model('b.keras')",
        [("val_loss", "validation", True)],
    ),
    "best by the test set, never loaded": (
        "m.fit(x, y, validation_data=(x_test, y_test), callbacks=[ModelCheckpoint('b.keras', save_best_only=True)])",
        [("val_loss", "test", False)],
    ),
    "best training loss": (
        "m.fit(x, y, callbacks=[ModelCheckpoint('b.h5', monitor='loss', save_best_only=True)])\nm.load_weights('b.h5')",
        [("loss", "training", True)],
    ),
    "every epoch": ("m.fit(x, y, callbacks=[ModelCheckpoint('b.h5')])", [(None, None, False)]),
    "another file is loaded": (
        "m.fit(x, y, validation_split=0.1, callbacks=[ModelCheckpoint('b.h5', save_best_only=True)])\n"
        "n = load_model('other.h5')",
        [("val_loss", "validation", False)],
    ),
    "by hand": ("for e in range(9):\n    m.fit(x, y)\n    m.save('m.h5')", [(None, None, False)]),
}


@pytest.mark.parametrize(("body", "expected"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_checkpoints(facts_of: FactsOf, body: str, expected: list[Any]) -> None:
    found = items(facts_of(HEAD + READY + body).checkpoints)
    assert [(plain(c.monitor), plain(c.on), plain(c.reloaded)) for c in found] == expected


DEAD = {
    "nothing": ("m.compile('adam', 'mse')\nm.fit(x, y)", []),
    "optimizer thrown away": (
        "SGD(0.1, momentum=0.9)\nm.compile('adam', 'mse')\nm.fit(x, y)",
        [("optimizer-discarded", "SGD", "learning-rate", 0)],
    ),
    "optimizer in a variable, text in compile": (
        "opt = Adam(clipnorm=1.0)\nm.compile(optimizer='adam', loss='mse')\nm.fit(x, y)",
        [("optimizer-discarded", "Adam", "clip", 0)],
    ),
    "optimizer in use": ("opt = Adam(clipnorm=1.0)\nm.compile(optimizer=opt, loss='mse')\nm.fit(x, y)", []),
    "optimizer in a table": ("t = {'a': Adam(0.1), 's': SGD(0.1)}\nm.compile(t['a'], 'mse')\nm.fit(x, y)", []),
    "callback never passed": (
        "m.compile('adam', 'mse')\nr = ReduceLROnPlateau()\nm.fit(x, y)",
        [("callback-not-passed", "ReduceLROnPlateau", "learning-rate", 1)],
    ),
    "list of callbacks never passed": (
        "m.compile('adam', 'mse')\ncbs = [EarlyStopping()]\nm.fit(x, y)",
        [("callback-not-passed", "EarlyStopping", "early-stopping", 1)],
    ),
    "compile overridden": (
        "m.compile(SGD(0.5), 'mse')\nm.compile('adam', 'mse')\nm.fit(x, y)",
        [("compile-overridden", "compile", "optimizer", 0)],
    ),
    "compiled again after training": (
        "m.compile('sgd', 'mse')\nm.fit(x, y)\nm.compile('adam', 'mse')\nm.fit(x, y)",
        [],
    ),
    "batch size of a dataset": (
        "m.compile('adam', 'mse')\nds = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)\nm.fit(ds, batch_size=8)",
        [("batch-size-ignored", "batch_size", "batch-size", 2)],
    ),
    "batch size of arrays": ("m.compile('adam', 'mse')\nm.fit(x, y, batch_size=8)", []),
}


@pytest.mark.parametrize(("body", "expected"), DEAD.values(), ids=DEAD)
def test_dead_settings(facts_of: FactsOf, body: str, expected: list[Any]) -> None:
    found = items(facts_of(HEAD + MODEL + body).dead_settings)
    keras = [d for d in found if plain(d.kind) != "never-read"]
    assert [
        (plain(d.kind), plain(d.name), plain(d.setting), d.at.line - FIRST if d.at else None) for d in keras
    ] == expected


def test_both_compiles_count_where_both_train(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + MODEL + "m.compile('sgd', 'mse')\nm.fit(x, y)\nm.compile('adam', 'mse')\nm.fit(x, y)")
    assert [plain(o.name) for o in items(program.optimizers)] == ["SGD", "Adam"]


def test_both_frameworks(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + READY + "m.fit(x, y, epochs=5)\nimport torch\nfrom torch import nn\n"
        "n = nn.LSTM(3, 16)\no = torch.optim.Adam(n.parameters(), lr=0.1)"
    )
    assert program.framework == "both"
    assert {plain(r.units) for r in items(program.recurrent_layers)} >= {8}


def test_a_loop_over_epochs_that_is_left_early(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + READY + "best, wait, PATIENCE = 1e9, 0, 5\nfor e in range(90):\n    m.fit(x, y, epochs=1)\n"
        "    now = m.evaluate(a, b)\n"
        "    if now < best:\n        best, wait = now, 0\n    else:\n        wait += 1\n"
        "        if wait >= PATIENCE:\n            break"
    )
    assert stopping(program) == [(True, True, None, 5, None, True)]
    assert plain(program.epochs) == 90


def test_a_metric_that_has_another_name_in_the_logs(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + MODEL
        + "m.compile('adam', 'mse', metrics=['accuracy'])\n"
        + "m.fit(x, y, epochs=50, validation_split=0.1, callbacks=[EarlyStopping('val_acc', patience=3)])"
    )
    found = items(program.early_stopping)[0]
    assert (plain(found.can_act), plain(found.why_not)) == (
        False,
        "`val_acc` is `val_accuracy` in Keras 2.3 and later",
    )
    assert plain(found.renamed) == "val_accuracy"
