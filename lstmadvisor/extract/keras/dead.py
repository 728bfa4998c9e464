"""Settings of Keras that never take effect, and calls that Keras 3 has no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Instance, Map, Term, Value, options
from lstmadvisor.extract.common import Fact, bound_name, fact, inferred
from lstmadvisor.extract.keras.callbacks import Callbacks
from lstmadvisor.extract.keras.fit import Fits
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.optimizers import Optimizers
from lstmadvisor.extract.keras.rates import is_schedule, rate_of
from lstmadvisor.extract.keras.training import Training, distinct, feeds, handed_over, written
from lstmadvisor.facts import ABSENT, UNSEEN, DeadSetting, Place, Unknown

_TOLD = frozenset(("EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau", "LearningRateScheduler"))
_SETTINGS = {
    "EarlyStopping": "early-stopping",
    "ModelCheckpoint": "checkpoint",
    "ReduceLROnPlateau": "learning-rate",
    "LearningRateScheduler": "learning-rate",
}


def dead_settings(
    training: Training, optimizers: Optimizers, callbacks: Callbacks, fits: Fits
) -> tuple[DeadSetting, ...]:
    """Optimizers thrown away, callbacks never passed, compiles overridden, batch sizes ignored."""
    used = handed_over(training.run)
    return distinct(
        [
            *_discarded(training, optimizers, used),
            *_not_passed(training, callbacks, used),
            *_overridden(training, optimizers),
            *_ignored(training),
        ]
    )


def _dead(
    kind: str,
    at: Any,
    name: str,
    setting: str,
    why: str,
    instead: Place | None = None,
    value: Fact = ABSENT,
    called: Fact = UNSEEN,
) -> DeadSetting:
    return DeadSetting(
        at=at,
        kind=inferred(kind, at),
        name=inferred(name),
        setting=inferred(setting),
        value=value,
        why=inferred(why),
        instead=instead,
        called=called,
    )


def _called(made: Value, user: Term) -> Fact:
    """What the code calls something that is made, in the function that could use it, where it is made before."""
    if isinstance(made, Term) and made.scope.frames == user.scope.frames and made.serial < user.serial:
        name = bound_name(made)
        if name and made.at.module is user.at.module:
            return inferred(name)
    return Unknown(unknown="it has no name there")


def _discarded(training: Training, optimizers: Optimizers, used: set[int]) -> Iterator[tuple[Any, DeadSetting]]:
    run = training.run
    if not optimizers.effective:
        return
    in_use = {id(v) for v in optimizers.values()}
    defaults = {id(v) for f in run.functions for v in f.defaults.values()}
    inside = {id(i.term) for i in run.instances if i.term is not None}
    tabled = {
        id(v)
        for m in run.modules.values()
        for t in m.env.names.values()
        if isinstance(t, Map)
        for v in t.entries.values()
    }
    for term in run.trace:
        made = term.op == "call" and term.name.startswith(("keras.optimizers.", "tensorflow_addons.optimizers."))
        if not made or not last_name(term)[:1].isupper() or is_schedule(term) or not term.scope.active:
            continue
        if id(term) in used | in_use | defaults | inside | tabled or term.scope.maybe:
            continue
        if any(frame.virtual for frame in term.scope.frames):  # whoever calls the function may use what it returns
            continue
        setting = (
            "clip"
            if {"clipnorm", "clipvalue", "global_clipnorm"} & set(term.kwargs)
            else "learning-rate"
            if rate_of(term) is not None
            else "optimizer"
        )
        compile_ = optimizers.effective[-1]
        given = compile_.argument("optimizer", 0)
        shown = (
            f"the text {given.value!r}"
            if isinstance(given, Const) and isinstance(given.value, str)
            else "another optimizer"
        )
        why = f"it is built and thrown away; `compile` gets {shown}"
        yield (
            (id(term.at.node), "optimizer"),
            _dead(
                "optimizer-discarded",
                place(term.at),
                last_name(term),
                setting,
                why,
                place(compile_.at),
                called=_called(term, compile_),
            ),
        )


def _not_passed(training: Training, callbacks: Callbacks, used: set[int]) -> Iterator[tuple[Any, DeadSetting]]:
    if not training.all_fits or callbacks.unclear is not None:
        return
    for callback in callbacks.of(*_TOLD):
        own = callback.kind in _TOLD and isinstance(callback.value, (Term, Instance))
        scope = callback.value.scope
        if own and callback.active and id(callback.value) not in used and not (scope is not None and scope.maybe):
            why = "no `fit` gets it in `callbacks`"
            key = (id(callback.value.at.node) if callback.value.at is not None else 0, "callback")
            fit = training.all_fits[-1].term
            dead = _dead(
                "callback-not-passed",
                callback.at,
                callback.kind,
                _SETTINGS[callback.kind],
                why,
                place(fit.at),
                called=_called(callback.value, fit),
            )
            yield key, dead


def _overridden(training: Training, optimizers: Optimizers) -> Iterator[tuple[Any, DeadSetting]]:
    for term in training.compiles:
        later = optimizers.overridden(term) if term.scope.active else None
        if later is None:
            continue
        at = place(later.at)
        line = f"line {at.line}" if at is not None else "later"
        yield (
            (id(term.at.node), "compile"),
            _dead(
                "compile-overridden",
                place(term.at),
                "compile",
                "optimizer",
                f"`compile` is called again ({line}) before anything is trained",
                at,
            ),
        )


def _ignored(training: Training) -> Iterator[tuple[Any, DeadSetting]]:
    for fit in training.fits:
        if fit.way not in ("fit", "search"):
            continue
        value = fit.argument("batch_size")
        if value is None or (isinstance(value, Const) and value.value is None) or feeds(training.run, fit) != "dataset":
            continue
        if any(isinstance(o, Instance) and not _is_dataset(training, o) for o in options(fit.data)):
            continue
        at, _ = written(fit.term, "batch_size", 2)
        yield (
            (id(fit.term.at.node), "batch"),
            _dead(
                "batch-size-ignored",
                at,
                "batch_size",
                "batch-size",
                "the data come in batches already",
                value=fact(value),
            ),
        )


def _is_dataset(training: Training, made: Instance) -> bool:
    """Whether an object of the user's class hands out batches: it extends Keras' own class for that."""
    bases = (b.rsplit(".", 1)[-1] for b in training.run.library_bases(made.cls))
    return any(base in ("Sequence", "PyDataset", "TimeseriesGenerator") for base in bases)
