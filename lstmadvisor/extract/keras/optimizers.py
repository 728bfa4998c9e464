"""Keras optimizers, learning-rate schedules, losses and gradient clipping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import (
    Class,
    Const,
    External,
    Instance,
    Seq,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, argument, default, fact, inferred
from lstmadvisor.extract.keras.kinds import Model, last_name
from lstmadvisor.extract.keras.rates import is_schedule, rate_of
from lstmadvisor.extract.keras.training import Training, distinct, written
from lstmadvisor.facts import ABSENT, Clipping, Known, Optimizer, Place, RemovedArgument, Unknown
from lstmadvisor.patterns import regex

NAMES = {
    n.lower(): n
    for n in (
        "Adam",
        "SGD",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Nadam",
        "Ftrl",
        "AdamW",
        "Lion",
        "Adafactor",
        "Lamb",
        "Muon",
    )
}
RATES = {"SGD": 0.01}
"""Default learning rates; all other optimizers begin at 0.001."""
_AROUND = frozenset(("LossScaleOptimizer", "Lookahead", "SWA", "MovingAverage", "get", "deserialize", "OptimizerV2"))


class Optimizers:
    """Everything about updates of the weights."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.run = training.run
        self.effective = [t for t in training.compiles if t.scope.active and not self.overridden(t)]
        if not self.effective:
            self.effective = [t for t in training.compiles if t.scope.active]
        stale = self._untrained()
        self.effective = [t for t in self.effective if id(t) not in stale] or self.effective

    def _untrained(self) -> set[int]:
        """Compiles of models that are not trained, where others of the same source line are."""
        trained = {id(t.at.node) for t in self.effective if self.training.trained(self.training.graph.model(t.base))}
        return {
            id(t)
            for t in self.effective
            if id(t.at.node) in trained and not self.training.trained(self.training.graph.model(t.base))
        }

    def overridden(self, term: Term) -> Term | None:
        """The later compile of the same model that takes this one's effect away: nothing is trained between."""
        model = self.training.graph.model(term.base)
        for later in self.training.all_compiles:
            if later.serial <= term.serial or not later.scope.active or later.scope.maybe > term.scope.maybe:
                continue
            if (
                later.at.node is term.at.node
                or _instead(term, later)
                or not _same_object(term, later, model, self.training.graph.model(later.base))
            ):
                continue
            if not self._used_between(term, later, model):
                return later
        return None

    def _used_between(self, one: Term, other: Term, model: Model | None) -> bool:
        for term in self.run.trace:
            between = one.serial < term.serial < other.serial and term.op == "method" and term.name in _USES
            if between and (model is None or self.training.graph.model(term.base) is model):
                return True
        return False

    # -- optimizers --------------------------------------------------------------------------------------

    def items(self) -> tuple[Optimizer, ...] | Unknown:
        """The optimizers that compile is given or a tape uses, then those of branches that are not taken."""
        out: list[tuple[Any, Optimizer]] = []
        for term, value in self.given():
            for each in options(value) if value is not None else [None]:
                key, item = self._item(term, each)
                out.append((key, item))
        live = {key for key, _ in out}
        for term in self.training.compiles:
            if not term.scope.active and id(term.at.node) not in {id(t.at.node) for t in self.effective}:
                for each in options(term.argument("optimizer", 0)):
                    key, item = self._item(term, each)
                    if key not in live:
                        out.append((key, item.model_copy(update={"active": False})))
        return distinct(out)

    def given(self) -> Iterator[tuple[Term, Value | None]]:
        """Each act that uses an optimizer, with the optimizer; None is the default of compile."""
        for term in self.effective:
            value = term.argument("optimizer", 0)
            yield term, value
        seen: set[int] = set()
        for step in self.training.steps:
            for each in options(step.base):
                inner = unwrapped(each)
                if id(inner) not in seen and _is_optimizer(inner):
                    seen.add(id(inner))
                    yield step, each

    def values(self) -> list[Value]:
        """The optimizer objects in use."""
        return [unwrapped(o) for _, v in self.given() for o in options(v)]

    def _item(self, term: Term, value: Value | None) -> tuple[Any, Optimizer]:
        at, _ = written(term, "optimizer", 0)
        if value is None:
            return id(term.at.node), self._made("RMSprop", default("RMSprop"), None, place(term.at))
        value = unwrapped(value)
        if isinstance(value, Const) and isinstance(value.value, str):
            name = NAMES.get(value.value.lower(), value.value)
            known = Known(value=name, via=value.via, at=place(value.at) or at)  # type: ignore[arg-type]
            chosen = self._made(name, known, None, at)
            return id(term.at.node), chosen.model_copy(update={"by_name": fact(value)})
        if (
            isinstance(value, Term)
            and value.op == "call"
            and (last_name(value)[:1].isupper() or last_name(value) in NAMES)
        ):
            name = NAMES.get(last_name(value), last_name(value).removesuffix("Optimizer"))
            return id(value.at.node), self._made(
                name, Known(value=name, via="literal", at=place(value.at)), value, place(value.at)
            )
        if isinstance(value, Instance):
            made = value.term
            name = last_name(made) if made is not None and made.name.startswith("keras.optimizers.") else value.cls.name
            return id(value.cls.node), self._made(name, inferred(name, at), made, place(value.at) or at)
        if isinstance(value, (External, Class)):
            name = value.name.rsplit(".", 1)[-1]
            return id(term.at.node), self._made(name, Known(value=name, via="literal", at=at), None, at)
        got = fact(value)
        why = got if isinstance(got, Unknown) else Unknown(unknown="an optimizer that is not known", at=at)
        return id(term.at.node), Optimizer(at=at, name=why, learning_rate=why)

    def _made(self, name: str, known: Fact, made: Term | None, at: Place | None) -> Optimizer:
        if made is None:
            rate: Fact = default(RATES.get(name, 0.001))
            return Optimizer(
                at=at,
                name=known,
                learning_rate=rate,
                momentum=default(0.0) if name in ("SGD", "RMSprop") else ABSENT,
                weight_decay=default(0.004) if name == "AdamW" else ABSENT,
                decoupled=inferred(True) if name == "AdamW" else ABSENT,
                clipnorm=ABSENT,
                global_clipnorm=ABSENT,
                clipvalue=ABSENT,
                by_hand=inferred(False),
            )
        decay = argument(made, "weight_decay", None, 0.004) if name == "AdamW" else fact(_some(made, "weight_decay"))
        return Optimizer(
            at=at,
            active=made.scope.active,
            name=known,
            learning_rate=self._rate(made, name),
            momentum=argument(made, "momentum", 1 if name == "SGD" else None, 0.0)
            if name in ("SGD", "RMSprop", "SGDW")
            else ABSENT,
            weight_decay=decay,
            decoupled=ABSENT if isinstance(decay, Known) and decay.via == "absent" else inferred(True),
            clipnorm=fact(_some(made, "clipnorm")),
            global_clipnorm=fact(_some(made, "global_clipnorm")),
            clipvalue=fact(_some(made, "clipvalue")),
            by_hand=inferred(False),
        )

    def _rate(self, made: Term, name: str) -> Fact:
        value = rate_of(made)
        if value is None:
            return default(RATES.get(name, 0.001))
        for each in options(value):
            if is_schedule(each):
                assert isinstance(each, (Term, Instance))
                term = each if isinstance(each, Term) else each.term
                if term is None:
                    return Unknown(unknown="a schedule of the program's own", at=place(made.at))
                first = (
                    _some(term, "warmup_target") or term.argument("initial_learning_rate", 0)
                    if last_name(term) != "PiecewiseConstantDecay"
                    else term.argument("values", 1)
                )
                if isinstance(first, Seq) and first.items:
                    first = first.items[0]
                return fact(first, Unknown(unknown="a schedule", at=place(term.at)))
        return fact(value)

    def clipping(self) -> tuple[Clipping, ...] | Unknown:
        """Clipping by the optimizers' arguments, and by hand in a tape's step."""
        out: list[tuple[Any, Clipping]] = []
        unclear: Unknown | None = None
        for term, given in self.given():
            for value in options(given):
                made = library_object(value)
                if made is None:
                    continue
                if made.open:
                    unclear = Unknown(unknown=made.open, at=place(made.at))
                for name, kind in (("clipnorm", "norm"), ("global_clipnorm", "norm"), ("clipvalue", "value")):
                    amount = made.kwargs.get(name)
                    if amount is None or (isinstance(amount, Const) and amount.value is None):
                        continue
                    item = Clipping(
                        at=place(made.at),
                        active=made.scope.active and term.scope.active,
                        kind=inferred(kind, place(made.at)),
                        max=fact(amount),
                        placement=inferred("ok"),
                        per_variable=inferred(name != "global_clipnorm"),
                    )
                    out.append(((id(made.at.node), name), item))
        out.extend(self._clipped_by_hand())
        return unclear if unclear is not None and not out else distinct(out)

    def _clipped_by_hand(self) -> Iterator[tuple[Any, Clipping]]:
        for term in self.run.trace:
            last = last_name(term)
            if term.op != "call" or last not in (
                "clip_by_global_norm",
                "clip_by_norm",
                "clip_by_value",
                "clip_by_average_norm",
            ):
                continue
            gradients = any(
                isinstance(v, Term) and v.op == "method" and v.name in ("gradient", "compute_gradients")
                for v in walk(term, 400)
            )
            if not gradients and not term.name.endswith("clip_by_global_norm"):
                continue
            used = any(term is v for s in self.training.steps for a in s.args for v in walk(a, 600))
            names = {
                "clip_by_global_norm": "clip_norm",
                "clip_by_norm": "clip_norm",
                "clip_by_average_norm": "clip_norm",
                "clip_by_value": "clip_value_max",
            }
            value = term.argument(names[last], 2 if last == "clip_by_value" else 1)
            yield (
                id(term.at.node),
                Clipping(
                    at=place(term.at),
                    active=term.scope.active,
                    kind=inferred("value" if last == "clip_by_value" else "norm", place(term.at)),
                    max=fact(value),
                    placement=inferred("ok" if used else "exhausted"),
                    per_variable=inferred(last != "clip_by_global_norm"),
                ),
            )

    def removed(self) -> tuple[RemovedArgument, ...]:
        """Arguments of optimizers that Keras 3 does not take any more."""
        out: list[tuple[Any, RemovedArgument]] = []
        for made in self.run.trace:
            is_made = made.op == "call" and made.name.startswith("keras.optimizers.") and last_name(made)[:1].isupper()
            if not is_made or is_schedule(made) or _is_legacy(made):
                continue
            for name, instead in (("lr", "learning_rate"), ("decay", "a schedule")):
                if name in made.kwargs:
                    item = RemovedArgument(
                        at=place(made.at),
                        active=made.scope.active,
                        name=inferred(name),
                        of=inferred(last_name(made)),
                        instead=inferred(instead),
                    )
                    out.append(((id(made.at.node), name), item))
        return distinct(out)


