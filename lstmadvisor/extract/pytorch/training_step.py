"""The training step: its acts in order, whether gradients are cleared, mixed precision, accumulation."""

from __future__ import annotations

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Term, Value, options
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.extract.pytorch.evaluation import Evaluation
from lstmadvisor.extract.pytorch.frozen import backbone
from lstmadvisor.extract.pytorch.makers import is_optimizer, is_scaler, made_as
from lstmadvisor.extract.pytorch.modes import with_modes
from lstmadvisor.extract.pytorch.origins import Origins
from lstmadvisor.extract.pytorch.spoken import Spoken, called_on
from lstmadvisor.extract.pytorch.steps import Act, Steps, Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT, Step, TrainingStep, Unknown

_ON = ("16", "16-mixed", "bf16", "bf16-mixed", "fp16", "16-true", "bf16-true")


def training_step(run: Run, steps: Steps, evaluation: Evaluation) -> TrainingStep:
    """What one turn of the main training loop does."""
    training = steps.main
    if training is None:
        return TrainingStep(mixed_precision=mixed_precision(run, None))
    said = Spoken(run, training)
    mode, called = backbone(run, steps)
    step = TrainingStep(
        at=place(training.backward.at),
        order=tuple(_order(steps, training)),
        zero_grad=_zero_grad(steps, training),
        eval_mode=evaluation.eval_mode(),
        mode_matters=evaluation.mode_matters(),
        no_grad=evaluation.no_grad(),
        mixed_precision=mixed_precision(run, training),
        accumulation=_accumulation(training),
        frozen_backbone=mode,
        backbone=called,
        optimizer=said.optimizer(),
        model=said.model(),
        parameters=said.parameters(),
    )
    return with_modes(step, run, steps, evaluation)


def _order(steps: Steps, training: Training) -> list[Step]:
    out: list[Step] = []
    seen: set[tuple[str, int]] = set()
    for act in training.acts:
        spot = act.term.at
        if act.kind == "forward" and not _is_trained(steps.origins, training, act):
            continue
        key = (act.kind, id(spot.node))
        if key not in seen:
            seen.add(key)
            out.append(Step(kind=act.kind, at=place(spot), of=called_on(act)))
    return out


def _is_trained(origins: Origins, training: Training, act: Act) -> bool:
    given = origins.given_by(training.loss)
    return not given or id(act.term.at) in given


def _zero_grad(steps: Steps, training: Training) -> Fact:
    """Whether each step clears the gradients before the next; a clearing outside the loop does not."""
    turn = training.turn
    stepped = any(a.kind == "step" for a in training.acts)
    for act in steps.active("zero_grad"):
        if training.holds(act.term) or (not stepped and training.around(act.term)):
            return inferred(True, place(act.term.at))
    loops = [loop for loop, _ in turn if not loop.unrolled]
    for act in steps.active("zero_grad"):  # in a later turn only: `if i % n == 0`
        around = [loop for loop, _ in act.term.scope.loops]
        if loops and all(any(loop is a for a in around) for loop in loops):
            return inferred(True, place(act.term.at))
    if not stepped:
        return Unknown(unknown="no step of an optimizer was found", at=place(training.backward.at))
    if not training.loops:
        return Unknown(unknown="the step stands in no loop", at=place(training.backward.at))
    strange = next((a.term for a in training.acts if a.kind == "step" and _is_strange(a)), None)
    if strange is not None:
        return Unknown(unknown="what is stepped is not known: it may clear gradients itself", at=place(strange.at))
    return inferred(False, place(training.backward.at))


def _is_strange(step: Act) -> bool:
    """Whether a step is one of an object that is neither an optimizer of a library nor one that the user wrote."""
    made = made_as(step.term.base)
    if step.by_hand or is_optimizer(made) or is_scaler(made) or made == "torch.optim.Optimizer":
        return False
    return not any(isinstance(o, Instance) for o in options(step.term.base))


def mixed_precision(run: Run, training: Training | None) -> Fact:
    """Whether the training computes in half precision where it can."""
    unsure: Term | None = None
    for term in run.trace:
        if term.op != "call" or not term.scope.active:
            continue
        name = last(term.name)
        if name == "autocast" and term.name.startswith("torch."):
            switch = term.kwargs.get("enabled", next((a for a in term.args if _is_flag(a)), None))
        elif name == "GradScaler":
            switch = term.kwargs.get("enabled")
        elif term.name in ("apex.amp.initialize",):
            return inferred(True, place(term.at))
        elif name == "Accelerator" and term.name.startswith("accelerate"):
            given = next(iter(options(term.argument("mixed_precision"))), None)
            if isinstance(given, Const) and given.value in ("fp16", "bf16", "fp8"):
                return inferred(True, place(term.at))
            continue
        elif name in ("Trainer", "Fabric") and term.name.startswith("lightning"):
            given = next(iter(options(term.argument("precision"))), None)
            if isinstance(given, Const) and str(given.value) in _ON:
                return inferred(True, place(term.at))
            continue
        elif name.endswith("TrainingArguments") and term.name.startswith("transformers"):
            for key in ("fp16", "bf16"):
                if any(isinstance(o, Const) and o.value is True for o in options(term.argument(key))):
                    return inferred(True, place(term.at))
            continue
        else:
            continue
        truth = run.truth(switch) if switch is not None else True
        if truth:
            return inferred(True, place(term.at))
        if truth is None:
            unsure = term
    if unsure is not None:
        return Unknown(unknown="switched on by something that is not known", at=place(unsure.at))
    return inferred(False)


def _is_flag(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, bool)


def _accumulation(training: Training) -> Fact:
    """Over how many backward passes gradients are summed: the `n` of `if (i + 1) % n == 0: optimizer.step()`."""
    outside = len(training.backward.scope.conditions)
    for act in training.acts:
        if act.kind != "step":
            continue
        for condition, side in act.term.scope.conditions[outside:]:
            divisor = _modulus(condition) if side else None
            if divisor is not None:
                return fact(divisor)
    return inferred(1)


def _modulus(value: Value, depth: int = 0) -> Value | None:
    if depth > 4:
        return None
    for each in options(value):
        if isinstance(each, Term) and each.op == "binop":
            if each.name == "%" and len(each.args) == 2:
                return each.args[1]
            for inner in each.args:
                if (found := _modulus(inner, depth + 1)) is not None:
                    return found
    return None


__all__ = ["ABSENT", "mixed_precision", "training_step"]
