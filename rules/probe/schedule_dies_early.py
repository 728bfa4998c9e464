"""The schedule brings the learning rate to nothing long before training ends."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where

from ._judging import optimizer_at, series


class Limits(Options):
    """What counts as early."""

    unfinished: float = 0.85
    """share of the probed steps, if the program would have gone on"""
    finished: float = 0.5
    """share of all steps, if the program came to its end"""


@rule(
    code="LA921",
    name="schedule-dies-early",
    summary="The learning rate fell to less than a hundredth long before the end of training.",
    family="probe",
    topic="lr-schedule",
    severity="error",
    grade="A",
    article="H7",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    since = probe.statistics.rate_dead_since if probe else None
    if probe is None or since is None:
        return
    if since > (options.finished if probe.status == "completed" else options.unfinished):
        return
    found = probe.statistics
    yield Finding(
        at=where(*active(program.schedules), optimizer_at(program)),
        message=f"the learning rate falls from {found.rate_first:g} to {found.rate_last:.1e}: "
        f"below a hundredth from step {round(since * probe.steps)} of {probe.steps} on",
        label="dies early",
        help="step the schedule once an epoch, or make it as long as the training",
        evidence=(series("learning-rate", f"{found.rate_last:.1e} in the end"),),
    )
