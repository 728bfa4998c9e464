"""The numbers that the network has to give are far from unit scale."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, measured, rule, where

from ._judging import input_at, loss_at, targets_unseen


class Limits(Options):
    """What counts as out of scale."""

    high: float = 10.0
    """mean or deviation of the targets, above"""
    low: float = 0.01
    """deviation of the targets, below"""
    share: float = 0.9
    """nothing is said if the loss ends below this share of that of a constant answer"""


@rule(
    code="LA923",
    name="target-not-scaled",
    summary="The targets are far from zero mean and unit deviation, and the loss is no better than a constant's.",
    family="probe",
    topic="input-scale",
    severity="warning",
    grade="A",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    if unseen := targets_unseen(program):
        yield unseen
    probe = measured(program)
    if probe is None or (probe.statistics.over_constant or 0.0) < options.share:
        return
    for loss in probe.losses:
        mean, deviation = loss.target_mean, loss.target_deviation
        if mean is None or deviation is None or deviation == 0:
            continue
        if max(abs(mean), deviation) > options.high or deviation < options.low:
            yield Finding(
                at=where(loss_at(program), input_at(program)),
                message=f"the targets have mean {mean:.3g} and deviation {deviation:.3g}, and the loss is "
                f"{probe.statistics.over_constant:.2g} times that of a constant answer",
                label="not scaled",
                help="train on targets less their mean, divided by their deviation, and scale predictions back",
            )
