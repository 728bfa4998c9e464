"""Keras' data pipelines: `tf.data`, `timeseries_dataset_from_array`, generators: their elements, batches and order."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Const, Function, Instance, Seq, Spot, Term, Value, options

_SAME = frozenset(
    "prefetch cache shuffle repeat take skip with_options shard apply filter ignore_errors as_numpy_iterator snapshot "
    "rebatch".split()
)
_MAKERS = {
    # functions that give batches: name → (position and default of batch_size, position and default of shuffle)
    "timeseries_dataset_from_array": ((5, 128), (6, False)),
    "TimeseriesGenerator": ((9, 128), (7, False)),
    "text_dataset_from_directory": ((4, 32), (6, True)),
    "image_dataset_from_directory": ((5, 32), (7, True)),
    "audio_dataset_from_directory": ((4, 32), (9, True)),
    "make_csv_dataset": ((1, None), (7, True)),
}
MOST_LINKS = 40


def links(value: Value | None) -> Iterator[Term]:
    """The calls that a pipeline is made of, the last one first."""
    here: Value | None = next(iter(options(value)), None)
    for _ in range(MOST_LINKS):
        if not isinstance(here, Term) or here.op not in ("call", "method"):
            return
        yield here
        if here.op == "method":
            here = next(iter(options(here.base)), None)
        elif here.name.endswith("Dataset.zip"):
            inner = here.args[0] if here.args else here.kwargs.get("datasets")
            here = inner.items[0] if isinstance(inner, Seq) and inner.items else None
        elif here.name in ("builtins.iter", "strategy.experimental_distribute_dataset"):
            here = here.args[0] if here.args else None
        else:
            return


def is_pipeline(value: Value | None) -> bool:
    """Whether a value is a data pipeline rather than an array."""
    return any(
        t.op == "call" and (t.name.startswith("tensorflow.data.") or t.name.rsplit(".", 1)[-1] in _MAKERS)
        for t in links(value)
    )


def batch_of(value: Value | None) -> Value | None:
    """The batch size of a pipeline: that of the last `.batch(n)`, or of the function that made it."""
    for term in links(value):
        last = term.name.rsplit(".", 1)[-1]
        if term.op == "method" and last in ("batch", "padded_batch", "ragged_batch", "rebatch"):
            return term.argument("batch_size", 0)
        if term.op == "method" and last in ("flow", "flow_from_directory", "flow_from_dataframe"):
            return term.argument("batch_size", 2 if last == "flow" else None, Const(32, "default"))
        if term.op == "call" and last in _MAKERS:
            position, otherwise = _MAKERS[last][0]
            return term.argument("batch_size", position, None if otherwise is None else Const(otherwise, "default"))
    return None


def order_of(value: Value | None) -> Value | None:
    """Whether a pipeline visits its elements at random: a `Const` of True or False, the argument, or None."""
    made = False
    for term in links(value):
        last = term.name.rsplit(".", 1)[-1]
        made = made or term.op == "call"
        if term.op == "method" and last in ("shuffle", "shuffle_and_repeat"):
            return Const(True, "inferred", term.at)
        if last in ("shuffle_and_repeat",):
            return Const(True, "inferred", term.at)
        if term.op == "method" and last in ("flow", "flow_from_directory", "flow_from_dataframe"):
            return term.argument("shuffle", None, Const(True, "default"))
        if term.op == "call" and last in _MAKERS:
            position, otherwise = _MAKERS[last][1]
            return term.argument("shuffle", position, Const(otherwise, "default"))
        if term.op == "call" and not term.name.startswith("tensorflow.data."):
            return None
    return Const(False, "inferred") if made else None


class Pipelines:
    """Elements of pipelines as values whose shapes can be asked for."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def element(self, value: Value | None, depth: int = 0) -> Value | None:
        """What one turn over a pipeline, generator or `Sequence` gives; None where that is not known."""
        here = next(iter(options(value)), None)
        if isinstance(here, Instance):
            return self._of_instance(here)
        if not isinstance(here, Term) or depth > MOST_LINKS:
            return None
        if here.op == "comp":
            return here.args[0] if here.args else None
        last = here.name.rsplit(".", 1)[-1]
        if here.op == "method":
            return self._of_method(here, last, depth)
        if here.op == "call":
            return self._of_call(here, last, depth)
        return None

    def _of_instance(self, sequence: Instance) -> Value | None:
        method = self.run.find(sequence.cls, "__getitem__")
        if isinstance(method, Function):
            return self.ask(Bound(method, sequence), [self.run.term("elem", "index", None, [], at=_place_of(method))])
        return None

    def _of_call(self, term: Term, last: str, depth: int) -> Value | None:
        if last == "from_tensor_slices" or last == "from_tensors":
            given = term.args[0] if term.args else term.kwargs.get("tensors")
            return given if last == "from_tensors" else self._each(given, "sample", term)
        if last == "zip":
            inner = term.args[0] if len(term.args) == 1 else Seq(list(term.args), "tuple")
            if isinstance(inner, Seq):
                parts = [self.element(i, depth + 1) for i in inner.items]
                return Seq([p for p in parts if p is not None], "tuple") if all(p is not None for p in parts) else None
        if last in ("timeseries_dataset_from_array", "TimeseriesGenerator"):
            return self._windows(term, last)
        return None

    def _each(self, value: Value | None, name: str, at: Term) -> Value | None:
        if isinstance(value, Seq) and value.kind == "tuple":
            return Seq([self.run.term("elem", name, at, [i], at=at.at) for i in value.items], "tuple")
        return None if value is None else self.run.term("elem", name, at, [value], at=at.at)

    def _windows(self, term: Term, last: str) -> Value | None:
        series = last == "timeseries_dataset_from_array"
        data, length = term.argument("data", 0), term.argument("sequence_length" if series else "length", 2)
        targets, batch = term.argument("targets", 1), batch_of(term)
        if data is None or length is None:
            return None
        made = self.run.term("elem", "windowed", term, [data, length, batch or Const(None)], at=term.at)
        if series and (targets is None or isinstance(targets, Const)):
            return made
        return Seq([made, self.run.term("elem", "targets", term, [], at=term.at)], "tuple")

    def _of_method(self, term: Term, last: str, depth: int) -> Value | None:
        inner = self.element(term.base, depth + 1)
        if inner is None or last in _SAME:
            return inner
        if last in ("batch", "padded_batch", "ragged_batch"):
            size = term.argument("batch_size", 0) or Const(None)
            if isinstance(inner, Seq) and inner.kind == "tuple":
                return Seq(
                    [self.run.term("elem", "batched", term, [i, size], at=term.at) for i in inner.items], "tuple"
                )
            return self.run.term("elem", "batched", term, [inner, size], at=term.at)
        if last == "map":
            function = term.argument("map_func", 0)
            given = list(inner.items) if isinstance(inner, Seq) and inner.kind == "tuple" else [inner]
            if isinstance(function, (Function, Bound)):
                return self.ask(function, given)
            return None
        if last == "concatenate":
            return inner
        if last == "window":
            return inner
        if last == "flat_map":
            function = term.argument("map_func", 0)
            if isinstance(function, (Function, Bound)):
                made = self.ask(function, [term.base or Const(None)])
                return self.element(made, depth + 1) if made is not None else None
        return None

    def ask(self, function: Value, args: list[Value]) -> Value | None:
        """What a user's function gives for these arguments; leaves no trace of the question in the run."""
        return ask(self.run, function, args)


def ask(run: Run, function: Value, args: list[Value]) -> Value | None:
    """What a user's function gives for these arguments; leaves no trace of the question in the run."""
    known, budget, journal = len(run.trace), run.budget, run.journal
    run.budget, run.journal = min(budget, 20_000), []
    try:
        return run.call(function, args, {}, None, _place_of(function))
    except Exception:  # a question asked after the run must not end it
        return None
    finally:
        run.undo(run.journal)
        del run.trace[known:]
        run.budget, run.journal = budget, journal


def _place_of(function: Value) -> Spot:
    inner = function.function if isinstance(function, Bound) else function
    return Spot(inner.env.module, inner.node) if isinstance(inner, Function) else Spot(None, None)
