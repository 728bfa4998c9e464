"""A learning rate is far from what its optimizer can use."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Known,
    Optimizer,
    Options,
    Program,
    Severity,
    Undecided,
    active,
    argument,
    aside,
    items,
    known,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_ADAPTIVE = {"adam", "adamw", "nadam", "radam", "adamax", "amsgrad", "sparseadam", "rmsprop", "lazyadam", "adabelief"}
_PLAIN = {"sgd", "asgd"}
_COMPUTED = ("lambda", "noam", "warmup", "onecycle", "cycl", "inverse", "learningratescheduler")


class Limits(Options):
    """From where on a rate is reported, by the family of the optimizer."""

    high: float = 0.01
    """of Adam, RMSprop and their kin: at this rate advice, above it a warning"""
    far_too_high: float = 0.1
    """of Adam, RMSprop and their kin: an error above"""
    high_sgd: float = 1.0
    """of SGD without clipping and decay: a warning above"""
    low: float = 1e-6
    """of any of these: a warning below"""


@rule(
    code="LA401",
    name="learning-rate-out-of-range",
    summary="A learning rate is far from what its optimizer can use.",
    family="optimisation",
    topic="learning-rate",
    severity="warning",
    grade="B",
    article="H7",
    needs=("optimizers",),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for optimizer in items(program.optimizers):
        name, rate, fact = plain(optimizer.name), number(optimizer.learning_rate), optimizer.learning_rate
        if optimizer.active and name is not None and unclear(fact):
            yield undecided(fact, "learning rate")
        if not isinstance(name, str) or rate is None or _left_to_callers(program, optimizer):
            continue
        severity, problem = _judged(program, options, optimizer, name.lower(), rate)
        shared = {o.learning_rate.at for o in active(program.optimizers)} - {None}
        of_another = fact.at in shared and not optimizer.active
        if of_another:
            severity = Severity.ADVICE  # whoever takes the other optimizer can give it another rate
        elif not optimizer.active and severity is not Severity.ERROR:
            continue
        if problem:
            at = where(fact, optimizer)
            start = 1e-3 if name.lower() in _ADAPTIVE else 0.1
            keyword = "learning_rate" if program.framework == "keras" else "lr"
            given = "the default " if isinstance(fact, Known) and fact.via == "default" else "a "
            yield Finding(
                at=at,
                severity=severity,
                message=f"{given}learning rate of {rate:g} {problem} {name}{aside(optimizer)}",
                label="too high" if rate > options.low else "too low",
                help=f"start with {start:g}",
                fix=unsafe(
                    f"start with {start:g}",
                    "every step becomes shorter" if rate > start else "every step becomes longer",
                    None if of_another else argument(fact, optimizer, keyword, start),
                ),
                evidence=notes(at, (optimizer, f"{name} is built with it")),
            )


def _judged(
    program: Program, options: Limits, optimizer: Optimizer, name: str, rate: float
) -> tuple[Severity | None, str]:
    """How bad a rate is and why, the empty string if it is in order."""
    adaptive, scheduled = name in _ADAPTIVE, _scheduled(program, optimizer)
    if scheduled is None:
        return None, ""
    if rate <= 0 and not scheduled:
        refused = program.framework == "pytorch"
        return (
            Severity.ERROR,
            "moves no weight with" if rate == 0 else "is refused by" if refused else "goes uphill with",
        )
    if adaptive and rate > options.far_too_high:
        return Severity.ERROR, "is more than a hundred times what suits"
    if adaptive and rate >= options.high:
        at_limit = rate == options.high
        return (Severity.ADVICE, "is at the upper end for") if at_limit else (Severity.WARNING, "is too high for")
    if name in _PLAIN and rate > options.high_sgd and program.clipping == () and program.schedules == ():
        return Severity.WARNING, "without clipping or decay is too high for"
    if (adaptive or name in _PLAIN) and 0 < rate < options.low and not scheduled:
        return Severity.WARNING, "hardly moves the weights with"
    return None, ""


def _scheduled(program: Program, optimizer: Optimizer) -> bool | None:
    """Whether a schedule changes the rate; None if it may compute it and this number only scales it (Noam)."""
    if not known(program.schedules):
        return None
    mine = [s for s in active(program.schedules) if s.optimizer in (None, optimizer.at)]
    for schedule in mine:
        by_hand = plain(schedule.by_hand) is True and number(schedule.gamma) is None
        if by_hand or any(word in str(plain(schedule.name, "")).lower() for word in _COMPUTED):
            return None
    return bool(mine)


def _left_to_callers(program: Program, optimizer: Optimizer) -> bool:
    """A module that nobody trains has the rate as a parameter: the default is only where callers begin."""
    rate = optimizer.learning_rate
    return program.api == "module" and isinstance(rate, Known) and rate.via == "function-default"
