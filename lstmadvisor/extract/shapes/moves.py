"""What moving, joining and cutting axes does to shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Const, Seq, Term
from lstmadvisor.extract.shapes.dims import integer, quotient, total
from lstmadvisor.extract.shapes.tables import CALLS, METHODS, Dim, Shape, is_open, rest_of, rule, sizes_in, subject_of

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes


@rule(CALLS, "reshape view")
@rule(METHODS, "reshape view")
def _reshaped(shapes: Shapes, term: Term) -> Shape | None:
    wanted = rest_of(term)
    opened = [
        v for v in (term.args if term.op == "method" else term.args[1:]) if isinstance(v, Seq) and is_open(shapes, v)
    ]
    if not wanted or opened or term.open:
        return None
    sizes = sizes_in(shapes, wanted)
    gaps = [i for i, s in enumerate(sizes) if integer(s) == -1]
    if len(gaps) != 1:
        return sizes
    inner = shapes.of(subject_of(term))
    others = [s for i, s in enumerate(sizes) if i != gaps[0]]
    rest: Dim = None
    if inner is not None and all(s is not None for s in (*inner, *others)):
        rest = quotient(
            [s for s in inner if s is not None], [s for s in others if s is not None], shapes.resolve, term.at
        )
    elif inner is not None and not others and len(inner) == 1:
        rest = inner[0]
    return tuple(rest if i in gaps else s for i, s in enumerate(sizes))


@rule(CALLS, "unsqueeze expand_dims")
@rule(METHODS, "unsqueeze unsqueeze_")
def _unsqueezed(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    axis = integer(
        term.argument("dim", 0 if term.op == "method" else 1) if "axis" not in term.kwargs else term.kwargs["axis"]
    )
    if inner is None or axis is None:
        return None
    axis = axis if axis >= 0 else axis + len(inner) + 1
    return (*inner[:axis], Const(1, "inferred"), *inner[axis:]) if 0 <= axis <= len(inner) else None


@rule(CALLS, "squeeze")
@rule(METHODS, "squeeze squeeze_")
def _squeezed(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    given = rest_of(term) or [v for k, v in term.kwargs.items() if k in ("dim", "axis")]
    if inner is None or not given:
        return None
    axis = integer(given[0])
    if axis is None or not -len(inner) <= axis < len(inner):
        return None
    axis %= len(inner)
    return inner[:axis] + inner[axis + 1 :] if integer(inner[axis]) in (1, None) else inner


@rule(CALLS, "transpose swapaxes permute moveaxis")
@rule(METHODS, "transpose swapaxes permute t transpose_ mT")
def _transposed(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    if inner is None:
        return None
    order = [integer(v) for v in (rest_of(term) or [v for v in term.kwargs.values() if not isinstance(v, Seq)])]
    lists = [v for v in term.kwargs.values() if isinstance(v, Seq)]
    if lists:
        order = [integer(v) for v in lists[0].items]
    if not order:
        return inner[::-1]
    if any(o is None or not -len(inner) <= o < len(inner) for o in order):
        return None
    axes = [o % len(inner) for o in order if o is not None]
    if len(axes) == len(inner) and len(set(axes)) == len(axes) and len(axes) != 2:
        return tuple(inner[a] for a in axes)
    if len(axes) == 2:
        out = list(inner)
        out[axes[0]], out[axes[1]] = out[axes[1]], out[axes[0]]
        return tuple(out)
    return None


@rule(CALLS, "flatten ravel")
@rule(METHODS, "flatten ravel")
def _flattened(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    start = integer(term.argument("start_dim", 0 if term.op == "method" else 1, Const(0)))
    if inner is None or start is None or not 0 <= start < max(len(inner), 1):
        return None
    tail = inner[start:]
    whole = (
        quotient([s for s in tail if s is not None], [], shapes.resolve, term.at)
        if all(s is not None for s in tail)
        else None
    )
    return (*inner[:start], whole)


@rule(METHODS, "expand repeat")
def _expanded(shapes: Shapes, term: Term) -> Shape | None:
    inner, wanted = shapes.of(term.base), sizes_in(shapes, rest_of(term))
    if inner is None or len(wanted) < len(inner):
        return None
    padded = (*(Const(1) for _ in range(len(wanted) - len(inner))), *inner)
    if term.name == "repeat":
        return tuple(
            p if integer(w) == 1 else w if integer(p) == 1 else None for p, w in zip(padded, wanted, strict=True)
        )
    return tuple(p if integer(w) == -1 else w for p, w in zip(padded, wanted, strict=True))


def _axis_of(term: Term, position: int = 1) -> int | None:
    for key in ("dim", "axis"):
        if key in term.kwargs:
            return integer(term.kwargs[key])
    return integer(term.args[position]) if len(term.args) > position else 0


@rule(CALLS, "stack")
def _stacked(shapes: Shapes, term: Term) -> Shape | None:
    inner, axis = shapes.of(subject_of(term)), _axis_of(term)
    if not inner or axis is None:
        return None
    axis = axis if axis >= 0 else axis + len(inner)
    rest = inner[1:]
    return (*rest[:axis], inner[0], *rest[axis:])


@rule(CALLS, "cat concatenate concat vstack hstack append")
def _joined(shapes: Shapes, term: Term) -> Shape | None:
    parts = subject_of(term)
    last = term.name.rsplit(".", 1)[-1]
    if last == "append":
        parts = Seq(list(term.args[:2]), "list")
    axis = {"vstack": 0, "hstack": 1}.get(
        last, _axis_of(term) if last != "append" else integer(term.kwargs.get("axis"))
    )
    if not isinstance(parts, Seq):
        inner = shapes.of(parts)
        return (None, *inner[2:]) if inner and len(inner) > 1 and axis == 0 else None
    many = [s for s in (shapes.of(i) for i in parts.items) if s is not None]
    if not many or len(many) < len(parts.items) or axis is None or any(len(s) != len(many[0]) for s in many):
        return None
    if not -len(many[0]) <= axis < max(len(many[0]), 1) or not many[0]:
        return None
    axis %= len(many[0])
    along = [s[axis] for s in many]
    whole = (
        total([a for a in along if a is not None], shapes.resolve, term.at)
        if all(a is not None for a in along) and not parts.open
        else None
    )
    common = shapes.agreed([(*s[:axis], *s[axis + 1 :]) for s in many])
    return None if common is None else (*common[:axis], whole, *common[axis:])
