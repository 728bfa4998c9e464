"""How a loss is put together within one training step, and the shapes of what it compares."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from lstmadvisor.extract.abstract.values import Const, Loop, Range, Spot, Term, Value
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import ABSENT, Unknown

_DIVIDES = frozenset(("/", "/=", "mean", "div", "div_", "average", "nanmean"))
_ADDS = frozenset(("+", "+=", "sum", "add", "add_", "nansum"))


def added_up(
    steps: Steps, training: Training, loops: tuple[tuple[Loop, int], ...], is_part: Callable[[Value], bool]
) -> Fact:
    """Whether a loop inside the training step adds up losses without dividing the sum.

    loops: those around the computation of one part; is_part: whether a value is such a part.
    """
    outer = {id(loop) for loop, _ in training.turn}
    if all(id(loop) in outer or _over_heads(loop) for loop, _ in loops):
        return inferred(False)
    adds: Term | None = None
    for value in steps.origins.walk(training.loss, stop=is_part):
        if not isinstance(value, Term) or is_part(value) or value.op not in ("binop", "call", "method"):
            continue
        if last(value.name) in _DIVIDES:
            return inferred(False, place(value.at))
        if adds is None and last(value.name) in _ADDS:
            adds = value
    return inferred(True, place(adds.at)) if adds is not None else ABSENT


def _over_heads(loop: Loop) -> bool:
    """Whether a loop goes through a few things that are listed one by one, rather than through positions."""
    return loop.unrolled and not isinstance(loop.iterable, Range)


def compared_shapes(shapes: Shapes, use: Term | None) -> dict[str, Fact]:
    """The shapes of prediction and target where a loss compares them, as fields of a loss."""
    if use is None or len(use.args) < 2:
        return {}
    found = zip(("input_shape", "target_shape"), use.args, strict=False)
    return {name: _shape(shapes, value, use) for name, value in found} | {"target": _written(use)}


def _written(use: Term) -> Fact:
    """The second argument of a call, as it is written."""
    call, module = use.at.node, use.at.module
    given = call.args[:2] if isinstance(call, cst.Call) else ()
    if module is None or len(given) < 2 or any(arg.star or arg.keyword is not None for arg in given):
        return Unknown(unknown="the target is not the second argument of a call", at=place(use.at))
    target = given[1].value
    return inferred(module.tree.code_for_node(target), place(Spot(module, target)))


def _shape(shapes: Shapes, value: Value, use: Term) -> Fact:
    shape = shapes.of(value)
    if shape is None:
        return Unknown(unknown="depends on data", at=place(use.at))
    sizes = [size.value if isinstance(size, Const) and isinstance(size.value, int) else None for size in shape]
    return inferred(sizes, place(value.at) if isinstance(value, Term) else None)


__all__ = ["added_up", "compared_shapes"]
