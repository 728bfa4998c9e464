"""The forget gate is shut."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, plain, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as closed."""

    mean: float = 0.1
    """of the gate, at the beginning and at the end of the run"""


@rule(
    code="LA908",
    name="forget-gate-closed",
    summary="The forget gate stayed shut for the whole run: the cell forgets everything at every time step.",
    family="probe",
    topic="forget-bias",
    severity="error",
    grade="A",
    article="T9",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    first, last = probe.statistics.forget_first, probe.statistics.forget_last
    if first is None or last is None or max(first, last) >= options.mean:
        return
    biases = [i for i in active(program.initializations) if plain(i.target) in ("forget-bias", "recurrent-bias")]
    yield Finding(
        at=where(*biases[-1:], program.forget_bias, layer_at(program)),
        message=f"the forget gate is {first:.2g} on average at the first step and {last:.2g} at the last: "
        "nothing is remembered",
        label="shut",
        help="set the forget-gate bias to 1",
    )
