"""The loss of the run became infinite or not a number."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, measured, rule

from ._judging import input_at, loss_at, series

_FIRST = {
    "input": "the input held such a value at step {} already",
    "loss": "input and weights were finite before",
    "gradient": "the gradient at step {} was the first to go",
    "weights": "the weights were the first to go, at step {}",
}


@rule(
    code="LA901",
    name="non-finite-loss",
    summary="The loss became infinite or not a number while the program ran.",
    family="probe",
    topic="probe",
    severity="error",
    grade="A",
    needs=("probe",),
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    losses = probe.of("loss") if probe else None
    if probe is None or losses is None or None not in losses.values:
        return
    bad = losses.steps[losses.values.index(None)]
    first = probe.checks.first_bad or ""
    why = _FIRST.get(first, "").format(probe.checks.first_bad_step)
    yield Finding(
        at=input_at(program) if first == "input" else loss_at(program),
        message=f"the loss is not a finite number at step {bad}" + (f": {why}" if why else ""),
        label="not finite",
        help="fill or drop the missing values before they reach the network"
        if first == "input"
        else "lower the learning rate and clip the gradient norm",
        evidence=(series("loss", f"breaks off at step {bad} of {probe.steps}"),),
    )
