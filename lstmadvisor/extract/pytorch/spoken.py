"""What the code calls the model, its parameters and the optimizer, where it trains: names that a fix may use there."""

from __future__ import annotations

import re

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Instance, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.makers import is_optimizer, makers
from lstmadvisor.extract.pytorch.steps import Act, Training
from lstmadvisor.facts import Unknown

_NAME = re.compile(r"[A-Za-z_][\w.]*(?:\[\w+\])?")


def receiver(term: Term) -> str:
    """What a method is called on or, where an object is called, the object: `self.opt` of `self.opt.step()`."""
    call = term.at.node
    if term.at.module is None or not isinstance(call, cst.Call):
        return ""
    node: cst.BaseExpression | None = call.func
    if term.op == "method":
        node = node.value if isinstance(node, cst.Attribute) else None
    text = "" if node is None else term.at.module.tree.code_for_node(node)
    return text if _NAME.fullmatch(text) else ""


def called_on(act: Act) -> Fact:
    """What an act of training is called on, as the code says it."""
    text = receiver(act.term)
    return inferred(text) if text else Unknown(unknown="has no name", at=place(act.term.at))


class Spoken:
    """The names in the function that calls `backward`."""

    def __init__(self, run: Run, training: Training) -> None:
        self._training = training
        backward = training.backward
        self._here = [
            term
            for term in run.trace
            if term.scope.frames == backward.scope.frames and term.at.module is backward.at.module
        ]

    def optimizer(self) -> Fact:
        """The optimizer, an object of PyTorch's own kind."""
        found = self._optimizer()
        return inferred(found[0]) if found else self._nameless("the optimizer")

    def model(self) -> Fact:
        """The one model that the optimizer trains."""
        models = self._models()
        texts = [text for model in models if (text := self._called(model))]
        return inferred(texts[0]) if len(models) == len(texts) == 1 else self._nameless("the model")

    def parameters(self) -> Fact:
        """An expression for everything that the optimizer trains."""
        models = self._models()
        texts = [text for model in models if (text := self._called(model))]
        if models and len(models) == len(texts):
            each = [f"{text}.parameters()" for text in dict.fromkeys(texts)]
            return inferred(each[0] if len(each) == 1 else f"[{', '.join(f'*{one}' for one in each)}]")
        found = self._optimizer()
        if found:
            return inferred(f'[p for group in {found[0]}.param_groups for p in group["params"]]')
        return self._nameless("what is trained")

    def _optimizer(self) -> tuple[str, Term] | None:
        for act in self._training.acts:
            if act.kind not in ("step", "zero_grad", "unscale") or act.by_hand or act.term not in self._here:
                continue
            call = act.term
            if (
                call.args and isinstance(call.at.node, cst.Call) and (made := _made(call.args[0]))
            ):  # scaler.step(optimizer)
                assert call.at.module is not None
                text = call.at.module.tree.code_for_node(call.at.node.args[0].value)
                if _NAME.fullmatch(text):
                    return text, made
            if (made := _made(call.base)) and receiver(call):
                return receiver(call), made
        return None

    def _models(self) -> list[Value]:
        """The models whose parameters the optimizer was given."""
        found = self._optimizer()
        if found is None:
            return []
        given = found[1].argument("params", 0)
        models: dict[int, Value] = {}
        for value in walk(given, 400):
            if isinstance(value, Term) and value.op == "method" and value.name in ("parameters", "named_parameters"):
                for model in options(value.base):
                    models[id(model)] = model
        return list(models.values())

    def _called(self, model: Value) -> str:
        """What the code calls a model here."""
        for term in self._here:
            used = term.op in ("enter", "apply", "method") and any(each is model for each in options(term.base))
            if used and (text := receiver(term)):
                return text
        return ""

    def _nameless(self, what: str) -> Unknown:
        return Unknown(unknown=f"{what} has no name where it trains", at=place(self._training.backward.at))


def _made(value: Value | None) -> Term | None:
    """The call that made an optimizer; not one that a class of the user's wraps."""
    if any(isinstance(each, Instance) for each in options(value)):
        return None
    return next((term for term in makers(value) if is_optimizer(term.name)), None)
