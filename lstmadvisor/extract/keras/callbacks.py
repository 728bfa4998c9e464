"""Keras callbacks: early stopping, checkpoints, schedules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Class, Const, Instance, Opaque, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, argument, fact, inferred
from lstmadvisor.extract.keras.epochs import epochs, tape_loops
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.training import Fit, Training, distinct, validated
from lstmadvisor.facts import ABSENT, Checkpoint, EarlyStopping, Known, Place, Unknown, Validation
from lstmadvisor.patterns import regex

SCHEDULES = frozenset(
    (
        "LearningRateScheduler",
        "ReduceLROnPlateau",
        "CyclicLR",
        "CyclicalLearningRate",
        "CosineAnnealingScheduler",
        "WarmUp",
    )
)


@dataclass(eq=False)
class Callback:
    """A callback and the fits that get it."""

    value: Term | Instance
    kind: str
    fits: list[Fit] = field(default_factory=list)

    @property
    def term(self) -> Term | None:
        """The library object (inside)."""
        return self.value if isinstance(self.value, Term) else self.value.term

    @property
    def active(self) -> bool:
        """Whether the defaults lead to it."""
        scope = self.value.scope
        return scope is None or scope.active

    @property
    def at(self) -> Place | None:
        """Where it is made."""
        return place(self.value.at)

    @property
    def key(self) -> int:
        """What repeated constructions of one source line share."""
        return id(self.value.at.node) if self.value.at is not None else id(self.value)


_LONGEST_CLASS = 8_000
_EVALUATES = regex(r"\bmodel\.(evaluate|test_on_batch)\(")
_PREDICTS = regex(r"\bmodel\.predict\w*\(")
_SCORES = regex(r"score|roc|auc|f1|mean\(|accuracy|_error|recall|precision")
"""What a callback that only shows samples of what the model writes does not do."""


class Callbacks:
    """The callbacks of a run."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.run = training.run
        self.unclear: Unknown | None = None
        self.all = list(self._collect())

    def _collect(self) -> Iterator[Callback]:
        known: dict[int, Callback] = {}
        inside = {id(i.term) for i in self.run.instances if i.term is not None}
        for term in self.run.trace:
            if term.op == "call" and id(term) not in inside and _is_callback(term):
                known[id(term)] = Callback(term, last_name(term))
        for instance in self.run.instances:
            bases = self.run.library_bases(instance.cls)
            base = next((b for b in bases if ".callbacks." in b or b.endswith("Callback")), None)
            if base is not None and base.startswith(("keras", "tensorflow")):
                known[id(instance)] = Callback(instance, base.rsplit(".", 1)[-1])
        elsewhere: set[int] = set()
        for fit in self.training.all_fits:
            for value in self._given(fit):
                if id(value) in known and fit in self.training.fits:
                    known[id(value)].fits.append(fit)
                elsewhere.add(id(value))
        yield from (c for key, c in known.items() if c.fits or key not in elsewhere)

    def _given(self, fit: Fit) -> Iterator[Value]:
        for given in options(fit.argument("callbacks")):
            if isinstance(given, Term) and last_name(given) == "CallbackList" and given.args:
                given = given.args[0]
            if isinstance(given, Seq):
                if given.open and fit in self.training.fits:
                    self.unclear = Unknown(
                        unknown=f"the callbacks of `{fit.term.name}`: {given.open}", at=place(fit.term.at)
                    )
                for item in given.items:
                    yield from options(item)
            elif isinstance(given, (Term, Instance)):
                if isinstance(given, Term) and not _is_callback(given):
                    self.unclear = Unknown(
                        unknown=f"the callbacks of `{fit.term.name}` are not known", at=place(fit.term.at)
                    )
                yield given
            elif isinstance(given, Opaque) and fit in self.training.fits:
                self.unclear = Unknown(
                    unknown=f"the callbacks of `{fit.term.name}`: {given.why}", at=place(fit.term.at)
                )

    def judging(self, fit: Fit) -> Place | None:
        """Where a callback of the user's is made that has the model predict and scores it."""
        for value in self._given(fit):
            if isinstance(value, Instance):
                code = value.cls.module.code(value.cls.node, _LONGEST_CLASS)
                if _EVALUATES.search(code) or (_PREDICTS.search(code) and _SCORES.search(code)):
                    return place(value.at)
        return None

    def of(self, *kinds: str) -> list[Callback]:
        """The callbacks of some kinds; a second reading of a loop and branches not taken only where nothing else is."""
        found = [c for c in self.all if c.kind in kinds]
        live = {id(c.value.at.node) for c in found if c.value.at is not None and c.active}
        return [c for c in found if c.active or c.value.at is None or id(c.value.at.node) not in live]

    # -- early stopping ------------------------------------------------------------------------------------

    def early_stopping(self) -> tuple[EarlyStopping, ...] | Unknown:
        """EarlyStopping, and own callbacks that set `stop_training`."""
        out: list[tuple[Any, EarlyStopping]] = []
        for callback in self.of("EarlyStopping"):
            out.append((callback.key, self._stopping(callback)))
        out.extend(self._by_hand())
        out.extend(self._left_loops())
        if not out and self.unclear is not None:
            return self.unclear
        return tuple(sorted(distinct(out), key=lambda s: not s.active))

    def _stopping(self, callback: Callback) -> EarlyStopping:
        term = callback.term
        assert term is not None
        monitor = argument(term, "monitor", 0, "val_loss")
        patience = argument(term, "patience", 2, 0)
        can, why = self._can_act(callback, monitor, patience)
        never = isinstance(can, Known) and not can.value and why is not _TOO_PATIENT and not why.endswith(_RENAMED)
        return EarlyStopping(
            at=callback.at,
            active=callback.active and not never,
            by_hand=inferred(False),
            monitor=monitor,
            patience=patience,
            restores_best=argument(term, "restore_best_weights", 6, False),
            can_act=can,
            why_not=inferred(why) if why else ABSENT,
            renamed=inferred(new) if (new := self._new_name(callback, monitor)) else ABSENT,
        )

    def _new_name(self, callback: Callback, monitor: Fact) -> str:
        """What every `fit` that gets it calls now what it watches."""
        watched = str(monitor.value) if isinstance(monitor, Known) else ""
        names = {self._renamed(fit, watched) for fit in callback.fits}
        return names.pop() if len(names) == 1 else ""

    def _can_act(self, callback: Callback, monitor: Fact, patience: Fact) -> tuple[Fact, str]:
        if not callback.fits:
            if self.unclear is not None:
                return self.unclear, ""
            if not self.training.fits:
                return Unknown(unknown="nothing is trained here"), ""
            return inferred(False, callback.at), "no `fit` gets it in `callbacks`"
        reasons = [self._why_not(fit, monitor, patience) for fit in callback.fits]
        if any(isinstance(r, Unknown) for r in reasons):
            return next(r for r in reasons if isinstance(r, Unknown)), ""
        if all(reasons):
            return inferred(False, callback.at), str(reasons[0])
        return inferred(True, callback.at), ""

    def _why_not(self, fit: Fit, monitor: Fact, patience: Fact) -> str | Unknown:
        if isinstance(monitor, Unknown):
            return monitor
        name = str(monitor.value)
        if missing := self.missing(fit, name):
            return missing
        if renamed := self._renamed(fit, name):
            return f"`{name}` is `{renamed}` {_RENAMED}"
        total = epochs(self.training, fit)
        if isinstance(total, Unknown) or isinstance(patience, Unknown):
            own = fit.argument("epochs")
            if isinstance(own, Const) and own.value == 1:
                return "each `fit` runs one epoch"
            return Unknown(unknown="epochs or patience are not known")
        own = fit.argument("epochs")
        turns = own.value if isinstance(own, Const) and isinstance(own.value, int) else total.value
        if isinstance(turns, int) and isinstance(patience.value, (int, float)) and patience.value + 1 >= turns:
            return _TOO_PATIENT
        return ""

    def missing(self, fit: Fit, monitor: str) -> str:
        """Why a monitored quantity never appears in the logs; empty where it may."""
        written = any(
            t.op in ("setitem",) and t.args and isinstance(t.args[0], Const) and t.args[0].value == monitor
            for t in self.run.trace
        )
        if written or (
            any(isinstance(c.value, Instance) and fit in c.fits and c.kind == "Callback" for c in self.all)
            and not monitor.endswith("loss")
        ):
            return ""
        if monitor.startswith("val_") and not validated(fit) and fit.way != "search":
            if fit.term.open or any(isinstance(c.value, Instance) and fit in c.fits for c in self.all):
                return ""
            return f"it monitors `{monitor}` but `{fit.term.name}` gets no validation data"
        return ""

    def _renamed(self, fit: Fit, monitor: str) -> str:
        """The new name of what is watched: since Keras 2.3 a metric is logged by the name that `compile` was given."""
        other = {"acc": "accuracy", "accuracy": "acc"}.get(monitor.removeprefix("val_"))
        if other is None or fit.model is None:
            return ""
        for term in self.training.compiles:
            if self.training.graph.model(term.base) is fit.model and term.scope.active:
                metrics = term.argument("metrics", 2)
                names = [m.value for m in metrics.items if isinstance(m, Const)] if isinstance(metrics, Seq) else []
                plain = isinstance(metrics, Seq) and len(names) == len(metrics.items) and not metrics.open
                if plain and other in names and monitor.removeprefix("val_") not in names:
                    return monitor.replace(monitor.removeprefix("val_"), other)
        return ""

    def _by_hand(self) -> Iterator[tuple[Any, EarlyStopping]]:
        for term in self.run.trace:
            if term.op != "setattr" or term.name != "stop_training":
                continue
            if not (term.args and isinstance(term.args[0], Const) and term.args[0].value is True):
                continue
            yield from self._own(term)

    def _left_loops(self) -> Iterator[tuple[Any, EarlyStopping]]:
        """Loops over epochs that are written by hand and left early."""
        acts = [f.term for f in self.training.fits] + self.training.steps
        outer = {id(loops[0]) for act in acts if (loops := tape_loops(act))}
        for term in self.run.trace:
            if term.op != "break" or not term.scope.loops or id(term.scope.loops[-1][0]) not in outer:
                continue
            causes = [v for condition, _ in term.scope.conditions for v in walk(condition, 80)]
            names = {last_name(v) for v in causes if isinstance(v, Term)}
            compares = [v for v in causes if isinstance(v, Term) and v.op == "binop" and v.name in (">", ">=", "==")]
            if not causes or names & {"isnan", "is_nan", "isinf", "isfinite", "time"}:
                continue
            limits = [a for v in compares for a in v.args[1:] if isinstance(a, Const) and isinstance(a.value, int)]
            yield (
                id(term.at.node),
                EarlyStopping(
                    at=place(term.at),
                    active=term.scope.active,
                    by_hand=inferred(True, place(term.at)),
                    patience=fact(limits[-1]) if limits else ABSENT,
                    can_act=inferred(True, place(term.at)),
                    why_not=ABSENT,
                ),
            )

    def _own(self, term: Term) -> Iterator[tuple[Any, EarlyStopping]]:
        function = term.scope.frames[-1].function if term.scope.frames else None
        if function is None:
            return
        owners = [
            c
            for c in self.all
            if isinstance(c.value, Instance)
            and function.owner is not None
            and extends(self.run, c.value, function.owner)
        ]
        owners = [c for c in owners if c.kind != "EarlyStopping"]
        passed = any(c.fits for c in owners) if function.owner is not None else True
        monitor: Fact = ABSENT
        for condition, _ in term.scope.conditions:
            for each in walk(condition, 80):
                name = _log_name(each)
                if name is not None:
                    monitor = inferred(name, place(term.at))
        patience: Fact = ABSENT
        if owners and isinstance(owners[0].value, Instance):
            patience = fact(owners[0].value.attrs.get("patience"))
        restores = any(
            t.op == "method" and t.name in ("set_weights", "load_weights") and _within(t, function.owner)
            for t in self.run.trace
        )
        at = owners[0].at if owners else place(term.at)
        yield (
            id(function.owner.node) if function.owner is not None else id(function.node),
            EarlyStopping(
                at=at,
                active=term.scope.active and passed,
                by_hand=inferred(True, place(term.at)),
                monitor=monitor,
                patience=patience,
                restores_best=inferred(restores),
                can_act=inferred(passed, at),
                why_not=ABSENT if passed else inferred("no `fit` gets it in `callbacks`"),
            ),
        )

    # -- checkpoints -----------------------------------------------------------------------------------------

    def checkpoints(self, validation: Validation) -> tuple[Checkpoint, ...] | Unknown:
        """ModelCheckpoint, and models saved inside the training loop."""
        out: list[tuple[Any, Checkpoint]] = []
        for callback in self.of("ModelCheckpoint"):
            term = callback.term
            assert term is not None
            best = argument(term, "save_best_only", 3, False)
            monitor = argument(term, "monitor", 1, "val_loss")
            chooses = isinstance(best, Known) and bool(best.value)
            out.append(
                (
                    callback.key,
                    Checkpoint(
                        at=callback.at,
                        active=callback.active and bool(callback.fits),
                        monitor=monitor if chooses else ABSENT,
                        on=self._on(monitor, validation) if chooses else ABSENT,
                        reloaded=self._reloaded(callback, term),
                        aliased=inferred(False),
                    ),
                )
            )
        for term in self.run.trace:
            saves = term.op == "method" and term.name in ("save", "save_weights") and term.scope.active
            around = any(not loop.unrolled for loop, _ in term.scope.loops) or any(
                f.function.owner is not None for f in term.scope.frames
            )
            if saves and around and self.training.graph.model(term.base) is not None and self._during_training(term):
                item = Checkpoint(
                    at=place(term.at),
                    monitor=ABSENT,
                    on=ABSENT,
                    reloaded=self._reloaded(None, term),
                    aliased=inferred(False),
                )
                out.append((id(term.at.node), item))
        return self.unclear if self.unclear is not None and not out else distinct(out)

    def _during_training(self, term: Term) -> bool:
        loops = {id(loop) for loop, _ in term.scope.loops if not loop.unrolled}
        return any(id(loop) in loops for f in self.training.fits for loop, _ in f.term.scope.loops)

    @staticmethod
    def _on(monitor: Fact, validation: Validation) -> Fact:
        if not isinstance(monitor, Known):
            return monitor
        if not str(monitor.value).startswith("val_"):
            return inferred("training")
        if isinstance(validation.is_test_set, Unknown):
            return Unknown(unknown="whether the validation data are the test set is not known")
        return inferred("test" if validation.is_test_set.value else "validation")

    def _reloaded(self, callback: Callback | None, saved: Term) -> Fact:
        after = (
            max((f.term.serial for f in callback.fits), default=saved.serial) if callback is not None else saved.serial
        )
        path = saved.argument("filepath", 0)
        for term in self.run.trace:
            loads = (term.op == "method" and term.name == "load_weights") or (
                term.op == "call" and last_name(term) == "load_model"
            )
            if loads and term.scope.active and term.serial > after:
                source = term.argument("filepath", 0)
                if not (isinstance(source, Const) and isinstance(path, Const) and source.value != path.value):
                    return inferred(True, place(term.at))
        return inferred(False)


_RENAMED = "in Keras 2.3 and later"
_TOO_PATIENT = "its patience is not shorter than the training"


def _is_callback(term: Term) -> bool:
    home = term.name.startswith(("keras.callbacks.", "tensorflow_addons.callbacks.", "keras.utils.callbacks."))
    last = last_name(term)
    return (
        term.op == "call"
        and last[:1].isupper()
        and (home or last in ("EarlyStopping", "ModelCheckpoint", *SCHEDULES))
        and not term.name.startswith(("lightning.", "torch."))
    )


def extends(run: Any, instance: Instance, cls: Class) -> bool:
    return any(c is cls or (isinstance(c, Class) and c.node is cls.node) for c in run.lineage(instance.cls))


def _within(term: Term, owner: Class | None) -> bool:
    return owner is not None and any(f.function.owner is owner for f in term.scope.frames)


def _log_name(value: Value) -> str | None:
    """`val_loss` of `logs.get("val_loss")` or `logs["val_loss"]`."""
    if (
        isinstance(value, Term)
        and ((value.op == "method" and value.name == "get") or value.op == "item")
        and value.args
    ):
        name = value.args[0]
        if isinstance(name, Const) and isinstance(name.value, str):
            return name.value
    return None
