"""Initialisation of PyTorch parameters by any idiom, and what it makes of the gates' biases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import libcst as cst

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Seq, Term, Value, walk
from lstmadvisor.extract.common import fact, inferred, turns
from lstmadvisor.extract.pytorch.parameters import GATES, Parameters, Target, kind_of
from lstmadvisor.extract.pytorch.torch_ops import constant, last, terms
from lstmadvisor.facts import ABSENT, Initialization, Place, Unknown
from lstmadvisor.facts import Value as Fact

_METHODS = {
    "fill_": "constant",
    "zero_": "zeros",
    "uniform_": "uniform",
    "normal_": "normal",
    "copy_": "copy",
    "set_": "copy",
}
_SCHEMES = {
    "zeros": "zeros",
    "ones": "ones",
    "constant": "constant",
    "uniform": "uniform",
    "normal": "normal",
    "eye": "eye",
    "dirac": "dirac",
    "xavier_uniform": "xavier_uniform",
    "xavier_normal": "xavier_normal",
    "kaiming_uniform": "kaiming_uniform",
    "kaiming_normal": "kaiming_normal",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
    "trunc_normal": "truncated_normal",
}
_MAKERS = {"zeros": 0.0, "zeros_like": 0.0, "ones": 1.0, "ones_like": 1.0}


@dataclass(eq=False, slots=True)
class Event:
    """One act that writes values into parameters."""

    term: Term
    targets: list[Target]
    scheme: str
    scale: Fact
    values: list[tuple[Value | None, float | None]] | None
    """what is written one after the other: how much of the first axis (None: all of it, or one gate of several), and
    the number; None where it is random or not known"""
    adds: bool = False
    random: bool = False


class Initialisations:
    """All initialisations of a run in order."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.parameters = Parameters(run)
        self.unresolved: list[Term] = []
        self.states: list[Event] = []
        self._applied = _first_applications(run)
        self.events = list(self._events())

    def _events(self) -> Iterator[Event]:
        for term in self.run.trace:
            if not _writes(term) or any(turns(term)):
                continue
            found = self.parameters.targets(_written(term), term)
            if found is None:
                if _is_made(_written(term)):
                    self.states.extend(e for e in [self._event(term)] if e is not None)
                elif term.op == "call" or (isinstance(_written(term), Term) and _looks_like_parameter(_written(term))):
                    self.unresolved.append(term)
                continue
            found = [
                t for t in found if t.layer is None or term.serial < self._applied.get(id(t.layer), term.serial + 1)
            ]
            if term.op == "setitem":
                rows = isinstance(term.base, Term) and term.base.name in ("view", "reshape")
                found = [self.parameters.cut(t, term.args[0], rows) for t in found]
            event = self._event(term) if found and not _uses_gradient(term) else None
            if event is not None:
                event.targets = found
                yield event

    def _event(self, term: Term) -> Event | None:
        if term.op == "call":
            return _by_function(term)
        if term.op == "method" and term.name == "copy_" and term.args:
            return self._by_assignment(term, term.args[0])
        if term.op == "method":
            return _by_method(term)
        return self._by_assignment(term, term.args[-1])

    def _by_assignment(self, term: Term, value: Value) -> Event:
        adds = isinstance(value, Term) and value.op == "binop" and value.name == "+="
        if adds and isinstance(value, Term):
            value = value.args[1]
        if self.parameters.targets(value, term):
            return Event(term, [], "tied", ABSENT, None)
        number = _number(value)
        if number is not None:
            return Event(
                term,
                [],
                "constant",
                fact(value) if isinstance(value, Const) else inferred(number, place(term.at)),
                [(None, number)],
                adds,
            )
        pieces = self._pieces(value)
        if pieces is not None:
            return Event(term, [], "constant", Unknown(unknown="several values"), pieces)
        made = next((t for t in terms(value) for t in [_inner(t)]), None)
        scheme = "copy"
        if made is not None and last(made.name) in ("randn", "randn_like", "rand", "normal"):
            scheme = "uniform" if last(made.name) == "rand" else "normal"
        return Event(term, [], scheme, Unknown(unknown="depends on data"), None, random=scheme != "copy")

    @staticmethod
    def _pieces(value: Value) -> list[tuple[Value | None, float | None]] | None:
        """The values of `torch.cat((zeros(n), ones(n), zeros(2 * n)))`, with their lengths."""
        for term in terms(value):
            term = _inner(term)
            if (
                term.op == "call"
                and last(term.name) in ("cat", "concat", "concatenate", "hstack")
                and term.args
                and isinstance(term.args[0], Seq)
            ):
                return [(_length(item), _number(item)) for item in term.args[0].items]
        return None

    # -- facts --------------------------------------------------------------------------------------

    def facts(self) -> tuple[Initialization, ...]:
        """Every initialisation, one for each kind of parameter that it reaches."""
        out: dict[object, Initialization] = {}
        for event in self.events:
            at = place(event.term.at)
            for target in dict.fromkeys(_target_name(t) for t in event.targets):
                key = (target, event.scheme, _key(at))
                if key not in out or (event.term.scope.active and not out[key].active):
                    out[key] = Initialization(
                        target=inferred(target, at),
                        scheme=inferred(event.scheme, at),
                        scale=event.scale,
                        of=self._looped_over(event) if target == "recurrent-bias" else ABSENT,
                        at=at,
                        active=event.term.scope.active,
                    )
        found = list(out.values())
        active = {_key(i.at) for i in found if i.active}
        out = {i: f for i, f in enumerate(found) if f.active or _key(f.at) not in active}
        for event in sorted(self.states, key=lambda e: not e.term.scope.active):
            if event.scheme in ("constant", "zeros", "ones", "copy"):
                continue
            at = place(event.term.at)
            out.setdefault(
                ("state", _key(at)),
                Initialization(
                    target=inferred("state", at),
                    scheme=inferred(event.scheme, at),
                    scale=event.scale,
                    at=at,
                    active=event.term.scope.active,
                ),
            )
        return tuple(out.values())

    def _looped_over(self, event: Event) -> Fact:
        """The layer in `for name, p in layer.named_parameters()`, where every turn writes to LSTMs only."""
        node = event.term.at.node
        alike = [t for each in self.events if each.term.at.node is node for t in each.targets]
        loop = event.term.scope.loops[-1][0].spot if event.term.scope.loops else None
        header = loop.node.iter if loop is not None and isinstance(loop.node, cst.For) else None
        called = header.func if isinstance(header, cst.Call) else None
        if (
            loop is not None
            and loop.module is not None
            and loop.module is event.term.at.module
            and isinstance(called, cst.Attribute)
            and called.attr.value in ("named_parameters", "parameters")
            and all(kind_of(target.layer) == "LSTM" for target in alike)
        ):
            return inferred(loop.module.tree.code_for_node(called.value), place(loop))
        return Unknown(unknown="it is not written in a loop over the parameters of the layer", at=place(event.term.at))


