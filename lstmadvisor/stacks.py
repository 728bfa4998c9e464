"""How deep recurrent layers are stacked, read off the facts of a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lstmadvisor.facts import Edge, Known, Place, Program, RecurrentLayer, items, known, plain

_STRAIGHT = frozenset(("direct", "dropout", "normalization", "activation"))


class Stack(NamedTuple):
    """Recurrent layers of which each reads every step of the one before."""

    depth: int
    layers: tuple[RecurrentLayer, ...]
    """in order; one item for an `nn.LSTM` of several layers"""
    skips: bool
    """whether a skip connection leads past one of them"""


def stacks(program: Program) -> tuple[Stack, ...]:
    """The stacks of a program's active layers, the deepest first; encoder and decoder are two."""
    nodes: dict[Place, list[RecurrentLayer]] = {}
    for layer in items(program.recurrent_layers):
        if layer.active and layer.at is not None and not str(plain(layer.kind)).startswith("Conv"):
            nodes.setdefault(layer.at, []).append(layer)
    edges = [edge for edge in items(program.graph) if edge.active]
    after = {at: _next(at, nodes, edges) for at in nodes if _gives_every_step(nodes[at][0])}
    starts = [at for at in nodes if not any(at in ends for start, ends in after.items() if start != at)]
    found = [_stack(way, nodes, edges) for start in starts for way in _ways(start, after)]
    return tuple(sorted((stack for stack in found if stack is not None), key=lambda stack: -stack.depth))


def _gives_every_step(layer: RecurrentLayer) -> bool:
    """Whether all that is read of a layer are its steps, so that what follows is stacked upon it."""
    if plain(layer.return_sequences, True) is not True:
        return False
    reads = {plain(read.what) for read in items(layer.reads)}
    return reads == {"all-steps"} or not known(layer.reads)


def _next(at: Place, nodes: dict[Place, list[RecurrentLayer]], edges: list[Edge]) -> set[Place]:
    """The recurrent layers that read a layer, past dropout and the like (whose places Keras gives)."""
    out: set[Place] = set()
    queue, seen = [at], {at}
    for here in queue:
        for edge in edges:
            if edge.from_ != here or edge.to is None or not _straight(edge):
                continue
            if edge.to in nodes:
                out.add(edge.to)
            elif edge.to not in seen and known(nodes[at][0].return_sequences):
                seen.add(edge.to)
                if len({other.from_ for other in edges if other.to == edge.to}) == 1:
                    queue.append(edge.to)
    return out


def _straight(edge: Edge) -> bool:
    return (isinstance(edge.via, Known) and edge.via.via == "absent") or plain(edge.via) in _STRAIGHT


def _ways(start: Place, after: dict[Place, set[Place]], before: tuple[Place, ...] = ()) -> Iterable[tuple[Place, ...]]:
    """The ways through the layers that follow one another, without turning back."""
    way = (*before, start)
    following = [at for at in after.get(start, ()) if at not in way]
    if not following or len(way) > 30:
        yield way
    for at in following:
        yield from _ways(at, after, way)


def _stack(way: tuple[Place, ...], nodes: dict[Place, list[RecurrentLayer]], edges: list[Edge]) -> Stack | None:
    """The stack of a way; None where one of its depths is not known."""
    layers: list[RecurrentLayer] = []
    depth = 0
    for at in way:
        here = nodes[at]
        if known(here[0].return_sequences) and len(way) == 1:
            layers.extend(here if _next(at, nodes, edges) == {at} else here[:1])
            depth = len(layers)
            continue
        count = plain(here[0].num_layers, 1 if known(here[0].return_sequences) else None)
        if not isinstance(count, int):
            return None
        layers.append(here[0])
        depth += count
    skips = any(plain(edge.skip) is True and (edge.from_ in way or edge.to in way) for edge in edges)
    return Stack(depth, tuple(layers), skips)
