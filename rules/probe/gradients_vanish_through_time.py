"""The gradient does not reach the beginning of the sequence, and nothing is learned."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, measured, rule

from ._judging import extend, layer_at, stuck


class Limits(Options):
    """What counts as vanished."""

    ratio: float = 1e-7
    """gradient at the first time step over that at the last"""
    steps: int = 150
    """nothing is said of shorter runs"""
    fall: float = 0.1
    """a loss that fell by more than this share, down to that of a constant, makes it advice: language models stay there
    for a while before they learn more"""


@rule(
    code="LA904",
    name="gradients-vanish-through-time",
    summary="The gradient did not reach the beginning of the sequences, and the loss did not fall.",
    family="probe",
    topic="probe",
    severity="warning",
    grade="A",
    article="T9",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or probe.statistics.vanishing is None or probe.statistics.vanishing >= options.ratio:
        return
    if probe.steps < options.steps:
        yield extend(probe.steps, options.steps, "gradients through time")
    elif stuck(program):
        found = probe.statistics
        steps = max((layer.sequence_length or 0 for layer in probe.layers), default=0)
        share = f"{found.vanishing:.0e} of" if found.vanishing else "less than 1e-30 of"
        reach = "" if found.reach is None else f": it falls to 1/e every {found.reach:.2g} of {steps} time steps"
        fell = found.fall is not None and found.fall[1] > options.fall
        yield Finding(
            at=layer_at(program),
            severity=Severity.ADVICE if fell else None,
            message=f"the gradient of the first time step is {share} the last one's, and nothing is learned{reach}",
            label="forgets",
            help="set the forget-gate bias to 1 or more, shorten the sequences, or pool over all time steps",
        )
