"""When training ends, and what is kept: H9, F1; and F2, which nothing follows from."""

from __future__ import annotations

from collections.abc import Sequence

from lstmadvisor.facts import Checkpoint, EarlyStopping, Program, Unknown, items, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import shown, span, worded

_MANY = 30
"""Epochs from which nobody watches."""


def epochs(program: Program) -> Answer:
    """H9: many epochs with early stopping on validation."""
    remarks = [notes.PATIENCE]
    remarks += [notes.KERAS_KEEPS_LAST] if program.framework in ("keras", "both") else []
    stops = program.early_stopping
    at = program.epochs.at
    if plain(program.validation.is_test_set) is True and plain(program.validation.selects) is True:
        step = "Choose by validation data split from the training data; keep the test set for the end."
        where = program.validation.is_test_set.at or program.validation.at or at
        return departs(f"{_epochs(program)}, chosen by the test set", where, "change", step, remarks)
    if isinstance(stops, Unknown):
        return untold(f"{_epochs(program)}; early stopping", stops, at, remarks)
    idle = [stop for stop in items(stops) if plain(stop.can_act) is False]
    acting = [stop for stop in items(stops) if stop.active and stop not in idle]
    if acting:
        return joined([_stopped(program, stop, remarks) for stop in acting])
    if idle:
        why = plain(idle[0].why_not)
        found = f"{_epochs(program)}, early stopping that cannot act{f': {why}' if why else ''}"
        step = "Let it watch a value that each epoch yields, with less patience than epochs."
        return departs(found, idle[0].at, "change", step, remarks)
    return _unstopped(program, remarks)


def training_loss(program: Program) -> Answer:
    """F1: stop when the training loss stalls."""
    remarks = [notes.STALLED_TRAINING_LOSS, notes.STOPPING_THRESHOLD]
    stops = used(program.early_stopping)
    if isinstance(stops, Unknown):
        return untold("early stopping", stops, notes=remarks)
    if not stops:
        return inapplicable("no early stopping (see H9)", *remarks)
    return joined([_monitored(program, stop, remarks) for stop in stops])


def in_passing(program: Program) -> Answer:
    """F2: statements that no program follows or departs from."""
    return inapplicable("statements, nothing to follow", notes.IN_PASSING)


def _epochs(program: Program) -> str:
    return worded(program.epochs, "epochs") if span(program.epochs) else "an unknown number of epochs"


def _stopped(program: Program, stop: EarlyStopping, remarks: list[str]) -> Answer:
    patience = span(stop.patience)
    found = f"{_epochs(program)} at most, early stopping"
    found += f" on {plain(stop.monitor)}" if plain(stop.monitor) else ""
    found += f", patience {shown(plain(stop.patience))}" if patience else ""
    if isinstance(stop.can_act, Unknown):
        return untold(f"{found}; whether it can act", stop.can_act, stop.at, remarks)
    restored = _restored(program, [stop])
    if restored is False:
        step = "Bring the best weights back: `restore_best_weights=True`, or reload the best checkpoint."
        return follows(f"{found}, last weights kept", stop.at, "change", step, remarks)
    if restored is None:
        step = "Make sure that the best weights come back, not the last."
        return follows(found, stop.at, "your call", step, remarks)
    return follows(f"{found}, best weights kept", stop.at, notes=remarks)


def _restored(program: Program, stops: Sequence[EarlyStopping]) -> bool | None:
    """Whether training ends with the best weights; None if that is not known."""
    checkpoints = used(program.checkpoints)
    facts = [stop.restores_best for stop in stops]
    facts += [one.reloaded for one in (() if isinstance(checkpoints, Unknown) else checkpoints)]
    if any(plain(fact) is True for fact in facts):
        return True
    if isinstance(checkpoints, Unknown) or any(isinstance(fact, Unknown) for fact in facts):
        return None
    return False


def _unstopped(program: Program, remarks: list[str]) -> Answer:
    count, at = span(program.epochs), program.epochs.at
    many = count is not None and count[1] >= _MANY
    kind = plain(program.validation.kind)
    if best := _best_checkpoint(program):
        return departs(f"{_epochs(program)}, best checkpoint kept", best.at, "keep", notes=remarks)
    found = f"{_epochs(program)}, no early stopping"
    if kind == "none":
        step = "Hold out validation data, watch their loss, and keep the best weights."
        return departs(f"{found}, no validation data", at, "change" if many else "your call", step, remarks)
    step = "Stop by the validation loss with some patience, and keep the best weights."
    sure = many and kind is not None
    return departs(found, at, "change" if sure else "your call", step, remarks)


def _best_checkpoint(program: Program) -> Checkpoint | None:
    checkpoints = used(program.checkpoints)
    kept = () if isinstance(checkpoints, Unknown) else checkpoints
    return next((one for one in kept if plain(one.on) == "validation" and plain(one.aliased) is not True), None)


def _monitored(program: Program, stop: EarlyStopping, remarks: list[str]) -> Answer:
    monitor = plain(stop.monitor)
    at = stop.monitor.at or stop.at
    if isinstance(stop.monitor, Unknown) or monitor is None:
        return untold("what early stopping watches", stop.monitor, at, remarks)
    if monitor not in ("loss", "accuracy", "acc", "training", "train_loss", "training_loss"):
        return departs(f"stops by {monitor}", at, "keep", notes=remarks)
    kind = plain(program.validation.kind)
    found = f"stops by {monitor}, measured on the training data"
    if kind is None:
        step = "If there are validation data, let their loss decide."
        return follows(found, at, "your call", step, remarks)
    if kind == "none":
        return follows(f"{found}; there are no others", at, "your call", "Hold out validation data.", remarks)
    return follows(found, at, "change", "Watch the validation loss: `monitor='val_loss'`.", remarks)
