"""Where windows are cut out of a series, and whether they overlap."""

from __future__ import annotations

from dataclasses import dataclass

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Const, Function, Instance, Range, Seq, Spot, Term, Value, walk
from lstmadvisor.extract.data.lineage import Lineage
from lstmadvisor.extract.data.pipelines import ask
from lstmadvisor.extract.data.splits import moves
from lstmadvisor.extract.shapes.dims import difference, integer, number

_WINDOWERS = frozenset(
    ("timeseries_dataset_from_array", "TimeseriesGenerator", "sliding_window_view", "unfold", "window", "as_strided")
)


@dataclass(eq=False)
class Windows:
    """Where windows are cut out of a series."""

    act: Term
    overlap: bool | None


def windows_in(run: Run, lineage: Lineage, value: Value | None) -> Windows | None:
    """The place where the rows of a value were cut as windows out of a longer series, or None."""
    for each in lineage.upstream(value):
        found = _window(each)
        if found is not None:
            return found
        if isinstance(each, Instance) and (found := _of_dataset(run, lineage, each)) is not None:
            return found
        if (
            isinstance(each, Term)
            and each.op == "call"
            and each.name == "collections.deque"
            and ("maxlen" in each.kwargs or len(each.args) > 1)
        ):
            return Windows(each, True)
    return None


def _window(value: Value) -> Windows | None:
    if not isinstance(value, Term):
        return None
    last = value.name.rsplit(".", 1)[-1]
    if (
        value.op in ("call", "method")
        and last in _WINDOWERS
        and (last != "window" or "shift" in value.kwargs or value.args)
    ):
        if (last == "unfold" and len(value.args) < 3) or (last == "window" and not isinstance(value.base, Term)):
            return None
        return Windows(value, _steps_overlap(value, last))
    if value.op == "method" and last == "shift" and value.args and not (integer(value.args[0]) or 1) < 0:
        return Windows(value, True)
    if value.op == "item":
        index = value.args[0]
        for part in (index.items if isinstance(index, Seq) and index.kind == "tuple" else [index])[:2]:
            if isinstance(part, Seq) and part.kind == "slice":
                lower, upper = part.items[0], part.items[1]
                if moves(lower) and moves(upper):
                    return Windows(value, _overlap(value, lower, upper))
    return None


def _steps_overlap(term: Term, last: str) -> bool | None:
    """Whether the windows of a library function overlap: its stride is shorter than the window."""
    if last == "as_strided":
        return None
    names = {
        "timeseries_dataset_from_array": ("sequence_length", 2, "sequence_stride", 3),
        "TimeseriesGenerator": ("length", 2, "stride", 4),
        "sliding_window_view": ("window_shape", 1, "", None),
        "unfold": ("size", 1, "step", 2),
        "window": ("size", 0, "shift", 1),
    }[last]
    size, stride = term.argument(names[0], names[1]), term.argument(names[2], names[3]) if names[2] else None
    if last == "window" and stride is None:
        return False
    one = Const(1) if stride is None else stride
    if number(size) and number(one):
        return one.value < size.value  # type: ignore[attr-defined, union-attr, no-any-return]
    return True if integer(one) == 1 else None


def _overlap(term: Term, lower: Value, upper: Value) -> bool | None:
    """Whether slices of successive turns share steps."""
    stride = None
    for loop, _ in reversed(term.scope.loops):
        if isinstance(loop.iterable, Range):
            stride = loop.iterable.step
            break
    if stride is None:
        inner = [
            v.base for v in walk(lower, 40) if isinstance(v, Term) and v.op == "elem" and isinstance(v.base, Range)
        ]
        stride = inner[0].step if inner and isinstance(inner[0], Range) else Const(1)
    multiplied = any(isinstance(v, Term) and v.op == "binop" and v.name == "*" for v in (lower, upper))
    if multiplied:
        return False
    size = difference(upper, lower, lambda t: t)
    if integer(stride) == 1:
        return integer(size) != 1
    if number(size) and number(stride):
        return stride.value < size.value  # type: ignore[attr-defined, union-attr, no-any-return]
    return None


def _of_dataset(run: Run, lineage: Lineage, dataset: Instance) -> Windows | None:
    """A Dataset whose `__getitem__` cuts `series[i:i + steps]`."""
    method = run.find(dataset.cls, "__getitem__")
    if not isinstance(method, Function):
        return None
    index = run.term("elem", "index", None, [], at=dataset.at or Spot(method.env.module, method.node))
    sample = ask(run, Bound(method, dataset), [index])
    for each in lineage.upstream(sample):
        found = _window(each)
        if found is not None:
            lower = _bounds(found.act)
            return Windows(found.act, not _scaled(lower))
    return None


def _bounds(act: Term) -> Value | None:
    index = act.args[0] if act.op == "item" else None
    for part in index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]:
        if isinstance(part, Seq) and part.kind == "slice":
            return part.items[0]
    return None


def _scaled(lower: Value | None) -> bool:
    """`i * steps`: windows side by side."""
    return any(isinstance(v, Term) and v.op == "binop" and v.name == "*" for v in walk(lower, 20))