def _writes(term: Term) -> bool:
    """Whether an act writes values into a tensor."""
    if term.op == "call":
        return term.name.startswith("torch.nn.init.")
    if term.op == "method":
        return term.name in _METHODS
    if term.op == "setattr":
        return term.name in ("data", "weight", "bias") or term.name.startswith(("weight_", "bias_"))
    return term.op == "setitem"


def _uses_gradient(term: Term) -> bool:
    """Whether what is written is computed from a gradient: an optimizer step by hand."""
    given = term.args[-1] if term.op != "call" and term.args else None
    return any(isinstance(v, Term) and v.op == "attr" and v.name == "grad" for v in walk(given, 60))


def _first_applications(run: Run) -> dict[int, int]:
    """By id of a layer's constructor call: when it is first applied; what is written later is no initialisation."""
    out: dict[int, int] = {}
    for term in run.trace:
        if term.op == "apply" and term.base is not None and term.scope.active:
            layer = term.base.term if isinstance(term.base, Instance) else term.base
            out.setdefault(id(layer), term.serial)
    return out


def _target_name(target: Target) -> str:
    kind = kind_of(target.layer)
    if kind in GATES:
        if target.name.startswith("bias"):
            forget = kind == "LSTM" and target.part == (Fraction(1), Fraction(2))
            return "forget-bias" if forget else "recurrent-bias"
        return "recurrent-weights" if target.name.startswith("weight_hh") else "input-weights"
    what = "bias" if target.name.startswith("bias") else "weights"
    if kind in ("Linear", "Bilinear", "LazyLinear"):
        return f"dense-{what}"
    if kind.startswith("Embedding"):
        return "embedding" if target.known else "embedding-rows"
    if kind.startswith("Conv"):
        return f"convolution-{what}"
    if "Norm" in kind:
        return f"normalization-{what}"
    return "parameter" if target.layer is None and target.known else what


