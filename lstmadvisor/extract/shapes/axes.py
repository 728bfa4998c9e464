"""One axis, counted from the front, of arrays whose number of axes is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Choice, Const, Instance, Seq, Term, Value
from lstmadvisor.extract.shapes.dims import integer
from lstmadvisor.extract.shapes.layers import same_layer
from lstmadvisor.extract.shapes.rules import changes_width, same_call, same_method
from lstmadvisor.extract.shapes.tables import CALLS, LAYERS, METHODS, Dim

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes

DEEPEST = 40


def axis(shapes: Shapes, value: Value | None, number: int, depth: int = 0) -> Dim:
    """The size of axis `number` (from 0) of a value, or None."""
    shape = shapes.of(value)
    if shape is not None:
        return shape[number] if number < len(shape) else None
    if depth > DEEPEST:
        return None
    match value:
        case Choice():
            sizes = tuple(axis(shapes, o, number, depth + 1) for o in value.options)
            return sizes[0] if shapes.equal(sizes) else None
        case Seq() if value.kind != "slice":
            if number == 0:
                return None if value.open else Const(len(value.items), "arithmetic", value.at)
            sizes = tuple(axis(shapes, i, number - 1, depth + 1) for i in value.items[:8])
            return sizes[0] if sizes and shapes.equal(sizes) else None
        case Term():
            return _of_term(shapes, value, number, depth + 1)
        case _:
            return None


def _of_term(shapes: Shapes, term: Term, number: int, depth: int) -> Dim:
    last = term.name.rsplit(".", 1)[-1]
    match term.op:
        case "item":
            return _of_item(shapes, term, number, depth)
        case "comp" if term.name != "generator" and term.args:
            return axis(shapes, term.base, 0, depth) if number == 0 else axis(shapes, term.args[0], number - 1, depth)
        case "elem":
            return _of_element(shapes, term, number, depth)
        case "attr" if term.name in ("values", "data", "real"):
            return axis(shapes, term.base, number, depth)
        case "apply":
            layer = term.base.term if isinstance(term.base, Instance) else term.base
            kind = layer.name.rsplit(".", 1)[-1] if isinstance(layer, Term) else ""
            plain = LAYERS.get(kind) is same_layer or kind in ("Linear", "Dense", "Embedding")
            return axis(shapes, term.args[0], number, depth) if plain and term.args else None
        case "call" | "method":
            return _of_call(shapes, term, last, number, depth)
        case _:
            return None


def _of_call(shapes: Shapes, term: Term, last: str, number: int, depth: int) -> Dim:
    subject = term.base if term.op == "method" else term.args[0] if term.args else None
    rest = term.args if term.op == "method" else term.args[1:]
    rule = METHODS.get(last) if term.op == "method" else CALLS.get(term.name) or CALLS.get(last)
    if rule is same_method and last in ("fit_transform", "transform", "inverse_transform"):
        subject = term.args[0] if term.args else None
        if number != 0 and changes_width(term.base):
            return None
    if rule in (same_call, same_method):
        return axis(shapes, subject, number, depth)
    if last in ("unsqueeze", "expand_dims"):
        at = integer(rest[0] if rest else term.kwargs.get("dim") or term.kwargs.get("axis"))
        if at is None or at < -1:
            return None
        if at == -1 or at > number:
            return axis(shapes, subject, number, depth)
        return Const(1, "inferred") if at == number else axis(shapes, subject, number - 1, depth)
    if last == "stack":
        at = integer(term.kwargs.get("dim") or term.kwargs.get("axis") or (rest[0] if rest else Const(0)))
        if at is None or at < 0 or at > 1:
            return None
        moved = number if at == 0 else {0: 1, 1: 0}.get(number, number)
        return axis(shapes, subject, moved, depth)
    if last in ("transpose", "permute", "swapaxes", "t"):
        order = [integer(v) for v in (rest[0].items if len(rest) == 1 and isinstance(rest[0], Seq) else rest)]
        if last == "t" or (
            last in ("transpose", "swapaxes")
            and sorted(o for o in order if o is not None) == [0, 1]
            and len(order) == 2
        ):
            return axis(shapes, subject, {0: 1, 1: 0}.get(number, number), depth)
        if len(order) > 2 and number < len(order) and order[number] is not None:
            return axis(shapes, subject, order[number] or 0, depth)
    if last == "pad_sequence" and subject is not None:
        first = term.argument("batch_first", 1, Const(False))
        batch = 0 if isinstance(first, Const) and first.value else 1
        return (
            axis(shapes, subject, 0, depth)
            if number == batch
            else axis(shapes, subject, number, depth)
            if number > 1
            else None
        )
    if last == "pack_padded_sequence":
        return axis(shapes, subject, number, depth)
    if last == "narrow":
        given = integer(rest[0]) if rest else None
        if given == number and len(rest) == 3:
            return shapes.size(rest[2])
        return axis(shapes, subject, number, depth) if given is not None and given >= 0 else None
    return None


def _of_element(shapes: Shapes, term: Term, number: int, depth: int) -> Dim:
    if term.name == "batch":
        collated = isinstance(term.base, Term) and "collate_fn" in term.base.kwargs
        if number == 0 and not collated:
            return shapes.loader_batch(term.base)
        return axis(shapes, term.args[0], number if collated else number - 1, depth) if term.args else None
    if term.name == "batched":
        return shapes.size(term.args[1]) if number == 0 else axis(shapes, term.args[0], number - 1, depth)
    if term.name == "sample":
        return axis(shapes, term.args[0] if term.args else term.base, number + 1, depth)
    if term.name == "element":
        return axis(shapes, term.base, number + 1, depth)
    return None


def _of_item(shapes: Shapes, term: Term, number: int, depth: int) -> Dim:
    index = term.args[0]
    if isinstance(index, Const) and isinstance(index.value, str):
        row = term.base
        if isinstance(row, Term) and row.op == "elem" and row.name in ("row", "sample"):
            return axis(shapes, shapes.field_of(row, index.value), number, depth)
        return None
    parts = index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]
    source = 0  # the axis of the base that comes next
    out = 0
    for part in parts:
        if isinstance(part, Seq) and part.kind == "slice":
            if out == number:
                return shapes.slice_length(axis(shapes, term.base, source, depth), part, term.at)
            source, out = source + 1, out + 1
        elif (isinstance(part, Const) and part.value is None) or getattr(part, "name", "") == "numpy.newaxis":
            if out == number:
                return Const(1, "inferred")
            out += 1
        elif isinstance(part, Const) and isinstance(part.value, int):
            source += 1
        else:
            inner = shapes.of(part)
            if inner is None:
                return None
            if number < out + len(inner):
                return inner[number - out]
            source, out = source + 1, out + len(inner)
    return axis(shapes, term.base, source + number - out, depth)
