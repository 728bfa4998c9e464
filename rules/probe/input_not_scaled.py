"""The numbers that the network reads are far from unit scale."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    active,
    measured,
    notes,
    plain,
    rule,
)

from ._judging import input_at


class Limits(Options):
    """What counts as out of scale."""

    mean: float = 10.0
    """above this many deviations the offset drowns the differences"""
    high: float = 10.0
    """the largest deviation"""
    low: float = 0.01
    """the smallest deviation"""
    learned: float = 0.5
    """advice only if the loss ends below this share of that of a constant answer, or of where it began"""
    saturated: float = 0.15
    """and if no more than this share of the gates starts below 0.1 or above 0.9"""


@rule(
    code="LA912",
    name="input-not-scaled",
    summary="The numbers that the recurrent layers read are far from zero mean and unit deviation.",
    family="probe",
    topic="input-scale",
    severity="warning",
    grade="A",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or any(plain(one.position) == "input" for one in active(program.normalizations)):
        return
    found = probe.statistics
    mean, deviation = found.input_mean, found.input_deviation
    if mean is None or deviation is None:
        return
    off = abs(mean) > options.mean * deviation and abs(mean) > 1
    if not off and options.low <= deviation <= options.high:
        return
    learned = (
        found.fall is not None and found.fall[1] > 1 - options.learned
        if found.over_constant is None
        else found.over_constant < options.learned
    )
    copes = learned and (found.saturation or 0.0) <= options.saturated
    at = input_at(program)
    yield Finding(
        at=at,
        severity=Severity.ADVICE if copes else None,
        message=f"the network reads numbers of mean {mean:.3g} and deviation {deviation:.3g}"
        + ("" if copes else ", far from 0 and 1"),
        label="not scaled",
        help="subtract the mean and divide by the deviation of the training data",
        evidence=notes(at, *((layer, "read here") for layer in active(program.recurrent_layers)[:1])),
    )
