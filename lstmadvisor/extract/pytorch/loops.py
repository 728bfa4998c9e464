"""PyTorch training: optimizers, schedules, the training step and its order, state, validation, early stopping."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.common import clips_unseen, inferred
from lstmadvisor.extract.pytorch.clipping import clipping
from lstmadvisor.extract.pytorch.epochs import epochs
from lstmadvisor.extract.pytorch.evaluation import Evaluation
from lstmadvisor.extract.pytorch.hidden import hidden_state
from lstmadvisor.extract.pytorch.judged import judged
from lstmadvisor.extract.pytorch.losses import losses
from lstmadvisor.extract.pytorch.optimizers import optimizers
from lstmadvisor.extract.pytorch.schedules import schedules
from lstmadvisor.extract.pytorch.seeds import seeds
from lstmadvisor.extract.pytorch.shrinking import regularizers
from lstmadvisor.extract.pytorch.spoken import epoch_loop
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.stopping import Stopping
from lstmadvisor.extract.pytorch.trainers import Told, api, stranger, told, without_trainer
from lstmadvisor.extract.pytorch.training_step import training_step
from lstmadvisor.facts import Clipping, Step, Unknown, plain

_OF_TRAINERS = ("clipping", "early_stopping", "checkpoints", "optimizers", "schedules", "seeds")


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    steps = Steps(run)
    evaluation = Evaluation(run, steps)
    turns = epochs(run, steps.main)
    stopping = Stopping(run, steps, evaluation, turns)
    found: dict[str, Any] = {
        "api": api(run, bool(steps.trainings)),
        "optimizers": optimizers(run, steps),
        "regularizers": regularizers(run, steps),
        "schedules": schedules(run, steps),
        "losses": losses(run, steps),
        "epochs": turns,
        "clipping": clipping(run, steps),
        "training_step": training_step(run, steps, evaluation),
        "epoch_loop": judged(run, steps.main, evaluation, epoch_loop(run, steps.main, turns)),
        "validation": evaluation.validation(),
        "hidden_state": hidden_state(run, steps),
        "early_stopping": stopping.early_stopping(),
        "checkpoints": stopping.checkpoints(),
        "seeds": seeds(run),
    }
    _add(found, told(run))
    found["clipping"] = found["clipping"] or clips_unseen(run) or ()
    why = stranger(run) if not steps.trainings else None
    if why is not None:
        unknown = Unknown(unknown=why)
        for key in ("optimizers", "schedules", "losses", "clipping", "early_stopping", "checkpoints"):
            found[key] = found[key] or unknown
        found["epochs"] = unknown
    if found["api"] == "lightning" and plain(found["training_step"].eval_mode) is False:
        itself = Unknown(unknown="Lightning switches the modes itself")
        found["training_step"] = found["training_step"].model_copy(update={"eval_mode": itself})
    if not found["clipping"] and steps.trainings and not any(_may_be_recurrent(steps, t) for t in steps.trainings):
        found["clipping"] = Unknown(unknown="no recurrent layer is trained")
    if not found["clipping"] and (found["api"] == "module" or without_trainer(run)):
        found["clipping"] = Unknown(unknown="nothing in the program trains")
    return found


def _may_be_recurrent(steps: Steps, training: Training) -> bool:
    """Whether a training goes through a recurrent layer, or through something that could not be followed."""
    return training.recurrent or not steps.origins.given_by(training.loss)


def _add(found: dict[str, Any], trainers: Told) -> None:
    """Put what trainers were told beside what the source says itself."""
    for key in _OF_TRAINERS:
        own = [item for item in getattr(trainers, key) if item not in found[key]]
        found[key] = (*found[key], *own)
    if trainers.opaque and not found["early_stopping"]:
        found["early_stopping"] = Unknown(unknown=trainers.opaque)
    kept = [c for c in trainers.checkpoints if plain(c.on) == "validation"]
    if (kept or any(s.active for s in trainers.early_stopping)) and plain(found["validation"].kind) == "data":
        found["validation"] = found["validation"].model_copy(update={"selects": inferred(True)})
    if trainers.clipping and not isinstance(order := found["training_step"].order, Unknown):
        found["training_step"] = found["training_step"].model_copy(
            update={"order": _clipped(order, trainers.clipping[0])}
        )
    if trainers.restores is not None:
        restores = trainers.restores
        found["early_stopping"] = tuple(
            s.model_copy(update={"restores_best": restores}) if s in trainers.early_stopping else s
            for s in found["early_stopping"]
        )
        found["checkpoints"] = tuple(
            c.model_copy(update={"reloaded": restores}) if c in trainers.checkpoints else c
            for c in found["checkpoints"]
        )


def _clipped(order: tuple[Step, ...], clip: Clipping) -> tuple[Step, ...]:
    """A trainer's clipping put where it happens: before the step."""
    before = next((i for i, step in enumerate(order) if step.kind == "step"), len(order))
    return (*order[:before], Step(kind="clip", at=clip.at), *order[before:])
