"""The weights hardly move."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, measured, rule

from ._judging import extend, optimizer_at, series


class Limits(Options):
    """What counts as too low."""

    movement: float = 0.03
    """the sum of the relative changes of the weights over the run"""
    fall: float = 0.05
    """nothing is said if the loss fell by more than this share, beyond doubt"""
    steps: int = 100
    """nothing is said of shorter runs"""


@rule(
    code="LA911",
    name="learning-rate-too-low",
    summary="The weights hardly moved in the whole run, and the loss did not fall.",
    family="probe",
    topic="learning-rate",
    severity="warning",
    grade="A",
    article="H7",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    if found.movement is None or found.movement >= options.movement or _fell(found.fall, options.fall):
        return
    if probe.steps < options.steps:
        yield extend(probe.steps, options.steps, "movement of the weights")
        return
    rate = "" if found.rate_first is None else f" at a learning rate of {found.rate_first:g}"
    yield Finding(
        at=optimizer_at(program),
        message=f"{probe.steps} steps moved the weights by {found.movement:.1%} of their length in all{rate}",
        label="hardly moves",
        help="try a learning rate ten to a hundred times as high"
        if found.rate_first is None
        else f"try a learning rate of {found.rate_first * 100:g}",
        evidence=(series("update-ratio", f"{found.update_ratio or 0:.1e} in the middle of the run"),),
    )


def _fell(fall: tuple[float, float, float] | None, share: float) -> bool:
    return fall is not None and fall[0] > share and fall[1] > 0
