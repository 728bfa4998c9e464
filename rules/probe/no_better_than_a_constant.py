"""The trained network is no better than one that always gives the same answer."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, measured, rule

from ._judging import extend, far, loss_at, series, targets_unseen


class Limits(Options):
    """What counts as no better."""

    share: float = 0.97
    """of the loss of the best constant answer"""
    steps: int = 150
    """nothing is said of shorter runs"""
    classes: int = 100
    """with more classes than these a slow start is usual, and nothing is said"""


@rule(
    code="LA905",
    name="no-better-than-a-constant",
    summary="After the whole run the loss is that of a network which always gives the same answer.",
    family="probe",
    topic="probe",
    severity="warning",
    grade="B",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    if unseen := targets_unseen(program):
        yield unseen
    probe = measured(program)
    if probe is None or probe.statistics.over_constant is None or probe.statistics.over_constant < options.share:
        return
    found = probe.statistics
    if probe.steps < options.steps:
        yield extend(probe.steps, options.steps, "loss against that of a constant answer")
        return
    if any((loss.classes or 0) > options.classes for loss in probe.losses):
        yield extend(probe.steps, 5 * probe.steps, "loss against that of a constant answer, of many classes")
        return
    falling = found.late_fall is not None and (found.late_fall[1] > 0 or found.late_fall[0] > 0.05)
    if falling:
        yield extend(probe.steps, 2 * probe.steps, "loss that still falls")
        return
    yield Finding(
        at=loss_at(program),
        severity=Severity.ADVICE if far(program) else None,
        message=f"after {probe.steps} steps the loss is {found.over_constant:.0%} of {found.constant:.3g}, "
        "the loss of always giving the same answer",
        label="learns nothing",
        help="check that each target belongs to its input, then try to overfit a single batch",
        evidence=(series("loss", f"{found.loss_tail:.3g} in the last quarter"),),
    )
