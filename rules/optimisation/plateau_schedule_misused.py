"""A schedule driven by a callback or a metric that cannot do its work."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Schedule,
    SetArgument,
    Undecided,
    active,
    aside,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_CALLBACKS = ("ReduceLROnPlateau", "LearningRateScheduler")


@rule(
    code="LA405",
    name="plateau-schedule-misused",
    summary="A plateau schedule gets no metric, or a callback has to change the rate of a schedule object.",
    family="optimisation",
    topic="lr-schedule",
    severity="error",
    grade="A",
    article="H7",
    needs=("schedules",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    keras = program.framework == "keras"
    objects = [s for s in active(program.schedules) if keras and _is_object(s)]
    for schedule in items(program.schedules):
        name, at = plain(schedule.name), where(schedule)
        if name not in _CALLBACKS or plain(schedule.stepped) == "never":
            continue
        if name == "ReduceLROnPlateau" and plain(schedule.metric_given) is False:
            what = "watches a value that `fit` never logs" if keras else "is stepped without the metric it waits for"
            yield Finding(
                at=at,
                message=f"`ReduceLROnPlateau` {what}{aside(schedule)}",
                label="nothing to watch",
                fix=unsafe(
                    "watch the training loss",
                    "the rate falls when the training loss no longer does",
                    SetArgument(at=at, name="monitor", code='"loss"', position=0),
                )
                if keras
                else None,
                help="hold out validation data, or monitor `loss`" if keras else "call `scheduler.step(val_loss)`",
                evidence=notes(at, (schedule.stepped, "stepped here"), (program.validation, "the validation data")),
            )
        elif objects and schedule.active and len(active(program.optimizers)) == 1:
            yield Finding(
                at=at,
                message=f"`{name}` cannot set a rate that `{plain(objects[0].name)}` computes: TypeError when it tries",
                label="cannot set the rate",
                help="keep one of the two: the schedule object, or the callback with a plain rate",
                evidence=notes(at, (objects[0], "the schedule object")),
            )
        elif name == "ReduceLROnPlateau" and schedule.active and unclear(schedule.metric_given):
            yield undecided(schedule.metric_given, "whether the metric is given")


def _is_object(schedule: Schedule) -> bool:
    """An object that an optimizer got as its rate; not a callback, nor the old argument `decay`."""
    own = plain(schedule.by_hand) is True and str(plain(schedule.name, "")).endswith("Schedule")
    return plain(schedule.name) not in _CALLBACKS and (plain(schedule.unit) == "batch" or own)
