"""Whether padded steps are masked out of a value."""

from __future__ import annotations

from lstmadvisor.extract.abstract.values import Term, Value, options, walk
from lstmadvisor.extract.pytorch.torch_ops import last

_COMPARES = frozenset(("<", ">", "<=", ">=", "!=", "=="))
_COMPARING = frozenset(("ne", "gt", "lt", "ge", "le", "eq", "not_equal", "sequence_mask", "bool"))
_MOST_STEPS = 12


def is_masked(value: Value | None) -> bool:
    """Whether what a value was made of went through a mask: multiplied by one, or filled where one says so."""
    here = next(iter(options(value)), None)
    for _ in range(_MOST_STEPS):
        if not isinstance(here, Term):
            return False
        name = last(here.name)
        if name in ("masked_fill", "masked_fill_", "where", "masked_select"):
            return True
        factors = here.args if here.op == "binop" and here.name == "*" else ()
        if here.op == "method" and name in ("mul", "mul_"):
            factors = here.args[:1]
        if any(map(_is_mask, factors)):
            return True
        inner = here.base if here.op in ("method", "attr", "item") else here.args[0] if here.args else None
        here = next(iter(options(inner)), None)
    return False


def _is_mask(value: Value) -> bool:
    """Whether a value is a mask: a comparison, or something that is called one."""
    for each in walk(value, 60):
        if not isinstance(each, Term):
            continue
        if (each.op == "binop" and each.name in _COMPARES) or (each.op == "method" and each.name in _COMPARING):
            return True
        if each.op in ("apply", "enter"):
            return False
        module, node = each.at.module, each.at.node
        if module is not None and node is not None and "mask" in module.code(node, 200).lower():
            return True
    return False
