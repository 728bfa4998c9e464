"""Learning rates that change: schedule objects, callbacks, `decay`, assignments by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Instance, Term, Value, options
from lstmadvisor.extract.common import Fact, argument, fact, inferred
from lstmadvisor.extract.keras.callbacks import SCHEDULES, Callbacks, extends
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.optimizers import Optimizers, library_object
from lstmadvisor.extract.keras.rates import RATES, is_schedule, rate_of
from lstmadvisor.extract.keras.training import distinct, written
from lstmadvisor.facts import ABSENT, Known, Schedule, Unknown

_GAMMA = {
    "ExponentialDecay": ("decay_rate", 2),
    "InverseTimeDecay": ("decay_rate", 2),
    "CosineDecay": ("alpha", 2),
    "PolynomialDecay": ("power", 3),
}


def schedules(optimizers: Optimizers, callbacks: Callbacks) -> tuple[Schedule, ...]:
    """All that changes the learning rate while a model trains."""
    return distinct([*_of_optimizers(optimizers), *_of_callbacks(callbacks)])


def _of_optimizers(optimizers: Optimizers) -> list[tuple[Any, Schedule]]:
    """Schedules that an optimizer is given: objects, functions, the old `decay` argument."""
    out: list[tuple[Any, Schedule]] = []
    for _, given in optimizers.given():
        for value in options(given):
            made = library_object(value)
            if made is None:
                continue
            for rate in options(rate_of(made)):
                if is_schedule(rate):
                    out.append(_schedule(rate, made))
            decay = made.kwargs.get("decay")
            if decay is not None and not (isinstance(decay, Const) and not decay.value):
                at, _ = written(made, "decay", None)
                item = Schedule(
                    at=at,
                    active=made.scope.active,
                    name=inferred("InverseTimeDecay", at),
                    gamma=fact(decay),
                    stepped=inferred("batch"),
                    optimizer=place(made.at),
                    by_hand=inferred(False),
                )
                out.append((id(made.at.node), item))
    return out


def _of_callbacks(callbacks: Callbacks) -> list[tuple[Any, Schedule]]:
    """Callbacks that change the learning rate, and learning rates that are set by hand."""
    out: list[tuple[Any, Schedule]] = []
    for callback in callbacks.of(*SCHEDULES):
        term = callback.term
        assert term is not None
        plateau = callback.kind == "ReduceLROnPlateau"
        out.append(
            (
                callback.key,
                Schedule(
                    at=callback.at,
                    active=callback.active and bool(callback.fits),
                    name=Known(value=callback.kind, via="literal", at=callback.at),
                    gamma=argument(term, "factor", 1, 0.1) if plateau else ABSENT,
                    stepped=inferred("epoch" if callback.fits else "never"),
                    length=argument(term, "patience", 2, 10) if plateau else ABSENT,
                    unit=inferred("epoch"),
                    metric_given=inferred(any(not callbacks.missing(f, _monitor(term)) for f in callback.fits))
                    if plateau
                    else ABSENT,
                    by_hand=inferred(False),
                ),
            )
        )
    out.extend(_by_hand(callbacks))
    return out


def _by_hand(callbacks: Callbacks) -> Iterator[tuple[Any, Schedule]]:
    for term in callbacks.run.trace:
        if not _sets_rate(term):
            continue
        function = term.scope.frames[-1].function if term.scope.frames else None
        owner = function.owner if function is not None else None
        own = [
            c
            for c in callbacks.all
            if owner is not None and isinstance(c.value, Instance) and extends(callbacks.run, c.value, owner)
        ]
        looped = any(
            not loop.unrolled and any(loop is o for f in callbacks.training.fits for o, _ in f.term.scope.loops)
            for loop, _ in term.scope.loops
        )
        handed = function is not None and term.scope.frames[-1].virtual and owner is None
        if own or looped or handed:
            at = place(term.at)
            active = term.scope.active and (not own or any(c.fits for c in own))
            yield (
                id(owner.node) if own and owner is not None else id(term.at.node),
                Schedule(
                    at=at,
                    active=active,
                    by_hand=inferred(True, at),
                    stepped=inferred("epoch"),
                    gamma=Unknown(unknown="set by hand"),
                    name=ABSENT,
                ),
            )


def _schedule(value: Value, made: Term) -> tuple[Any, Schedule]:
    if isinstance(value, Instance):
        at = place(value.at)
        return id(value.cls.node), Schedule(
            at=at,
            name=inferred(value.cls.name, at),
            stepped=inferred("batch"),
            optimizer=place(made.at),
            by_hand=inferred(True),
        )
    assert isinstance(value, Term)
    at, last = place(value.at), last_name(value)
    name = {"exponential_decay": "ExponentialDecay", "polynomial_decay": "PolynomialDecay"}.get(last, last)
    gamma: Fact = ABSENT
    if name in _GAMMA:
        gamma = fact(value.argument(*_GAMMA[name]))
    return id(value.at.node), Schedule(
        at=at,
        active=value.scope.active,
        name=Known(value=name, via="literal", at=at),
        gamma=gamma,
        stepped=inferred("batch"),
        length=fact(value.argument("decay_steps", 1)) if name != "PiecewiseConstantDecay" else ABSENT,
        unit=inferred("batch"),
        optimizer=place(made.at),
        by_hand=inferred(False),
    )


def _monitor(term: Term) -> str:
    value = term.argument("monitor", 0)
    return str(value.value) if isinstance(value, Const) else "val_loss"


def _sets_rate(term: Term) -> bool:
    """`K.set_value(model.optimizer.lr, x)`, `optimizer.lr.assign(x)`, `optimizer.learning_rate = x`."""
    if term.op == "setattr":
        return (
            term.name in RATES
            and isinstance(term.base, Term)
            and (term.base.name == "optimizer" or ".optimizers." in term.base.name)
        )
    if term.op == "call" and last_name(term) == "set_value" and term.args:
        return _is_rate(term.args[0])
    return term.op == "method" and term.name == "assign" and term.base is not None and _is_rate(term.base)


def _is_rate(value: Value) -> bool:
    return isinstance(value, Term) and value.op == "attr" and value.name in RATES
