"""An optimizer runs at a default rate that learns next to nothing."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Known,
    Options,
    Program,
    Undecided,
    active,
    known,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    where,
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
                evidence=notes(at, (momentum, "its momentum")),
            )
