"""A tuner prefers what fits the training data best."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    aside,
    notes,
    plain,
    rule,
    where,
)

_TRAINING = {
    "loss", "accuracy", "acc", "mae", "mse", "rmse", "auc", "mean_squared_error", "mean_absolute_error",
    "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "root_mean_squared_error",
}  # fmt: skip


@rule(
    code="LA621",
    name="tuner-on-training-metric",
    summary="A tuner chooses hyperparameters by how well they fit the training data.",
    family="data",
    topic="tuning",
    severity="warning",
    grade="A",
    article="A01",
    needs=("tuning.tool",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    tuning = program.tuning
    objective = plain(tuning.objective)
    named = plain(tuning.tool) == "keras-tuner" and objective in _TRAINING
    if not named and plain(tuning.on) != "training":
        return
    at = where(tuning.objective if named else None, tuning.on, tuning, program)
    by = f"`{objective}`, a training metric" if named else "the data that each trial was trained on"
    yield Finding(
        at=at,
        message=f"the search is judged by {by}: it prefers what overfits most{aside(tuning)}",
        label="of the training data",
        help=f"judge it by `val_{objective}`" if named else "judge it by data that the trial was not trained on",
        evidence=notes(at, (tuning, "the search"), (tuning.tool, "the search")),
    )
