"""Arithmetic on constants, bounded so that no user's expression can cost time or memory."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import libcst as cst

LARGEST = 10_000  # characters, items or bits of a computed constant

BINARY: dict[type[cst.CSTNode], tuple[str, Callable[[Any, Any], Any]]] = {
    cst.Add: ("+", operator.add),
    cst.Subtract: ("-", operator.sub),
    cst.Multiply: ("*", operator.mul),
    cst.Divide: ("/", operator.truediv),
    cst.FloorDivide: ("//", operator.floordiv),
    cst.Modulo: ("%", operator.mod),
    cst.Power: ("**", operator.pow),
    cst.LeftShift: ("<<", operator.lshift),
    cst.RightShift: (">>", operator.rshift),
    cst.BitAnd: ("&", operator.and_),
    cst.BitOr: ("|", operator.or_),
    cst.BitXor: ("^", operator.xor),
    cst.MatrixMultiply: ("@", operator.matmul),
    cst.AddAssign: ("+", operator.add),
    cst.SubtractAssign: ("-", operator.sub),
    cst.MultiplyAssign: ("*", operator.mul),
    cst.DivideAssign: ("/", operator.truediv),
    cst.FloorDivideAssign: ("//", operator.floordiv),
    cst.ModuloAssign: ("%", operator.mod),
    cst.PowerAssign: ("**", operator.pow),
    cst.LeftShiftAssign: ("<<", operator.lshift),
    cst.RightShiftAssign: (">>", operator.rshift),
    cst.BitAndAssign: ("&", operator.and_),
    cst.BitOrAssign: ("|", operator.or_),
    cst.BitXorAssign: ("^", operator.xor),
    cst.MatrixMultiplyAssign: ("@", operator.matmul),
}

COMPARE: dict[type[cst.CSTNode], tuple[str, Callable[[Any, Any], Any]]] = {
    cst.Equal: ("==", operator.eq),
    cst.NotEqual: ("!=", operator.ne),
    cst.LessThan: ("<", operator.lt),
    cst.LessThanEqual: ("<=", operator.le),
    cst.GreaterThan: (">", operator.gt),
    cst.GreaterThanEqual: (">=", operator.ge),
    cst.In: ("in", lambda a, b: a in b),
    cst.NotIn: ("not in", lambda a, b: a not in b),
    cst.Is: ("is", lambda a, b: a is b or (isinstance(a, (bool, str, int)) and a == b)),
    cst.IsNot: ("is not", lambda a, b: not (a is b or (isinstance(a, (bool, str, int)) and a == b))),
}

UNARY: dict[type[cst.CSTNode], tuple[str, Callable[[Any], Any]]] = {
    cst.Minus: ("-", operator.neg),
    cst.Plus: ("+", operator.pos),
    cst.Not: ("not", operator.not_),
    cst.BitInvert: ("~", operator.invert),
}


class NotComputable(Exception):
    """The result would be too large, or Python refuses the operation."""


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value.bit_length()
    return len(value) if isinstance(value, (str, bytes, tuple, list)) else 1


def compute(name: str, function: Callable[..., Any], *values: Any) -> Any:
    """`function(*values)` where that is cheap; raises NotComputable otherwise."""
    if name == "**" and _size(values[0]) * (values[1] if isinstance(values[1], int) else 64) > LARGEST:
        raise NotComputable
    if name == "<<" and isinstance(values[1], int) and values[1] > LARGEST:
        raise NotComputable
    if name == "*":
        a, b = values
        if isinstance(a, (str, bytes, tuple, list)) and isinstance(b, int) and len(a) * b > LARGEST:
            raise NotComputable
        if isinstance(b, (str, bytes, tuple, list)) and isinstance(a, int) and len(b) * a > LARGEST:
            raise NotComputable
    if (
        name == "%"
        and isinstance(values[0], (str, bytes))
        and any(len(c) > 3 for c in str(values[0]).split("%")[1:] if c[:4].isdigit())
    ):
        raise NotComputable
    try:
        result = function(*values)
    except Exception as error:
        raise NotComputable from error
    if _size(result) > LARGEST:
        raise NotComputable
    return result


STR_METHODS = frozenset(
    "lower upper strip lstrip rstrip split rsplit join replace startswith endswith format title capitalize find rfind "
    "index count isdigit isalpha splitlines partition rpartition casefold removeprefix removesuffix zfill".split()
)
"""String methods that are computed; their results are bounded by `compute`."""
