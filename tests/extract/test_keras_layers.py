"""Keras layers in all the ways that people build models: source text → facts."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import Program, Unknown, items, plain
from tests.extract.conftest import FactsOf

HEAD = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential, Model
"""


def recurrent(program: Program, *fields: str) -> list[tuple[Any, ...]]:
    """The active recurrent layers, as (kind, units, fields…)."""
    return [
        tuple(plain(getattr(layer, f)) for f in ("kind", "units", *fields))
        for layer in items(program.recurrent_layers)
        if layer.active
    ]


MODELS = {
    "sequential with add": (
        "m = Sequential()\nm.add(LSTM(8, return_sequences=True, input_shape=(5, 2)))\nm.add(LSTM(4))\nm.add(Dense(1))",
        [("LSTM", 8, True), ("LSTM", 4, False)],
    ),
    "sequential of a list": ("m = keras.Sequential([layers.GRU(8), layers.Dense(1)])", [("GRU", 8, False)]),
    "units by keyword": ("m = Sequential([LSTM(units=16, return_sequences=True), Dense(2)])", [("LSTM", 16, True)]),
    "functional": (
        "i = Input((5, 2))\nx = LSTM(8, return_sequences=True)(i)\nx = GRU(3)(x)\nm = Model(i, Dense(1)(x))",
        [("LSTM", 8, True), ("GRU", 3, False)],
    ),
    "subclassed": (
        "class M(keras.Model):\n"
        "    def __init__(self, units=7):\n        super().__init__()\n"
        "        self.rnn = LSTM(units)\n        self.out = Dense(1)\n"
        "    def call(self, x):\n        return self.out(self.rnn(x))\n"
        "m = M(9)\nm.build((None, 5, 2))",
        [("LSTM", 9, False)],
    ),
    "layers in a loop": (
        "m = Sequential()\nfor i, u in enumerate([8, 4]):\n    m.add(LSTM(u, return_sequences=i == 0))\n"
        "m.add(Dense(1))",
        [("LSTM", 8, True), ("LSTM", 4, False)],
    ),
    "copies of one line": (
        "m = Sequential()\nfor _ in range(2):\n    m.add(LSTM(8, return_sequences=True))\nm.add(Dense(1))",
        [("LSTM", 8, True), ("LSTM", 8, True)],
    ),
    "layers in a list, applied in a loop": (
        "rnns = [GRU(u, return_sequences=True) for u in (8, 4)]\nx = i = Input((5, 2))\n"
        "for r in rnns:\n    x = r(x)\nm = Model(i, Dense(1)(x))",
        [("GRU", 8, True), ("GRU", 4, True)],
    ),
    "a class behind a name": ("RNN = layers.LSTM\nm = Sequential([RNN(8), Dense(1)])", [("LSTM", 8, False)]),
    "a class as an argument": (
        "def build(cell, n):\n    m = Sequential()\n    m.add(cell(n))\n    m.add(Dense(1))\n    return m\n"
        "m = build(GRU, 6)",
        [("GRU", 6, False)],
    ),
    "a class chosen by text": (
        "kinds = {'lstm': LSTM, 'gru': GRU}\nm = Sequential([kinds['gru'](8), Dense(1)])",
        [("GRU", 8, False)],
    ),
    "a class from getattr": ("m = Sequential([getattr(layers, 'LSTM')(8), Dense(1)])", [("LSTM", 8, False)]),
    "arguments from a dict": (
        "cfg = {'units': 8, 'return_sequences': True}\nm = Sequential([LSTM(**cfg), Dense(1)])",
        [("LSTM", 8, True)],
    ),
    "a partial": (
        "from functools import partial\nL = partial(LSTM, return_sequences=True)\nm = Sequential([L(8), Dense(1)])",
        [("LSTM", 8, True)],
    ),
    "a factory": (
        "def rnn(n, last=False):\n    return LSTM(n, return_sequences=not last)\n"
        "m = Sequential([rnn(8), rnn(4, last=True), Dense(1)])",
        [("LSTM", 8, True), ("LSTM", 4, False)],
    ),
    "a subclass of a layer": (
        "class Mine(LSTM):\n    def __init__(self, n):\n        super().__init__(n, return_sequences=True)\n"
        "m = Sequential([Mine(8), Dense(1)])",
        [("LSTM", 8, True)],
    ),
    "convolutional": ("m = Sequential([ConvLSTM2D(filters=16, kernel_size=3)])", [("ConvLSTM2D", 16, False)]),
    "cudnn": (
        "from tensorflow.compat.v1.keras.layers import CuDNNLSTM\nm = Sequential([CuDNNLSTM(8), Dense(1)])",
        [("CuDNNLSTM", 8, False)],
    ),
    "a cell in RNN": (
        "m = Sequential([layers.RNN(layers.LSTMCell(8), return_sequences=True), Dense(1)])",
        [("LSTMCell", 8, True)],
    ),
    "cells in RNN": (
        "cells = [layers.GRUCell(n) for n in (8, 4)]\nm = Sequential([layers.RNN(cells), Dense(1)])",
        [("GRUCell", 8, False), ("GRUCell", 4, False)],
    ),
    "a branch that is not taken": (
        "deep = False\nm = Sequential()\nif deep:\n    m.add(LSTM(64, return_sequences=True))\n"
        "m.add(LSTM(8))\nm.add(Dense(1))",
        [("LSTM", 8, False)],
    ),
    "commented out": ("m = Sequential()\n# m.add(LSTM(64))\nm.add(LSTM(8))\n'''m.add(GRU(3))'''", [("LSTM", 8, False)]),
    "one builder called twice alike": (
        "def build():\n    return Sequential([LSTM(8), Dense(1)])\na = build()\nb = build()",
        [("LSTM", 8, False)],
    ),
    "one builder called with different arguments": (
        "def build(n):\n    return Sequential([LSTM(n), Dense(1)])\na = build(8)\nb = build(4)",
        [("LSTM", 8, False), ("LSTM", 4, False)],
    ),
}


