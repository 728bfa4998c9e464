"""A long text or signal is read in consecutive pieces, and the memory is cleared before each."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where


class Limits(Options):
    """What counts as consecutive."""

    continued: float = 0.9
    """share of the sequences that begin where the same row of the batch before ended"""
    chance: float = 0.5
    """nothing is said if as many match the end of a neighbouring row"""


@rule(
    code="LA922",
    name="state-reset-in-stream",
    summary="Each batch continues the one before, but the recurrent state is cleared in between.",
    family="probe",
    topic="tbptt",
    severity="warning",
    grade="A",
    article="T4",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or probe.checks.continued is None:
        return
    share, chance = probe.checks.continued, probe.checks.continued_by_chance or 0.0
    if share < options.continued or chance > options.chance:
        return
    reset = [layer for layer in probe.layers if layer.state in ("none", "zero") and not layer.bidirectional]
    if not reset or any(layer.state == "carried" for layer in probe.layers):
        return
    steps = max((layer.sequence_length or 0 for layer in reset), default=0)
    yield Finding(
        at=where(program.hidden_state, *active(program.recurrent_layers), program),
        message=f"{share:.0%} of the sequences continue the batch before, but the state starts from zero every "
        f"{steps} time steps",
        label="forgets between pieces",
        help="pass the last state, detached, to the next batch",
    )
