"""Single gradients are far larger than the others."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where

from ._judging import backward_at, extend, series


class Limits(Options):
    """What counts as a spike."""

    ratio: float = 200.0
    """a norm above this multiple of the usual one"""
    exploding: float = 50.0
    """or above this one, where the gradient grows through time"""
    growth: float = 100.0
    """gradient at the first time step over that at the last, above which it grows"""
    steps: int = 100
    """in a shorter run without a spike nothing is said"""


@rule(
    code="LA903",
    name="gradient-spikes",
    summary="Single gradients were far larger than all others, and nothing limited them.",
    family="probe",
    topic="clip-missing",
    severity="warning",
    grade="A",
    article="T2",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    grows = found.vanishing is not None and found.vanishing > options.growth
    if found.spike is None or found.spike <= (options.exploding if grows else options.ratio):
        if probe.steps < options.steps:
            yield extend(probe.steps, options.steps, "spikes of the gradient")
        return
    if found.clipped is not None or found.norm_p90 is None:
        return
    yield Finding(
        at=where(*active(program.clipping), backward_at(program)),
        message=f"gradient norm {found.spike:.0f} times the usual one at step {found.spike_step}; "
        f"clip at {found.norm_p90:.2g}, the 90th percentile of {probe.steps} steps",
        label="spikes",
        help=f"clip the gradient norm at {found.norm_p90:.2g}",
        evidence=(series("gradient-norm", f"median {found.norm_median:.2g}, highest {found.norm_max:.2g}"),),
    )
