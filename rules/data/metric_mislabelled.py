"""A number is reported under the name of another metric."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    aside,
    items,
    notes,
    plain,
    rule,
    where,
)

_WORDS = {"mae": "absolute", "mse": "squared", "rmse": "the root of squared", "mape": "relative"}


@rule(
    code="LA611",
    name="metric-mislabelled",
    summary="A number is reported under the name of another metric.",
    family="data",
    topic="metric-mismatch",
    severity="error",
    grade="A",
    needs=("metrics",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for metric in items(program.metrics):
        said, real = plain(metric.name), plain(metric.computes)
        if said not in _WORDS or real not in _WORDS or said == real:
            continue
        at = where(metric)
        yield Finding(
            at=at,
            message=f"what is called {said.upper()} is the {real.upper()}, of {_WORDS[real]} errors{aside(metric)}",
            label=f"{real.upper()}, not {said.upper()}",
            help=f"call it {real.upper()}, or compute {said.upper()}",
            evidence=notes(
                at, (metric.name, f"called {said.upper()}"), (metric.computes, f"computed as {real.upper()}")
            ),
        )
