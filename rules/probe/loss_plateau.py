"""The loss does not fall."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, measured, rule

from ._judging import extend, far, loss_at, series


class Limits(Options):
    """What counts as flat."""

    fall: float = 0.05
    """a loss that fell by this share, beyond doubt, is not flat"""
    most: float = 0.1
    """nor is one that may have fallen by this share: the upper bound of what was measured"""
    converged: float = 0.5
    """below this share of the loss of a constant answer it may be flat because it has converged"""
    steps: int = 150
    """nothing is said of shorter runs"""


@rule(
    code="LA906",
    name="loss-plateau",
    summary="The loss did not fall between the beginning and the end of the run.",
    family="probe",
    topic="probe",
    severity="warning",
    grade="B",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or probe.statistics.fall is None:
        return
    found = probe.statistics
    fall, least, most = probe.statistics.fall
    if least > 0 and fall >= options.fall:
        return
    if found.over_constant is not None and found.over_constant < options.converged:
        return
    if probe.steps < options.steps:
        yield extend(probe.steps, options.steps, "course of the loss")
    elif most >= options.most or any((loss.classes or 0) > 100 for loss in probe.losses):
        yield extend(probe.steps, 3 * probe.steps, "batches that differ more than the loss has changed")
    elif found.loss_first is not None and found.loss_tail is not None:
        yield Finding(
            at=loss_at(program),
            severity=Severity.ADVICE if far(program) else None,
            message=f"the loss is where it began after {probe.steps} steps: {found.loss_tail:.3g}, "
            f"at most {max(most, 0):.0%} lower than at first",
            label="flat",
            help="try to overfit a single batch; if that fails too, look at the inputs and the learning rate",
            evidence=(series("loss", f"fell by {fall:.1%}, between {least:.1%} and {most:.1%}"),),
        )
