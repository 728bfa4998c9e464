"""Training stops some epochs after the best one and goes on with the weights of the last."""

from lstmadvisor.rule import (
    EarlyStopping,
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
    Severity,
    Undecided,
    active,
    kept_weights,
    known,
    loaded_weights,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA522",
    name="best-weights-not-restored",
    summary="Early stopping leaves the weights of the last epoch, not those of the best.",
    family="training",
    topic="restore-best-weights",
    severity="warning",
    grade="A",
    article="H9",
    needs=("early_stopping",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for stop in active(program.early_stopping):
        if plain(stop.can_act) is False or not _on_validation(program, stop):
            continue
        for fact in (stop.restores_best, program.checkpoints):
            if unclear(fact):
                yield undecided(fact, "whether the best weights are kept")
        if plain(stop.restores_best) is not False or not known(program.checkpoints):
            continue
        kept = active(program.checkpoints)
        if any(plain(each.reloaded) is not False for each in kept):
            continue
        at, patience = where(stop), number(stop.patience)
        by_hand, keras = plain(stop.by_hand) is True, program.framework == "keras"
        yield Finding(
            at=at,
            severity=Severity.ADVICE if kept else None,
            message="if early stopping acts, it leaves the weights of the last epoch"
            + (f", {patience:g} after the best one" if patience and not by_hand else ", not those of the best")
            + (": the checkpoint is never loaded" if kept else ""),
            label="keeps the last weights",
            help="copy the best `state_dict` (`copy.deepcopy`) and load it after the loop"
            if by_hand
            else "pass `restore_best_weights=True`"
            if keras
            else "save checkpoints by the validation loss and load the best one after the training",
            fix=_restored(stop) if keras and not by_hand else _copied(program),
            evidence=notes(
                at,
                (stop.patience, "its patience"),
                *((each, "saved here, and never loaded") for each in kept),
            ),
        )


def _restored(stop: EarlyStopping) -> Fix | None:
    argument = SetArgument(at=stop.at, name="restore_best_weights", code="True") if stop.at is not None else None
    return unsafe("restore the best weights", "training ends with the weights of the best epoch", argument)


def _copied(program: Program) -> Fix | None:
    """PyTorch: the weights copied where the best measure is noted, and loaded after the loop."""
    loop, models = program.epoch_loop, plain(program.epoch_loop.models)
    if program.framework != "pytorch" or loop.at is None or loop.improved is None or models is None:
        return None
    return unsafe(
        "keep a copy of the best weights, and load it after the loop",
        "training ends with the weights of the best epoch",
        InsertStatements(at=loop.at, side="before", code="best_weights = None"),
        InsertStatements(at=loop.improved, side="after", code=f"best_weights = {kept_weights(models)}"),
        InsertStatements(at=loop.at, side="after", code=loaded_weights(models, "best_weights")),
    )


def _on_validation(program: Program, stop: EarlyStopping) -> bool:
    """What stops on the training loss, or on the learning rate, has no best weights in this sense."""
    if plain(stop.by_hand) is True:
        return plain(stop.on) in ("validation", "test", "evaluation")
    return str(plain(stop.monitor, "")).startswith("val")
