"""Early stopping, by hand or by a class, and the checkpoints that keep the best weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.conditions import COMPARES, counted, leaves, under
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Function, Loop, Map, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.extract.pytorch.epochs import exits
from lstmadvisor.extract.pytorch.evaluation import Evaluation, is_keeping
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.extract.shapes.dims import same_key
from lstmadvisor.facts import ABSENT, Checkpoint, EarlyStopping, Known, Unknown
from lstmadvisor.facts import Value as FactValue
from lstmadvisor.patterns import regex

_STOPPER = regex(r"early_?stop|earlystop", re.I)
_BEST = regex(r"best|min_|_min|max_|_max|lowest|highest|prev|last|old", re.I)
_NOT_A_METRIC = regex(r"isnan|isinf|isfinite|time|perf_counter|exists|isfile|random|signal|shape|size|__len__", re.I)
_METRIC = regex(r"loss|acc|score|metric|f1|bleu|rouge|ppl|perplex|reward|error|rmse|mse|mae|auc", re.I)
_TRAINING = regex(r"train|tr_loss|running|epoch_loss|total_loss", re.I)
_VALIDATION = regex(r"(?<![a-z])val(?!ue)|valid|(?<![a-z])dev(?!ice)|(?<![a-z])eval", re.I)
_TEST = regex(r"(?<![a-z])te?st", re.I)


class Stopping:
    """What ends the training early, and which weights are kept."""

    def __init__(self, run: Run, steps: Steps, evaluation: Evaluation, epochs: Fact) -> None:
        self.run = run
        self.steps = steps
        self.evaluation = evaluation
        self.epochs = epochs
        self.kept = list(self._kept())

    # -- early stopping ----------------------------------------------------------------------------

    def early_stopping(self) -> tuple[EarlyStopping, ...]:
        """Every way in which the training ends when it does not improve."""
        made: list[EarlyStopping] = []
        for training in self.steps.trainings:
            for loop in training.loops:
                if loop is not training.epochs and loop is not training.batches:
                    continue
                for spot, causes in self._ends(loop):
                    item = self._item(training, loop, spot, causes)
                    if item is not None and not any(_same_stop(item, m) for m in made):
                        made.append(item)
        return (*made, *self._pruned())

    def _pruned(self) -> Iterator[EarlyStopping]:
        """A tuner that ends hopeless trials: `trial.should_prune()` of Optuna, a scheduler of Ray Tune."""
        for term in self.run.trace:
            asks = term.op == "method" and term.name == "should_prune" and term.scope.active
            if asks and any(t.around(term) for t in self.steps.trainings):
                at = place(term.at)
                yield EarlyStopping(at=at, by_hand=inferred(False, at), can_act=inferred(True, at))
                return
        for term in self.run.trace:
            if term.op == "call" and term.name.startswith("ray.tune.schedulers.") and term.scope.active:
                at = place(term.at)
                yield EarlyStopping(at=at, by_hand=inferred(False, at), can_act=inferred(True, at))
                return

    def _ends(self, loop: Loop) -> Iterator[tuple[Spot, list[tuple[Value, bool, int]]]]:
        """The places where a loop ends early, with the conditions that lead there and the turn they were read in."""
        for term in exits(self.run, loop):
            turn = next(t for each, t in term.scope.loops if each is loop)
            causes = [
                (c, s, turn)
                for condition, side in term.scope.conditions[loop.outside :]
                for c, s in leaves(condition, side)
            ]
            if causes:
                yield term.at, causes
        for turn, condition in enumerate(loop.conditions):
            causes = [(c, s, turn) for c, s in leaves(condition, False)]
            if causes:
                yield loop.spot, causes

    def _item(
        self, training: Training, loop: Loop, spot: Spot, causes: list[tuple[Value, bool, int]]
    ) -> EarlyStopping | None:
        patience: Value | None = None
        monitor: Term | None = None
        found = often = False
        for condition, _, turn in causes:
            stopper = _library_stopper(condition)
            if stopper is not None:
                return self._of_library(stopper)
            kind, limit = self._kind(condition, loop, turn)
            if kind == "patience":
                found = True
                often = often or loop is not training.epochs or self._grows_within_a_turn(condition, loop)
                patience = patience or limit
                monitor = monitor or (self._reason(condition) if isinstance(condition, Term) else None)
            elif kind == "metric" and isinstance(condition, Term) and loop is training.epochs:
                measured = self._is_measured(condition)
                found = found or measured
                monitor = monitor or (condition if measured else None)
        if not found:
            return None
        at = place(spot)
        patience_fact = fact(patience) if patience is not None else ABSENT
        can_act, why = self._can_act(patience_fact)
        if often:
            can_act, why = Unknown(unknown="its patience does not count epochs", at=at), ABSENT
        return EarlyStopping(
            at=at,
            by_hand=inferred(True, at),
            monitor=_name_of(monitor),
            on=self._judged_on(monitor),
            patience=patience_fact,
            restores_best=self._restores(),
            can_act=can_act,
            why_not=why,
        )

    def _kind(self, condition: Value, loop: Loop, turn: int) -> tuple[str, Value | None]:
        """What a condition is about: the patience, a metric, or something else that does not judge the training."""
        if not isinstance(condition, Term):
            return "other", None
        if condition.op != "binop" or condition.name not in COMPARES:
            if _NOT_A_METRIC.search(last(condition.name)):
                return "other", None
            return ("metric", None) if self._is_metric(condition) and condition.op != "param" else ("other", None)
        left, right = condition.args
        for one, other in ((left, right), (right, left)):
            if self._is_waiting(one, loop):
                return "patience", other
        for one in (left, right):
            count = counted(one, loop, turn)
            if count is not None and count.step and not count.conditional:
                return "other", None
            if isinstance(one, Const) and one.value is None:
                return "other", None
        if self._is_metric(left) or self._is_metric(right):
            return "metric", None
        return "other", None

    def _is_waiting(self, value: Value, loop: Loop) -> bool:
        """Whether a value counts turns without improvement, or is the distance to the best turn."""
        for each in options(value):
            if not isinstance(each, Term) or each.op != "binop":
                continue
            if each.name in ("+=", "+") and len(each.args) == 2 and isinstance(each.args[1], Const):
                around = any(inner is loop for inner, _ in each.scope.loops)
                if around and _is_number(each.args[1]) and self._conditional(each, loop):
                    return True
            if each.name == "-" and len(each.args) == 2:
                passed, best = each.args
                if _runs_with(passed, loop) and isinstance(best, (Choice, Const)) and _is_best(best, loop):
                    return True
        return False

    def _grows_within_a_turn(self, condition: Value, loop: Loop) -> bool:
        """Whether the counter of patience may grow several times in a turn, as with evaluations on the way."""
        for side in condition.args if isinstance(condition, Term) else ():
            for each in options(side):
                if isinstance(each, Term) and each.name in ("+=", "+") and self._is_waiting(each, loop):
                    around = [inner for inner, _ in each.scope.loops]
                    if any(not inner.unrolled for inner in around[around.index(loop) + 1 :]):
                        return True
        return False

    def _conditional(self, term: Term, loop: Loop) -> bool:
        """Whether a counter grows under a condition that judges the training."""
        for condition, _ in under(term, loop):
            for leaf, _ in leaves(condition):
                if self._is_metric(leaf):
                    return True
        return False

    def _is_metric(self, value: Value) -> bool:
        """Whether a value comes from a forward pass or is computed by something that nobody here knows."""
        if self.steps.origins.given_by(value):
            return True
        for each in self.steps.origins.walk(value):
            if isinstance(each, Term) and each.op == "attr" and each.name == "param_groups":
                return True
            if isinstance(each, Term) and each.op in ("call", "method", "apply"):
                if _NOT_A_METRIC.search(last(each.name)) or each.name.startswith(
                    ("os.", "time.", "builtins.", "math.", "logging.")
                ):
                    continue
                if any(loop is t.epochs for loop, _ in each.scope.loops for t in self.steps.trainings):
                    return True
        return False

    def _is_measured(self, condition: Term) -> bool:
        """Whether a comparison is with something measured on the way, by where it comes from or else by its name."""
        if self.steps.origins.given_by(condition):
            return True
        name = _name_of(condition)
        if any(
            isinstance(v, Term) and v.op == "attr" and v.name == "param_groups"
            for v in self.steps.origins.walk(condition)
        ):
            return True
        return isinstance(name, Known) and bool(_METRIC.search(str(name.value)))

    def _reason(self, condition: Term) -> Term | None:
        """The comparison under which a counter of patience grows or starts again."""
        for each in self.steps.origins.walk(condition):
            if isinstance(each, Term) and each.op == "binop" and each.name in ("+=", "+"):
                for cause, _ in reversed([*each.scope.passed, *each.scope.conditions]):
                    for leaf, _ in leaves(cause):
                        if isinstance(leaf, Term) and leaf.name in COMPARES and self._is_metric(leaf):
                            return leaf
        return None

    def _can_act(self, patience: FactValue) -> tuple[Fact, Fact]:
        if (
            not isinstance(patience, Known)
            or not isinstance(patience.value, (int, float))
            or not isinstance(self.epochs, Known)
        ):
            return inferred(True), ABSENT
        turns = self.epochs.value
        if isinstance(turns, (int, float)) and patience.value >= turns:
            return inferred(False), inferred(
                f"the patience of {patience.value} is not shorter than the {turns} turns of the training"
            )
        return inferred(True), ABSENT

    def _restores(self) -> Fact:
        if not self.kept:
            return inferred(False)
        return inferred(any(self._reloaded(term) for term in self.kept))

    def _of_library(self, stopper: Term) -> EarlyStopping:
        at = place(stopper.at)
        given = stopper.argument("patience", 0)
        patience = fact(given) if given is not None else Unknown(unknown="the library's default", at=at)
        can_act, why = self._can_act(patience)
        return EarlyStopping(
            at=at, active=stopper.scope.active, by_hand=inferred(False),
            monitor=fact(stopper.kwargs.get("monitor")), patience=patience,
            restores_best=self._restores(), can_act=can_act, why_not=why,
        )  # fmt: skip

    # -- checkpoints -------------------------------------------------------------------------------

    def _kept(self) -> Iterator[Term]:
        """Where weights are kept in the training loop, each place once."""
        seen: set[int] = set()
        saved = {
            id(v)
            for t in self.run.trace
            if t.op == "call" and is_keeping(t)
            for a in t.args
            for v in self.steps.origins.walk(a)
        }
        for term in self.run.trace:
            keeps = is_keeping(term) or self._copies_model(term)
            if not keeps or not term.scope.active or not any(t.around(term) for t in self.steps.trainings):
                continue
            if term.name.startswith(("shutil.", "pickle.", "joblib.")) or id(term.at.node) in seen:
                continue
            if term.name == "state_dict" and (id(term) in saved or not self._is_model(term) or self._passes_on(term)):
                continue
            if term.name == "torch.save" and not self._holds_weights(term):
                continue
            seen.add(id(term.at.node))
            yield term

    def _passes_on(self, term: Term) -> bool:
        """Whether a `state_dict()` is handed to another model or to a call right away, rather than kept."""
        for other in self.run.trace:
            node = other.at.node
            if other.op in ("call", "method") and isinstance(node, cst.Call) and any(a is term for a in other.args):
                nested = any(a.value is term.at.node for a in node.args)
                if nested and last(other.name) not in ("dict", "OrderedDict", "copy", "deepcopy"):
                    return True
        return False

    def _copies_model(self, term: Term) -> bool:
        """Whether a term makes a deep copy of a whole model: `best = copy.deepcopy(model)`."""
        if term.op != "call" or term.name != "copy.deepcopy" or not term.args:
            return False
        models = {id(m) for f in self.steps.origins.forwards for m in options(f.module)}
        return any(id(o) in models for o in options(term.args[0]))

    def _is_model(self, term: Term) -> bool:
        return any(
            id(o) in {id(m) for f in self.steps.origins.forwards for m in options(f.module)} for o in options(term.base)
        )

    def _holds_weights(self, term: Term) -> bool:
        models = {id(m) for f in self.steps.origins.forwards for m in options(f.module)}
        for value in self.steps.origins.walk(term.args[0] if term.args else None):
            if id(value) in models or (isinstance(value, Term) and value.op == "method" and value.name == "state_dict"):
                return True
        return False

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Weights kept in the training loop: what decides, on which data, and whether they are used again."""
        return tuple(self._checkpoint(term) for term in self.kept)

    def _checkpoint(self, term: Term) -> Checkpoint:
        reason, kept = self._decides(term), term
        if reason is None:
            reason, kept = self._decides_copy(term) or (None, term)
        return Checkpoint(
            at=place(kept.at),
            monitor=_name_of(reason),
            on=self._on(reason),
            reloaded=inferred(term.name == "copy.deepcopy" or self._reloaded(term)),
            aliased=self._aliased(term),
        )

    def _aliased(self, term: Term) -> Fact:
        """Whether a `state_dict()` that is loaded after the training is the very one, rather than a copy."""
        at = place(term.at)
        if term.op != "method" or term.name != "state_dict" or self._copied(term):
            return inferred(False, at)
        for other in self.run.trace:
            loads = other.op == "method" and other.name == "load_state_dict" and other.args
            if loads and _outside(other, self.steps) and any(v is term for v in self.steps.origins.walk(other.args[0])):
                return inferred(True, at)
        return Unknown(unknown="what becomes of the weights is not seen", at=at)

    def _decides(self, term: Term) -> Term | None:
        """The comparison that decides whether weights are kept."""
        for condition, _ in reversed(term.scope.conditions):
            for leaf, _ in leaves(condition):
                if not isinstance(leaf, Term) or leaf.name not in COMPARES or not self._is_metric(leaf):
                    continue
                if not any(isinstance(a, Term) and a.name == "%" for a in leaf.args):
                    return leaf
        return None

    def _decides_copy(self, saved: Term) -> tuple[Term, Term] | None:
        """What decides that the file saved in every turn is copied to that of the best weights, and the copying."""
        path = saved.argument("f", 1) if saved.name == "torch.save" else None
        if path is None:
            return None
        for term in self.run.trace:
            copies = term.op == "call" and term.name.startswith("shutil.copy") and bool(term.args) and term.scope.active
            if copies and same_key(term.args[0]) == same_key(path) and (reason := self._decides(term)) is not None:
                return reason, term
        return None

    def _judged_on(self, reason: Term | None) -> Fact:
        """Which data decide when to stop; the training data only where no evaluation has a part in it."""
        found = self._on(reason)
        evaluated = {f.key for f, _ in self.evaluation.forwards}
        if reason is not None and not isinstance(found, Known) and self.steps.origins.given_by(reason) & evaluated:
            return inferred("evaluation", place(reason.at))
        if reason is None or not isinstance(found, Known) or found.value != "training":
            return found
        if self.steps.origins.given_by(reason) & evaluated or next(self.evaluation.strangers(), None) is not None:
            return Unknown(unknown="the code does not say which data", at=place(reason.at))
        return found

    def _on(self, reason: Term | None) -> Fact:
        """Which data the deciding number comes from."""
        if reason is None:
            return ABSENT
        at = place(reason.at)
        evaluated = {f.key: f for f, _ in self.evaluation.inside()}
        for key in self.steps.origins.given_by(reason):
            if key in evaluated:
                text = self.evaluation.source(evaluated[key].term)
                if _VALIDATION.search(text):
                    return inferred("validation", at)
                if _TEST.search(text):
                    return inferred("test", at)
        strangers = {id(t): t for t in self.evaluation.strangers()}
        for value in self.steps.origins.walk(reason) if strangers else ():
            if id(value) in strangers:
                text = self.evaluation.given_to(strangers[id(value)])
                for pattern, where in ((_VALIDATION, "validation"), (_TEST, "test")):
                    if pattern.search(text):
                        return inferred(where, at)
        name = _name_of(reason)
        text = name.value if isinstance(name, Known) else ""
        if isinstance(text, str) and text:
            for pattern, where in ((_VALIDATION, "validation"), (_TEST, "test"), (_TRAINING, "training")):
                if pattern.search(text):
                    return inferred(where, at)
        given = self.steps.origins.given_by(reason)
        if given and not given & set(evaluated):
            return inferred("training", at)
        return Unknown(unknown="the code does not say which data", at=at)

    def _copied(self, term: Term) -> bool:
        """Whether a `state_dict()` goes into a deep copy, or into a new dict of cloned tensors."""
        for other in self.run.trace:
            if (
                other.op == "call"
                and other.name in ("copy.deepcopy", "torch.save", "pickle.dump")
                and any(o is term for a in other.args for o in options(a))
            ):
                return True
            cloned = other.op == "method" and other.name in ("clone", "cpu") and other.serial > term.serial
            if cloned and any(v is term for v in self.steps.origins.walk(other.base)):
                return True
        return False

    def _reloaded(self, term: Term) -> bool:
        """Whether kept weights are loaded again later."""
        path = _path(term)
        for other in self.run.trace:
            if path is not None and other.op == "method" and other.name in ("load", "load_raw", "load_state"):
                if other.args and _outside(other, self.steps) and _same_path(path, other.args[0]):
                    return True
                continue
            if other.op != "method" or other.name not in ("load_state_dict", "load_checkpoint", "from_pretrained"):
                if (
                    other.op == "call"
                    and other.name == "torch.load"
                    and _outside(other, self.steps)
                    and path is not None
                ) and _same_path(path, other.args[0] if other.args else None):
                    return True
                continue
            if other.serial < term.serial or not other.scope.active:
                continue
            for value in self.steps.origins.walk(other.args[0] if other.args else None):
                if value is term or (
                    isinstance(value, Term) and value.at.node is term.at.node and value.name == term.name
                ):
                    return True
                loaded = (
                    value.args[0] if isinstance(value, Term) and value.name == "torch.load" and value.args else None
                )
                if loaded is not None and path is not None and _same_path(path, loaded):
                    return True
        return False


