"""Clipping shortens nearly every gradient to a sliver."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, active, measured, rule, where

from ._judging import optimizer_at, series, stuck


class Limits(Options):
    """What counts as too much."""

    clipped: float = 0.5
    """share of the steps that are clipped"""
    ratio: float = 0.1
    """of the limit to the norm: the middle of all steps is shortened to less"""
    movement: float = 0.1
    """relative way of the weights, below which plain SGD gets nowhere"""


@rule(
    code="LA909",
    name="always-clipped",
    summary="Clipping shortened most gradients to a small part of their length.",
    family="probe",
    topic="clip-missing",
    severity="warning",
    grade="B",
    article="T2",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    if found.clipped is None or found.clip_ratio is None:
        return
    if found.clipped <= options.clipped or found.clip_ratio >= options.ratio:
        return
    scaled_anew = any(one.name.lower() not in ("sgd", "rprop") for one in probe.optimizers)
    slow = found.movement is not None and found.movement < options.movement
    harmful = not scaled_anew and (slow or stuck(program))
    p90 = f"{found.norm_p90:.2g}"
    yield Finding(
        at=where(*active(program.clipping), optimizer_at(program)),
        severity=None if harmful else Severity.ADVICE,
        message=f"{found.clipped:.0%} of the gradients are clipped, half of them to below "
        f"{found.clip_ratio:.2g} of their length"
        + ("" if harmful or not scaled_anew else "; this optimizer divides it out again"),
        label="far below the norms",
        help=f"clip at {p90}, the 90th percentile of the norms",
        evidence=(series("clip-norm", f"median {found.norm_median:.2g}, 90th percentile {p90}"),),
    )
