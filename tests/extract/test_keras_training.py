"""How Keras programs are compiled and trained: source text → facts."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import Program, Unknown, items, plain
from tests.extract.conftest import FactsOf

HEAD = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras.callbacks import *
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential, Model, load_model
from tensorflow.keras.optimizers import *
"""
MODEL = "m = Sequential([LSTM(8), Dense(1)])\n"
FIRST = HEAD.count("\n") + 2  # the line after MODEL


def of(program: Program, key: str, *fields: str) -> list[tuple[Any, ...]]:
    """The active items of a list fact, as the plain values of some fields."""
    return [tuple(plain(getattr(i, f)) for f in fields) for i in items(getattr(program, key)) if i.active]


OPTIMIZERS = {
    "text": ("m.compile('adam', 'mse')", ("Adam", 0.001)),
    "text by keyword": ("m.compile(loss='mse', optimizer='sgd')", ("SGD", 0.01)),
    "default of compile": ("m.compile(loss='mse')", ("RMSprop", 0.001)),
    "object": ("m.compile(optimizer=Adam(learning_rate=3e-4), loss='mse')", ("Adam", 3e-4)),
    "object by position": ("m.compile(keras.optimizers.SGD(0.1, 0.9), 'mse')", ("SGD", 0.1)),
    "in a variable": ("opt = RMSprop(lr=0.002)\nm.compile(loss='mse', optimizer=opt)", ("RMSprop", 0.002)),
    "text in a variable": ("o = 'nadam'\nm.compile(loss='mse', optimizer=o)", ("Nadam", 0.001)),
    "class": ("m.compile(loss='mse', optimizer=Adam)", ("Adam", 0.001)),
    "legacy": ("m.compile(loss='mse', optimizer=tf.keras.optimizers.legacy.Adam(0.01))", ("Adam", 0.01)),
    "looked up": ("m.compile(loss='mse', optimizer=keras.optimizers.get('adagrad'))", ("Adagrad", 0.001)),
    "chosen by name": ("m.compile(loss='mse', optimizer=getattr(keras.optimizers, 'Adamax')(0.02))", ("Adamax", 0.02)),
    "with loss scaling": (
        "m.compile(loss='mse', optimizer=tf.keras.mixed_precision.LossScaleOptimizer(Adam(0.01)))",
        ("Adam", 0.01),
    ),
    "of a table": ("t = {'a': Adam(0.01), 's': SGD(0.1)}\nm.compile(loss='mse', optimizer=t['a'])", ("Adam", 0.01)),
    "of a function": (
        "def make(rate=0.05):\n    return Adam(rate)\nm.compile(loss='mse', optimizer=make())",
        ("Adam", 0.05),
    ),
    "add-ons": (
        "import tensorflow_addons as tfa\nm.compile(loss='mse', optimizer=tfa.optimizers.RectifiedAdam(0.01))",
        ("RectifiedAdam", 0.01),
    ),
    "second compile wins": ("m.compile('sgd', 'mse')\nm.compile('adam', 'mse')", ("Adam", 0.001)),
    "schedule": (
        "s = keras.optimizers.schedules.ExponentialDecay(0.02, decay_steps=100, decay_rate=0.9)\n"
        "m.compile(loss='mse', optimizer=Adam(s))",
        ("Adam", 0.02),
    ),
}


