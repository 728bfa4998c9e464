"""Imports from modules that Keras gave up, as they read where their names are now."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.run import dotted_name
from lstmadvisor.extract.common import Fact, inferred
from lstmadvisor.facts import Place, Unknown
from lstmadvisor.nodes import below

_STILL_THERE = {
    "keras.layers": frozenset(
        "Masking Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D Activation Reshape Permute Flatten "
        "RepeatVector Lambda Dense ActivityRegularization RNN SimpleRNN GRU LSTM SimpleRNNCell GRUCell LSTMCell "
        "StackedRNNCells Embedding Wrapper TimeDistributed Bidirectional Conv1D Conv2D Conv3D Convolution1D "
        "Convolution2D Convolution3D Conv2DTranspose SeparableConv1D SeparableConv2D DepthwiseConv2D UpSampling1D "
        "UpSampling2D ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D ConvLSTM2D BatchNormalization "
        "LayerNormalization LeakyReLU PReLU ELU Softmax ReLU MaxPooling1D MaxPooling2D MaxPool1D MaxPool2D "
        "AveragePooling1D AveragePooling2D GlobalMaxPooling1D GlobalAveragePooling1D GlobalMaxPooling2D "
        "GlobalAveragePooling2D GaussianNoise GaussianDropout AlphaDropout Add Subtract Multiply Average Maximum "
        "Minimum Concatenate Dot add subtract multiply average maximum minimum concatenate dot Layer InputSpec "
        "Input".split()
    ),
    "keras.utils": frozenset(
        "to_categorical normalize get_file Sequence CustomObjectScope custom_object_scope get_custom_objects "
        "serialize_keras_object deserialize_keras_object Progbar plot_model model_to_dot".split()
    ),
}
"""The module that took their place → what it has of the old modules' names."""
_IN_TENSORFLOW = ("keras.preprocessing.text", "keras.preprocessing.sequence.TimeseriesGenerator")
"""What `tf.keras` keeps, also where it is Keras 3."""


def rewritten(
    tree: cst.Module, statement: cst.BaseSmallStatement, gone: list[tuple[str, str]], at: Place | None
) -> Fact:
    """An import without what is `gone`, each with what is there instead; names in use stay what they are."""
    lost = Unknown(unknown="other names are used there instead", at=at)
    if not isinstance(statement, cst.ImportFrom) or statement.module is None:
        return lost
    module = dotted_name(statement.module)
    if isinstance(statement.names, cst.ImportStar):
        return inferred(f"from {gone[0][1]} import *") if gone[0] == (module, "keras.layers") else lost
    names = [(alias.evaluated_name, alias.evaluated_alias) for alias in statement.names]
    if any(name in _IN_TENSORFLOW for name, _ in gone):
        return inferred(_import(f"tensorflow.{module}", names)) if len(gone) == 1 else lost
    kept: list[tuple[str, str | None]] = []
    lines: list[str] = []
    home = module
    for name, alias in names:
        instead = next((new for old, new in gone if f"{module}.{name}" == old), None)
        if instead is not None:  # from keras.utils import np_utils
            if not _taken_from(tree, alias or name) <= _STILL_THERE.get(instead, frozenset()):
                return lost
            parent, _, last = instead.rpartition(".")
            lines.append(_import(parent, [(last, alias or name)]))
            continue
        moved = next((new for old, new in gone if f"{module}.{name}".startswith(f"{old}.")), None)
        if moved is not None:
            if name not in _STILL_THERE.get(moved, ()):
                return lost
            home = moved
        kept.append((name, alias))
    return inferred("\n".join([*([_import(home, kept)] if kept else []), *lines]))


def _taken_from(tree: cst.Module, name: str) -> set[str]:
    """What a file takes from a module that it imports under a name."""
    found: set[str] = set()
    waiting: list[cst.CSTNode] = [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, cst.Attribute) and isinstance(here.value, cst.Name) and here.value.value == name:
            found.add(here.attr.value)
        waiting.extend(below(here))
    return found


def _import(module: str, names: list[tuple[str, str | None]]) -> str:
    listed = ", ".join(name if alias in (None, name) else f"{name} as {alias}" for name, alias in names)
    return f"from {module} import {listed}"
