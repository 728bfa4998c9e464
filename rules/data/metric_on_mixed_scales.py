"""Truth and prediction are compared on different scales."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Metric,
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


@rule(
    code="LA610",
    name="metric-on-mixed-scales",
    summary="A metric compares values on different scales.",
    family="data",
    topic="metric-mismatch",
    severity="error",
    grade="A",
    needs=("metrics",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    faults: dict[object, list[Metric]] = {}
    for metric in items(program.metrics):
        if plain(metric.scales_agree) is False:
            faults.setdefault(plain(metric.why), []).append(metric)
    for metrics in faults.values():
        first, name = metrics[0], _spelt(str(plain(metrics[0].name, "the metric")))
        at, why = where(first), plain(first.why) or "truth and prediction are on different scales"
        yield Finding(
            at=at,
            message=f"{name} means nothing: {why}{aside(first)}",
            label="different scales",
            help="bring both back to the original scale by the same inverse before comparing them",
            evidence=notes(
                at,
                (first.scales_agree, "the scale is changed here"),
                (first.why, "here"),
                *((metric, "spoils this one, too") for metric in metrics[1:]),
            ),
        )


def _spelt(name: str) -> str:
    return name.upper() if name in ("mae", "mse", "rmse", "mape", "smape", "r2") else name