def _same_stop(one: EarlyStopping, other: EarlyStopping) -> bool:
    return one.at == other.at or (
        one.monitor == other.monitor and one.patience == other.patience and isinstance(one.patience, Known)
    )


def _is_number(value: Const) -> bool:
    return isinstance(value.value, (int, float)) and not isinstance(value.value, bool)


def _runs_with(value: Value, loop: Loop) -> bool:
    """Whether a value is the number of the turn under way."""
    for each in options(value):
        if isinstance(each, Term):
            if each.op == "elem":
                return True
            if each.op == "binop" and each.args and _runs_with(each.args[0], loop):
                return True
    return False


def _is_best(value: Value, loop: Loop) -> bool:
    """Whether a value was noted in an earlier turn."""
    found = list(options(value))
    return any(isinstance(o, Const) for o in found) and (
        len(found) > 1 or any(isinstance(o, Const) and o.via == "widened" for o in found)
    )


def _library_stopper(condition: Value) -> Term | None:
    """An early-stopping object of a library that is asked whether to stop."""
    value: Value | None = condition
    for _ in range(4):
        each = next(iter(options(value)), None)
        if not isinstance(each, Term):
            return None
        if each.op == "call" and _STOPPER.search(last(each.name)) and not isinstance(each.base, Function):
            return each
        value = each.base
    return None


