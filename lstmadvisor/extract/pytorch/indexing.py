"""What an index takes of a tensor, and how functions move its axes."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.values import Const, Range, Seq, Term, Value, walk
from lstmadvisor.extract.pytorch.torch_ops import numbers, whole


def selected(index: Value, rank: int) -> list[Value] | None:
    """What an index selects on each axis (a full slice where nothing); None for a mask or an unknown index."""
    parts = list(index.items) if isinstance(index, Seq) and index.kind == "tuple" else [index]
    parts = [p for p in parts if not (isinstance(p, Const) and p.value is None)]
    full = Seq([Const(None), Const(None), Const(None)], "slice")
    dots = next((i for i, p in enumerate(parts) if isinstance(p, Const) and p.value is Ellipsis), None)
    if dots is not None:
        parts[dots : dots + 1] = [full] * (rank - len(parts) + 1)
    if len(parts) > rank:
        return None
    if (
        len(parts) == 1
        and isinstance(parts[0], Term)
        and parts[0].op == "binop"
        and parts[0].name in ("==", "!=", "<", ">", "<=", ">=", "&", "|")
    ):
        return None
    return parts + [full] * (rank - len(parts))


def bounds(selector: Seq) -> tuple[object, object, object]:
    low, high, step = (b if not isinstance(b, Const) else b.value for b in selector.items)
    return low, high, step


def step_of(selector: Value) -> int | str:
    """Which step an index of the time axis takes: a number, `all`, `lengths` (picked per sample) or `some`."""
    if isinstance(selector, Seq) and selector.kind == "slice":
        low, high, _ = bounds(selector)
        if low == -1 and high is None:
            return -1
        return "all" if low is None and high is None else "some"
    if isinstance(selector, Const):
        return selector.value if isinstance(selector.value, int) and selector.via != "widened" else "some"
    if isinstance(selector, Term):
        if selector.op == "binop" and selector.name == "-" and whole(selector.args[-1]) == 1:
            left = selector.args[0]
            sized = isinstance(left, Term) and (
                (left.op == "method" and left.name == "size")
                or (left.name == "builtins.len" and not _of_one_sample(left))
                or (left.op == "item" and isinstance(left.base, Term) and left.base.name == "shape")
            )
            return -1 if sized else "lengths"
        if selector.op == "elem" or _counts(selector):
            return "some"
        return "lengths"
    return "some"


def _of_one_sample(length: Term) -> bool:
    """Whether a length is that of one of the samples that a loop goes through."""
    return any(isinstance(v, Term) and v.op in ("elem", "comp") for v in walk(length, 20))


def _counts(selector: Term) -> bool:
    """Whether an index is a loop's counter or computed from one."""
    return any(
        isinstance(v, Term) and v.op == "elem" and (v.name == "index" or isinstance(v.base, Range))
        for v in walk(selector, 40)
    )


_KINDS = ("lstm", "gru", "rnn", "rnn_tanh", "rnn_relu")


def asked(user: Term) -> bool:
    """Whether the code around asks whether it has a tuple or a tensor, or of which kind the layer is."""
    around = [c for c, _ in (*user.scope.conditions, *user.scope.passed)]
    return any(isinstance(c, Term) and c.name == "builtins.isinstance" for c in around) or any(
        isinstance(v, Const) and isinstance(v.value, str) and v.value.lower() in _KINDS
        for c in around
        for v in walk(c, 12)
    )


def is_product(value: Value) -> bool:
    return isinstance(value, Term) and value.op == "binop" and value.name == "*"


def side_of(index: int | None) -> str:
    """The direction that an index of the axis of directions means."""
    return {0: "forward", 1: "backward", -1: "backward"}.get(9 if index is None else index, "")


def half_of(selector: Value) -> str:
    """Which half of the features a slice takes."""
    if isinstance(selector, Seq) and selector.kind == "slice":
        low, high, step = bounds(selector)
        if step is None and low in (None, 0) and high is not None:
            return "forward"
        if step is None and low not in (None, 0) and high is None:
            return "backward"
    return ""


def axis_of(dim: Value | None, axes: tuple[str, ...]) -> str:
    index = whole(dim)
    return axes[index] if index is not None and axes and -len(axes) <= index < len(axes) else ""


def moved(axes: tuple[str, ...], name: str, rest: list[Value], user: Term) -> tuple[str, ...] | None:
    """The axes after a transpose, permute, squeeze or unsqueeze; None where that is not known."""
    if not axes:
        return None
    out = list(axes)
    if name == "permute":
        order = numbers(rest or [user.kwargs["dims"]] if "dims" in user.kwargs else rest)
        if order is None or len(order) != len(out) or not all(-len(out) <= i < len(out) for i in order):
            return None
        return tuple(out[i] for i in order)
    if name == "t":
        return tuple(out[::-1])
    if name == "squeeze" and not rest and not user.kwargs:
        return axes
    given = rest or [
        user.kwargs[k] for k in ("dim", "dim0", "dim1", "axis0", "axis1", "source", "destination") if k in user.kwargs
    ]
    where = numbers(given)
    if where is None:
        return None
    if name == "unsqueeze":
        position = where[0] if where[0] >= 0 else len(out) + 1 + where[0]
        out.insert(position, "1")
        return tuple(out)
    if not all(-len(out) <= i < len(out) for i in where):
        return None
    if name == "squeeze":
        out.pop(where[0])
        return tuple(out)
    if len(where) != 2:
        return None
    if name == "movedim":
        axis = out.pop(where[0])
        out.insert(where[1] if where[1] >= 0 else len(out) + 1 + where[1], axis)
        return tuple(out)
    out[where[0]], out[where[1]] = out[where[1]], out[where[0]]
    return tuple(out)


def deeper(selectors: list[Value], left: tuple[str, ...], position: int) -> int | None:
    """A further known index on the direction axis of the same subscript."""
    if left[:1] == ("D",) and position + 1 < len(selectors):
        return whole(selectors[position + 1])
    return None


def unpacked(user: Term) -> bool:
    """Whether an item was taken by unpacking (`a, b = x`) rather than by a subscript."""
    return not isinstance(user.at.node, cst.Subscript)
