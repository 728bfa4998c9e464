"""What a program trains on: the loop that trains, the loader in it, the input of the recurrent layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lstmadvisor.extract.abstract.frameworks import RECURRENT_TORCH
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    Function,
    Instance,
    Loop,
    Map,
    Range,
    Seq,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import turns

CELLS = frozenset(("torch.nn.LSTMCell", "torch.nn.GRUCell", "torch.nn.RNNCell"))
_TRAINING = frozenset(("backward", "manual_backward"))
_LOADERS = frozenset(
    (
        "DataLoader",
        "BucketIterator",
        "BPTTIterator",
        "Iterator",
        "DataListLoader",
        "StatefulDataLoader",
        "MultiEpochsDataLoader",
    )
)
_SPLITS = frozenset(("splits", "iters"))
MOST_STEPS = 20_000


@dataclass(eq=False)
class Feed:
    """One act of training (a `backward`) and what it is computed from."""

    act: Term
    sources: list[Value] = field(default_factory=list)
    """everything the loss was computed from, nearest first"""
    loops: list[Loop] = field(default_factory=list)
    """the loops around, innermost first"""
    stored: dict[int, list[Value]] = field(default_factory=dict)
    """what was stored into arrays"""
    recurrent: list[Term] = field(default_factory=list)
    """applications of recurrent layers and cells that the loss depends on"""

    def loaders(self) -> list[Term]:
        """Loaders that the loops around turn over, or that the loss was computed from."""
        around = [t for loop in self.loops for t in walk(loop.iterable) if is_loader(t)]
        found = around or [t for t in self.sources if is_loader(t)]
        return [t for i, t in enumerate(found) if isinstance(t, Term) and t not in found[:i]]


def is_loader(value: Value | None) -> bool:
    """Whether a value hands out batches: a DataLoader, an iterator of torchtext."""
    if not isinstance(value, Term):
        return False
    if value.op == "call":
        last = value.name.rsplit(".", 1)[-1]
        return last in _LOADERS or (last in _SPLITS and "torchtext" in value.name and _has_batch_size(value))
    return value.op == "method" and value.name in _SPLITS and _has_batch_size(value)


def _has_batch_size(term: Term) -> bool:
    return bool({"batch_size", "batch_sizes"} & set(term.kwargs))


def recurrent_kind(term: Term) -> str:
    """The library class of the recurrent layer that is applied; empty if it is something else."""
    layer = term.base
    if isinstance(layer, Instance):
        layer = layer.term
    for each in options(layer):
        if isinstance(each, Term) and each.op == "call" and each.name in RECURRENT_TORCH:
            return each.name
    return ""


def written(run: Run) -> dict[int, list[Value]]:
    """What was stored into each value with `value[…] = x`, `value.copy_(x)` or `value.append(x)`."""
    out: dict[int, list[Value]] = {}
    for term in run.trace:
        if term.base is None or not term.args:
            continue
        if term.op == "setitem" or (
            term.op == "method" and term.name in ("copy_", "append", "extend", "fill_", "index_copy_", "scatter_")
        ):
            out.setdefault(id(term.base), []).append(term.args[-1])
    return out


def upstream(value: Value | None, stored: dict[int, list[Value]], limit: int = MOST_STEPS) -> list[Value]:
    """Everything that a value was computed from, what was stored into arrays included, nearest first."""
    seen: set[int] = set()
    out: list[Value] = []
    queue: list[Value] = [] if value is None else [value]
    while queue and len(out) < limit:
        ahead: list[Value] = []
        for here in queue:
            if id(here) not in seen:
                seen.add(id(here))
                out.append(here)
                ahead.extend(inputs(here))
                ahead.extend(stored.get(id(here), ()))
        queue = ahead
    return out


def inputs(value: Value) -> Iterator[Value]:
    """What a value was computed from directly."""
    if isinstance(value, Term):
        if value.base is not None:
            yield value.base
        yield from value.args
        yield from value.kwargs.values()
        if value.result is not None:
            yield value.result
    elif isinstance(value, Seq):
        yield from value.items
    elif isinstance(value, Map):
        yield from value.entries.values()
    elif isinstance(value, Choice):
        yield from value.options
    elif isinstance(value, Range):
        yield from (value.start, value.stop)


def feeds(run: Run) -> list[Feed]:
    """The acts of training on the way that the defaults take, those that train a recurrent layer first."""
    acts = [t for t in run.trace if t.op == "method" and t.name in _TRAINING and t.scope.active and not any(turns(t))]
    acts = acts or [t for t in run.trace if t.op == "method" and t.name in _TRAINING and t.scope.active]
    out: list[Feed] = []
    seen: set[int] = set()
    stored = written(run)
    for act in acts:
        if id(act.at.node) in seen:
            continue
        seen.add(id(act.at.node))
        sources = upstream(act, stored)
        loops = [loop for loop, _ in reversed(act.scope.loops)]
        applied = [s for s in sources if isinstance(s, Term) and s.op == "apply" and recurrent_kind(s)]
        out.append(Feed(act, sources, loops, stored, applied))
    return sorted(out, key=lambda f: not f.recurrent)


def frames_of(term: Term) -> Iterator[Function]:
    """The user's functions around a term, innermost first."""
    for frame in reversed(term.scope.frames):
        yield frame.function


def first_layers(applied: Iterable[Term]) -> list[Term]:
    """The recurrent applications that read no other recurrent layer's output."""
    out: list[Term] = []
    for term in applied:
        given = [*term.args, *term.kwargs.values()]
        before = (
            v
            for g in given
            for v in walk(g)
            if isinstance(v, Term) and v.op == "apply" and v.at.node is not term.at.node
        )
        if not any(recurrent_kind(v) for v in before):
            out.append(term)
    return out


def time_major(layer: Term | None) -> bool | None:
    """Whether a PyTorch layer reads time first; None where that is not known."""
    if layer is None:
        return None
    first = layer.argument("batch_first", 4, Const(False))
    return not first.value if isinstance(first, Const) and isinstance(first.value, bool) else None


def layer_of(term: Term) -> Term | None:
    """The library layer that is applied."""
    layer = term.base.term if isinstance(term.base, Instance) else term.base
    return next((o for o in options(layer) if isinstance(o, Term)), None)
