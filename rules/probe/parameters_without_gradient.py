"""Parts of the network do not train."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, measured, rule

from ._judging import optimizer_at


class Limits(Options):
    """What counts as without gradient."""

    share: float = 0.9
    """of the steps in which a gradient is exactly 0"""
    padding: float = 0.5
    """share of padding above which a gradient of 0 is the padding's fault, and not reported here"""


@rule(
    code="LA914",
    name="parameters-without-gradient",
    summary="Parts of the network never get a gradient, or belong to no optimizer.",
    family="probe",
    topic="other",
    severity="warning",
    grade="A",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or not probe.steps:
        return
    checks = probe.checks
    padded = (probe.statistics.padding or 0.0) > options.padding
    zero = tuple(
        name
        for name, share in checks.zero_gradient.items()
        if share >= options.share
        and not padded
        and (norms := probe.of("gradient-norm", name))
        and norms.values[:1] == (0.0,)
    )
    layers = tuple(layer.path for layer in probe.layers if layer.path)
    for names, what, help in (
        (checks.not_optimized, "a gradient but no optimizer", "hand all parameters to the optimizer"),
        (checks.without_gradient, "no gradient in any step", "look for a `detach()`, `no_grad()` or an unused layer"),
        (zero, "a gradient of exactly 0 in nearly every step", "look for what cuts it off from the loss"),
    ):
        if not names:
            continue
        recurrent = any(name.startswith(f"{path}.") for name in names for path in layers)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Finding(
            at=optimizer_at(program),
            severity=None if recurrent or names is checks.not_optimized else Severity.ADVICE,
            message=f"{what} for `{names[0]}`{more}",
            label="not trained",
            help=help,
        )
