"""Evaluation in PyTorch programs: forward passes that do not train, their mode, data and consequences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Frame, Instance, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.epochs import exits
from lstmadvisor.extract.pytorch.origins import Forward, is_loss
from lstmadvisor.extract.pytorch.steps import Steps
from lstmadvisor.extract.pytorch.torch_ops import (
    DENSE,
    activation_of,
    constant,
    constructor,
    is_dropout,
    is_recurrent,
    last,
    module_name,
)
from lstmadvisor.facts import ABSENT, Unknown, Validation
from lstmadvisor.patterns import regex

_LIBRARIES = ("torch.", "builtins.", "lightning.", "transformers.", "ignite.", "fastai.", "numpy.", "sklearn.")
_NO_GRAD = ("no_grad", "inference_mode")
_JUDGES = regex(
    r"acc|score|f1|precision|recall|error|loss|bleu|rouge|mse|mae|metric|entropy|perplexity|criterion", re.I
)
_TEST = regex(r"(?<![a-z])te?st(?![a-z]*ing\b)|Test(?!ing\b)", re.I)
_VALIDATION = regex(r"(?<![a-z])val(?!ue)|valid|(?<![a-z])dev(?!ice)|(?<![a-z])eval(?!uat)|held_?out|holdout", re.I)
_TRAINING = regex(r"(?<![a-z])train(?!ing_args|er)", re.I)
_EVALUATES = regex(r"(run_|do_)?(eval|valid|test)", re.I)
_MAKERS = frozenset(("zeros", "ones", "rand", "randn", "randint", "empty", "arange", "normal"))
_WRAPS = ("enumerate", "tqdm", "zip", "iter", "list", "trange", "track", "progress_bar", "reversed", "islice", "next")


_SAME = frozenset((*DENSE, "Embedding", "LayerNorm", "Flatten", "Identity", "Conv1d", "Conv2d"))
"""layers that do the same in both modes"""


def _acts_otherwise(applied: Term) -> bool:
    """Whether a layer does something else in training; one that is not known may."""
    if is_recurrent(applied.base):
        rate = constructor(applied.base).argument("dropout", 5)
        return rate is not None and constant(rate) != 0
    return module_name(applied.base) not in _SAME and activation_of(applied) is None


class Evaluation:
    """Forward passes that do not train."""

    def __init__(self, run: Run, steps: Steps) -> None:
        self.run = run
        self.steps = steps
        self.origins = steps.origins
        self._modes: dict[int, str] = {}
        trained: set[int] = set()
        for act in steps.acts:
            if act.kind == "backward":
                trained |= self.origins.given_by(steps.loss_of(act.term))
        self.trained: list[Value] = [m for f in self.origins.forwards if f.key in trained for m in options(f.module)]
        self.forwards: list[tuple[Forward, str]] = []
        """forward passes that do not train, with the mode that their model is in"""
        if steps.trainings:
            self._follow(trained)

    # -- modes -----------------------------------------------------------------------------------

    def _follow(self, trained: set[int]) -> None:
        mode: dict[int, str] = {}
        for term in self.run.trace:
            if not term.scope.active:
                continue
            if term.op == "method" and term.name in ("eval", "train"):
                self._switch(term, mode)
                continue
            forward = self.steps.forwards.get(id(term))
            if isinstance(term.at.node, cst.FunctionDef):
                continue  # a model that nobody calls, read for its layers
            if forward is not None and forward.key not in trained:
                found = {mode.get(id(m), "train") for m in options(forward.module)}
                self.forwards.append((forward, found.pop() if len(found) == 1 else "unknown"))

    def _switch(self, term: Term, mode: dict[int, str]) -> None:
        given = term.argument("mode", 0) if term.name == "train" else None
        state = "eval" if term.name == "eval" else "train"
        if given is not None:
            truth = self.run.truth(given)
            state = "unknown" if truth is None else "train" if truth else "eval"
        for each in options(term.base):
            for _, module in frameworks.submodules(self.run, each):
                mode[id(module)] = state
            mode[id(each)] = state

    # -- facts -----------------------------------------------------------------------------------

    def inside(self) -> list[tuple[Forward, str]]:
        """Evaluations within the training loop."""
        return [(f, m) for f, m in self.forwards if any(t.around(f.term) for t in self.steps.trainings)]

    def evaluating(self) -> list[tuple[Forward, str]]:
        """Forward passes whose results are judged, in the loop or after it; not those that only feed the training."""
        judged = self._judged
        inside = self.inside()
        found = [(f, m) for f, m in inside if f.key in judged or self._reads_data(f)]
        keys = {f.key for f, _ in inside}
        return found or [(f, m) for f, m in self.forwards if f.key not in keys and self._concerns_trained(f)]

    def _concerns_trained(self, forward: Forward) -> bool:
        """Whether a forward pass outside the training is one of the model that is trained, on data."""
        if not self.trained:
            return True
        parts = {id(part) for module in self.trained for _, part in frameworks.submodules(self.run, module)}
        classes = {id(m.cls) for m in self.trained if isinstance(m, Instance)}
        same = any(
            id(m) in parts or (isinstance(m, Instance) and id(m.cls) in classes) for m in options(forward.module)
        )
        return same and not _made_up(forward.term)

    def eval_mode(self) -> Fact:
        """Whether the model is switched to evaluation where it is evaluated."""
        found = self.evaluating()
        if not found:
            return self._elsewhere() or ABSENT
        modes = {mode for _, mode in found}
        at = place(self.begins(found[0][0].term))
        if modes == {"unknown"}:
            return Unknown(unknown="the mode depends on something that is not known", at=at)
        return inferred("eval" in modes, at)

    def mode_matters(self) -> Fact:
        """Whether what is evaluated contains anything that acts otherwise in training, in the calls made there."""
        found = self.evaluating()
        if not found:
            return ABSENT
        return inferred(any(self._changes_in_training(f) for f, _ in found))

    def _changes_in_training(self, forward: Forward) -> bool:
        if not any(isinstance(module, Instance) for module in options(forward.module)):
            return True  # a module that is not read
        for term in self.run.trace:
            if not term.scope.active or all(id(frame.spot) != forward.key for frame in term.scope.frames):
                continue
            if term.op == "apply" and _acts_otherwise(term):
                return True
            if term.op == "call" and is_dropout(last(term.name)) and term.name.startswith("torch."):
                return True
        return False

    def begins(self, term: Term) -> Spot:
        """Where a forward pass of an evaluation parts from those of the training that share code with it."""
        mine = {f.key for f, _ in self.forwards}
        shared = any(f.key not in mine and f.term.at.node is term.at.node for f in self.origins.forwards)
        backward = (a.term for a in self.steps.acts if a.kind == "backward" and a.term.scope.active)
        trained = {id(frame.spot.node) for each in backward for frame in each.scope.frames if frame.spot is not None}
        own = (f.spot for f in term.scope.frames if f.spot is not None and id(f.spot.node) not in trained)
        return next(own, term.at) if shared else term.at

    def no_grad(self) -> Fact:
        """Whether gradients are switched off where the model is evaluated."""
        found = self.evaluating()
        if not found:
            return self._elsewhere() or ABSENT
        return inferred(any(self._without_gradient(f.term) for f, _ in found), place(found[0][0].term.at))

    def _without_gradient(self, term: Term) -> bool:
        if term.inside(*_NO_GRAD):
            return True
        for context in term.scope.contexts:
            if isinstance(context, Term) and last(context.name) == "set_grad_enabled" and context.args:
                return self.run.truth(context.args[0]) is False
        return any(
            isinstance(v, Term) and isinstance(c := v.kwargs.get("volatile"), Const) and c.value is True
            for a in term.args
            for v in self.origins.walk(a)
        )

    def _elsewhere(self) -> Unknown | None:
        """Why evaluation is not known: a function that was not read is given the model in the training loop."""
        models = {id(m) for f in self.origins.forwards for m in options(f.module)}
        for term in self.run.trace:
            if term.op != "call" or not term.scope.active or term.name.startswith(_LIBRARIES):
                continue
            if not (
                _JUDGES.search(last(term.name))
                or _VALIDATION.search(term.name)
                or _TEST.search(term.name)
                or "eval" in term.name
            ):
                continue
            given = (*term.args, *term.kwargs.values())
            if any(id(o) in models for g in given for o in options(g)) and any(
                t.around(term) for t in self.steps.trainings
            ):
                return Unknown(unknown=f"`{last(term.name)}` was not read", at=place(term.at))
        return None

    def validation(self) -> Validation:
        """Which data the program is evaluated on while it trains, and whether a choice hangs on the result."""
        if not self.steps.trainings:
            return Validation()
        judged = self._judged
        inside = [f for f, _ in self.inside() if f.key in judged or self._reads_data(f)]
        inside = [f for f in inside if not _TRAINING.search(self.source(f.term))]
        if not inside and (strangers := list(self.strangers())):
            return self._by_strangers(strangers)
        elsewhere = self._elsewhere()
        if not inside and elsewhere is not None:
            return Validation(
                kind=elsewhere, source=elsewhere, is_test_set=elsewhere, selects=elsewhere, reported=elsewhere
            )
        if not inside:
            reported = bool(self.forwards)
            return Validation(
                kind=inferred("none"),
                source=ABSENT,
                is_test_set=ABSENT,
                selects=inferred(False),
                reported=inferred(reported),
            )
        forward = self._telling(inside)
        at = place(forward.term.at)
        text = self.source(forward.term)
        return Validation(
            kind=inferred("data", at),
            source=inferred(text, at) if text else Unknown(unknown="no name for the data", at=at),
            is_test_set=_names_test(text, at),
            selects=inferred(self.selects({f.key for f in inside}), at),
            reported=inferred(True, at),
        )

    def strangers(self) -> Iterator[Term]:
        """Calls, in the training loop, of evaluating functions that could not be read and that are given the model."""
        models = {id(m) for f in self.origins.forwards for m in options(f.module)}
        for term in self.run.trace:
            if term.op != "call" or not term.scope.active or not _EVALUATES.match(last(term.name)):
                continue
            given = [o for value in (*term.args, *term.kwargs.values()) for o in options(value)]
            if any(id(o) in models for o in given) and any(t.around(term) for t in self.steps.trainings):
                yield term

    def _by_strangers(self, strangers: list[Term]) -> Validation:
        """What the calls of functions that could not be read tell by the names of what they are given."""
        told = [(term, text) for term in strangers if (text := self.given_to(term))]
        term, text = next(((t, x) for t, x in told if _VALIDATION.search(x)), told[0] if told else (strangers[0], ""))
        at = place(term.at)
        mine = {id(t) for t in strangers}
        selects = any(id(v) in mine for choice in self._choices() for v in self.origins.walk(choice))
        return Validation(
            kind=inferred("data", at),
            source=inferred(text, at) if text else Unknown(unknown="no name for the data", at=at),
            is_test_set=_names_test(text, at),
            selects=inferred(selects, at),
            reported=inferred(True, at),
        )

    def given_to(self, term: Term) -> str:
        """How the data are named that a function which could not be read is given."""
        texts = list(_arguments(term.at.node))
        return next((t for t in texts if _TEST.search(t) or _VALIDATION.search(t)), "")

    def _telling(self, forwards: list[Forward]) -> Forward:
        """Of several evaluations the one on validation data, else the one that a choice hangs on, else the first."""
        for forward in forwards:
            if _VALIDATION.search(self.source(forward.term)):
                return forward
        return next((f for f in forwards if self.selects({f.key})), forwards[0])

    @cached_property
    def _judged(self) -> set[int]:
        """The forward passes whose results are compared with something."""
        keys = {f.key for f, _ in self.forwards}
        trained = {id(v) for t in self.steps.trainings for v in self.origins.walk(t.loss)}
        out: set[int] = set()
        for term in self.run.trace:
            if id(term) in trained:
                continue
            if term.op == "apply" or term.op == "enter":
                judges = is_loss(term.base) or bool(_JUDGES.search(_class_name(term.base)))
            elif term.op in ("call", "method"):
                compared = isinstance(term.base, Term) and term.base.op == "binop" and term.base.name in ("==", "!=")
                judges = bool(_JUDGES.search(last(term.name))) or term.name in ("eq", "ne", "sub") or compared
            else:
                judges = False
            if judges:
                for value in (*term.args, *term.kwargs.values(), *([term.base] if term.base is not None else [])):
                    out |= self.origins.given_by(value) & keys
        return out

    def _reads_data(self, forward: Forward) -> bool:
        """Whether an evaluation goes through a data set: it happens in a loop of its own over something not counted."""
        training = {id(loop) for t in self.steps.trainings for loop in t.loops}
        return any(
            not loop.unrolled and not loop.is_while and id(loop) not in training and isinstance(loop.iterable, Term)
            for loop, _ in forward.term.scope.loops
        )

    def selects(self, keys: set[int]) -> bool:
        """Whether a checkpoint, the end of the training or the learning rate hangs on the given evaluations."""
        return any(self.origins.given_by(value) & keys for value in self._choices())

    def _choices(self) -> Iterator[Value]:
        """What decides on keeping weights, on ending the training and on the learning rate."""
        loops = {id(loop): loop for t in self.steps.trainings for loop in t.loops}.values()
        deciding = [e for loop in loops for e in exits(self.run, loop)]
        for term in self.run.trace:
            if term.scope.active and any(t.around(term) for t in self.steps.trainings):
                if is_keeping(term):
                    deciding.append(term)
                elif term.op == "method" and term.name == "step" and term.args:
                    yield term.args[0]
        for term in deciding:
            for condition, _ in term.scope.conditions:
                yield condition
                if isinstance(condition, Choice):
                    yield from condition.under

    # -- where the data come from ------------------------------------------------------------------

    def source(self, term: Term) -> str:
        """How the program names the data that an evaluation reads: `val_loader`."""
        texts = list(self._texts(term))
        functions = [f.function.name for f in reversed(term.scope.frames)]
        telling = next((t for t in (*texts, *functions) if _TEST.search(t) or _VALIDATION.search(t)), "")
        return telling or (texts[0] if texts else "")

    def named_after(self, term: Term) -> str:
        """What the data of an evaluation are by their name: validation, test, training, or empty where it is silent."""
        text = self.source(term)
        kinds = (("validation", _VALIDATION), ("test", _TEST), ("training", _TRAINING))
        return next((kind for kind, pattern in kinds if pattern.search(text)), "")

    def _texts(self, term: Term) -> Iterator[str]:
        """Names of what a forward pass goes through: the loop's, what its callers pass, what it is given itself."""
        frames = term.scope.frames
        epochs = {id(t.epochs) for t in self.steps.trainings}
        inside = next((i for i, (loop, _) in enumerate(term.scope.loops) if id(loop) in epochs), -1)
        for loop, turn in reversed(term.scope.loops[inside + 1 :]):
            node = loop.spot.node
            if loop.unrolled:
                phase = (
                    loop.iterable.items[turn]
                    if isinstance(loop.iterable, Seq) and turn < len(loop.iterable.items)
                    else None
                )
                if isinstance(phase, Const) and isinstance(phase.value, str):
                    yield phase.value
                continue
            if isinstance(node, cst.For):
                name = _core(node.iter)
                if name is not None:
                    yield self._named(name, frames)
        for frame in reversed(frames):
            yield from _arguments(frame.spot.node if frame.spot is not None else None)
        yield from _arguments(term.at.node)

    def _named(self, node: cst.BaseExpression, frames: tuple[Frame, ...]) -> str:
        """The text of an expression; of a parameter, the text of what the caller passes."""
        if isinstance(node, cst.Name):
            for frame in reversed(frames):
                passed = _passed(frame, node.value)
                if passed is None:
                    break
                inner = _core(passed)
                node = inner if inner is not None else passed
                if not isinstance(node, cst.Name):
                    break
        return cst.Module([]).code_for_node(node)


