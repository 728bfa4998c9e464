"""What an undecided condition hangs on: comparisons, counters and the flags that remember them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lstmadvisor.extract.abstract.values import Choice, Const, Loop, Range, Term, Value, options

_NEGATED = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
COMPARES = frozenset(_NEGATED)
DEEPEST = 8
"""Conditions inside one another."""


def alternatives(condition: Value, side: bool = True, depth: int = 0) -> Iterator[tuple[Value, bool]]:
    """The conditions each of which alone decides: operands of `or`, what a flag was set under."""
    if depth > DEEPEST:
        return
    if isinstance(condition, Choice):
        for cause in condition.under:
            yield from alternatives(cause, True, depth + 1)
        for option in condition.options:
            if isinstance(option, Term):
                yield from alternatives(option, side, depth + 1)
        return
    if isinstance(condition, Term) and condition.op == "binop":
        if condition.name == "not":
            yield from alternatives(condition.args[0], not side, depth + 1)
            return
        if condition.name == ("or" if side else "and"):
            for operand in condition.args:
                yield from alternatives(operand, side, depth + 1)
            return
    yield condition, side


def leaves(condition: Value, side: bool = True, depth: int = 0) -> Iterator[tuple[Value, bool]]:
    """All that a condition hangs on, whichever way it is combined, the causes of flags included."""
    if depth > DEEPEST:
        return
    if isinstance(condition, Choice):
        for cause in condition.under:
            yield from leaves(cause, True, depth + 1)
        for option in condition.options:
            if isinstance(option, Term):
                yield from leaves(option, side, depth + 1)
    elif isinstance(condition, Term) and condition.op == "binop" and condition.name in ("or", "and", "not"):
        for operand in condition.args:
            yield from leaves(operand, side != (condition.name == "not"), depth + 1)
    else:
        yield condition, side


@dataclass(eq=False, slots=True)
class Count:
    """A number that a loop counts up: its value in one reading of the loop and what each turn adds."""

    value: float
    step: float
    start: Const | None
    conditional: bool = False
    """only some turns count"""


def under(term: Term, loop: Loop) -> list[tuple[Value, bool]]:
    """The undecided conditions inside a loop that a term hangs on."""
    return [*term.scope.passed[loop.passed :], *term.scope.conditions[loop.outside :]]


def counted(value: Value | None, loop: Loop, turn: int, depth: int = 0) -> Count | None:
    """`value` as a number that each turn of `loop` changes by the same amount; `turn` is the turn it was read in."""
    if value is None or depth > DEEPEST:
        return None
    if isinstance(value, Choice):
        terms = [
            o for o in value.options if isinstance(o, Term) and o.op == "binop" and o.name in ("+=", "-=", "+", "-")
        ]
        plain = [o for o in value.options if isinstance(o, Const) and _number(o)]
        if (
            len(plain) == 1
            and len(value.options) - len(plain) == len([o for o in value.options if isinstance(o, Term)])
            and not any(_grows(t, loop) for t in terms)
        ):
            return Count(float(plain[0].value), 0.0, plain[0])  # a start that a resumed run would change
        counts = [c for t in terms if (c := counted(t, loop, turn, depth + 1)) is not None]
        return Count(counts[0].value, counts[0].step, counts[0].start, True) if counts else None
    if isinstance(value, Const) and _number(value):
        return Count(float(value.value), 0.0, value)
    if not isinstance(value, Term):
        return None
    if value.op == "elem" and loop.iterable is not None:
        return _element(value, loop, turn)
    if value.op == "binop" and value.name in ("+", "-", "+=", "-=") and len(value.args) == 2:
        one, other = value.args
        if value.name in ("+", "+=") and isinstance(one, Const) and one.via == "literal":
            one, other = other, one
        if not (isinstance(other, Const) and _number(other) and other.via != "widened"):
            return None
        inner = counted(one, loop, turn, depth + 1)
        if inner is None:
            return None
        amount = float(other.value) if value.name.startswith("+") else -float(other.value)
        around = [each for each, _ in value.scope.loops if not each.unrolled]
        inside = bool(around) and around[-1] is loop
        if around and any(each is loop for each in around) and not inside:
            return None  # counts the turns of another loop inside
        grows = inside and (value.name in ("+=", "-=") or _starts_widened(one))
        step = amount if grows and inner.step == 0 else inner.step
        sometimes = grows and bool(under(value, loop))
        return Count(inner.value + amount, step, inner.start, inner.conditional or sometimes)
    return None


def _starts_widened(value: Value) -> bool:
    return any(
        (isinstance(o, Const) and o.via == "widened")
        or (
            isinstance(o, Term)
            and o.op == "binop"
            and o.name in ("+", "-")
            and bool(o.args)
            and _starts_widened(o.args[0])
        )
        for o in options(value)
    )


def _grows(term: Term, loop: Loop) -> bool:
    return term.name in ("+=", "-=") and any(each is loop for each, _ in term.scope.loops)


def _element(value: Term, loop: Loop, turn: int) -> Count | None:
    """The variable of a `for` loop over a range, or the index that `enumerate` gives."""
    source = loop.iterable
    if isinstance(source, Range) and value.base is source:
        start, step = source.start, source.step
        if isinstance(start, Const) and isinstance(step, Const) and _number(start) and _number(step):
            return Count(start.value + turn * step.value, float(step.value), start)
    if isinstance(source, Term) and value.base is source and source.name in ("builtins.enumerate", "itertools.count"):
        return Count(float(turn), 1.0, None)
    return None


def _number(value: Const) -> bool:
    return isinstance(value.value, (int, float)) and not isinstance(value.value, bool)


def turns_until(compare: Value, side: bool, loop: Loop, turn: int) -> tuple[int, Const] | None:
    """In which turn (from 0) a comparison with a counter first holds (or fails), and the number compared with."""
    if not isinstance(compare, Term) or compare.op != "binop" or compare.name not in COMPARES or len(compare.args) != 2:
        return None
    name = compare.name if side else _NEGATED[compare.name]
    one, other = compare.args
    for left, right, sign in ((one, other, name), (other, one, _MIRRORED[name])):
        limit = next(iter(options(right)), None)
        if not isinstance(limit, Const) or not _number(limit) or limit.via == "widened":
            continue
        count = counted(left, loop, turn)
        if count is None or count.conditional or not count.step:
            continue
        reached = _first(count.value - turn * count.step, count.step, sign, float(limit.value))
        if reached is not None:
            return reached, limit
    return None


def _first(start: float, step: float, sign: str, limit: float) -> int | None:
    """The first whole k ≥ 0 for which `start + k * step sign limit` holds."""
    if sign == "==":
        k = (limit - start) / step
        return int(k) if k >= 0 and float(k).is_integer() else None
    if sign == "!=":
        return 0 if start != limit else 1
    if (sign in (">", ">=")) == (step > 0):
        k = max(0.0, (limit - start) / step)
        whole = math.ceil(k)
        if sign in (">", "<") and start + whole * step == limit:
            whole += 1
        return whole if whole < 10**9 else None
    return (
        0
        if (start < limit if sign == "<" else start > limit if sign == ">" else False)
        or (start == limit and "=" in sign)
        else None
    )
