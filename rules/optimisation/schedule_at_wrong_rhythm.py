"""A schedule made for epochs is stepped for every batch, or the other way round, or not at all."""

import math

from lstmadvisor.rule import (
    AppendToBody,
    Edit,
    EpochLoop,
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    Known,
    MoveStatement,
    Options,
    Program,
    RemoveStatement,
    Schedule,
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
)

_SHRINKING = {"ExponentialLR", "StepLR", "ExponentialDecay"}
_ENDING = {"CosineAnnealingLR", "PolynomialLR", "CosineDecay", "PolynomialDecay"}
_OF_TORCH = "call its `step()` once an epoch"


class Limits(Options):
    """What a schedule that is stepped for every batch may do."""

    halved: int = 70
    """a rate that is halved within so many batches falls too fast"""
    left: float = 0.01
    """unless so much of it is left at the end of the training, where the number of batches is known"""


@rule(
    code="LA404",
    name="schedule-at-wrong-rhythm",
    summary="A schedule for epochs is stepped for every batch, one for batches once an epoch, or it is never stepped.",
    family="optimisation",
    topic="lr-schedule",
    severity="error",
    grade="A",
    article="H7",
    needs=("schedules",),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for schedule in items(program.schedules):
        name, stepped = plain(schedule.name), plain(schedule.stepped)
        if plain(schedule.by_hand) is True and stepped == "never" and schedule.optimizer is not None:
            yield _in_vain(schedule)
        if plain(schedule.by_hand) is True or not isinstance(name, str):
            continue
        if schedule.active and unclear(schedule.stepped):
            yield undecided(schedule.stepped, f"how often `{name}` is stepped")
        message, step = "", _OF_TORCH
        if stepped == "never" and program.framework == "pytorch" and program.api != "module" and schedule.active:
            message, step = f"`{name}` is built and never stepped: the learning rate stays as it is", f"{_OF_TORCH}"
        elif stepped == "batch":
            message, step = _too_often(program, schedule, name, options)
        elif stepped == "epoch" and plain(schedule.unit) == "batch":
            message = f"`{name}` counts batches and is stepped once an epoch: it hardly begins"
            step = "call its `step()` after every batch"
        if message:
            at = where(schedule)
            yield Finding(
                at=at,
                message=message + aside(schedule),
                label="never stepped" if stepped == "never" else "the wrong rhythm",
                help=step,
                fix=_fix(program, schedule, step),
                evidence=notes(
                    at,
                    (schedule.gamma, "the factor"),
                    (schedule.length, "the length"),
                    (schedule.stepped, "stepped here"),
                    (program.epochs, "the epochs"),
                ),
            )
    yield from _too_early(program)


def _fix(program: Program, schedule: Schedule, step: str) -> Fix | None:
    """PyTorch: the schedule stepped at the end of every epoch, or after every batch."""
    loop, stepped, name = program.epoch_loop, schedule.stepped, plain(schedule.called)
    here = stepped.at if isinstance(stepped, Known) else None
    updates = [act.at for act in items(program.training_step.order) if act.kind == "step" and act.at is not None]
    if program.framework != "pytorch" or loop.at is None:
        return None
    if plain(schedule.name) == "ReduceLROnPlateau":
        return _plateau(loop, schedule) if plain(stepped) == "never" else None
    if step == _OF_TORCH and name is not None and plain(loop.single) is False:
        edits: list[Edit] = [AppendToBody(at=loop.at, code=f"{name}.step()")]
        if plain(stepped) != "never":
            if here is None:
                return None
            edits.append(RemoveStatement(at=here))
        return unsafe("step it at the end of every epoch", "the rate follows the schedule as it is meant", *edits)
    if plain(stepped) == "epoch" and here is not None and len(updates) == 1:
        move = MoveStatement(at=here, to=updates[0], side="after")
        return unsafe("step it after every batch", "the rate follows the schedule as it is meant", move)
    return None


def _plateau(loop: EpochLoop, schedule: Schedule) -> Fix | None:
    """Stepped with the measure of the validation; where there is none that it could watch, taken away."""
    name, measure = plain(schedule.called), plain(loop.measure)
    suits = plain(schedule.mode) == ("min" if plain(loop.falls) is True else "max")
    if name is not None and measure is not None and suits and loop.measured_by is None and loop.measured_in is not None:
        return unsafe(
            "step it after every evaluation",
            "the rate falls when the validation no longer gets better",
            AppendToBody(at=loop.measured_in, code=f"{name}.step({measure})"),
        )
    if schedule.at is None or plain(schedule.mentioned) is not False:
        return None
    return unsafe("delete it", "the code no longer promises what it does not do", RemoveStatement(at=schedule.at))


def _in_vain(schedule: Schedule) -> Finding:
    """A rate that is lowered in a variable, which the optimizer does not look at again."""
    at, here = where(schedule), where(schedule.optimizer)
    if schedule.active:
        message = "this changes a variable: the optimizer has its own copy of the rate, which stays"
        return Finding(
            at=at,
            message=message,
            label="changes nothing",
            help='set `group["lr"]` of each of `optimizer.param_groups`, or use a scheduler',
            fix=_handed_on(schedule),
            evidence=notes(at, (here, "the optimizer took the number here")),
        )
    return Finding(
        at=here,
        message=f"this optimizer keeps its first rate: only a variable is lowered{aside(schedule)}",
        label="never lowered",
        help='set `group["lr"]` of each of its `param_groups`, or use a scheduler',
        fix=_handed_on(schedule),
        evidence=notes(here, (at, "the variable")),
    )


def _handed_on(schedule: Schedule) -> Fix | None:
    """The new rate given to the optimizer."""
    at, rate, optimizer = schedule.at, plain(schedule.variable), plain(schedule.given_to)
    if at is None or rate is None or optimizer is None:
        return None
    given = [f"for group in {optimizer}.param_groups:", f'    group["lr"] = {rate}']
    if (condition := plain(schedule.given_if)) is not None:
        given = [f"if {condition}:", *(f"    {line}" for line in given)]
    edit = InsertStatements(at=at, side="after", code="\n".join(given))
    return unsafe("give the optimizer the new rate", "the rate really falls", edit)


def _too_often(program: Program, schedule: Schedule, name: str, options: Limits) -> tuple[str, str]:
    """What is wrong with a schedule that advances with every batch, and what to do."""
    factor, length, epochs = number(schedule.gamma), number(schedule.length), number(program.epochs)
    batches = _batches(program) if schedule.active else None
    span = 1 if name == "ExponentialLR" else length
    if name in _SHRINKING and span and factor is not None and 0 < factor < 1:
        count = math.ceil(span * math.log(0.5) / math.log(factor) - 1e-9)
        if count > options.halved or (batches is not None and factor ** (batches / span) > options.left):
            return "", ""
        advice = _OF_TORCH if program.framework == "pytorch" else "set `decay_steps` to the batches of an epoch"
        often = "" if span == 1 else f" every {span:g}"
        return f"`{name}` counts batches: with {factor:g}{often} the rate is halved in {count} of them", advice
    counted = plain(program.epoch_loop.single) is not True  # else what is taken for epochs are steps
    if name in _ENDING and counted and schedule.active and length is not None and length == epochs and length > 1:
        if batches is not None and batches <= length:
            return "", ""
        argument = {"CosineAnnealingLR": "T_max", "PolynomialLR": "total_iters"}.get(name, "decay_steps")
        end = "turns round" if name == "CosineAnnealingLR" else "is at its end"
        return (
            f"`{name}` counts batches and {end} after {length:g} of them, as many as there are epochs",
            f"set `{argument}` to epochs times batches of an epoch",
        )
    return "", ""


def _batches(program: Program) -> float | None:
    """The number of batches of the whole training, where it is known."""
    samples, size, epochs = number(program.dataset.size), number(program.batch_size), number(program.epochs)
    return None if not samples or not size or epochs is None else epochs * -(-samples // size)


def _too_early(program: Program) -> Iterator[Finding]:
    """PyTorch: a schedule that goes ahead of the optimizer in the same turn skips its first value."""
    order = items(program.training_step.order)
    kinds = [act.kind for act in order]
    if "scheduler" in kinds and "step" in kinds and kinds.index("scheduler") < kinds.index("step"):
        act, step = order[kinds.index("scheduler")], order[kinds.index("step")]
        at = where(act, program)
        yield Finding(
            at=at,
            severity=Severity.WARNING,
            message="the schedule is stepped before the optimizer: its first learning rate is never used",
            label="too early",
            fix=unsafe(
                "step the schedule after the optimizer",
                "the first rate is used once, and all others one step later",
                None if step.at is None else MoveStatement(at=at, to=step.at, side="after"),
            ),
            help="step the schedule after the optimizer",
            evidence=notes(at, (step, "the optimizer's step")),
        )