@pytest.mark.parametrize(("source", "expected"), MODELS.values(), ids=MODELS)
def test_recurrent_layers(facts_of: FactsOf, source: str, expected: list[Any]) -> None:
    assert recurrent(facts_of(HEAD + source), "return_sequences") == expected


WRAPPED = {
    "bidirectional": ("Bidirectional(LSTM(8))", True),
    "bidirectional by keyword": ("Bidirectional(layer=LSTM(8), merge_mode='sum')", True),
    "three deep": ("TimeDistributed(Bidirectional(layers.LSTM(8)))", True),
    "plain": ("LSTM(8)", False),
}


@pytest.mark.parametrize(("layer", "expected"), WRAPPED.values(), ids=WRAPPED)
def test_bidirectional(facts_of: FactsOf, layer: str, expected: bool) -> None:
    program = facts_of(HEAD + f"m = Sequential([{layer}, Dense(1)])")
    assert recurrent(program, "bidirectional") == [("LSTM", 8, expected)]


def test_place_of_a_nested_layer_is_the_inner_name(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "m = Sequential([\n    Bidirectional(\n        LSTM(\n            units=8)),\n    Dense(1)])"
    )
    layer = items(program.recurrent_layers)[0]
    assert layer.at is not None
    assert (layer.at.line, layer.at.column) == (HEAD.count("\n") + 3, 9)


def test_bidirectional_on_a_branch_that_cannot_be_decided(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "def build(both):\n    r = LSTM(8)\n    if both:\n        r = Bidirectional(r)\n"
        "    return Sequential([r, Dense(1)])"
    )
    assert isinstance(items(program.recurrent_layers)[0].bidirectional, Unknown)


