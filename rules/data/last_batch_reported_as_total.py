"""The value of one batch is reported as that of an epoch."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    plain,
    rule,
    where,
)


@rule(
    code="LA613",
    name="last-batch-reported-as-total",
    summary="A loss or metric is overwritten by every batch, and the last one is reported for all.",
    family="data",
    topic="metric-mismatch",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("metrics",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for metric in active(program.metrics):
        if plain(metric.over) == "last-batch":
            at, name, data = where(metric), plain(metric.name, "value"), plain(metric.on)
            yield Finding(
                at=at,
                message=f"the {name} of the last batch alone is reported for all{f' {data} data' if data else ' data'}",
                label="overwritten by every batch",
                help="add up `loss.item() * len(batch)` and divide by the number of samples",
                evidence=notes(at, (metric.over, "reported here")),
            )
