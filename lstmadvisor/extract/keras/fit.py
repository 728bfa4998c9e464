"""What Keras programs train with: epochs, batches, validation, shuffling, hand-written steps, seeds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Choice, Const, Opaque, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, default, fact, inferred, receiver, turns
from lstmadvisor.extract.keras.callbacks import Callbacks
from lstmadvisor.extract.keras.epochs import epochs, in_a_loop, tape_loops, turns_of
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.training import FIT, FIT_GENERATOR, Fit, Training, agreed, distinct, feeds, written
from lstmadvisor.extract.shapes.dims import same_key
from lstmadvisor.facts import ABSENT, UNSEEN, EpochLoop, Item, Known, Seed, Step, TrainingStep, Unknown, Validation

_SEEDS = {
    "numpy.random.seed": "numpy",
    "random.seed": "python",
    "tensorflow.random.set_seed": "tensorflow",
    "tensorflow.set_random_seed": "tensorflow",
    "tensorflow.random.set_random_seed": "tensorflow",
    "keras.utils.set_random_seed": "keras",
    "torch.manual_seed": "torch",
    "jax.random.PRNGKey": "jax",
}


_JUDGING = frozenset(("evaluate", "evaluate_generator", "predict", "predict_generator", "predict_classes"))


class Fits:
    """Facts about training itself."""

    def __init__(self, training: Training, callbacks: Callbacks) -> None:
        self.training = training
        self.callbacks = callbacks
        self.run = training.run
        self.main = training.main_fits()

    def api(self) -> str:
        """fit, tape, loop (batches by hand) or module (nothing is trained)."""
        ways = {f.way for f in self.training.fits}
        if ways - {"train_on_batch"}:
            return "fit"
        if self.training.steps:
            return "tape"
        return "loop" if ways else "module"

    def loop(self) -> EpochLoop:
        """The calls of `fit` for models with recurrent layers, if none of them is in a loop."""
        recurrent = {layer.group for layer in self.training.graph.layers if layer.recurrent}
        fits = [fit for fit in self.main if fit.model is None or fit.model.group in recurrent]
        alone = all(fit.way in ("fit", "search") and not in_a_loop(self.training, fit) for fit in fits)
        places = list({id(fit.term.at.node): place(fit.term.at) for fit in fits}.values())
        if not places or not alone:
            return EpochLoop()
        names = list(dict.fromkeys(name for fit in fits if (name := receiver(fit.term))))
        return EpochLoop(
            at=places[0],
            models=inferred(names) if len(names) == len(places) else UNSEEN,
            others=tuple(Item(at=each) for each in places[1:]),
        )

    def epochs(self) -> Fact | None:
        """How often the data are seen."""
        fits = [f for f in self.main if f.way != "train_on_batch"] or self.main
        if fits:
            return self._settled(fits, lambda f: epochs(self.training, f), "the number of epochs")
        for step in self.training.steps:
            loops = tape_loops(step)
            if loops:
                return turns_of(loops[0])
        return None

    def in_a_loop(self) -> Fact | None:
        """Whether `fit` is called again and again."""
        found = [f for f in self.training.first_fits() if in_a_loop(self.training, f)]
        return inferred(bool(found), place(found[0].term.at) if found else None) if self.main else None

    def batch_size(self) -> Fact | None:
        """The batch size that `fit` gets, or its default for arrays; None where the data come in batches."""
        return self._settled(self.main, self._batch, "the batch size")

    def _batch(self, fit: Fit) -> Fact | None:
        value = fit.argument("batch_size") if fit.way != "fit_generator" else None
        kind = feeds(self.run, fit)
        if kind == "dataset":
            return None
        if value is not None and not (isinstance(value, Const) and value.value is None):
            return fact(value)
        return default(32) if kind == "arrays" else None

    def shuffle(self) -> Fact | None:
        """Whether `fit` shuffles arrays; None where the data come in batches."""
        return self._settled(self.main, self._shuffles, "shuffling")

    def _shuffles(self, fit: Fit) -> Fact | None:
        if feeds(self.run, fit) != "arrays":
            return None
        value = fit.argument("shuffle")
        return default(True) if value is None else fact(value)

    def _settled(self, fits: list[Fit], read: Callable[[Fit], Fact | None], what: str) -> Fact | None:
        """What the fits that count agree on, at the first place where it is given."""
        got = agreed([f for fit in fits if (f := read(fit)) is not None], what)
        lines = {fit.line for fit in fits}
        for fit in self.training.first_fits() if isinstance(got, Known) else []:
            earlier = read(fit) if fit.line in lines else None
            if isinstance(earlier, Known) and isinstance(got, Known) and earlier.value == got.value:
                return earlier
        return got

    # -- validation ------------------------------------------------------------------------------------

    def validation(self) -> Validation:
        """What the main fits validate on."""
        items = [self._validation(f) for f in self.main if f.way != "train_on_batch"]
        if not items:
            return self._by_hand() if self.training.steps or self.main else Validation()
        kinds = agreed([i.kind for i in items], "validation")
        assert kinds is not None
        first = items[-1]
        return first if isinstance(kinds, Known) else first.model_copy(update={"kind": kinds})

    def _validation(self, fit: Fit) -> Validation:
        names = FIT_GENERATOR if fit.way == "fit_generator" else FIT
        data = fit.argument("validation_data")
        if data is not None and not (isinstance(data, Const) and data.value is None):
            at, code = written(fit.term, "validation_data", names.index("validation_data"))
            kind: Fact = inferred("data", at)
            if (isinstance(data, Opaque) and fit.term.open) or (
                isinstance(data, Choice) and any(isinstance(o, Const) and o.value is None for o in data.options)
            ):
                kind = Unknown(unknown=data.why, at=at)
            return Validation(
                at=at,
                kind=kind,
                source=inferred(code, at) if code else ABSENT,
                is_test_set=is_test(data, code),
                selects=self._selects(fit),
                reported=self._reported(fit, data),
            )
        share = fit.argument("validation_split") if fit.way != "fit_generator" else None
        if share is not None and not (isinstance(share, Const) and not share.value):
            at, code = written(fit.term, "validation_split", FIT.index("validation_split"))
            kind = (
                Unknown(unknown=share.why, at=at)
                if isinstance(share, Opaque) and fit.term.open
                else inferred("split", at)
            )
            return Validation(
                at=at,
                kind=kind,
                source=inferred(code, at) if code else ABSENT,
                is_test_set=inferred(False),
                selects=self._selects(fit),
            )
        at = place(fit.term.at)
        if (own := self.callbacks.judging(fit)) is not None:
            return Validation(at=at, kind=Unknown(unknown="a callback of the program's own judges the model", at=own))
        return Validation(at=at, kind=inferred("none", at), source=ABSENT, selects=inferred(False))

    def _reported(self, fit: Fit, data: Value) -> Fact:
        """Whether the model is judged on the validation data once more, when it has been trained."""
        first = data.items[:1] if isinstance(data, Seq) else [data]
        keys = {same_key(each) for value in first for each in options(value)}
        for term in self.run.trace:
            if term.op == "method" and term.name in _JUDGING and term.serial > fit.term.serial and term.scope.active:
                given = term.args[0] if term.args else term.kwargs.get("x")
                if any(same_key(each) in keys for each in options(given)):
                    return inferred(True, place(term.at))
        return inferred(False)

    def _selects(self, fit: Fit) -> Fact:
        """Whether validation results decide something: stopping, the best weights, the learning rate."""
        if fit.way == "search":
            return inferred(True)
        if self.callbacks.unclear is not None:
            return self.callbacks.unclear
        for callback in self.callbacks.of("EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau"):
            if fit not in callback.fits or callback.term is None:
                continue
            position = 1 if callback.kind == "ModelCheckpoint" else 0
            monitor = callback.term.argument("monitor", position)
            name = monitor.value if isinstance(monitor, Const) else "val_loss"
            best = callback.kind != "ModelCheckpoint" or (
                isinstance(b := callback.term.argument("save_best_only", 3), Const) and b.value
            )
            if str(name).startswith("val") and best:
                return inferred(True, callback.at)
        return inferred(False)

    def _by_hand(self) -> Validation:
        """Of a hand-written loop: whether data other than the step's are looked at inside it."""
        acts = self.training.steps or [f.term for f in self.main]
        loops = {id(loop) for act in acts for loop in tape_loops(act)}
        for term in self.run.trace:
            inside = any(id(loop) in loops for loop, _ in term.scope.loops) and not term.inside("GradientTape")
            if (
                inside
                and term.scope.active
                and term.op == "method"
                and term.name in ("evaluate", "test_on_batch", "evaluate_generator")
            ):
                code = (
                    term.at.module.code(term.at.node) if term.at.module is not None and term.at.node is not None else ""
                )
                at = place(term.at)
                data = term.args[0] if term.args else next(iter(term.kwargs.values()), None)
                return Validation(
                    at=at,
                    kind=inferred("data", at),
                    source=inferred(code, at),
                    is_test_set=is_test(data or Const(None), code),
                )
            named = term.op == "enter" and self.training.graph.model(term.base) is not None
            if (
                inside
                and named
                and term.scope.active
                and not any(term.scope.loops[-1:] == act.scope.loops[-1:] for act in acts)
            ):
                at = place(term.at)
                return Validation(at=at, kind=inferred("data", at))
        at = place(acts[0].at) if acts else None
        return Validation(at=at, kind=inferred("none", at))

    # -- hand-written steps and seeds -------------------------------------------------------------------------

    def step(self) -> TrainingStep | None:
        """The order of a tape's step, or the one call that fits."""
        steps = [s for s in self.training.steps if not any(turns(s))] or self.training.steps
        if not steps:
            return TrainingStep(at=place(self.main[0].term.at)) if len(self.main) == 1 else None
        last = steps[-1]
        frames = {id(f.function.node) for f in last.scope.frames[-1:]}
        order: list[Step] = []
        for term in self.run.trace:
            same = (not frames or any(id(f.function.node) in frames for f in term.scope.frames)) and not any(
                turns(term)
            )
            if not same or not term.scope.active:
                continue
            kind: Any = None
            if (
                term.inside("GradientTape")
                and (term.op in ("apply", "enter"))
                and self.training.graph.model(term.base) is not None
            ):
                kind = "forward"
            elif term.op == "method" and term.name == "gradient":
                kind = "backward"
            elif term.op == "call" and last_name(term).startswith("clip_by_"):
                kind = "clip"
            elif term is last:
                kind = "step"
            if kind is not None and not any(s.kind == kind for s in order):
                order.append(Step(kind=kind, at=place(term.at)))
        return TrainingStep(at=place(last.at), order=tuple(order))

    def seeds(self) -> tuple[Seed, ...]:
        """Seeds of random generators."""
        out: list[tuple[Any, Seed]] = []
        for term in self.run.trace:
            if term.op == "call" and term.name in _SEEDS and term.scope.active:
                value = term.argument("seed", 0)
                item = Seed(at=place(term.at), library=inferred(_SEEDS[term.name], place(term.at)), value=fact(value))
                out.append((id(term.at.node), item))
        return distinct(out)


def is_test(data: Value, code: str) -> Fact:
    """Whether the validation data are the test set: by name, or by where they come from."""
    for each in walk(data, 200):
        loaded = (
            isinstance(each, Term)
            and each.op == "item"
            and isinstance(each.base, Term)
            and last_name(each.base) == "load_data"
        )
        if (
            loaded
            and isinstance(each, Term)
            and each.args
            and isinstance(each.args[0], Const)
            and each.args[0].value == 1
        ):
            return inferred(True, place(each.at))
    words = {
        w for name in re.findall(r"[A-Za-z_]\w*", code) for w in re.split(r"[_\d]+|(?<=[a-z])(?=[A-Z])", name) if w
    }
    plain = {w.lower() for w in words} | {n.lower() for n in re.findall(r"[\"'](\w+)[\"']", code)}
    text = code.lower()
    if "test" in text and not re.search(r"val|dev\b", text):
        return inferred(True)
    if plain & {"val", "valid", "validation", "dev"} or "val" in text:
        return inferred(False)
    return Unknown(unknown="whether the validation data are the test set is not known")
