"""Gradient clipping, and where it stands within a turn of the training loop."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Const, Function, Loop, Term, Value, options
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.extract.pytorch.steps import CLIPS_VALUE, Act, Steps, Training, of_gradient
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import Clipping, Unknown

_NORMS = ("norm_", "norm", "vector_norm")


def clipping(run: Run, steps: Steps) -> tuple[Clipping, ...]:
    """All clipping of gradients in a run; what the defaults do not do is inactive."""
    made: list[Clipping] = []
    for act in steps.acts:
        if act.kind == "clip":
            _add(made, _clip(act, _placement(act, steps)))
    for term in run.trace:
        if term.op == "method" and term.name == "register_hook" and term.args:
            _add(made, _hook(run, term))
    return tuple(sorted(made, key=lambda c: not c.active))


def _add(made: list[Clipping], item: Clipping | None) -> None:
    """Keep one item per place: an active reading wins over an inactive one, an `ok` over a doubt."""
    if item is None:
        return
    same = next((i for i, m in enumerate(made) if m.at == item.at and m.kind == item.kind), None)
    if same is None:
        made.append(item)
    elif item.active and (not made[same].active or isinstance(made[same].max, Unknown)):
        made[same] = item


def _clip(act: Act, placement: Fact) -> Clipping | None:
    term = act.term
    at = place(term.at)
    if act.by_hand:
        limit = _limit_of(term)
        if limit is None:
            return None
        kind = "value" if term.name in ("clamp_", "clip_") or term.op == "setattr" else "norm"
        return Clipping(at=at, active=term.scope.active, kind=inferred(kind, at), max=fact(limit), placement=placement)
    name = last(term.name)
    if name in CLIPS_VALUE:
        kind, limit = "value", term.argument("clip_value", 1)
    elif name == "clip_gradients":  # Lightning's and Fabric's
        kind = "value" if "clip_val" in term.kwargs and term.op == "method" else "norm"
        limit = term.kwargs.get("clip_val", term.kwargs.get("max_norm", term.kwargs.get("gradient_clip_val")))
    else:
        alone = term.op == "method" and len(term.args) == 1  # `model.clip_grad_norm_(max_norm)`
        kind, limit = "norm", term.argument("max_norm", 0 if alone else 1)
    return Clipping(
        at=at,
        active=term.scope.active,
        kind=inferred(kind, at),
        max=fact(limit),
        placement=placement,
        per_variable=inferred(False),
    )


def _limit_of(term: Term) -> Value | None:
    """The threshold of clipping by hand: `p.grad.clamp_(-1, 1)`, `p.grad *= limit / norm`."""
    if term.op == "setattr":
        term = next(o for o in options(term.args[0]) if isinstance(o, Term))
    if last(term.name).rstrip("_") in ("clamp", "clip"):
        first = 1 if term.op == "call" else 0
        return term.argument("max", first + 1) or term.argument("min", first)
    factor = term.args[-1] if term.args else None
    return _numerator(factor)


def _numerator(value: Value | None, depth: int = 0) -> Value | None:
    if depth > 5:
        return None
    for each in options(value):
        if not isinstance(each, Term):
            continue
        if each.op == "binop" and each.name == "/" and len(each.args) == 2 and _is_norm(each.args[1]):
            return each.args[0]
        for inner in (*each.args, each.base):
            if isinstance(inner, Term) and (found := _numerator(inner, depth + 1)) is not None:
                return found
    return None


def _is_norm(value: Value | None, depth: int = 0) -> bool:
    if depth > 6:
        return False
    for each in options(value):
        if isinstance(each, Term):
            if last(each.name) in _NORMS and each.op in ("method", "call"):
                return True
            inner = [*each.args, *([each.base] if each.base is not None else [])]
            if any(of_gradient(i) or _is_norm(i, depth + 1) for i in inner):
                return True
    return False


def _hook(run: Run, term: Term) -> Clipping | None:
    """`p.register_hook(lambda g: torch.clamp(g, -c, c))`: every backward pass clips."""
    hook = term.args[0]
    function = hook.function if isinstance(hook, Bound) else hook
    if not isinstance(function, Function):
        return None
    for inner in run.trace:
        if last(inner.name) in ("clamp", "clip", "clamp_") and any(
            f.function.node is function.node for f in inner.scope.frames
        ):
            shift = 1 if inner.op == "call" else 0
            limit = inner.argument("max", 1 + shift)
            at = place(inner.at)
            return Clipping(
                at=at,
                active=term.scope.active,
                kind=inferred("value", at),
                max=fact(limit),
                placement=inferred("ok"),
                per_variable=inferred(True),
            )
    return None


# -- placement -------------------------------------------------------------------------------------------


def _placement(act: Act, steps: Steps) -> Fact:
    term = act.term
    if not term.scope.active:
        return inferred("ok")
    training = next((t for t in reversed(steps.trainings) if t.holds(term)), None)
    if training is None:
        training = next((t for t in reversed(steps.trainings) if t.around(term)), None)
        if training is None:
            return Unknown(unknown="no training step was found around it", at=place(term.at))
    if _is_exhausted(steps, training, term):
        return inferred("exhausted", place(term.at))
    order = [a for a in training.acts if a.kind in ("backward", "step", "clip", "unscale")]
    here = next((i for i, a in enumerate(order) if a.term is term or a.term.at.node is term.at.node), None)
    if here is None:
        return Unknown(unknown="not in the turn of the training step", at=place(term.at))
    before, after = [a.kind for a in order[:here]], [a.kind for a in order[here + 1 :]]
    if "backward" not in before:
        used = after[: after.index("backward")] if "backward" in after else ["step"]
        if "step" in used:  # the gradients of the turn before, applied at the top of this one
            return inferred("ok", place(term.at))
        return inferred("before-backward", place(term.at))
    if "step" in before and "step" not in after:
        last_step = len(before) - 1 - before[::-1].index("step")
        last_backward = len(before) - 1 - before[::-1].index("backward")
        if last_step > last_backward:
            return inferred("after-step", place(term.at))
    if _is_scaled(order) and "unscale" not in before:
        return inferred("before-unscale", place(term.at))
    return inferred("ok", place(term.at))


def _is_scaled(order: list[Act]) -> bool:
    """Whether the gradients are scaled while they are clipped: `scaler.scale(loss).backward()`."""
    for act in order:
        if act.kind == "backward" and isinstance(act.term.base, Term) and act.term.base.name == "scale":
            scaler = act.term.base.base
            return not any(_disabled(o) for o in options(scaler))
    return False


def _disabled(scaler: Value) -> bool:
    enabled = scaler.kwargs.get("enabled") if isinstance(scaler, Term) else None
    return isinstance(enabled, Const) and enabled.value is False


def _is_exhausted(steps: Steps, training: Training, term: Term) -> bool:
    """Whether the parameters are a generator that was made before the loop: after one use nothing is left to clip."""
    given = term.args[0] if term.args else term.kwargs.get("parameters")
    for each in options(given):
        if not _is_generator(each):
            return False
        assert isinstance(each, Term)
        if _loops(each) != _loops(term)[: len(_loops(each))]:
            return False
        if len(_loops(each)) < len(_loops(term)) and training.batches in _loops(term):
            return training.batches not in _loops(each)
        used = [
            a for a in steps.run.trace if a.serial < term.serial and a.op == "call" and any(v is each for v in a.args)
        ]
        if used:
            return True
    return False


def _loops(term: Term) -> list[Loop]:
    return [loop for loop, _ in term.scope.loops if not loop.unrolled]


def _is_generator(value: Value | None) -> bool:
    """`model.parameters()`, `filter(…, model.parameters())`, a generator expression over them."""
    if not isinstance(value, Term):
        return False
    if value.op == "method" and value.name == "parameters":
        return True
    if value.op == "comp" and not isinstance(value.at.node, (cst.ListComp, cst.SetComp)):
        return _is_generator(value.base)
    return value.op == "call" and value.name == "itertools.chain"
