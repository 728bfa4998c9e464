"""The loss grew while the program trained."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, measured, rule

from ._judging import extend, loss_at, series


class Limits(Options):
    """What counts as growing."""

    growth: float = 2.0
    """the loss ends at more than this multiple of where it began"""
    steps: int = 50
    """nothing is said of shorter runs"""


@rule(
    code="LA902",
    name="loss-diverges",
    summary="The loss grew while the program trained.",
    family="probe",
    topic="probe",
    severity="warning",
    grade="A",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    if probe.steps < options.steps:
        yield extend(probe.steps, options.steps, "course of the loss")
        return
    if found.loss_first is None or found.loss_tail is None or found.loss_first <= 0:
        return
    began = max(found.loss_first, found.constant or 0.0)
    if found.loss_tail > options.growth * began:
        yield Finding(
            at=loss_at(program),
            message=f"the loss grew from {began:.3g} to {found.loss_tail:.3g} in {probe.steps} steps",
            label="grows",
            help="lower the learning rate tenfold, or clip the gradient norm",
            evidence=(series("loss", f"{began:.3g} at first, {found.loss_tail:.3g} in the last quarter"),),
        )