def test_defaults_of_keras(facts_of: FactsOf) -> None:
    layer = items(facts_of(HEAD + "m = Sequential([LSTM(8), Dense(1)])").recurrent_layers)[0]
    got = {
        name: plain(getattr(layer, name)) for name in type(layer).model_fields if name not in ("at", "active", "reads")
    }
    assert {k: v for k, v in got.items() if v is not None} == {
        "kind": "LSTM", "units": 8, "dropout": 0.0, "recurrent_dropout": 0.0, "bidirectional": False,
        "return_sequences": False, "return_state": False, "stateful": False, "unroll": False, "use_bias": True,
        "activation": "tanh", "recurrent_activation": "sigmoid", "unit_forget_bias": True,
        "kernel_initializer": "glorot_uniform", "recurrent_initializer": "orthogonal", "bias_initializer": "zeros",
        "input_layout": "batch-major", "stepped_by_hand": False,
    }  # fmt: skip


ARGUMENTS = {
    "dropout": ("LSTM(8, dropout=0.2)", "dropout", 0.2),
    "recurrent dropout": ("LSTM(8, recurrent_dropout=0.3)", "recurrent_dropout", 0.3),
    "activation by position": ("LSTM(8, 'relu')", "activation", "relu"),
    "activation as a function": ("GRU(8, activation=tf.nn.relu)", "activation", "relu"),
    "activation as an object": ("GRU(8, activation=LeakyReLU())", "activation", "leaky_relu"),
    "no activation": ("GRU(8, activation=None)", "activation", "none"),
    "initializer as text": ("LSTM(8, kernel_initializer='he_normal')", "kernel_initializer", "he_normal"),
    "initializer as an object": (
        "LSTM(8, recurrent_initializer=keras.initializers.Identity(gain=1.0))",
        "recurrent_initializer",
        "Identity",
    ),
    "stateful": ("LSTM(8, stateful=True, batch_input_shape=(4, 5, 1))", "stateful", True),
    "fixed batch": ("LSTM(8, stateful=True, batch_input_shape=(4, 5, 1))", "initial_batch", 4),
    "forget bias": ("LSTM(8, unit_forget_bias=False)", "unit_forget_bias", False),
    "time-major": ("LSTM(8, time_major=True)", "input_layout", "time-major"),
    "keras 1": ("LSTM(output_dim=8, dropout_W=0.2)", "dropout", 0.2),
}


