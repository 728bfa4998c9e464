"""Acts of padding: where sequences are filled up to one length, on which side, with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Seq, Spot, Term, Value, walk
from lstmadvisor.extract.common import Fact, default, fact, inferred, place
from lstmadvisor.extract.data.splits import moves
from lstmadvisor.facts import Known, Unknown


@dataclass(eq=False)
class Filled:
    """One act of padding."""

    act: Term
    side: Fact
    value: Fact


def fillings(run: Run, values: list[Value]) -> Iterator[Filled]:
    """All acts of padding, by a library or by hand."""
    for term in run.trace:
        if term.op in ("call", "method") and term.scope.active:
            made = _filling(term)
            if made is not None:
                yield made
        elif term.op == "setitem" and term.scope.active and (made := _stored(term)) is not None:
            yield made
    for value in values:
        if isinstance(value, Term) and value.op == "binop" and value.name in ("+", "+=") and value.scope.active:
            made = _by_hand(value)
            if made is not None:
                yield made
    seen: set[int] = set()
    for spot in run.repeats:
        if id(spot.node) not in seen and (found := _computed(run, spot)) is not None:
            seen.add(id(spot.node))
            yield found


def _filling(term: Term) -> Filled | None:
    last = term.name.rsplit(".", 1)[-1]
    if last == "pad_sequences":
        side = term.argument("padding", 3)
        return Filled(term, default("left") if side is None else _side(side), _or(term.argument("value", 5), 0.0))
    if last == "pad_sequence":
        side = term.argument("padding_side", 3)
        return Filled(
            term, default("right") if side is None else _side(side), _or(term.argument("padding_value", 2), 0)
        )
    if last in ("pad_packed_sequence", "pack_sequence"):
        return None
    if last == "TextVectorization" and (term.kwargs.get("output_sequence_length") is not None):
        return Filled(term, default("right"), default(0))
    if last in ("BucketIterator", "splits") and "torchtext" in _chain(term) and _batched(term):
        return Filled(term, default("right"), Unknown(unknown="the padding token of the vocabulary"))
    if last in ("padded_batch", "to_tensor") and (last == "padded_batch" or "Ragged" in _chain(term)):
        return Filled(term, default("right"), default(0))
    given = term.kwargs.get("padding")
    if (
        isinstance(given, Const)
        and given.value in (True, "max_length", "longest")
        and term.op in ("apply", "call", "method")
        and "Conv" not in last
    ) and (term.op == "method" or last in ("?",)):
        return Filled(term, default("right"), default(0))
    return None


def _chain(term: Term) -> str:
    """The library names along a chain of calls."""
    names: list[str] = []
    here: Value | None = term
    while isinstance(here, Term) and len(names) < 8:
        names.append(here.name)
        here = here.base
    return " ".join(names) + " " + str(getattr(here, "name", ""))


def _batched(term: Term) -> bool:
    return bool({"batch_size", "batch_sizes"} & set(term.kwargs))


def _side(given: Value) -> Fact:
    said = fact(given)
    if isinstance(said, Known):
        side = {"pre": "left", "post": "right", "left": "left", "right": "right"}.get(str(said.value))
        if side is not None:
            return said.model_copy(update={"value": side})
    return said if isinstance(said, Unknown) else Unknown(unknown="a side that is not known")


def _or(given: Value | None, otherwise: Any) -> Fact:
    return default(otherwise) if given is None else fact(given)


def _stored(term: Term) -> Filled | None:
    """`out[i, :len(ids)] = ids` into zeros."""
    made = term.base
    if (
        not isinstance(made, Term)
        or made.op != "call"
        or made.name.rsplit(".", 1)[-1] not in ("zeros", "full", "zeros_like", "ones")
    ):
        return None
    index = term.args[0]
    parts = index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]
    if isinstance(term.args[1], Const):
        return _filled_rest(term, parts)
    for part in parts:
        if isinstance(part, Seq) and part.kind == "slice":
            lower, upper = part.items[0], part.items[1]
            for bound, side in ((upper, "right"), (lower, "left")):
                inner = (
                    bound.args[0] if isinstance(bound, Term) and bound.name == "-" and len(bound.args) == 1 else bound
                )
                if isinstance(inner, Term) and (inner.name == "builtins.len" or inner.op == "elem"):
                    last = made.name.rsplit(".", 1)[-1]
                    given = made.argument("fill_value", 1) if last == "full" else Const(0, "inferred")
                    return Filled(
                        term, inferred(side), Unknown(unknown="not a plain value") if given is None else fact(given)
                    )
    return None


def _filled_rest(term: Term, parts: list[Value]) -> Filled | None:
    """`out[i, length:] = filler`, or `out[i, length:, symbol] = 1` of one-hot rows."""
    for position, part in enumerate(parts):
        if isinstance(part, Seq) and part.kind == "slice" and moves(part.items[0]):
            upper = part.items[1]
            if isinstance(upper, Const) and upper.value is None:
                one_hot = position < len(parts) - 1
                value = Unknown(unknown="a symbol in one-hot form") if one_hot else fact(term.args[1])
                return Filled(term, inferred("right"), value)
    return None


def _computed(run: Run, spot: Spot) -> Filled | None:
    """`ids + [0] * (longest - len(ids))` of lists that are known."""
    node, side = spot.node, None
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        side = "right" if isinstance(node.right, cst.BinaryOperation) else "left"
        node = node.right if side == "right" else node.left
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Multiply):
        return None
    filler, count = (
        (node.left, node.right) if isinstance(node.left, (cst.List, cst.SimpleString)) else (node.right, node.left)
    )
    if (
        not isinstance(count, cst.BinaryOperation)
        or not isinstance(count.operator, cst.Subtract)
        or spot.module is None
    ):
        return None
    if "len(" not in spot.module.code(count, 200):
        return None
    one: cst.BaseExpression | None = filler
    if isinstance(filler, cst.List):
        one = filler.elements[0].value if len(filler.elements) == 1 else None
    value: Fact = Unknown(unknown="not a plain value")
    if isinstance(one, (cst.Integer, cst.Float, cst.SimpleString)):
        value = Known(value=one.evaluated_value, via="literal", at=place(Spot(spot.module, one)))
    act = run.term("binop", "*", None, [], at=spot)
    return Filled(act, inferred(side) if side else Unknown(unknown="which side is filled is not followed"), value)


def _by_hand(term: Term) -> Filled | None:
    """`ids + [0] * (longest - len(ids))`."""
    if len(term.args) != 2:
        return None  # a sign
    for number, side in enumerate(("left", "right")):
        filler = term.args[number]
        if isinstance(filler, Term) and filler.op == "comp" and isinstance(filler.args[0], Const):
            continue
        if not isinstance(filler, Term) or filler.op != "binop" or filler.name != "*":
            continue
        listed = next(
            (
                a
                for a in filler.args
                if (isinstance(a, Seq) and len(a.items) == 1) or (isinstance(a, Const) and isinstance(a.value, str))
            ),
            None,
        )
        count = next((a for a in filler.args if a is not listed), None)
        if listed is None or not isinstance(count, Term) or count.op != "binop" or count.name != "-":
            continue
        if not any(isinstance(v, Term) and v.name == "builtins.len" for v in walk(count, 20)):
            continue
        value = fact(listed.items[0]) if isinstance(listed, Seq) else fact(listed)
        return Filled(term, inferred(side), value)
    return None
