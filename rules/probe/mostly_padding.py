"""Most of what the network reads is padding."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, measured, plain, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as most."""

    share: float = 0.5
    """of the positions of a batch"""
    loud: float = 0.75
    """a warning above this share, where nothing steps over the padding"""


@rule(
    code="LA919",
    name="mostly-padding",
    summary="Most of the positions that the network reads are padding.",
    family="probe",
    topic="padding-unpacked",
    severity="warning",
    grade="B",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    share = probe.statistics.padding if probe else None
    if probe is None or share is None or share <= options.share:
        return
    if any(layer.packed for layer in probe.layers):
        return
    masked = plain(program.padding.masked) is True or plain(program.padding.packed) is True
    loud = share > options.loud and not masked
    yield Finding(
        at=where(program.padding, program.dataset, layer_at(program)),
        severity=None if loud else Severity.ADVICE,
        message=f"{share:.0%} of the positions in a batch are padding",
        label="mostly padding",
        help="put sequences of similar length into one batch, cut the longest, and pack them",
    )