def _by_function(term: Term) -> Event | None:
    name = last(term.name).rstrip("_")
    scheme = _SCHEMES.get(name)
    if scheme is None:
        return None
    at = place(term.at)
    if scheme == "constant":
        value = term.argument("val", 1)
        return Event(term, [], scheme, fact(value), [(None, _number(value))] if _number(value) is not None else None)
    if scheme in ("zeros", "ones"):
        number = 0.0 if scheme == "zeros" else 1.0
        return Event(term, [], scheme, inferred(number, at), [(None, number)])
    scale: Fact
    if scheme == "uniform":
        scale = fact(term.argument("b", 2, Const(1.0, "default")))
    elif scheme in ("normal", "truncated_normal"):
        scale = fact(term.argument("std", 2, Const(1.0, "default")))
    elif scheme in ("xavier_uniform", "xavier_normal", "orthogonal"):
        scale = fact(term.argument("gain", 1, Const(1.0, "default")))
    else:
        scale = ABSENT
    return Event(term, [], scheme, scale, None, random=True)


def _by_method(term: Term) -> Event:
    scheme = _METHODS[term.name]
    at = place(term.at)
    if scheme == "zeros":
        return Event(term, [], scheme, inferred(0.0, at), [(None, 0.0)])
    if scheme == "constant":
        value = term.argument("value", 0)
        return Event(term, [], scheme, fact(value), [(None, _number(value))] if _number(value) is not None else None)
    if scheme == "uniform":
        return Event(term, [], scheme, fact(term.argument("to", 1, Const(1.0, "default"))), None, random=True)
    if scheme == "normal":
        return Event(term, [], scheme, fact(term.argument("std", 1, Const(1.0, "default"))), None, random=True)
    return Event(term, [], scheme, Unknown(unknown="depends on data"), None)


def _written(term: Term) -> Value | None:
    """What an act writes into."""
    if term.op == "call":
        return term.args[0] if term.args else term.kwargs.get("tensor")
    if term.op == "setattr" and term.name != "data" and isinstance(term.base, Term):
        return Term("attr", term.name, term.base, [], {}, term.at, term.scope)
    return term.base


def _inner(term: Term) -> Term:
    """The tensor inside `Parameter(…)`, `.to(…)`, `.data` and the like."""
    for _ in range(6):
        following: Value | None = None
        if term.op == "call" and last(term.name) in ("Parameter", "Variable", "FloatTensor", "tensor") and term.args:
            following = term.args[0]
        elif (
            term.op in ("method", "attr")
            and term.name in ("to", "cuda", "float", "data", "clone", "detach", "fill_", "type", "double")
            and term.name != "fill_"
        ):
            following = term.base
        if not isinstance(following, Term):
            return term
        term = following
    return term


def _number(value: Value | None) -> float | None:
    """The one number that a value consists of: a constant, or a tensor full of it."""
    number = constant(value)
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        return float(number)
    found = [_of_maker(_inner(t)) for t in terms(value)]
    return found[0] if len(found) == 1 else None


def _length(value: Value) -> Value | None:
    """How long a vector is that was just made."""
    for term in terms(value):
        term = _inner(term)
        if term.op == "call" and last(term.name) in _MAKERS and term.args:
            return term.args[0]
    return None


def _of_maker(term: Term) -> float | None:
    name = last(term.name)
    if term.op == "call" and name in _MAKERS:
        return _MAKERS[name]
    if term.op == "method" and name in ("new_zeros", "zero_"):
        return 0.0
    if term.op == "method" and name == "new_ones":
        return 1.0
    if term.op == "method" and name == "fill_" and term.args:
        return _number(term.args[0])
    if term.op == "call" and name in ("full", "full_like") and len(term.args) > 1:
        return _number(term.args[1])
    if term.op == "binop" and term.name == "*" and len(term.args) == 2:
        left, right = _number(term.args[0]), _number(term.args[1])
        return left * right if left is not None and right is not None else None
    return None


def _is_made(value: Value | None) -> bool:
    """Whether a tensor was just made: a state, a mask, a decoder's first input."""
    return any(
        t.op in ("call", "method")
        and last(_inner(t).name)
        in (
            "zeros",
            "empty",
            "ones",
            "randn",
            "rand",
            "new_zeros",
            "new_empty",
            "Tensor",
            "FloatTensor",
            "tensor",
            "zeros_like",
            "LongTensor",
        )
        for t in terms(value)
    )


def _looks_like_parameter(value: Value | None) -> bool:
    return any(t.op == "attr" and (t.name == "data" or t.name.startswith(("weight", "bias"))) for t in terms(value))


def _key(at: Place | None) -> tuple[object, ...]:
    return (at.path, at.cell, at.line, at.column) if at is not None else ()


__all__ = ["Event", "Initialisations"]
