"""Dropouts and normalisations of PyTorch models, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Class, Const, Instance, Seq, Term, Value, options
from lstmadvisor.extract.common import argument, bound_name, fact, first_turns, inferred, stands_alone
from lstmadvisor.extract.pytorch.made import Made
from lstmadvisor.extract.pytorch.neighbours import Neighbours, applied_before, same_layer
from lstmadvisor.extract.pytorch.results import first_and_last
from lstmadvisor.extract.pytorch.torch_ops import (
    DENSE,
    constant,
    constructor,
    is_dropout,
    is_normalization,
    is_recurrent,
    last,
    module_name,
)
from lstmadvisor.facts import ABSENT, Dropout, Normalization, Unknown
from lstmadvisor.facts import Value as Fact
from lstmadvisor.nodes import below


def dropouts(layers: Neighbours) -> tuple[Dropout, ...]:
    """Dropout modules and functional dropouts."""
    out: list[Dropout] = []
    handed = _handed_on(layers)
    for made in layers.modules.made(is_dropout):
        rate = argument(made.term, "p", 0, 0.5)
        item = Dropout(
            rate=rate,
            kind=inferred(made.kind),
            position=_position(layers, made),
            on_state=inferred(next((handed[id(use)] for use in layers.uses(made) if id(use) in handed), "none")),
            called=inferred(name) if (name := bound_name(made.term)) else ABSENT,
            at=place(made.at),
            active=made.active,
        )
        out.append(item)
    calls = [
        t
        for t in layers.run.trace
        if t.op == "call" and t.name.startswith("torch.") and is_dropout(last(t.name)) and last(t.name)[:1].islower()
    ]
    for term in first_turns(sorted(calls, key=lambda t: not t.scope.active)):
        training = term.argument("training", 2)
        rate = argument(term, "p", 1, 0.5)
        active = term.scope.active and constant(training) is not False
        item = Dropout(
            rate=rate,
            kind=inferred(last(term.name)),
            position=_position_of(layers, term),
            on_state=inferred(handed.get(id(term), "none")),
            alone=inferred(stands_alone(term)),
            at=place(term.at),
            active=active,
        )
        if item not in out:
            out.append(item)
    out.extend(_by_hand(layers))
    return tuple(out)


def _handed_on(layers: Neighbours) -> dict[int, str]:
    """The values that a cell takes as its state and that come from the same cell, one step before."""
    out: dict[int, str] = {}
    for cell in layers.run.trace:
        if cell.op != "apply" or not is_recurrent(cell.base) or not last(constructor(cell.base).name).endswith("Cell"):
            continue
        lstm = last(constructor(cell.base).name) == "LSTMCell"
        for given in options(cell.argument("hx", 1)):
            states = given.items[:2] if lstm and isinstance(given, Seq) else [] if lstm else [given]
            for kind, state in zip(("output", "memory") if lstm else ("memory",), states, strict=False):
                for term in _parts(state):
                    before = _parts(term.argument("input", 0))
                    if any(each.op == "apply" and each.base is cell.base for each in before):
                        out[id(term)] = kind
    return out


def _parts(value: Value | None) -> Iterator[Term]:
    """The terms that a value may be, or that it is a tuple or a selection of."""
    queue = [] if value is None else [value]
    for here in queue:
        for each in options(here) if len(queue) < 50 else ():
            if isinstance(each, Seq):
                queue.extend(each.items)
            elif isinstance(each, Term):
                yield each
                if each.op == "item" and each.base is not None:
                    queue.append(each.base)


def _by_hand(layers: Neighbours) -> Iterator[Dropout]:
    """Dropouts that the program writes itself: modules called so, which draw a mask with `bernoulli_`."""
    masks = [t for t in layers.run.trace if last(t.name) in ("bernoulli_", "bernoulli") and t.op in ("call", "method")]
    seen: set[object] = set()
    for mark in first_turns(t for t in layers.run.trace if t.op == "enter"):
        if not isinstance(mark.base, Instance) or "dropout" not in mark.base.cls.name.lower() or mark.result is None:
            continue
        inside = [m for m in masks if any(f.function.owner is mark.base.cls for f in m.scope.frames)]
        if not inside:
            continue
        own = next((m for m in inside if m.serial > mark.serial), inside[0])
        item = Dropout(
            rate=_dropped(own),
            kind=inferred(mark.base.cls.name),
            position=_position_of(layers, mark.result),
            at=place(mark.at),
            active=mark.scope.active,
        )
        if repr(item) not in seen:
            seen.add(repr(item))
            yield item


def _dropped(mask: Term) -> Fact:
    """The rate of a mask that keeps each element with `1 - rate`."""
    kept = mask.args[0] if mask.op == "method" and mask.args else None
    if isinstance(kept, Const) and isinstance(kept.value, (int, float)):
        if isinstance(kept.root, Const) and round(kept.root.value + kept.value, 9) == 1:
            return fact(kept.root)
        return inferred(round(1 - kept.value, 12), place(kept.at))
    if isinstance(kept, Term) and kept.op == "binop" and kept.name == "-" and constant(kept.args[0]) == 1:
        return fact(kept.args[-1])
    return Unknown(unknown="the mask is not understood", at=place(mask.at))


def _position(layers: Neighbours, made: Made) -> Fact:
    """Where a dropout module stands."""
    uses = first_and_last(layers.uses(made))
    if not uses:
        return _unused(layers, made)
    found = [_position_of(layers, u) for u in uses]
    for name in ("output", "between", "pre-output", "head", "input"):
        for each in found:
            if getattr(each, "value", None) == name:
                return each
    return found[0]


def _unused(layers: Neighbours, made: Made) -> Fact:
    owner = made.owner
    if owner is None or owner.open or not made.active:
        return Unknown(unknown="where it is applied is not seen")
    if not any(t.op == "enter" and isinstance(t.base, Instance) and t.base.cls is owner.cls for t in layers.run.trace):
        return Unknown(unknown="the model is never applied")
    if "." in made.name or layers.flow.users(made.term) or _mentioned(layers, owner.cls, made.name):
        return Unknown(unknown="where it is applied is not seen")
    return inferred("unused", place(made.at))


def _mentioned(layers: Neighbours, cls: Class, name: str) -> bool:
    """Whether a class, its bases or those derived from it have `self.name` in more places than its assignments."""
    related = [c for c in layers.run.classes if cls in layers.run.lineage(c) or c in layers.run.lineage(cls)]
    return any(_reads(each.node, name) for each in related)


def _reads(node: cst.CSTNode, name: str) -> bool:
    targets: set[int] = set()
    queue: list[cst.CSTNode] = [node]
    for here in queue:
        if isinstance(here, (cst.AssignTarget, cst.AnnAssign)):
            targets.add(id(here.target))
        elif isinstance(here, cst.Attribute) and here.attr.value == name and id(here) not in targets:
            return True
        queue.extend(below(here))
    return False


def _position_of(layers: Neighbours, term: Value) -> Fact:
    ahead = list(layers.following(term))
    behind = layers.upstream(term)
    recurrent = [t for t in ahead if is_recurrent(t.base)]
    if not behind:
        if recurrent or not ahead:
            return inferred("input") if recurrent else Unknown(unknown="where its result goes is not seen")
    elif [t for t in recurrent if not same_layer(t, term)]:
        return inferred("between")
    dense = [t for t in ahead if module_name(t.base) in DENSE]
    if dense:
        return inferred(
            "pre-output" if any(layers.outputs.is_last(t) or not list(layers.following(t)) for t in dense) else "head"
        )
    if layers.outputs.is_output(term):
        headed = any(layers.outputs.is_last(t) and module_name(t.base) in DENSE for t in applied_before(term))
        return inferred("output" if headed else "pre-output")
    return Unknown(unknown="where its result goes is not seen")


def normalizations(layers: Neighbours) -> tuple[Normalization, ...]:
    """Layer, batch and weight normalisations."""
    out: list[Normalization] = []
    for made in layers.modules.made(is_normalization):
        kind = (
            "batch"
            if "BatchNorm" in made.kind
            else "layer"
            if made.kind in ("LayerNorm", "RMSNorm")
            else made.kind.lower()
        )
        uses = layers.uses(made)
        position = _position_of(layers, uses[0]) if uses else Unknown(unknown="it is never applied")
        item = Normalization(kind=inferred(kind), position=position, at=place(made.at), active=made.active)
        out.append(item)
    for term in first_turns(
        t for t in layers.run.trace if t.op == "call" and last(t.name) in ("weight_norm", "spectral_norm", "layer_norm")
    ):
        kind = (
            "layer" if last(term.name) == "layer_norm" else "weight" if last(term.name) == "weight_norm" else "spectral"
        )
        out.append(Normalization(kind=inferred(kind), at=place(term.at), active=term.scope.active))
    return tuple(out)
