"""The learning rate throws the weights about."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, measured, rule

from ._judging import optimizer_at, series, stuck


class Limits(Options):
    """What counts as too high."""

    early: float = 3.0
    """the loss of the first steps is above this multiple of the very first"""
    late: float = 2.0
    """or the loss at the end above this one"""
    jump: float = 0.01
    """if a step changes the weights by more than this share of their length, at first or in the middle of the run"""
    update: float = 0.1
    """or nothing is learned while the weights change by more than this share of their length in a step"""


@rule(
    code="LA910",
    name="learning-rate-too-high",
    summary="The loss rose or stayed where it was because the steps of the optimizer are too long.",
    family="probe",
    topic="learning-rate",
    severity="error",
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
    if found.loss_first is None or found.loss_early is None or found.loss_tail is None or found.loss_first <= 0:
        return
    if found.update_ratio is None or found.update_first is None:
        return
    update = max(found.update_first, found.update_ratio)
    began = max(found.loss_first, found.constant or 0.0)
    rose = found.loss_early > options.early * began or found.loss_tail > options.late * began
    thrown = found.update_ratio > options.update
    if not (rose and update > options.jump) and not (thrown and stuck(program)):
        return
    highest = max(found.loss_early, found.loss_tail)
    course = f"the loss rises from {began:.3g} to {highest:.3g}" if rose else "nothing is learned"
    rate = "" if found.rate_first is None else f" at a learning rate of {found.rate_first:g}"
    yield Finding(
        at=optimizer_at(program),
        message=f"{course}{rate}: a step changes the weights by {update:.2g} of their length",
        label="too high",
        help="try a tenth of this learning rate"
        if found.rate_first is None
        else f"try a learning rate of {found.rate_first / 10:g}",
        evidence=(
            series("loss", f"first {found.loss_first:.3g}, then {found.loss_early:.3g}, at last {found.loss_tail:.3g}"),
        ),
    )
