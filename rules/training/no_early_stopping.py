"""The number of epochs alone ends the training, though validation data could."""

from lstmadvisor.rule import (
    ExtendArgument,
    Finding,
    Fix,
    Iterator,
    Options,
    Program,
    SetArgument,
    Severity,
    Undecided,
    active,
    known,
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
        fix=_stopped(program, validated),
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


def _stopped(program: Program, validated: bool) -> Fix | None:
    """Keras: the callback and, where there are none, validation data for it to watch."""
    fit, epochs = program.epoch_loop.at, number(program.epochs)
    if program.framework != "keras" or fit is None or epochs is None:
        return None
    patience = 10 if epochs > 20 else max(2, int(epochs) // 4)
    callback = f"`keras.callbacks.EarlyStopping`(patience={patience}, restore_best_weights=True)"
    stop = ExtendArgument(at=fit, name="callbacks", code=callback, position=5)
    if validated:
        return unsafe("stop when the validation loss has stopped falling", "training may end sooner", stop)
    if plain(program.validation.kind) != "none" or not known(program.shuffle) or plain(program.shuffle) is None:
        return None
    held = SetArgument(at=fit, name="validation_split", code="0.1")
    return unsafe(
        "hold out a tenth to stop by", "a tenth of the data no longer trains, and training may end sooner", held, stop
    )


def _declared(program: Program) -> bool:
    """Early stopping that is there and cannot act is another rule's business."""
    return program.early_stopping != ()


def _budgeted(program: Program) -> bool:
    names = (str(plain(schedule.name, "")).lower() for schedule in active(program.schedules))
    return any(word in name for name in names for word in _BUDGETED)
