"""What Keras has given up: one table of names, the first version without them, and what to use instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run, dotted_name
from lstmadvisor.extract.abstract.values import External, Spot, Term
from lstmadvisor.extract.common import inferred, place
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.old_imports import rewritten
from lstmadvisor.extract.keras.successors import INPUT, added_to, arguments, called_on, told
from lstmadvisor.extract.keras.training import Training, distinct
from lstmadvisor.facts import ABSENT, RemovedArgument


@dataclass(frozen=True)
class Row:
    """A name that is gone."""

    of: str
    """where it stood: an argument of any layer, of a recurrent layer, of `fit` or `compile`; a method; a class; or an
    import of Keras itself, which is not tf.keras: that still has some of what Keras gave up"""
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
    Row("fit", "max_q_size", "2.4", "nothing"),
    Row("fit", "pickle_safe", "2.4", "nothing"),
    Row("fit", "nb_worker", "2.4", "nothing"),
    Row("method", "fit_generator", "3.0", "fit"),
    Row("method", "evaluate_generator", "3.0", "evaluate"),
    Row("method", "predict_generator", "3.0", "predict"),
    Row("method", "predict_classes", "2.6", "argmax of predict"),
    Row("method", "predict_proba", "2.6", "predict"),
    Row("method", "reset_states", "3.0", "reset_state of each layer"),
    Row("import", "keras.layers.core", "3.0", "keras.layers"),
    Row("import", "keras.layers.recurrent", "3.0", "keras.layers"),
    Row("import", "keras.layers.embeddings", "3.0", "keras.layers"),
    Row("import", "keras.layers.wrappers", "3.0", "keras.layers"),
    Row("import", "keras.layers.convolutional", "3.0", "keras.layers"),
    Row("import", "keras.layers.convolutional_recurrent", "3.0", "keras.layers"),
    Row("import", "keras.layers.cudnn_recurrent", "3.0", "keras.layers"),
    Row("import", "keras.layers.normalization", "3.0", "keras.layers"),
    Row("import", "keras.layers.advanced_activations", "3.0", "keras.layers"),
    Row("import", "keras.layers.pooling", "3.0", "keras.layers"),
    Row("import", "keras.layers.noise", "3.0", "keras.layers"),
    Row("import", "keras.layers.merge", "3.0", "keras.layers"),
    Row("import", "keras.engine", "3.0", "keras.layers and keras.models"),
    Row("import", "keras.objectives", "3.0", "keras.losses"),
    Row("import", "keras.initializations", "3.0", "keras.initializers"),
    Row("import", "keras.utils.np_utils", "3.0", "keras.utils"),
    Row("import", "keras.utils.data_utils", "3.0", "keras.utils"),
    Row("import", "keras.utils.generic_utils", "3.0", "keras.utils"),
    Row("import", "keras.utils.vis_utils", "3.0", "keras.utils"),
    Row("import", "keras.preprocessing.text", "3.0", "keras.layers.TextVectorization"),
    Row(
        "import", "keras.preprocessing.sequence.TimeseriesGenerator", "3.0",
        "keras.utils.timeseries_dataset_from_array",
    ),
    Row("import", "keras.wrappers.scikit_learn", "3.0", "scikeras.wrappers"),
)  # fmt: skip
"""Rows of optimizers stand where optimizers are read: whether they hold depends on which optimizer it is."""


def _rows(of: str) -> tuple[Row, ...]:
    return tuple(row for row in TABLE if row.of == of)


def removed(layers: Layers, training: Training) -> tuple[RemovedArgument, ...]:
    """Imports, arguments, classes and methods in use that are gone."""
    return distinct([*_of_imports(training.run), *_of_layers(layers), *_of_models(training)])


def _of_imports(run: Run) -> Iterator[tuple[Any, RemovedArgument]]:
    """Imports that every run makes: one within `try` or `if` may have something to fall back on."""
    if run.entry is None or not isinstance(run.imported("keras", run.entry), External):
        return
    for line in run.entry.tree.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            names = _imported(statement)
            rows = [row for row in _rows("import") if any(f"{n}.".startswith(f"{row.name}.") for n in names)]
            spot = Spot(run.entry, statement)
            instead = [(row.name, row.instead) for row in rows]
            new = rewritten(run.entry.tree, statement, instead, place(spot)) if rows else ABSENT
            for row in rows:
                gone = _gone(spot, row, "")
                yield (id(statement), row.name), gone.model_copy(update={"rewritten": new})


def _imported(statement: cst.BaseSmallStatement) -> list[str]:
    """What an import names, in full."""
    if isinstance(statement, cst.Import):
        return [alias.evaluated_name for alias in statement.names]
    if not isinstance(statement, cst.ImportFrom) or statement.relative or statement.module is None:
        return []
    module = dotted_name(statement.module)
    if isinstance(statement.names, cst.ImportStar):
        return [module]
    return [f"{module}.{alias.evaluated_name}" for alias in statement.names]


def _of_layers(layers: Layers) -> Iterator[tuple[Any, RemovedArgument]]:
    for layer in layers.layers:
        for term in (layer.term, *layer.wrappers):
            if not term.scope.active:
                continue
            for row in (*_rows("layer"), *(_rows("recurrent") if layer.recurrent else ())):
                if row.name in term.kwargs:
                    gone = _gone(term.at, row, last_name(term))
                    if row.name in INPUT:
                        more = {"input": told(layer, term, row.name), "added_to": added_to(term)}
                        gone = gone.model_copy(update=more)
                    yield (id(term.at.node), row.name), gone
            for row in _rows("class"):
                if last_name(term) == row.name and not term.scope.conditions and not _in_compat(term):
                    yield (id(term.at.node), row.name), _gone(term.at, row, "")


def _of_models(training: Training) -> Iterator[tuple[Any, RemovedArgument]]:
    for term in training.run.trace:
        if term.op != "method" or not term.scope.active:
            continue
        model = training.graph.model(term.base) is not None
        for row in _rows("method"):
            if term.name == row.name and (model or row.name.endswith("_generator")):
                more = {"called_on": called_on(term), "arguments": arguments(term)}
                yield id(term.at.node), _gone(term.at, row, "Model").model_copy(update=more)
        if term.name.endswith("_generator") or (model and term.name in ("fit", "compile")):
            for row in _rows("compile" if term.name == "compile" else "fit"):
                if row.name in term.kwargs:
                    yield (id(term.at.node), row.name), _gone(term.at, row, term.name)


def _in_compat(term: Term) -> bool:
    """Whether a file takes layers from where TensorFlow keeps those of its first version."""
    return term.at.module is not None and "compat.v1" in term.at.module.source.code


def _gone(at: Spot, row: Row, of: str) -> RemovedArgument:
    return RemovedArgument(
        at=place(at),
        name=inferred(row.name),
        of=inferred(of),
        instead=inferred(row.instead),
        since=inferred(row.since),
    )