@pytest.mark.parametrize(("layer", "field", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(facts_of: FactsOf, layer: str, field: str, expected: Any) -> None:
    program = facts_of(HEAD + f"m = Sequential([{layer}, Dense(1)])")
    assert plain(getattr(items(program.recurrent_layers)[0], field)) == expected


READS = {
    "last state": ("x = LSTM(8)(i)\ny = Dense(1)(x)", ["last-state"]),
    "both last states": ("x = Bidirectional(LSTM(8))(i)\ny = Dense(1)(x)", ["states-joined"]),
    "all steps": ("x = LSTM(8, return_sequences=True)(i)\ny = Dense(1)(x)", ["all-steps"]),
    "last step": ("x = LSTM(8, return_sequences=True)(i)\ny = Dense(1)(x[:, -1, :])", ["last-step"]),
    "last step in a lambda": (
        "x = LSTM(8, return_sequences=True)(i)\ny = Dense(1)(Lambda(lambda t: t[:, -1])(x))",
        ["last-step"],
    ),
    "pooled by a layer": ("x = GRU(8, return_sequences=True)(i)\ny = Dense(1)(GlobalMaxPooling1D()(x))", ["pooled"]),
    "pooled by a function": (
        "x = GRU(8, return_sequences=True)(i)\ny = Dense(1)(tf.reduce_mean(x, axis=1))",
        ["pooled"],
    ),
    "returned state": ("o, h, c = LSTM(8, return_state=True)(i)\ny = Dense(1)(h)", ["last-state"]),
    "state of a decoder": (
        "o, h, c = LSTM(8, return_state=True)(i)\nd = LSTM(8, return_sequences=True)(i, initial_state=[h, c])\n"
        "y = Dense(1)(d)",
        ["last-state"],
    ),
}


@pytest.mark.parametrize(("body", "expected"), READS.values(), ids=READS)
def test_reads(facts_of: FactsOf, body: str, expected: list[str]) -> None:
    program = facts_of(HEAD + f"i = Input((5, 2))\n{body}\nm = Model(i, y)")
    assert [plain(r.what) for r in items(items(program.recurrent_layers)[0].reads)] == expected


POSITIONS = {
    "between and before the output": (
        "LSTM(8, return_sequences=True), Dropout(0.1), LSTM(4), Dropout(0.2), Dense(1)",
        ["between", "pre-output"],
    ),
    "input": ("Embedding(9, 4), Dropout(0.1), LSTM(4), Dense(1)", ["input"]),
    "head": ("LSTM(4), Dropout(0.1), Dense(8), Dense(1)", ["head"]),
    "head before a normalisation": ("LSTM(4), Dropout(0.1), BatchNormalization(), Dense(1)", ["head"]),
    "before the output past an activation": (
        "LSTM(4), Dense(8), Activation('relu'), Dropout(0.1), Dense(1), Activation('sigmoid')",
        ["pre-output"],
    ),
    "after the output": ("LSTM(4), Dense(1), Dropout(0.1)", ["output"]),
    "spatial": ("Embedding(9, 4), SpatialDropout1D(0.1), LSTM(4), Dense(1)", ["input"]),
    "in a repeat": ("LSTM(4), RepeatVector(5), Dropout(0.1), LSTM(4), Dense(1)", ["between"]),
}


@pytest.mark.parametrize(("layers", "expected"), POSITIONS.values(), ids=POSITIONS)
def test_positions_of_dropouts(facts_of: FactsOf, layers: str, expected: list[str]) -> None:
    program = facts_of(HEAD + f"m = Sequential([{layers}])\nm.compile('adam', 'mse')")
    assert [plain(d.position) for d in items(program.dropouts)] == expected


@pytest.mark.parametrize(
    ("made", "alone"),
    [
        ("m = Sequential()\nm.add(LSTM(4))\nm.add(Dense(1))\nm.add(Dropout(0.1))", True),
        ("i = Input((5, 2))\no = Dense(1)(LSTM(4)(i))\no = Dropout(0.1)(o)\nm = Model(i, o)", True),
        ("i = Input((5, 2))\nd = Dense(1)(LSTM(4)(i))\no = Dropout(0.1)(d)\nm = Model(i, o)", False),
        ("m = Sequential([LSTM(4), Dense(1), Dropout(0.1)])", False),
    ],
)
def test_a_dropout_in_a_statement_of_its_own(facts_of: FactsOf, made: str, alone: bool) -> None:
    (drop,) = items(facts_of(HEAD + f"{made}\nm.compile('adam', 'mse')").dropouts)
    assert plain(drop.alone) == alone


def test_dropout_that_is_never_applied(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "class M(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.rnn, self.drop, self.out = LSTM(8), Dropout(0.5), Dense(1)\n"
        "    def call(self, x):\n        return self.out(self.rnn(x))\nm = M()\nm.compile('adam', 'mse')\nm.fit(x, y)"
    )
    assert [plain(d.position) for d in items(program.dropouts)] == ["unused"]


DENSE = {
    "plain": ("LSTM(4), Dense(8, activation='relu'), Dense(1)", [(8, "relu", "hidden"), (1, "none", "output")]),
    "wrapped": ("LSTM(4, return_sequences=True), TimeDistributed(Dense(3, 'softmax'))", [(3, "softmax", "output")]),
    "separate activation": ("LSTM(4), Dense(3), Activation('softmax')", [(3, "softmax", "output")]),
    "activation layer": (
        "LSTM(4), Dense(3), LeakyReLU(0.1), Dense(1)",
        [(3, "leaky_relu", "hidden"), (1, "none", "output")],
    ),
    "before the recurrent layer": ("Dense(8), LSTM(4), Dense(1)", [(8, "none", "projection"), (1, "none", "output")]),
    "linear": ("LSTM(4), Dense(1, activation='linear')", [(1, "none", "output")]),
}


@pytest.mark.parametrize(("layers", "expected"), DENSE.values(), ids=DENSE)
def test_dense_layers(facts_of: FactsOf, layers: str, expected: list[Any]) -> None:
    program = facts_of(HEAD + f"m = Sequential([{layers}])\nm.compile('adam', 'mse')")
    got = [(plain(d.units), plain(d.activation), plain(d.role)) for d in items(program.dense_layers)]
    assert got == expected


def test_input_units_of_a_dense_layer(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + "m = Sequential([Bidirectional(LSTM(8)), Dropout(0.1), Dense(4), Dense(1)])")
    assert [plain(d.input_units) for d in items(program.dense_layers)] == [16, 4]


def test_layers_of_models_without_recurrence_are_left_out(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "base = Sequential([Dense(64), Dropout(0.5), Dense(1)])\nbase.compile('sgd', 'mae')\n"
        "base.fit(x, y, epochs=3)\n"
        "m = Sequential([LSTM(8), Dropout(0.2), Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, epochs=5)"
    )
    assert [plain(d.rate) for d in items(program.dropouts)] == [0.2]
    assert [plain(d.units) for d in items(program.dense_layers)] == [1]
    assert [plain(o.name) for o in items(program.optimizers)] == ["Adam"]
    assert [plain(loss.name) for loss in items(program.losses)] == ["mse"]
    assert plain(program.epochs) == 5


OUTPUTS = {
    "dense": ("y = Dense(3, activation='softmax')(LSTM(4)(i))", (3, "softmax")),
    "no activation": ("y = Dense(1)(LSTM(4)(i))", (1, "none")),
    "activation layer": ("y = Activation('sigmoid')(Dense(1)(LSTM(4)(i)))", (1, "sigmoid")),
    "activation function": ("y = tf.nn.softmax(Dense(3)(LSTM(4)(i)))", (3, "softmax")),
    "reshaped": ("y = Reshape((3, 1))(Dense(3)(LSTM(4)(i)))", (3, "none")),
    "scaled by a lambda": ("y = Lambda(lambda t: t * 100.0)(Dense(1)(LSTM(4)(i)))", (1, "none")),
    "convolution": ("y = Conv3D(filters=1, kernel_size=3, activation='sigmoid')(ConvLSTM2D(8, 3)(i))", (1, "sigmoid")),
    "recurrent": ("y = LSTM(1)(i)", (1, "tanh")),
    "a model in a model": (
        "head = Sequential([Dense(8), Dense(2, activation='softmax')])\ny = head(LSTM(4)(i))",
        (2, "softmax"),
    ),
    "heads that agree": ("h = LSTM(4)(i)\ny = [Dense(1)(h), Dense(1)(h)]", (1, "none")),
    "heads that differ": ("h = LSTM(4)(i)\ny = [Dense(1)(h), Dense(3, activation='softmax')(h)]", (None, None)),
    "added heads": ("h = LSTM(4)(i)\ny = Add()([Dense(1)(h), Dense(1)(h)])", (None, "none")),
}


@pytest.mark.parametrize(("body", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_output(facts_of: FactsOf, body: str, expected: tuple[Any, Any]) -> None:
    program = facts_of(HEAD + f"i = Input((5, 2))\n{body}\nm = Model(i, y)\nm.compile('adam', 'mse')\nm.fit(a, b)")
    assert (plain(program.output.units), plain(program.output.activation)) == expected


def test_masking(facts_of: FactsOf) -> None:
    masked = facts_of(HEAD + "m = Sequential([Embedding(100, 8, mask_zero=True), LSTM(4), Dense(1)])")
    layer = facts_of(HEAD + "m = Sequential([Masking(0.0), LSTM(4), Dense(1)])")
    bare = facts_of(HEAD + "m = Sequential([Embedding(100, 8), LSTM(4), Dense(1)])")
    assert [plain(p.padding.masked) for p in (masked, layer, bare)] == [True, True, False]
    assert [plain(e.padding) for e in items(masked.embeddings)] == [True]


def test_edges_and_state(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "i = Input((5, 2))\no, h, c = LSTM(8, return_state=True)(i)\n"
        "d = LSTM(8, return_sequences=True)(i, initial_state=[h, c])\nm = Model(i, Dense(1)(d))\n"
        "m.compile('adam', 'mse')"
    )
    first = HEAD.count("\n") + 2
    edges = [(e.from_.line, e.to.line) for e in items(program.graph) if e.from_ is not None and e.to is not None]
    assert edges == [(first, first + 1), (first + 1, first + 2)]
    assert plain(program.hidden_state.initial) == "encoder"


def test_penalties_and_initializers(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "m = Sequential([LSTM(8, kernel_regularizer=keras.regularizers.l2(0.01), bias_initializer='ones'), Dense(1)])"
    )
    penalty, start = items(program.regularizers)[0], items(program.initializations)[0]
    assert (plain(penalty.kind), plain(penalty.target), plain(penalty.amount)) == ("l2", "LSTM.kernel", 0.01)
    assert (plain(start.target), plain(start.scheme)) == ("LSTM.bias", "ones")


def test_stateful_inference_copy_is_no_training(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "def build(stateful):\n    m = Sequential([LSTM(8, stateful=stateful), Dense(1)])\n"
        "    m.compile('adam', 'mse')\n    return m\ntrain = build(False)\ntrain.fit(x, y)\n"
        "play = build(True)\nplay.set_weights(train.get_weights())\nplay.predict(x)"
    )
    assert recurrent(program, "stateful") == [("LSTM", 8, False)]
    assert plain(program.hidden_state.carried) is False


def test_hyperparameters_of_a_tuner(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD
        + "import keras_tuner as kt\ndef build(hp):\n    m = Sequential([LSTM(hp.Int('u', 8, 64, step=8)), Dense(1)])\n"
        "    m.compile('adam', 'mse')\n    return m\n"
        "t = kt.RandomSearch(build, objective='val_loss')\nt.search(x, y, epochs=7, validation_data=(xv, yv))"
    )
    assert plain(items(program.recurrent_layers)[0].units) == {"low": 8, "high": 64, "choices": None}
    assert (program.api, plain(program.epochs), plain(program.validation.kind)) == ("fit", 7, "data")


def test_a_model_that_is_never_trained_is_a_module(facts_of: FactsOf) -> None:
    program = facts_of(HEAD + "def build():\n    return Sequential([LSTM(8), Dense(1)])")
    assert (program.api, recurrent(program)) == ("module", [("LSTM", 8)])


def test_dropout_whose_result_is_overwritten(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "i = Input((5, 2))\nx = LSTM(8)(i)\nx = Dropout(0.5)(x)\nx = LSTM(8)(i)\nm = Model(i, Dense(1)(x))\n"
        "m.compile('adam', 'mse')"
    )
    assert [plain(d.position) for d in items(program.dropouts)] == ["unused"]


def test_one_output_of_a_model_with_several(facts_of: FactsOf) -> None:
    program = facts_of(
        HEAD + "i, s = Input((5, 2)), Input((8,))\n"
        "x, state = GRU(8, return_sequences=True, return_state=True)(i, initial_state=s)\n"
        "decoder = Model([i, s], [Dense(3, activation='softmax')(x), state])\no, _ = decoder([i, s])\n"
        "m = Model([i, s], o)\nm.compile('adam', 'mse')\nm.fit(a, b)"
    )
    assert (plain(program.output.units), plain(program.output.activation)) == (3, "softmax")
