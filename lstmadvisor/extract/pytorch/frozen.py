"""Pretrained networks that are not trained, and the mode in which they run all the same."""

from __future__ import annotations

import re

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, inferred, place, receiver
from lstmadvisor.extract.pytorch.steps import Steps
from lstmadvisor.facts import ABSENT, Unknown
from lstmadvisor.patterns import regex

_NORMALIZED = regex(
    r"torchvision\.models\.(?:.*\.)?(?:(?:wide_)?resne[xt]+t?\d+|resnet|densenet|inception|googlenet|mobilenet|"
    r"efficientnet|regnet|shufflenet|mnasnet|vgg\d+_bn)",
    re.I,
)
"""networks of torchvision that contain batch normalisation"""


def backbone(run: Run, steps: Steps) -> tuple[Fact, Fact]:
    """`train` where a frozen network with batch normalisation runs in training mode in a step, and its name there."""
    training = steps.main
    if training is None:
        return ABSENT, ABSENT
    mode: dict[int, str] = {}
    found: Fact = ABSENT
    for term in run.trace:
        if not term.scope.active:
            continue
        if term.op == "method" and term.name in ("eval", "train"):
            _switch(run, term, mode)
        elif term.op == "apply" and training.holds(term):
            pretrained = _pretrained(term.base)
            if pretrained is None or not (term.inside("no_grad", "inference_mode") or _frozen(run, pretrained)):
                continue
            states = {mode.get(id(m), mode.get(id(pretrained), "train")) for m in options(term.base)}
            if states == {"train"}:
                called = receiver(term)
                nameless = Unknown(unknown="it has no name there", at=place(term.at))
                return inferred("train", place(term.at)), inferred(called) if called else nameless
            at = place(term.at)
            found = inferred("eval", at) if states == {"eval"} else Unknown(unknown="its mode is not known", at=at)
    return found, ABSENT


def _switch(run: Run, term: Term, mode: dict[int, str]) -> None:
    given = term.argument("mode", 0) if term.name == "train" else None
    truth = True if given is None else run.truth(given)
    state = "unknown" if truth is None else "train" if truth and term.name == "train" else "eval"
    for each in options(term.base):
        mode[id(each)] = state
        for _, module in frameworks.submodules(run, each):
            mode[id(module)] = state


def _pretrained(value: Value | None) -> Term | None:
    """The network of torchvision that a module is, or was put together from."""
    for each in walk(value, 60):
        if isinstance(each, Term) and each.op == "call":
            if each.name.startswith("torchvision.") and _NORMALIZED.match(each.name):
                return each
            if (spread := each.attrs.get("*")) is not None:  # `nn.Sequential(*list(resnet.children())[:-1])`
                return _pretrained(spread)
    return None


def _frozen(run: Run, pretrained: Term) -> bool:
    """Whether gradients of its parameters are switched off."""
    for term in run.trace:
        if term.op == "setattr" and term.name == "requires_grad":
            off = bool(term.args) and isinstance(term.args[0], Const) and term.args[0].value is False
        elif term.op == "method" and term.name == "requires_grad_":
            given = term.argument("requires_grad", 0)
            off = isinstance(given, Const) and given.value is False
        else:
            continue
        if off and any(v is pretrained for v in walk(term.base, 60)):
            return True
    return False


__all__ = ["backbone"]