def _name_of(compare: Term | None) -> Fact:
    """How the source names the number that decides: `val_loss` of `val_loss < best_loss`."""
    node = compare.at.node if compare is not None else None
    if compare is None or not isinstance(node, cst.Comparison) or compare.at.module is None:
        return ABSENT
    sides = [node.left, *(c.comparator for c in node.comparisons)]
    texts = [compare.at.module.code(side) for side in sides]
    named = [t for t in texts if not _BEST.search(t)] or texts
    return inferred(named[0], place(compare.at))


def _path(term: Term) -> Value | None:
    if term.op == "call":
        return term.argument("f", 1)
    return term.args[0] if term.args and term.name != "state_dict" else None


def _same_path(one: Value, other: Value | None) -> bool:
    """Whether two paths are the same file, as far as they are known."""
    for a in options(one):
        for b in options(other):
            if isinstance(a, Const) and isinstance(b, Const):
                if a.value == b.value:
                    return True
            elif a is b or _text(a) == _text(b) != "":
                return True
    return False


def _text(value: Value) -> str:
    """The known part of a path that is put together."""
    if isinstance(value, Const):
        return str(value.value)
    if isinstance(value, Term):
        if value.name in ("builtins.open", "io.open") and value.args:
            return _text(value.args[0])
        inner = [*([value.base] if value.base is not None else []), *value.args]
        return f"{value.name}({','.join(_text(i) for i in inner if not isinstance(i, (Map, Seq, Loop)))})"
    return ""


def _outside(term: Term, steps: Steps) -> bool:
    return term.scope.active and not any(t.around(term) for t in steps.trainings)
