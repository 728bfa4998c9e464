"""The number of epochs alone ends the training, though validation data could."""

from lstmadvisor.rule import (
    AppendToBody,
    Edit,
    EpochLoop,
    ExtendArgument,
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    Options,
    Program,
    ReplaceExpression,
    SetArgument,
    Severity,
    Undecided,
    active,
    items,
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

_BUDGETED = ("cosine", "onecycle", "linear", "polynomial", "noam", "warmup")
"""schedules that are laid out over a fixed number of steps"""


class Limits(Options):
    """How many epochs are many."""

    warning: int = 30
    """from this many epochs on it is a warning, if there are validation data"""
    advice: int = 10
    """from this many on it is advice"""
    steps: int = 1000
    """a loop that turns more often than this counts steps rather than epochs, and it is advice"""
    kept: int = 100
    """where the best weights are kept, it is advice from this many on"""
    toy: int = 64
    """nothing is said of fewer training samples than these"""


@rule(
    code="LA521",
    name="no-early-stopping",
    summary="Training runs a fixed number of epochs, and nothing stops it or keeps the best weights.",
    family="training",
    topic="epochs/early-stopping",
    severity="warning",
    grade="A",
    article="H9",
    needs=("early_stopping", "epochs"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    epochs, validation = number(program.epochs), program.validation
    if epochs is None or epochs < options.advice or program.api == "module" or not active(program.recurrent_layers):
        return
    samples = number(program.dataset.size)
    if (samples is not None and samples < options.toy) or plain(program.dataset.written_out) is True:
        return
    if not known(program.early_stopping) or active(program.early_stopping) or _declared(program):
        return
    if unclear(program.checkpoints):
        yield undecided(program.checkpoints, "checkpoints")
        return
    kept = [
        each for each in active(program.checkpoints) if plain(each.on) in ("validation", "test") or unclear(each.on)
    ]
    watched = plain(program.fits_in_a_loop) is True and epochs < options.warning
    if _budgeted(program) or watched or (kept and epochs < options.kept):
        return
    validated = plain(validation.kind) in ("data", "split")
    certain = validated and not kept and options.warning <= epochs <= options.steps
    turns = f"training runs {epochs:g} {'epochs' if epochs <= options.steps else 'turns'}"
    at = where(program.epochs, program.training_step, program)
    yield Finding(
        at=at,
        severity=None if certain else Severity.ADVICE,
        message=f"{turns} to the last, though the best of them is kept"
        if kept
        else f"{turns} whatever the validation says"
        if validated
        else f"{turns}, and nothing tells when to stop",
        label="nothing stops it earlier",
        help=_remedy(program),
        fix=_stopped(program, validated, bool(kept)),
        evidence=notes(
            at,
            (validation, "the validation data"),
            (program.training_step, "the training step"),
            *((each, "keeps the best") for each in kept),
        ),
    )


def _remedy(program: Program) -> str:
    if program.framework == "keras" and plain(program.fits_in_a_loop) is not True:
        return 'pass `EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)` in `callbacks`'
    return "keep a copy of the best weights by validation loss, and stop when it has not improved for 10 epochs"


def _stopped(program: Program, validated: bool, kept: bool) -> Fix | None:
    if plain(program.validation.is_test_set) is True:
        return None  # it is not for the test set to decide
    return _callback(program, validated) if program.framework == "keras" else _by_hand(program, kept)


def _callback(program: Program, validated: bool) -> Fix | None:
    """Keras: the callback and, where there are none, validation data for it to watch."""
    fit, epochs = program.epoch_loop.at, number(program.epochs)
    if fit is None or epochs is None:
        return None
    patience = 10 if epochs > 20 else max(2, int(epochs) // 4)
    callback = f"`keras.callbacks.EarlyStopping`(patience={patience}, restore_best_weights=True)"
    others = [where(other) for other in items(program.epoch_loop.others)]
    stop, *stops = (ExtendArgument(at=at, name="callbacks", code=callback, position=5) for at in (fit, *others))
    if validated:
        return unsafe("stop when the validation loss has stopped falling", "training may end sooner", stop, *stops)
    if (
        stops
        or plain(program.validation.kind) != "none"
        or not known(program.shuffle)
        or plain(program.shuffle) is None
    ):
        return None
    held = SetArgument(at=fit, name="validation_split", code="0.1")
    return unsafe(
        "hold out a tenth to stop by", "a tenth of the data no longer trains, and training may end sooner", held, stop
    )


def _by_hand(program: Program, kept: bool) -> Fix | None:
    """PyTorch: an end where the measure no longer gets better and, unless the program keeps them, the best weights."""
    loop, measure = program.epoch_loop, _measure(program.epoch_loop)
    models = [] if kept else plain(loop.models)
    if loop.at is None or loop.measured_in is None or measure is None or models is None:
        return None
    if plain(loop.measured) == "within-turns":
        return _kept(loop, measure, models) if models else None
    lower = plain(loop.falls) is True
    best, stale, patience = f"best_{'loss' if lower else 'score'}", *_patience_by_hand(program)
    copied = [f"best_weights = {kept_weights(models)}"] if models else []
    none = ["best_weights = None"] if models else []
    start = [f'{best} = float("{"" if lower else "-"}inf")', *none, f"{stale} = 0"]
    judge = [
        f"if {measure} {'<' if lower else '>'} {best}:",
        *(f"    {line}" for line in (f"{best} = {measure}", *copied, f"{stale} = 0")),
        "else:",
        f"    {stale} += 1",
    ]
    stop = [f"if {stale} >= {patience}:", "    break"]
    edits: list[Edit] = [InsertStatements(at=loop.at, side="before", code="\n".join(start)), *_handed_out(loop)]
    if loop.measured_in == loop.at:
        edits.append(AppendToBody(at=loop.at, code="\n".join([*judge, *(f"    {line}" for line in stop)])))
    else:
        edits.append(AppendToBody(at=loop.measured_in, code="\n".join(judge)))
        edits.append(AppendToBody(at=loop.at, code="\n".join(stop)))
    what = f"stop when the validation {'loss' if lower else 'score'} no longer gets better"
    if not models:
        return unsafe(what, "training may end sooner", *edits)
    edits.append(InsertStatements(at=loop.at, side="after", code=loaded_weights(models, "best_weights")))
    return unsafe(f"{what}, with the best weights", "training may end sooner, with other weights", *edits)


def _kept(loop: EpochLoop, measure: str, models: list[str]) -> Fix | None:
    """The best weights of all evaluations, where these happen on the way through the data and all epochs run."""
    if loop.at is None or loop.measured_in is None:
        return None
    lower = plain(loop.falls) is True
    best = f"best_{'loss' if lower else 'score'}"
    judge = [
        f"if {measure} {'<' if lower else '>'} {best}:",
        f"    {best} = {measure}",
        f"    best_weights = {kept_weights(models)}",
    ]
    start = f'{best} = float("{"" if lower else "-"}inf")\nbest_weights = None'
    return unsafe(
        f"keep the best weights by the validation {'loss' if lower else 'score'}, and load them after the last epoch",
        "training ends with other weights",
        InsertStatements(at=loop.at, side="before", code=start),
        *_handed_out(loop),
        AppendToBody(at=loop.measured_in, code="\n".join(judge)),
        InsertStatements(at=loop.at, side="after", code=loaded_weights(models, "best_weights")),
    )


def _patience_by_hand(program: Program) -> tuple[str, int]:
    """What is counted, and how many of them are waited for."""
    loop, epochs = program.epoch_loop, int(number(program.epochs) or 0)
    if plain(loop.measured) == "some-turns":
        return "stale_evaluations", 3
    patience = 10 if epochs > 20 else max(2, epochs // 4)
    return "stale_epochs", max(patience, epochs // 10) if plain(loop.single) is True else patience


def _measure(loop: EpochLoop) -> str | None:
    """What the loop calls the measure, once it has a name."""
    measure = plain(loop.measure)
    if measure is None or (loop.measured_by is None and str(measure).replace(".", "").isidentifier()):
        return None if measure is None else str(measure)
    return "validation_loss" if plain(loop.falls) is True else "validation_score"


def _handed_out(loop: EpochLoop) -> list[Edit]:
    """The measure given a name in the loop; returned by a function first, where that only computes it."""
    if loop.measured_by is None:
        if loop.measured_in is None or plain(loop.measure) == _measure(loop):
            return []
        return [AppendToBody(at=loop.measured_in, code=f"{_measure(loop)} = {plain(loop.measure)}")]
    if loop.measured_at is None:
        taken = f"{_measure(loop)} = {plain(loop.measure)}"
        return [
            InsertStatements(at=loop.measured_by, side="before", code=taken),
            ReplaceExpression(at=loop.measured_by, code=str(_measure(loop))),
        ]
    return [
        AppendToBody(at=loop.measured_at, code=f"return {plain(loop.measure)}"),
        ReplaceExpression(at=loop.measured_by, code=f"{_measure(loop)} = $"),
    ]


def _declared(program: Program) -> bool:
    """Early stopping that is there and cannot act is another rule's business."""
    return program.early_stopping != ()


def _budgeted(program: Program) -> bool:
    names = (str(plain(schedule.name, "")).lower() for schedule in active(program.schedules))
    return any(word in name for name in names for word in _BUDGETED)
