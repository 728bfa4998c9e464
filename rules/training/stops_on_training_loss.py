"""Early stopping looks at the training loss, though there are validation data."""

from lstmadvisor.rule import (
    EarlyStopping,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    argument,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_TRAINING = {
    "loss", "accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "mae", "mse",
    "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "train_loss", "training_loss", "train_acc",
    "train_accuracy",
}  # fmt: skip


@rule(
    code="LA524",
    name="stops-on-training-loss",
    summary="Early stopping watches the training data although there are validation data.",
    family="training",
    topic="epochs/early-stopping",
    severity="warning",
    grade="X",
    article="F1",
    needs=("early_stopping",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    validation = program.validation
    for stop in active(program.early_stopping):
        monitor = plain(stop.monitor)
        if not _on_training(stop) or plain(stop.can_act) is False:
            continue
        if unclear(validation.kind):
            yield undecided(validation.kind, "validation data")
        if plain(validation.kind) not in ("data", "split"):
            continue
        at = where(stop.monitor, stop)
        yield Finding(
            at=at,
            message=f"early stopping watches `{monitor}` of the training data, which improves while the net overfits"
            if isinstance(monitor, str)
            else "early stopping watches the training data, on which the net improves while it overfits",
            label="measured on the training data",
            help="compare the validation loss"
            if plain(stop.by_hand) is True
            else f"watch `{_on_validation(str(monitor))}`",
            fix=None if plain(stop.by_hand) is True else _watched(stop),
            evidence=notes(at, (validation, "the validation data"), (stop, "the early stopping")),
        )


def _watched(stop: EarlyStopping) -> Fix | None:
    """The same quantity on the validation data, where it is written or in the call."""
    name = _on_validation(str(plain(stop.monitor)))
    return unsafe(
        f"watch `{name}`", "training stops by the validation data", argument(stop.monitor, stop, "monitor", name)
    )


def _on_training(stop: EarlyStopping) -> bool:
    """By hand, what decides is followed to the data; of a callback, the name of the quantity tells."""
    if plain(stop.by_hand) is True:
        return bool(plain(stop.on) == "training")
    return plain(stop.monitor) in _TRAINING


def _on_validation(monitor: str) -> str:
    """The name of the same quantity on the validation data."""
    return "val_loss" if "train" in monitor else f"val_{monitor}"
