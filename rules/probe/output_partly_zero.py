"""The network's answers are zeroed at random."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, plain, rule, where


class Limits(Options):
    """What counts as zeroed."""

    share: float = 0.05
    """of the output in training mode, beyond that in evaluation mode"""


@rule(
    code="LA918",
    name="output-partly-zero",
    summary="A part of the network's output is zeroed at random in training.",
    family="probe",
    topic="dropout-on-output",
    severity="error",
    grade="A",
    article="H3",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    zeros = probe.checks.zeros_at_output if probe else None
    if zeros is None or zeros <= options.share:
        return
    drops = [drop for drop in active(program.dropouts) if plain(drop.position) == "output"]
    yield Finding(
        at=where(*drops, program.output, *active(program.dropouts), program),
        message=f"{zeros:.0%} of the output is exactly 0 in training but not in evaluation",
        label="zeroed at random",
        help="move the dropout in front of the output layer",
    )