def _made_up(term: Term) -> bool:
    """Whether a model is only tried out: its input is zeros, ones or noise of a shape that is written there."""
    first = term.args[0] if term.args else None
    while isinstance(first, Term) and first.op == "method" and first.base is not None:
        first = first.base
    return isinstance(first, Term) and first.op == "call" and last(first.name) in _MAKERS


def _class_name(value: Value | None) -> str:
    if isinstance(value, Instance):
        return value.cls.name
    return value.name if isinstance(value, Term) and value.op == "call" else ""


def _core(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """`loader` of `enumerate(tqdm(loader, desc="…"))`; None where a loop goes through numbers."""
    while isinstance(node, cst.Call):
        name = node.func.attr.value if isinstance(node.func, cst.Attribute) else getattr(node.func, "value", "")
        if name in ("range", "xrange"):
            return None
        if name not in _WRAPS or not node.args:
            break
        node = node.args[0].value
    return node


def _passed(frame: Frame, parameter: str) -> cst.BaseExpression | None:
    """The expression that a caller passes for a parameter; None where the name is no parameter."""
    call = frame.spot.node if frame.spot is not None else None
    if not isinstance(call, cst.Call) or isinstance(frame.function.node, cst.Lambda):
        return None
    names = [p.name.value for p in frame.function.node.params.params]
    if parameter not in names:
        return None
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == parameter:
            return arg.value
    position = names.index(parameter) - (1 if names[:1] == ["self"] else 0)
    plain = [a for a in call.args if a.keyword is None and not a.star]
    return plain[position].value if 0 <= position < len(plain) else None


def _arguments(call: cst.CSTNode | None) -> Iterator[str]:
    if isinstance(call, cst.Call):
        for arg in call.args:
            if isinstance(arg.value, (cst.Name, cst.Attribute, cst.Subscript)):
                yield cst.Module([]).code_for_node(arg.value)


def _names_test(text: str, at: object) -> Fact:
    if not text:
        return Unknown(unknown="no name for the data")
    if _VALIDATION.search(text):
        return inferred(False)
    return inferred(True) if _TEST.search(text) else Unknown(unknown=f"`{text}` does not say")


def is_keeping(term: Term) -> bool:
    """Whether a term keeps the model's weights: written to a file, or a copy in memory."""
    if term.op == "call":
        return term.name in (
            "torch.save",
            "pickle.dump",
            "joblib.dump",
            "safetensors.torch.save_file",
            "torch.jit.save",
            "shutil.copyfile",
            "shutil.copy",
        )
    if term.op == "method" and term.name == "save":
        return isinstance(term.base, Term) and term.base.name.endswith("Fabric")
    return term.op == "method" and term.name in (
        "state_dict",
        "save_pretrained",
        "save_checkpoint",
        "save_state",
        "save_model",
    )
