"""What values come from: the inputs of a term with what was stored into it later, and which forward passes gave it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Frame, Instance, Seq, Term, Value, options
from lstmadvisor.extract.pytorch.torch_ops import last, module_name
from lstmadvisor.patterns import regex

MOST_NODES = 6_000
"""Values that one walk looks at."""
_STORES = frozenset("copy_ index_copy_ index_add_ scatter_ masked_scatter_ append add_ insert extend put_ set_".split())
_MODEL_METHODS = frozenset("parameters state_dict load_state_dict train eval zero_grad named_parameters".split())
_PREDICTS = frozenset(
    "forward predict generate sample inference decode encode infer translate greedy_decode beam_search".split()
)
_LOSS = regex(r"loss|criterion|entropy|objective|perplexity", re.I)


@dataclass(eq=False, slots=True)
class Forward:
    """A call of a model: of a user's module that is not inside another one's, or of a library's."""

    term: Term
    module: Value

    @property
    def key(self) -> int:
        """What marks the terms made inside this call."""
        return id(self.term.at)


class Origins:
    """Answers where values come from, over the whole trace of a run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._stored: dict[int, list[Value]] = {}
        self._given: dict[int, frozenset[int]] = {}
        self.cut_in_place = [t for t in run.trace if t.op == "method" and t.name == "detach_"]
        self.entered: dict[int, Term] = {}
        """the call of a user's module, by the id of the spot where it happened"""
        for term in run.trace:
            if term.op == "enter" and is_model(run, term.base):
                self.entered[id(term.at)] = term
            elif term.op == "setitem" and term.base is not None:
                self._stored.setdefault(id(term.base), []).append(term.args[1])
            elif term.op == "method" and term.name in _STORES and term.base is not None:
                self._stored.setdefault(id(term.base), []).extend(term.args)
        self._models = {
            id(m) for t in run.trace if t.op == "method" and t.name in _MODEL_METHODS for m in options(t.base)
        }
        self.forwards = [Forward(t, m) for t in run.trace if (m := self._model(t)) is not None]
        self._keys = {f.key for f in self.forwards}

    def _model(self, term: Term) -> Value | None:
        """The model that a term calls, where no other model calls it in turn."""
        if term.op == "enter":
            if id(term.at) not in self.entered or is_loss(term.base):
                return None
        elif term.op == "apply":
            known = bool(module_name(term.base)) and not _is_stateless(module_name(term.base))
            if not known and not self._is_opaque(term.base):
                return None
        elif term.op != "method" or term.name not in _PREDICTS or not self._is_opaque(term.base):
            return None
        return None if self.inside_forward(term) else term.base

    def _is_opaque(self, value: Value | None) -> bool:
        """Whether a value is used like a model, but nobody here knows it from inside."""
        return (
            not isinstance(value, Instance)
            and not is_loss(value)
            and any(id(o) in self._models for o in options(value))
        )

    def inside_forward(self, term: Term) -> Frame | None:
        """The outermost call of a user's module that a term was made in."""
        return next((f for f in term.scope.frames if id(f.spot) in self.entered), None)

    def inputs(self, value: Value) -> list[Value]:
        """What a value was made from directly, and what was stored into it."""
        out: list[Value] = []
        if isinstance(value, Term):
            if value.base is not None:
                out.append(value.base)
            out.extend(value.args)
            out.extend(value.kwargs.values())
            if value.result is not None:
                out.append(value.result)
        else:
            out.extend(getattr(value, "items", None) or ())
            out.extend((getattr(value, "entries", None) or {}).values())
            out.extend(getattr(value, "rest", None) or ())
            out.extend(getattr(value, "options", None) or ())
        out.extend(self._stored.get(id(value), ()))
        return out

    def walk(self, value: Value | None, stop: Callable[[Value], bool] | None = None) -> Iterator[Value]:
        """Everything that `value` was computed from, nearest first; nothing behind values where `stop` holds."""
        if value is None:
            return
        seen = {id(value)}
        queue = [value]
        for here in queue:
            yield here
            if stop is not None and stop(here):
                continue
            for each in self.inputs(here):
                if id(each) not in seen and len(seen) < MOST_NODES:
                    seen.add(id(each))
                    queue.append(each)

    def given_by(self, value: Value | None) -> frozenset[int]:
        """The keys of the forward passes that a value was computed from."""
        if value is None:
            return frozenset()
        known = self._given
        stack = [value]
        open_: set[int] = set()
        while stack:
            here = stack[-1]
            if id(here) in known:
                stack.pop()
                continue
            rest = [i for i in self.inputs(here) if id(i) not in known and id(i) not in open_]
            if rest and id(here) not in open_:
                open_.add(id(here))
                stack.extend(rest)
                continue
            found = self._own(here)
            for each in self.inputs(here):
                found |= known.get(id(each), frozenset())
            known[id(here)] = found
            open_.discard(id(here))
            stack.pop()
        return known[id(value)]

    def _own(self, value: Value) -> frozenset[int]:
        if not isinstance(value, Term):
            return frozenset()
        keys = {id(f.spot) for f in value.scope.frames}
        if value.op in ("apply", "method"):
            keys.add(id(value.at))
        return frozenset(keys & self._keys)


def is_model(run: Run, value: Value | None) -> bool:
    """Whether a value is a PyTorch module, or an object of a class of the user's that is called like one."""
    return isinstance(value, Instance) and (frameworks.is_module(run, value) or _holds_modules(run, value))


def _holds_modules(run: Run, value: Instance) -> bool:
    return any(frameworks.is_module(run, each) for v in value.attrs.values() for each in options(v))


def is_loss(value: Value | None) -> bool:
    """Whether a module computes a loss, by its name."""
    if isinstance(value, Instance):
        return bool(_LOSS.search(value.cls.name))
    return isinstance(value, Term) and value.op == "call" and bool(_LOSS.search(last(value.name)))


def _is_stateless(name: str) -> bool:
    """Whether a module of the library is no model: a loss, an activation, a container that is not called."""
    return bool(_LOSS.search(name)) or name in (
        "Softmax", "LogSoftmax", "Sigmoid", "Tanh", "ReLU", "Flatten", "Identity", "Dropout", "CosineSimilarity",
        "PairwiseDistance",
    )  # fmt: skip


def parts(value: Value | None) -> Iterator[Value]:
    """A value, its alternatives and, of tuples and lists, their items."""
    for each in options(value):
        yield each
        if isinstance(each, Seq):
            for item in each.items:
                yield from parts(item)
