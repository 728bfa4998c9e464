"""Arithmetic on sizes that are only partly known: the length of `x[i:i + window]` is `window`.

A size is a sum of products of atoms; an atom is a constant, which keeps its place, or a value that
is not known but recognised when it comes again (`len(x)`, a loop variable).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from lstmadvisor.extract.abstract.values import Const, Spot, Term, Value

Resolve = Callable[[Term], Value]
Atoms = tuple[Any, ...]
Sum = dict[Atoms, "tuple[float, tuple[Value, ...]]"]
"""products by the keys of their atoms → factor and atoms"""

MOST_PRODUCTS = 12
_PURE = frozenset(
    (
        "builtins.len",
        "builtins.int",
        "builtins.float",
        "builtins.round",
        "math.floor",
        "math.ceil",
        "numpy.floor",
        "numpy.ceil",
    )
)


def number(value: Value | None) -> bool:
    """Whether a value is a finite number that stays the same."""
    return (
        isinstance(value, Const)
        and value.via != "widened"
        and isinstance(value.value, (int, float))
        and not isinstance(value.value, bool)
        and abs(value.value) < inf
    )


def integer(value: Value | None) -> int | None:
    """The plain whole number that a value is, or None."""
    return value.value if isinstance(value, Const) and number(value) and isinstance(value.value, int) else None


def same_key(value: Value, depth: int = 0) -> Any:
    """A key that two readings of one expression share."""
    if isinstance(value, Const):
        if value.via == "widened":
            return ("changes", value.name)
        try:
            hash(value.value)
        except TypeError:
            return ("id", id(value))
        return ("const", value.value)
    if isinstance(value, Term) and depth < 10:
        pure = value.op in ("attr", "item", "binop") or (value.op == "call" and value.name in _PURE)
        if pure or (value.op == "method" and value.name == "size"):
            base = None if value.base is None else same_key(value.base, depth + 1)
            return (value.op, value.name, base, *(same_key(a, depth + 1) for a in value.args))
    return ("id", id(value))


def as_sum(value: Value, resolve: Resolve, depth: int = 0) -> Sum:
    """A size as a sum of products."""
    if isinstance(value, Term) and depth < 12:
        resolved = resolve(value)
        if resolved is not value:
            return as_sum(resolved, resolve, depth + 1)
        if value.op == "binop" and len(value.args) == 2 and value.name in ("+", "-", "*"):
            left, right = (as_sum(a, resolve, depth + 1) for a in value.args)
            if value.name == "*":
                return _times(left, right)
            return _plus(left, right, 1 if value.name == "+" else -1)
        if value.op == "binop" and len(value.args) == 1 and value.name == "-":
            return _plus({}, as_sum(value.args[0], resolve, depth + 1), -1)
    if isinstance(value, Const) and number(value):
        if value.value == 0:
            return {}
        if value.value == 1 and value.via == "literal":
            return {(): (1, ())}
    return {(same_key(value),): (1, (value,))}


def _plus(left: Sum, right: Sum, sign: int) -> Sum:
    out = dict(left)
    for key, (factor, atoms) in right.items():
        before = out.get(key)
        total = sign * factor + (before[0] if before else 0)
        if total:
            out[key] = (total, before[1] if before else atoms)
        else:
            out.pop(key, None)
    return out


def _times(left: Sum, right: Sum) -> Sum:
    out: Sum = {}
    if len(left) * len(right) > MOST_PRODUCTS:
        return {(("id", object()),): (1, ())}
    for lkey, (lfactor, latoms) in left.items():
        for rkey, (rfactor, ratoms) in right.items():
            pairs = sorted(zip((*lkey, *rkey), (*latoms, *ratoms), strict=True), key=lambda p: repr(p[0]))
            product = {tuple(k for k, _ in pairs): (lfactor * rfactor, tuple(a for _, a in pairs))}
            out = _plus(out, product, 1)
    return out


def as_value(total: Sum, at: Spot | None) -> Value | None:
    """The value of a sum: the very constant where one is left, a computed one, or None."""
    if not total:
        return Const(0, "arithmetic", at)
    atoms = [a for _, atoms in total.values() for a in atoms]
    if len(total) == 1 and len(atoms) == 1 and next(iter(total.values()))[0] == 1:
        return atoms[0]
    if not all(number(a) for a in atoms):
        return None
    result: float = 0
    for factor, product in total.values():
        for atom in product:
            assert isinstance(atom, Const)
            factor *= atom.value
        result += factor
    plain = int(result) if float(result).is_integer() else result
    named = {id(a): a for a in atoms if isinstance(a, Const) and a.via != "literal"}
    if len(named) == 1:
        only = next(iter(named.values()))
        if plain == only.value:
            return only
        return Const(plain, "arithmetic", at or only.at, only.root or only)
    if not named and len(atoms) == 1:
        return Const(plain, "arithmetic" if plain != atoms[0].value else "literal", atoms[0].at)  # type: ignore[attr-defined]
    return Const(plain, "arithmetic", at)


def difference(upper: Value, lower: Value, resolve: Resolve, at: Spot | None = None) -> Value | None:
    """`upper - lower` where that is a known number (or one atom)."""
    return as_value(_plus(as_sum(upper, resolve), as_sum(lower, resolve), -1), at)


def total(values: Iterable[Value], resolve: Resolve, at: Spot | None = None) -> Value | None:
    """The sum of sizes, or None."""
    out: Sum = {}
    for value in values:
        out = _plus(out, as_sum(value, resolve), 1)
    return as_value(out, at)


def quotient(over: Iterable[Value], under: Iterable[Value], resolve: Resolve, at: Spot | None = None) -> Value | None:
    """The product of `over` divided by that of `under`, equal atoms cancelled; None where it stays unknown."""
    above, below = _product(over, resolve), _product(under, resolve)
    if above is None or below is None:
        return None
    (factor, top), (divisor, bottom) = above, below
    for key in list(bottom):
        for _ in range(bottom[key][0]):
            if top.get(key, (0, None))[0] > 0:
                top[key] = (top[key][0] - 1, top[key][1])
                bottom[key] = (bottom[key][0] - 1, bottom[key][1])
    left = [a for count, a in top.values() for _ in range(count)]
    right = [a for count, a in bottom.values() for _ in range(count)]
    if len(left) == 1 and not right and factor == divisor:
        return left[0]
    if not all(number(a) for a in (*left, *right)):
        return None
    result = factor / divisor
    for a in left:
        result *= a.value  # type: ignore[attr-defined]
    for a in right:
        result /= a.value  # type: ignore[attr-defined]
    named = [a for a in (*left, *right) if isinstance(a, Const) and a.via != "literal"]
    root = named[0].root or named[0] if len(named) == 1 else None
    return Const(int(result), "arithmetic", at, root) if float(result).is_integer() else None


def _product(values: Iterable[Value], resolve: Resolve) -> tuple[float, dict[Any, tuple[int, Value]]] | None:
    factor: float = 1
    counts: dict[Any, tuple[int, Value]] = {}
    for value in values:
        parts = as_sum(value, resolve)
        if len(parts) != 1:
            return None
        ((keys, (times, atoms)),) = parts.items()
        factor *= times
        for key, atom in zip(keys, atoms, strict=True):
            counts[key] = (counts.get(key, (0, atom))[0] + 1, counts.get(key, (0, atom))[1])
    return factor, counts
