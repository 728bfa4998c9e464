"""Accuracy is asked of a model that predicts real numbers."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Metric,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
    written,
)

_REGRESSION = {
    "mse", "mae", "mape", "msle", "rmse", "meansquarederror", "meanabsoluteerror", "meanabsolutepercentageerror",
    "meansquaredlogarithmicerror", "huber", "huberloss", "logcosh", "mseloss", "l1loss", "smoothl1loss",
}  # fmt: skip
_CLASSES = {"class-ids", "one-hot", "multi-hot"}


@rule(
    code="LA612",
    name="accuracy-on-regression",
    summary="Accuracy is measured of a model that predicts real numbers.",
    family="data",
    topic="metric-mismatch",
    severity="warning",
    grade="A",
    needs=("metrics", "losses"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    losses = active(program.losses)
    kind, units = plain(program.targets.kind), number(program.output.units)
    forecast = kind == "real" and plain(program.dataset.kind) in ("windows", "series")
    numbers = plain(program.output.activation) == "none" and (units == 1 or forecast)
    if (
        not losses
        or not numbers
        or kind in _CLASSES
        or not all(_name(plain(loss.name)) in _REGRESSION for loss in losses)
    ):
        return
    for metric in active(program.metrics):
        if _name(plain(metric.name)) in ("accuracy", "acc", "binaryaccuracy", "categoricalaccuracy", "accuracyscore"):
            at, loss = where(metric), plain(losses[0].name)
            yield Finding(
                at=at,
                message=f"accuracy counts exact hits, and the output is a real number trained by {loss}",
                label="hardly ever above 0",
                help="measure the mean absolute error instead",
                fix=_measured_otherwise(program, metric),
                evidence=notes(at, (losses[0], "a loss of regression"), (program.output, "a linear output")),
            )
            return


def _measured_otherwise(program: Program, metric: Metric) -> Fix | None:
    """Another metric, where Keras is given its name."""
    there = any(_name(plain(each.name)) in ("mae", "meanabsoluteerror") for each in active(program.metrics))
    free = program.framework == "keras" and not there and plain(metric.mentioned) is False
    error = written(metric.name, "mae") if free else None
    return unsafe("measure the mean absolute error", "another number is printed", error)


def _name(name: object) -> str:
    return "".join(character for character in str(name).lower() if character.isalnum())