_USES = frozenset(
    ("fit", "fit_generator", "train_on_batch", "evaluate", "search", "evaluate_generator", "test_on_batch")
)


_LEGACY = regex(r"optimizers\.legacy|optimizers import legacy|optimizer_v[12]")


def _is_legacy(made: Term) -> bool:
    """Whether an optimizer may be one of those that tf.keras keeps for old programs, with the old arguments."""
    return made.at.module is not None and bool(_LEGACY.search(made.at.module.source.code))


def _some(term: Term, name: str) -> Value | None:
    value = term.argument(name)
    return None if isinstance(value, Const) and value.value is None else value


def unwrapped(value: Value) -> Value:
    """The optimizer inside loss scaling, look-ahead and the like."""
    for _ in range(3):
        if (
            isinstance(value, Term)
            and value.op == "call"
            and last_name(value) in _AROUND
            and (value.args or value.kwargs)
        ):
            names = ("inner_optimizer", "optimizer", "identifier")
            given = value.args[0] if value.args else next((value.kwargs[n] for n in names if n in value.kwargs), None)
            inner = next(options(given), None)
            if inner is None:
                return value
            value = inner
    return value


def library_object(value: Value) -> Term | None:
    """The call that makes an optimizer (inside a wrapper, or inside a user's class)."""
    inner = unwrapped(value)
    made = inner.term if isinstance(inner, Instance) else inner
    return made if isinstance(made, Term) and made.op == "call" else None


def _is_optimizer(value: Value) -> bool:
    if isinstance(value, Instance):
        return value.term is not None and value.term.name.startswith("keras.optimizers.")
    return (
        isinstance(value, Term)
        and value.op == "call"
        and (value.name.startswith(("keras.optimizers.", "tensorflow.train.", "tensorflow_addons.optimizers.")))
    )


def _instead(one: Term, other: Term) -> bool:
    """Whether two calls stand in different branches: only one of them is made."""
    sides = {id(condition): side for condition, side in one.scope.conditions}
    return any(sides.get(id(condition), side) != side for condition, side in other.scope.conditions)


def _same_object(one: Term, other: Term, model: Model | None, later: Model | None) -> bool:
    if model is not None or later is not None:
        return model is later
    return any(a is b for a in options(one.base) for b in options(other.base))
