"""What Keras has given up: one table of names, the first version without them, and what to use instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lstmadvisor.extract.abstract.values import Term
from lstmadvisor.extract.common import inferred, place
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.training import Training, distinct
from lstmadvisor.facts import RemovedArgument


@dataclass(frozen=True)
class Row:
    """A name that is gone."""

    of: str
    """where it stood: an argument of any layer, of a recurrent layer, of `fit` or `compile`; a method; a class"""
    name: str
    since: str
    """the first version of Keras without it; names of Keras 1 were translated until 2.4 became a part of TensorFlow"""
    instead: str


TABLE = (
    Row("recurrent", "output_dim", "2.4", "units"),
    Row("recurrent", "init", "2.4", "kernel_initializer"),
    Row("recurrent", "time_major", "3.0", "a transposed input"),
    Row("recurrent", "batch_size", "3.0", "batch_size of keras.Input"),
    Row("layer", "batch_input_shape", "3.0", "batch_shape of keras.Input"),
    Row("layer", "inner_init", "2.4", "recurrent_initializer"),
    Row("layer", "forget_bias_init", "2.4", "unit_forget_bias"),
    Row("layer", "inner_activation", "2.4", "recurrent_activation"),
    Row("layer", "dropout_W", "2.4", "dropout"),
    Row("layer", "dropout_U", "2.4", "recurrent_dropout"),
    Row("layer", "W_regularizer", "2.4", "kernel_regularizer"),
    Row("layer", "U_regularizer", "2.4", "recurrent_regularizer"),
    Row("layer", "nb_filter", "2.4", "filters"),
    Row("layer", "border_mode", "2.4", "padding"),
    Row("layer", "consume_less", "2.4", "nothing"),
    Row("class", "CuDNNLSTM", "2.4", "LSTM"),
    Row("class", "CuDNNGRU", "2.4", "GRU"),
    Row("compile", "sample_weight_mode", "3.0", "nothing"),
    Row("fit", "nb_epoch", "2.4", "epochs"),
    Row("fit", "workers", "3.0", "nothing"),
    Row("fit", "use_multiprocessing", "3.0", "nothing"),
    Row("fit", "max_queue_size", "3.0", "nothing"),
    Row("method", "fit_generator", "3.0", "fit"),
    Row("method", "evaluate_generator", "3.0", "evaluate"),
    Row("method", "predict_generator", "3.0", "predict"),
    Row("method", "predict_classes", "2.6", "argmax of predict"),
    Row("method", "predict_proba", "2.6", "predict"),
    Row("method", "reset_states", "3.0", "reset_state of each layer"),
)  # fmt: skip
"""Rows of optimizers stand where optimizers are read: whether they hold depends on which optimizer it is."""


def _rows(of: str) -> tuple[Row, ...]:
    return tuple(row for row in TABLE if row.of == of)


def removed(layers: Layers, training: Training) -> tuple[RemovedArgument, ...]:
    """Arguments, classes and methods in use that are gone."""
    return distinct([*_of_layers(layers), *_of_models(training)])


def _of_layers(layers: Layers) -> Iterator[tuple[Any, RemovedArgument]]:
    for layer in layers.layers:
        for term in (layer.term, *layer.wrappers):
            if not term.scope.active:
                continue
            for row in (*_rows("layer"), *(_rows("recurrent") if layer.recurrent else ())):
                if row.name in term.kwargs:
                    yield (id(term.at.node), row.name), _gone(term, row, last_name(term))
            for row in _rows("class"):
                if last_name(term) == row.name and not term.scope.conditions and not _in_compat(term):
                    yield (id(term.at.node), row.name), _gone(term, row, "")


def _of_models(training: Training) -> Iterator[tuple[Any, RemovedArgument]]:
    for term in training.run.trace:
        if term.op != "method" or not term.scope.active:
            continue
        model = training.graph.model(term.base) is not None
        for row in _rows("method"):
            if term.name == row.name and (model or row.name.endswith("_generator")):
                yield id(term.at.node), _gone(term, row, "Model")
        for row in _rows(term.name) if model and term.name in ("fit", "compile") else ():
            if row.name in term.kwargs:
                yield (id(term.at.node), row.name), _gone(term, row, term.name)


def _in_compat(term: Term) -> bool:
    """Whether a file takes layers from where TensorFlow keeps those of its first version."""
    return term.at.module is not None and "compat.v1" in term.at.module.source.code


def _gone(term: Term, row: Row, of: str) -> RemovedArgument:
    return RemovedArgument(
        at=place(term.at),
        name=inferred(row.name),
        of=inferred(of),
        instead=inferred(row.instead),
        since=inferred(row.since),
    )
