"""An optimizer runs at a default rate that learns next to nothing."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    Optimizer,
    Options,
    Program,
    SetArgument,
    Undecided,
    active,
    argument,
    known,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
    written,
)

_SLOW = {"pytorch": ("SGD",), "keras": ("SGD", "Adadelta")}


class Limits(Options):
    """What is too small."""

    least: float = 0.05
    """the smallest effective rate that is left alone: the rate over 1 minus the momentum"""


@rule(
    code="LA402",
    name="default-learning-rate-too-small",
    summary="SGD or Adadelta runs at the framework's default rate, at which a recurrent net learns next to nothing.",
    family="optimisation",
    topic="learning-rate",
    severity="warning",
    grade="B",
    article="H7",
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    if not known(program.schedules) or active(program.schedules) or program.api == "module":
        return
    if any(plain(loss.reduction) == "sum" for loss in active(program.losses)):
        return  # gradients as many times larger as there are samples
    if any(plain(dead.kind) == "optimizer-discarded" for dead in active(program.dead_settings)):
        return  # the rate was given, to an optimizer that is thrown away
    for optimizer in active(program.optimizers):
        rate, name, momentum = optimizer.learning_rate, plain(optimizer.name), optimizer.momentum
        if name not in _SLOW.get(program.framework, ()) or not isinstance(rate, Known) or rate.via != "default":
            continue
        share = number(momentum) or 0.0
        if unclear(momentum):
            yield undecided(momentum, "momentum")
        elif share < 1 and number(rate) is not None and rate.value / (1 - share) < options.least:
            at = where(optimizer)
            instead = "1.0, the rate of its paper" if name == "Adadelta" else "0.1 with clipping, or use Adam at 1e-3"
            yield Finding(
                at=at,
                message=f"{name} runs at its default rate of {rate.value:g}, where a recurrent net hardly learns",
                label="no rate given",
                help=f"give it a learning rate of {instead}",
                fix=_fix(program, optimizer, str(name)),
                evidence=notes(at, (momentum, "its momentum")),
            )


def _fix(program: Program, optimizer: Optimizer, name: str) -> Fix | None:
    if plain(optimizer.by_name) is not None:
        return unsafe("use Adam", "steps are scaled by the size of past gradients", written(optimizer.by_name, "adam"))
    keyword, rate = "learning_rate" if program.framework == "keras" else "lr", 1.0 if name == "Adadelta" else 0.1
    edits = [argument(optimizer.learning_rate, optimizer, keyword, rate)]
    limits = (optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue)
    if program.framework == "keras" and name == "SGD" and not any(plain(limit) for limit in limits):
        edits.append(SetArgument(at=where(optimizer), name="global_clipnorm", code="1.0"))
    clipped = " and clip at 1" if len(edits) > 1 else ""
    return unsafe(f"set the learning rate to {rate:g}{clipped}", "every step becomes longer", *edits)
