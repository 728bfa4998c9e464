"""Single gradients are far larger than the others."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where

from ._judging import backward_at, extend, series


class Limits(Options):
    """What counts as a spike."""

    ratio: float = 200.0
    """a norm above this multiple of the usual one"""
    exploding: float = 12.0
    """where the gradient grows through time: or the highest norm above this multiple of the median"""
    growth: float = 300.0
    """gradient at the first time step over that at the last, when training began, above which it grows"""
    padding: float = 0.05
    """with a larger share of padding the last time steps may tell nothing"""
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
    spike = found.spike or 0.0
    grows = (found.growth or 0.0) > options.growth and (found.padding or 0.0) <= options.padding
    if grows and found.norm_max and found.norm_median:
        spike = max(spike, found.norm_max / found.norm_median)
    if spike <= (options.exploding if grows else options.ratio):
        if probe.steps < options.steps:
            yield extend(probe.steps, options.steps, "spikes of the gradient")
        return
    if found.clipped is not None or found.norm_p90 is None:
        return
    clip = f"clip the gradient norm at {found.norm_p90:.2g}"
    told = f" at step {found.spike_step}; clip at {found.norm_p90:.2g}, the 90th percentile of {probe.steps} steps"
    if grows:
        clip = "start from smaller recurrent weights, orthogonal ones for instance, and clip the gradient norm"
        told = f"; it grows {found.growth:.2g} times on its way back through time"
    yield Finding(
        at=where(*active(program.clipping), backward_at(program)),
        message=f"gradient norm {spike:.3g} times the usual one{told}",
        label="spikes",
        help=clip,
        evidence=(series("gradient-norm", f"median {found.norm_median:.2g}, highest {found.norm_max:.2g}"),),
    )