@pytest.mark.parametrize(("body", "expected"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers(facts_of: FactsOf, body: str, expected: tuple[str, float]) -> None:
    assert of(facts_of(HEAD + MODEL + body + "\nm.fit(x, y)"), "optimizers", "name", "learning_rate") == [expected]


def test_optimizer_that_is_not_known(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "def train(opt):\n    m = Sequential([LSTM(8), Dense(1)])\n    m.compile(opt, 'mse')\n    m.fit(x, y)"
    )
    assert isinstance(items(program.optimizers)[0].name, Unknown)


def test_optimizer_arguments(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + MODEL + "m.compile(SGD(0.1, momentum=0.9, weight_decay=1e-4, clipvalue=0.5), 'mse')\nm.fit(x, y)"
    )
    assert of(program, "optimizers", "momentum", "weight_decay", "decoupled", "clipvalue", "clipnorm") == [
        (0.9, 1e-4, True, 0.5, None)
    ]
    assert of(program, "clipping", "kind", "max", "placement", "per_variable") == [("value", 0.5, "ok", True)]


CLIPPING = {
    "none": ("Adam()", []),
    "norm of each": ("Adam(clipnorm=1.0)", [("norm", 1.0, True)]),
    "norm of all": ("Adam(global_clipnorm=2.0)", [("norm", 2.0, False)]),
    "value": ("Adam(clipvalue=0.5)", [("value", 0.5, True)]),
    "explicitly none": ("Adam(clipnorm=None)", []),
}


@pytest.mark.parametrize(("optimizer", "expected"), CLIPPING.values(), ids=CLIPPING)
def test_clipping(facts_of: FactsOf, optimizer: str, expected: list[Any]) -> None:
    program = facts_of(HEAD + MODEL + f"m.compile({optimizer}, 'mse')\nm.fit(x, y)")
    assert of(program, "clipping", "kind", "max", "per_variable") == expected


LOSSES = {
    "text": ("loss='mse'", [("mse", None)]),
    "function": ("loss=keras.losses.binary_crossentropy", [("binary_crossentropy", False)]),
    "object": ("loss=keras.losses.Huber()", [("Huber", None)]),
    "logits": (
        "loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        [("SparseCategoricalCrossentropy", True)],
    ),
    "own function": ("loss=mine", [("mine", None)]),
    "own function around a known one": ("loss=wrapped", [("wrapped", True)]),
    "made by a function": ("loss=focal(2.0)", [("focal", None)]),
    "a lambda around a known one": (
        "loss=lambda t, p: keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True)",
        [("sparse_categorical_crossentropy", True)],
    ),
    "of each head": ("loss={'a': 'mse', 'b': 'mae'}", [("mse", None), ("mae", None)]),
    "of each head in order": ("loss=['mse', 'binary_crossentropy']", [("mse", None), ("binary_crossentropy", False)]),
    "not given": ("metrics=['mae']", []),
}


@pytest.mark.parametrize(("argument", "expected"), LOSSES.values(), ids=LOSSES)
def test_losses(facts_of: FactsOf, argument: str, expected: list[Any]) -> None:
    program = facts_of(
        HEAD + "def mine(t, p):\n    return K.mean(t - p)\n"
        "def wrapped(t, p):\n    return tf.keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True)\n"
        "def focal(g):\n    def inner(t, p):\n        return K.mean(p ** g)\n    return inner\n"
        + MODEL
        + f"m.compile(optimizer='adam', {argument})\nm.fit(x, y)"
    )
    assert of(program, "losses", "name", "from_logits") == expected


def test_loss_added_by_a_layer(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "class CTC(Layer):\n    def call(self, t, p):\n"
        "        self.add_loss(keras.backend.ctc_batch_cost(t, p, 1, 1))\n        return p\n"
        "i, t = Input((5, 2)), Input((3,))\np = Dense(9, activation='softmax')(LSTM(8, return_sequences=True)(i))\n"
        "m = Model([i, t], CTC()(t, p))\nm.compile('adam')\nm.fit(x)"
    )
    assert of(program, "losses", "name", "input_activation") == [("ctc_batch_cost", "softmax")]
    assert plain(program.output.activation) == "softmax"


EPOCHS = {
    "default": ("m.fit(x, y)", (1, "default")),
    "literal": ("m.fit(x, y, epochs=7)", (7, "literal")),
    "constant": ("E = 7\nm.fit(x, y, epochs=E)", (7, "constant")),
    "position": ("m.fit(x, y, 32, 7)", (7, "literal")),
    "keras 1": ("m.fit(x, y, nb_epoch=7)", (7, "literal")),
    "generator": ("m.fit_generator(g, steps_per_epoch=9, epochs=7)", (7, "literal")),
    "generator by position": ("m.fit_generator(g, 9, 7)", (7, "literal")),
    "one by one": ("for e in range(40):\n    m.fit(x, y, epochs=1)\n    m.reset_states()", (40, "literal")),
    "from one on": ("N = 30\nfor e in range(1, N):\n    m.fit(x, y)", (29, "arithmetic")),
    "several in a loop": ("for e in range(4):\n    m.fit(x, y, epochs=5)", (20, "arithmetic")),
    "numbered": ("for i, e in enumerate(range(6)):\n    m.fit(x, y, epochs=1, verbose=0)", (6, "constant")),
    "chunks of data": ("for e in range(6):\n    for c in chunks:\n        m.fit(c, y, epochs=1)", (6, "literal")),
    "data sets": ("for name in ['a', 'b']:\n    m.fit(load(name), y, epochs=5)", (5, "literal")),
    "a new model each time": (
        "for k in range(3):\n    m = Sequential([LSTM(8), Dense(1)])\n    m.compile('adam', 'mse')\n"
        "    m.fit(x, y, epochs=5)",
        (5, "literal"),
    ),
    "weights put back each time": (
        "w = m.get_weights()\nfor k in range(3):\n    m.set_weights(w)\n    m.fit(x, y, epochs=5)",
        (5, "literal"),
    ),
    "cross-validation": (
        "from sklearn.model_selection import KFold\nfor a, b in KFold(5).split(x):\n"
        "    m = Sequential([LSTM(8), Dense(1)])\n"
        "    m.compile('adam', 'mse')\n    m.fit(x[a], y[a], epochs=5)",
        (5, "literal"),
    ),
    "batches by hand": ("for e in range(9):\n    for b in data:\n        m.train_on_batch(b, y)", (9, "literal")),
    "a later start": ("m.fit(x, y, epochs=20, initial_epoch=5)", (15, "arithmetic")),
    "arguments in a dict": ("a = dict(epochs=7, verbose=0)\nm.fit(x, y, **a)", (7, "config")),
}


@pytest.mark.parametrize(("body", "expected"), EPOCHS.values(), ids=EPOCHS)
def test_epochs(facts_of: FactsOf, body: str, expected: tuple[int, str]) -> None:
    got = facts_of(HEAD + MODEL + "m.compile('adam', 'mse')\n" + body).epochs
    assert not isinstance(got, Unknown), got
    assert (got.value, got.via) == expected


UNKNOWN_EPOCHS = {
    "while": "while True:\n    m.fit(x, y, epochs=1)",
    "data": "m.fit(x, y, epochs=len(files))",
    "two trainings that differ": "m.fit(x, y, epochs=3)\nn = Sequential([GRU(4), Dense(1)])\n"
    "n.compile('adam', 'mse')\nn.fit(x, y, epochs=5)",
}


@pytest.mark.parametrize("body", UNKNOWN_EPOCHS.values(), ids=UNKNOWN_EPOCHS)
def test_unknown_epochs(facts_of: FactsOf, body: str) -> None:
    assert isinstance(facts_of(HEAD + MODEL + "m.compile('adam', 'mse')\n" + body).epochs, Unknown)


def test_the_final_training_counts_after_a_search_by_hand(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "def build(n):\n    m = Sequential([LSTM(n), Dense(1)])\n    m.compile('adam', 'mse')\n    return m\n"
        "for e in [2, 5]:\n    build(8).fit(x, y, epochs=e, batch_size=64, validation_data=(v, w))\n"
        "m = build(16)\nm.fit(x, y, epochs=9, batch_size=10, validation_data=(v, w))"
    )
    assert (plain(program.epochs), plain(program.batch_size)) == (9, 10)


BATCHES = {
    "keyword": ("m.fit(x, y, batch_size=64)", 64),
    "position": ("m.fit(x, y, 64)", 64),
    "default of arrays": ("m.fit(x, y, epochs=2)", 32),
    "constant": ("B = 16\nm.fit(x, y, batch_size=B)", 16),
}


@pytest.mark.parametrize(("body", "expected"), BATCHES.values(), ids=BATCHES)
def test_batch_size(facts_of: FactsOf, body: str, expected: int) -> None:
    assert plain(facts_of(HEAD + MODEL + "m.compile('adam', 'mse')\n" + body).batch_size) == expected


VALIDATION = {
    "data": ("validation_data=(xv, yv)", ("data", "(xv, yv)", None)),
    "validation data": ("validation_data=(x_val, y_val)", ("data", "(x_val, y_val)", False)),
    "the test set": ("validation_data=(x_test, y_test)", ("data", "(x_test, y_test)", True)),
    "the test entries": ("validation_data=(d['X_test'], d['y_test'])", ("data", "(d['X_test'], d['y_test'])", True)),
    "split": ("validation_split=0.2", ("split", "0.2", False)),
    "no share": ("validation_split=0.0", ("none", None, None)),
    "none": ("epochs=2", ("none", None, None)),
    "explicitly none": ("validation_data=None", ("none", None, None)),
}


@pytest.mark.parametrize(("argument", "expected"), VALIDATION.values(), ids=VALIDATION)
def test_validation(facts_of: FactsOf, argument: str, expected: tuple[Any, ...]) -> None:
    found = facts_of(HEAD + MODEL + f"m.compile('adam', 'mse')\nm.fit(x, y, {argument})").validation
    assert tuple(plain(getattr(found, f)) for f in ("kind", "source", "is_test_set")) == expected


def test_official_test_split_under_another_name(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "(a, b), (xv, yv) = keras.datasets.imdb.load_data()\n"
        + MODEL
        + "m.compile('adam', 'mse')\nm.fit(a, b, validation_data=(xv, yv))"
    )
    assert plain(program.validation.is_test_set) is True


def test_shuffle(facts_of: FactsOf) -> None:
    base = HEAD + MODEL + "m.compile('adam', 'mse')\n"
    programs = [facts_of(base + f"m.fit(x, y{extra})") for extra in ("", ", shuffle=False")]
    assert [plain(p.shuffle) for p in programs] == [True, False]


SCHEDULES = {
    "none": ("m.compile(Adam(0.01), 'mse')\nm.fit(x, y)", []),
    "object": (
        "s = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.96)\n"
        "m.compile(Adam(learning_rate=s), 'mse')\nm.fit(x, y)",
        [("ExponentialDecay", 0.96, "batch", False)],
    ),
    "plateau": (
        "m.compile('adam', 'mse')\nm.fit(x, y, callbacks=[ReduceLROnPlateau(factor=0.5, patience=3)])",
        [("ReduceLROnPlateau", 0.5, "epoch", False)],
    ),
    "scheduler": (
        "m.compile('adam', 'mse')\ndef f(e, lr):\n    return lr * 0.9\n"
        "m.fit(x, y, callbacks=[LearningRateScheduler(f)])",
        [("LearningRateScheduler", None, "epoch", False)],
    ),
    "old argument": (
        "m.compile(Adam(lr=0.01, decay=1e-6), 'mse')\nm.fit(x, y)",
        [("InverseTimeDecay", 1e-6, "batch", False)],
    ),
    "old argument of zero": ("m.compile(Adam(lr=0.01, decay=0.0), 'mse')\nm.fit(x, y)", []),
    "by hand in a loop": (
        "m.compile('adam', 'mse')\nfor e in range(9):\n    m.fit(x, y)\n    K.set_value(m.optimizer.lr, 0.1 / (e + 1))",
        [(None, None, "epoch", True)],
    ),
    "by an own callback": (
        "class C(Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        self.model.optimizer.lr = 0.1\n"
        "m.compile('adam', 'mse')\nm.fit(x, y, callbacks=[C()])",
        [(None, None, "epoch", True)],
    ),
    "set once": ("m.compile('adam', 'mse')\nK.set_value(m.optimizer.lr, 0.1)\nm.fit(x, y)", []),
    "never passed": ("m.compile('adam', 'mse')\nr = ReduceLROnPlateau()\nm.fit(x, y)", []),
}


@pytest.mark.parametrize(("body", "expected"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedules(facts_of: FactsOf, body: str, expected: list[Any]) -> None:
    assert of(facts_of(HEAD + MODEL + body), "schedules", "name", "gamma", "stepped", "by_hand") == expected


TAPE = """
m = Sequential([GRU(8), Dense(3)])
opt = Adam(0.01)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        p = m(x, training=True)
        loss = loss_fn(y, p)
    g = tape.gradient(loss, m.trainable_variables)
    g, _ = tf.clip_by_global_norm(g, 5.0)
    opt.apply_gradients(zip(g, m.trainable_variables))
    return loss
for epoch in range(12):
    for x, y in data:
        step(x, y)
"""


def test_tape(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + TAPE)
    assert (program.api, plain(program.epochs)) == ("tape", 12)
    assert of(program, "optimizers", "name", "learning_rate") == [("Adam", 0.01)]
    assert of(program, "losses", "name", "from_logits") == [("SparseCategoricalCrossentropy", True)]
    assert of(program, "clipping", "kind", "max", "placement", "per_variable") == [("norm", 5.0, "ok", False)]
    assert [s.kind for s in items(program.training_step.order)] == ["forward", "backward", "clip", "step"]
    assert plain(program.validation.kind) == "none"


def test_tape_with_encoder_and_decoder(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "class Enc(Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.gru = GRU(16, return_sequences=True, return_state=True)\n"
        "    def call(self, x, h):\n        return self.gru(x, initial_state=h)\n"
        "class Dec(Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.gru, self.fc = GRU(16), Dense(30)\n"
        "    def call(self, x, h):\n        return self.fc(self.gru(x, initial_state=h))\n"
        "obj = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction='none')\n"
        "def loss_function(real, pred):\n    mask = tf.cast(real != 0, tf.float32)\n"
        "    return tf.reduce_mean(obj(real, pred) * mask)\n"
        "enc, dec, optimizer = Enc(), Dec(), Adam()\n"
        "def train_step(x, y, h):\n    loss = 0\n    with tf.GradientTape() as tape:\n        o, h = enc(x, h)\n"
        "        for t in range(1, y.shape[1]):\n            loss += loss_function(y[:, t], dec(y[:, t - 1], h))\n"
        "    grads = tape.gradient(loss, enc.trainable_variables)\n"
        "    optimizer.apply_gradients(zip(grads, enc.trainable_variables))\n"
        "EPOCHS = 10\nfor epoch in range(EPOCHS):\n    for (batch, (x, y)) in enumerate(dataset.take(9)):\n"
        "        train_step(x, y, None)"
    )
    assert (program.api, plain(program.epochs)) == ("tape", 10)
    assert of(program, "recurrent_layers", "kind", "units") == [("GRU", 16), ("GRU", 16)]
    assert of(program, "losses", "name", "from_logits") == [("loss_function", True)]
    assert of(program, "optimizers", "name") == [("Adam",)]


def test_own_training_step_of_a_model(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "class M(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.r, self.d = LSTM(8), Dense(1)\n"
        "    def call(self, x):\n        return self.d(self.r(x))\n"
        "    def train_step(self, data):\n        x, y = data\n        with tf.GradientTape() as t:\n"
        "            loss = self.compute_loss(y=y, y_pred=self(x))\n"
        "        own = self.trainable_variables\n"
        "        self.optimizer.apply_gradients(zip(t.gradient(loss, own), own))\n"
        "m = M()\nm.compile('adam', 'mse')\nm.fit(x, y, epochs=3)"
    )
    assert (program.api, plain(program.epochs)) == ("fit", 3)
    assert of(program, "optimizers", "name") == [("Adam",)]


def test_scikit_learn_wrapper(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "from tensorflow.keras.wrappers.scikit_learn import KerasRegressor\n"
        "def build(units=12):\n    m = Sequential([LSTM(units), Dense(1)])\n    m.compile('adam', 'mse')\n"
        "    return m\n"
        "r = KerasRegressor(build_fn=build, epochs=20, batch_size=5)\nr.fit(x, y)"
    )
    assert (program.api, plain(program.epochs), plain(program.batch_size)) == ("fit", 20, 5)
    assert of(program, "recurrent_layers", "units") == [(12,)]


def test_scaler_that_is_fitted_is_no_training(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + "from sklearn.preprocessing import MinMaxScaler\ns = MinMaxScaler()\ns.fit(x)\n" + MODEL)
    assert program.api == "module"


def test_seeds(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + "np.random.seed(1)\ntf.random.set_seed(2)\n" + MODEL)
    assert of(program, "seeds", "library", "value") == [("numpy", 1), ("tensorflow", 2)]


def test_removed_arguments(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "m = Sequential([LSTM(8, batch_input_shape=(1, 5, 1)), Dense(1)])\nm.compile(Adam(lr=0.1), 'mse')\n"
        "m.fit_generator(g, 9, 7)\nm.predict_classes(x)"
    )
    assert of(program, "removed_arguments", "name", "of") == [
        ("batch_input_shape", "LSTM"),
        ("fit_generator", "Model"),
        ("predict_classes", "Model"),
        ("lr", "Adam"),
    ]


def test_removed_class_and_argument_of_compile(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "from keras.layers import CuDNNGRU\nm = Sequential([CuDNNGRU(8), Dense(1)])\n"
        "m.compile('adam', 'mse', sample_weight_mode='temporal')\nm.fit(x, y)"
    )
    assert of(program, "removed_arguments", "name", "since") == [("CuDNNGRU", "2.4"), ("sample_weight_mode", "3.0")]


@pytest.mark.parametrize(
    "text",
    [
        "from tensorflow.compat.v1.keras.layers import CuDNNGRU\nm = Sequential([CuDNNGRU(8), Dense(1)])\n",
        "from keras.layers import CuDNNGRU\n"
        "if tf.test.is_gpu_available():\n    m = Sequential([CuDNNGRU(8), Dense(1)])\n"
        "else:\n    m = Sequential([GRU(8), Dense(1)])\n",
    ],
)
def test_class_that_an_old_module_still_has_or_that_only_some_runs_use(facts_of: FactsOf, text: str) -> None:
    program = facts_of(HEAD + text + "m.compile('adam', 'mse')\nm.fit(x, y)")
    assert program.removed_arguments == ()


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("from keras.layers.recurrent import LSTM", ["keras.layers.recurrent"]),
        ("from keras.layers import recurrent, Dense", ["keras.layers.recurrent"]),
        ("from keras.layers import core, wrappers", ["keras.layers.core", "keras.layers.wrappers"]),
        ("from keras.layers.core import *", ["keras.layers.core"]),
        ("import keras.utils.np_utils as ku", ["keras.utils.np_utils"]),
        ("from keras.engine.topology import Layer", ["keras.engine"]),
        ("from keras.preprocessing import text, sequence", ["keras.preprocessing.text"]),
        ("from keras.preprocessing.text import Tokenizer", ["keras.preprocessing.text"]),
        (
            "from keras.preprocessing.sequence import TimeseriesGenerator, pad_sequences",
            ["keras.preprocessing.sequence.TimeseriesGenerator"],
        ),
        ("from keras.wrappers.scikit_learn import KerasRegressor", ["keras.wrappers.scikit_learn"]),
    ],
)
def test_removed_imports(facts_of: FactsOf, line: str, gone: list[str]) -> None:
    program = facts_of(f"{line}\n{HEAD}{MODEL}m.compile('adam', 'mse')\nm.fit(x, y)")
    assert of(program, "removed_arguments", "name") == [(name,) for name in gone]
    assert {item.at.line for item in items(program.removed_arguments) if item.at} == {1}


@pytest.mark.parametrize(
    "line",
    [
        "from keras.preprocessing.sequence import pad_sequences",
        "from keras.preprocessing import sequence",
        "from keras.wrappers import SKLearnRegressor",
        "from keras.layers import LSTM, recurrent_of_mine",
        "from keras.utils import to_categorical",
        "from tensorflow.keras.preprocessing.text import Tokenizer",
        "from tf_keras.layers.recurrent import LSTM",
        "from .keras.layers.core import Dense",
        "try:\n    from keras.layers.recurrent import LSTM\nexcept ImportError:\n    from keras.layers import LSTM",
        "if old:\n    from keras.utils import np_utils",
        "def labels(y):\n    from keras.utils import np_utils\n    return np_utils.to_categorical(y)",
    ],
)
def test_imports_that_work_or_that_not_every_run_makes(facts_of: FactsOf, line: str) -> None:
    program = facts_of(f"{line}\n{HEAD}{MODEL}m.compile('adam', 'mse')\nm.fit(x, y)")
    assert program.removed_arguments == ()


def test_removed_imports_of_a_keras_of_the_project(facts_of: FactsOf) -> None:
    text = f"from keras.utils import np_utils\n{HEAD}{MODEL}m.compile('adam', 'mse')\nm.fit(x, y)"
    own = {"keras/__init__.py": "", "keras/utils/__init__.py": "", "keras/utils/np_utils.py": ""}
    program = facts_of({"train.py": text, **own})
    assert program.removed_arguments == ()


BUILD = (
    "def build(units=12, rate=0.1):\n    m = Sequential([LSTM(units), Dense(1)])\n"
    "    m.compile(Adam(rate), 'mse')\n    return m\n"
)


def test_estimator_in_a_grid_search(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "from scikeras.wrappers import KerasRegressor\nfrom sklearn.model_selection import GridSearchCV\n"
        + BUILD
        + "r = KerasRegressor(model=build, verbose=0)\n"
        "grid = {'epochs': [5, 10], 'batch_size': [16], 'model__units': [4, 8]}\n"
        "g = GridSearchCV(estimator=r, param_grid=grid)\ng.fit(x, y)"
    )
    assert plain(program.epochs) == {"low": None, "high": None, "choices": [5, 10]}
    assert plain(program.batch_size) == 16
    assert of(program, "recurrent_layers", "units") == [({"low": None, "high": None, "choices": [4, 8]},)]
    assert of(program, "optimizers", "name", "learning_rate") == [("Adam", 0.1)]


def test_estimator_in_a_cross_validation(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "from keras.wrappers.scikit_learn import KerasClassifier\n"
        "from sklearn.model_selection import cross_val_score\n"
        + BUILD
        + "c = KerasClassifier(build_fn=build, units=6, epochs=8)\ncross_val_score(c, x, y, cv=5)"
    )
    assert of(program, "recurrent_layers", "units") == [(6,)]
    assert (plain(program.epochs), plain(program.batch_size)) == (8, 32)


def test_estimator_in_a_pipeline(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "from keras.wrappers.scikit_learn import KerasClassifier\nfrom sklearn.pipeline import Pipeline\n"
        + BUILD
        + "p = Pipeline([('net', KerasClassifier(build, epochs=8))])\np.fit(x, y)"
    )
    assert of(program, "recurrent_layers", "units") == [(12,)]


def test_study_of_optuna(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "import optuna\ndef objective(trial):\n    n = trial.suggest_int('n', 8, 64)\n"
        "    lr = trial.suggest_float('lr', 1e-4, 1e-2, log=True)\n"
        "    m = Sequential([LSTM(n), Dropout(trial.suggest_float('d', 0, 0.5)), Dense(1)])\n"
        "    m.compile(Adam(lr), 'mse')\n"
        "    m.fit(x, y, epochs=7, validation_split=0.1)\n    return m.evaluate(a, b)\n"
        "s = optuna.create_study()\ns.optimize(objective, n_trials=20)"
    )
    assert of(program, "recurrent_layers", "units") == [({"low": 8, "high": 64, "choices": None},)]
    assert of(program, "optimizers", "learning_rate") == [({"low": 1e-4, "high": 1e-2, "choices": None},)]
    assert plain(program.epochs) == 7


def test_model_on_several_devices(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "from keras.utils import multi_gpu_model\n"
        + MODEL
        + "p = multi_gpu_model(m, gpus=2)\np.compile('adam', 'mse')\np.fit(x, y, epochs=4)"
    )
    assert (plain(program.epochs), plain(program.output.activation)) == (4, "none")


def test_defaults_of_streamlit_widgets(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "import streamlit as st\nepochs = st.sidebar.slider('Epochs', 1, 100, 25)\n"
        "units = st.number_input('Units', min_value=16, value=50)\n"
        "opt = st.selectbox('Optimizer', ['adam', 'sgd'])\nif st.button('Train'):\n"
        "    m = Sequential([LSTM(units), Dense(1)])\n    m.compile(opt, 'mse')\n    m.fit(x, y, epochs=epochs)"
    )
    assert (plain(program.epochs), of(program, "recurrent_layers", "units")) == (25, [(50,)])
    assert of(program, "optimizers", "name") == [("Adam",)]


def test_default_of_a_hand_made_command_line(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "import sys\nepochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20\n"
        "if len(sys.argv) > 2:\n    batch = int(sys.argv[2])\nelse:\n    batch = 16\n"
        + MODEL
        + "m.compile('adam', 'mse')\nm.fit(x, y, epochs=epochs, batch_size=batch)"
    )
    assert (plain(program.epochs), plain(program.batch_size)) == (20, 16)


def test_epochs_of_a_loop_that_may_resume(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + TAPE.replace(
            "for epoch in range(12)",
            "start = 0\nif manager.latest_checkpoint:\n    start = int(manager.latest_checkpoint[-1])\n"
            "EPOCHS = 12\nfor epoch in range(start + 1, EPOCHS + 1)",
        )
    )
    assert plain(program.epochs) == 12


def test_batches_made_elsewhere_have_no_default_size(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + "from data import gen\n" + MODEL + "m.compile('adam', 'mse')\nm.fit(gen, epochs=2)")
    assert isinstance(program.batch_size, Unknown)


def test_settings_of_wandb(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "import wandb\nwandb.init(project='p', config={'epochs': 12, 'units': 48})\nc = wandb.config\nc.rate = 0.01\n"
        + "m = Sequential([LSTM(c.units), Dense(1)])\nm.compile(Adam(c.rate), 'mse')\nm.fit(x, y, epochs=c['epochs'])"
    )
    assert (plain(program.epochs), of(program, "recurrent_layers", "units")) == (12, [(48,)])
    assert of(program, "optimizers", "learning_rate") == [(0.01,)]


def test_epochs_of_a_while_loop_with_a_counter(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + MODEL + "m.compile('adam', 'mse')\ne, N = 0, 30\nwhile e < N:\n    m.fit(x, y, epochs=1)\n    e += 1"
    )
    assert plain(program.epochs) == 30


def test_one_model_trained_twice_has_no_single_number_of_epochs(facts_of: FactsOf) -> None:
    base = HEAD + MODEL + "m.compile('adam', 'mse')\nm.fit(x, y, epochs=5)\n"
    assert isinstance(facts_of(base + "m.fit(x, y, epochs=9)").epochs, Unknown)
    assert plain(facts_of(base + "m.fit(x, y, epochs=5)").epochs) == 5


class TestTheCallsOfFit:
    NET = "def net(layer):\n    m = Sequential([layer, Dense(1)])\n    m.compile('adam', 'mse')\n    return m\n"

    def lines(self, facts_of: FactsOf, text: str) -> list[int]:
        loop = facts_of(HEAD + self.NET + text).epoch_loop
        first = HEAD.count("\n") + self.NET.count("\n")
        return [at.line - first for at in (loop.at, *(each.at for each in items(loop.others))) if at is not None]

    def test_one(self, facts_of: FactsOf) -> None:
        assert self.lines(facts_of, "m = net(LSTM(8))\nm.fit(x, y, epochs=9)\n") == [2]

    def test_the_name_of_its_model(self, facts_of: FactsOf) -> None:
        text = HEAD + self.NET + "net_a = net(LSTM(8))\nnet_a.fit(x, y, epochs=9)\n"
        assert plain(facts_of(text).epoch_loop.models) == ["net_a"]

    def test_several(self, facts_of: FactsOf) -> None:
        text = "b = Sequential([GRU(8), Dense(1)])\nb.compile('adam', 'mse')\n"
        fits = "a = net(LSTM(8))\na.fit(x, y, epochs=9)\nb.fit(x, y, epochs=9)\n"
        assert self.lines(facts_of, text + fits) == [4, 5]

    def test_not_those_of_other_models(self, facts_of: FactsOf) -> None:
        text = "a = net(LSTM(8))\na.fit(x, y, epochs=9)\nc = Sequential([Dense(1)])\n"
        assert self.lines(facts_of, text + "c.compile('sgd', 'mse')\nc.fit(x, y, epochs=9)\n") == [2]

    def test_none_in_a_loop(self, facts_of: FactsOf) -> None:
        assert self.lines(facts_of, "m = net(LSTM(8))\nfor n in range(9):\n    m.fit(x, y, epochs=1)\n") == []


@pytest.mark.parametrize(
    ("more", "mentioned"), [("", False), ("print(h.history['val_acc'])\n", True), ('h.history["acc"]\n', True)]
)
def test_a_metric_that_is_named_again(facts_of: FactsOf, more: str, mentioned: bool) -> None:
    text = "m = Sequential([LSTM(8), Dense(1)])\nm.compile('adam', 'mse', metrics=['acc'])\nh = m.fit(x, y)\n"
    (metric,) = items(facts_of(HEAD + text + more).metrics)
    assert plain(metric.mentioned) is mentioned
