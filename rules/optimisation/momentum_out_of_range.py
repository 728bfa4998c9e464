"""A momentum that accumulates without end, or hardly at all."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    aside,
    items,
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


class Limits(Options):
    """Where momentum is reported."""

    most: float = 0.99
    """a warning above; from 1 on an error"""
    least: float = 0.5
    """advice below, if there is any momentum"""


@rule(
    code="LA406",
    name="momentum-out-of-range",
    summary="A momentum accumulates gradients without end, or is too small to matter.",
    family="optimisation",
    topic="momentum",
    severity="warning",
    grade="B",
    article="H8",
    needs=("optimizers",),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for optimizer in items(program.optimizers):
        momentum, name = number(optimizer.momentum), plain(optimizer.name, "the optimizer")
        if optimizer.active and unclear(optimizer.momentum):
            yield undecided(optimizer.momentum, "momentum")
        if momentum is None or momentum == 0 or options.least <= momentum <= options.most:
            continue
        severity, effect = None, f"makes {1 / (1 - momentum):.0f} steps out of one" if 0 < momentum < 1 else ""
        if momentum >= 1:
            severity, effect = Severity.ERROR, "lets the steps grow without end"
            if momentum > 1 and program.framework == "keras":
                effect = f"is refused: {name} raises ValueError"
        elif momentum < 0:
            severity, effect = Severity.ERROR, f"is refused: {name} raises ValueError"
        elif momentum < options.least:
            severity, effect = Severity.ADVICE, "hardly smooths anything"
        if severity is not Severity.ERROR and not optimizer.active:
            continue
        at = where(optimizer.momentum, optimizer)
        yield Finding(
            at=at,
            severity=severity,
            message=f"a momentum of {momentum:g} {effect}{aside(optimizer)}",
            label="too much" if momentum > options.most else "too little",
            fix=unsafe(
                "set the momentum to 0.9",
                "steps add up to other lengths, and the learning rate may have to follow",
                written(optimizer.momentum, 0.9),
            ),
            help="set it to 0.9" + (", and the learning rate to what suits that" if momentum > options.most else ""),
            evidence=notes(at, (optimizer, f"used by {name}")),
        )
