"""Two cells stepped in opposite directions whose results are paired step by step without turning one list round."""

from __future__ import annotations

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Seq, Term, Value
from lstmadvisor.extract.pytorch.torch_ops import CELLS, applied_module, last, whole


def unreversed(run: Run) -> dict[int, list[Term]]:
    """By id of a cell's constructor call: where its results of step T-1-t are joined with another cell's of step t."""
    out: dict[int, list[Term]] = {}
    for term in run.trace:
        if term.op != "call" or last(term.name) not in ("cat", "concat", "stack") or not term.args:
            continue
        given = term.args[0]
        if not isinstance(given, Seq) or len(given.items) != 2:
            continue
        origins = [_origin(item) for item in given.items]
        steps = [_step(origin) for origin in origins]
        if None in steps or steps[0] == steps[1]:
            continue
        for origin in origins:
            if origin is not None and origin.base is not None and _backwards(origin):
                out.setdefault(id(origin.base), []).append(term)
    return out


def _origin(value: Value) -> Term | None:
    """The application of a cell that a hidden state comes from."""
    if isinstance(value, Term) and value.op == "item" and whole(value.args[0]) == 0 and isinstance(value.base, Term):
        value = value.base
    return value if isinstance(value, Term) and applied_module(value) in CELLS else None


def _step(applied: Term | None) -> int | None:
    """Which step of its input a cell was given: `x[i]`, `x[:, i]`."""
    if applied is None or not applied.args:
        return None
    given = applied.args[0]
    if not isinstance(given, Term) or given.op != "item":
        return None
    index = given.args[0]
    parts = index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]
    known = [n for n in (whole(p) for p in parts) if n is not None]
    return known[0] if len(known) == 1 else None


def _backwards(applied: Term) -> bool:
    """Whether the loop around runs from the last step to the first."""
    turn = next((n for loop, n in reversed(applied.scope.loops) if loop.unrolled), None)
    return turn is not None and turn != _step(applied)


__all__ = ["unreversed"]
