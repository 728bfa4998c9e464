"""The edges between the layers of a PyTorch model: which feeds which, and through what."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Instance, Seq, Term, Value, options
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.pytorch.neighbours import Neighbours
from lstmadvisor.extract.pytorch.results import first_and_last
from lstmadvisor.extract.pytorch.torch_ops import (
    RECURRENT,
    activation_of,
    applied_module,
    input_of,
    is_dropout,
    is_normalization,
    last,
)
from lstmadvisor.facts import Edge, Place

_NODES = (
    "Linear",
    "LazyLinear",
    "Bilinear",
    "Embedding",
    "EmbeddingBag",
    "MultiheadAttention",
    "TransformerEncoderLayer",
)
_RESHAPES = frozenset("view reshape flatten transpose permute squeeze unsqueeze swapaxes contiguous t".split())
_POOLS = frozenset("mean sum max amax".split())
_OPERATIONS = frozenset(
    "clamp clamp_min clamp_max clip maximum minimum where pow square abs sin cos exp log sqrt rsqrt erf sign mul div "
    "sub multiply divide subtract".split()
)
_ORDER = (
    "pooling", "concatenation", "normalization", "dropout", "activation", "operation", "selection", "reshape", "direct",
)  # fmt: skip


def edges(around: Neighbours) -> tuple[Edge, ...]:
    """Edges between layers that hold parameters."""
    out: dict[object, Edge] = {}
    for applied in around.applied.values():
        for term in first_and_last(applied):
            if not is_node(term) or not term.scope.active:
                continue
            for source, through in _behind(term):
                start, end = _at(around, source), _at(around, term)
                via = next((name for name in _ORDER if name in through), "direct")
                key = (_key(start), _key(end), via)
                if key not in out and start != end:
                    out[key] = Edge(
                        from_=start, to=end, via=inferred(via), skip=inferred("addition" in through), at=place(term.at)
                    )
    return tuple(out.values())


def is_node(term: Term) -> bool:
    """Whether a term applies a layer that holds parameters."""
    base = term.base.term if isinstance(term.base, Instance) else term.base
    if not isinstance(base, Term) or base.op != "call":
        return False
    name = applied_module(term)
    return base.name in RECURRENT or name in _NODES or name.startswith("Conv")


def _at(around: Neighbours, term: Term) -> Place | None:
    base = term.base
    instance = base if isinstance(base, Instance) else around.modules.instance_of(base)
    if instance is not None and instance.at is not None:
        return place(instance.at)
    return place(base.at) if isinstance(base, Term) else None


def _behind(term: Term) -> Iterator[tuple[Term, frozenset[str]]]:
    """The layers whose results an application reads, with the kinds of operations between."""
    given = [*term.args, *term.kwargs.values()]
    queue: list[tuple[Value, frozenset[str]]] = [(g, frozenset()) for g in given]
    seen = {id(g) for g in given}
    for here, through in queue:
        following: list[Value] = []
        if isinstance(here, Term):
            if here.op == "apply" and is_node(here):
                yield here, through
                continue
            kind = _kind(here)
            through = through | {kind} if kind else through
            if here.op == "item" and isinstance(here.base, Term) and here.base.op in ("elem", "param"):
                continue
            following = _inputs(here)
        elif isinstance(here, Seq):
            following = list(here.items)
        elif not isinstance(here, Const):
            following = [o for o in options(here) if o is not here]
        for each in following:
            if id(each) not in seen and len(seen) < 150:
                seen.add(id(each))
                queue.append((each, through))


def _inputs(term: Term) -> list[Value]:
    if term.op == "binop" or (
        term.op == "call" and last(term.name) in ("cat", "stack", "bmm", "matmul", "add", "mul", "where", "einsum")
    ):
        return list(term.args)
    if term.op == "apply" and term.result is not None:
        return [term.result]
    if term.op in ("elem", "comp"):
        return [*([term.base] if term.base is not None else []), *term.args]
    found = input_of(term)
    return [] if found is None else [found]


def _kind(term: Term) -> str:
    name = applied_module(term) if term.op == "apply" else last(term.name)
    if activation_of(term):
        return "activation"
    if is_dropout(name):
        return "dropout"
    if is_normalization(name):
        return "normalization"
    if name in ("cat", "concat", "concatenate", "hstack"):
        return "concatenation"
    if term.op == "binop":
        return "addition" if term.name in ("+", "+=") else "operation"
    if name in _OPERATIONS or (term.op == "apply" and term.result is None and not _moves_axes(name)):
        return "operation"
    if "pool" in name.lower() or (term.op in ("method", "call") and name in _POOLS):
        return "pooling"
    if term.op == "item" and isinstance(term.args[0], Seq):
        return "selection"
    return "reshape" if name in _RESHAPES else ""


def _moves_axes(name: str) -> bool:
    """Whether a module leaves numbers as they are."""
    return name in ("Flatten", "Unflatten", "Identity") or "pool" in name.lower()


def _key(at: Place | None) -> object:
    return (at.path, at.cell, at.line, at.column) if at is not None else None


__all__ = ["edges", "is_node"]
