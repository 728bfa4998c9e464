"""The gates are stuck open or shut from the first step on."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, plain, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as saturated."""

    gates: float = 0.15
    """share of the gates below 0.1 or above 0.9 before the first step"""
    hidden: float = 0.5
    """of a plain RNN, share of its hidden state beyond ±0.9"""


@rule(
    code="LA907",
    name="gates-saturated",
    summary="The gates are stuck open or shut before training begins: hardly any gradient passes them.",
    family="probe",
    topic="init-bad",
    severity="warning",
    grade="A",
    article="H4",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    plainly = found.saturation is None and found.hidden_saturation is not None
    share = found.hidden_saturation if plainly else found.saturation
    if share is None or share <= (options.hidden if plainly else options.gates):
        return
    what = "hidden state starts beyond ±0.9" if plainly else "gates start below 0.1 or above 0.9"
    written = [i for i in active(program.initializations) if "weights" in str(plain(i.target)) and i.at]
    yield Finding(
        at=where(*written[-1:], layer_at(program)),
        message=f"{share:.0%} of the {what}: weights or inputs are too large",
        label="saturated",
        help="initialise the recurrent weights orthogonally, or leave the framework's own initialisation",
    )
