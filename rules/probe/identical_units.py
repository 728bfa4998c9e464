"""All units of a layer are the same."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, plain, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as identical."""

    share: float = 0.9
    """of the units of a weight matrix"""


@rule(
    code="LA913",
    name="identical-units",
    summary="The units of a recurrent layer stayed equal to each other: it works like a single unit.",
    family="probe",
    topic="init-bad",
    severity="error",
    grade="A",
    article="H4",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    equal = {name: share for name, share in probe.checks.identical_units.items() if share >= options.share}
    if not equal:
        return
    name = max(equal, key=lambda one: (equal[one], one))
    written = [i for i in active(program.initializations) if "weights" in str(plain(i.target)) and i.at]
    yield Finding(
        at=where(*written[-1:], layer_at(program)),
        message=f"{equal[name]:.0%} of the units in `{name}` equal another one after {probe.steps} steps",
        label="all alike",
        help="initialise the weights with random numbers, `nn.init.xavier_uniform_` or `nn.init.orthogonal_`",
    )
