"""How many time steps the recurrent layers read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Loop, Range, Seq, Term, Value
from lstmadvisor.extract.common import Fact, calls, fact
from lstmadvisor.extract.data.feeds import CELLS, Feed, first_layers, layer_of, recurrent_kind, time_major
from lstmadvisor.extract.data.fits import Fit, Lengths
from lstmadvisor.extract.shapes.dims import integer, number
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.extract.shapes.tables import Dim
from lstmadvisor.facts import Unknown
from lstmadvisor.patterns import regex

_LIMIT = regex(
    r"(^|_)max_?(seq\w*_?|sent\w*_?|text_?|token_?|src_?|input_?)?len(gth)?$|^(seq|sequence)_?len(gth)?$|_maxlen$|^maxlen$",
    re.I,
)
"""Names of numbers that sequences are cut at, or that longer ones are left out by."""
_LENGTH_ARGUMENTS = {
    # functions that cut or fill sequences: name → (keyword, position)
    "pad_sequences": ("maxlen", 1),
    "TextVectorization": ("output_sequence_length", None),
    "timeseries_dataset_from_array": ("sequence_length", 2),
    "TimeseriesGenerator": ("length", 2),
    "Field": ("fix_length", None),
    "BPTTIterator": ("bptt_len", None),
}


def sequence_length(run: Run, found: list[Feed], fits: list[Fit], shapes: Shapes) -> Fact:
    """The number of time steps of one training sequence, the most where it varies."""
    keras = Lengths(run, shapes)
    sizes = list(_of_feeds(found, shapes)) or [d for fit in fits for d in keras.of_fit(fit)]
    known = _numbers(sizes)
    if sizes and len(known) == len(sizes):
        return _written(_longest(known))
    declared = _numbers([keras.declared_steps(fit) for fit in fits[-1:]])
    if declared and not known:
        return _written(declared[0])
    named = list(_named(run, shapes))
    if named and len({c.value for c in named}) == 1:
        return _written(named[0])
    if known and not named and len({c.value for c in known}) == 1:
        return _written(known[0])
    limits = [c for c in run.limits if number(c) and c.value > 1 and _LIMIT.search(c.name)]
    if limits and not known and not named and len({c.value for c in limits}) == 1:
        return _written(limits[0])
    return Unknown(unknown="depends on data")


def _numbers(sizes: list[Dim]) -> list[Const]:
    return [s for s in sizes if isinstance(s, Const) and number(s)]


def _longest(sizes: list[Const]) -> Const:
    """The largest size; of equal ones the last that is written down rather than counted."""
    most = max(c.value for c in sizes)
    equal = [c for c in sizes if c.value == most]
    return next((c for c in reversed(equal) if c.via != "arithmetic"), equal[-1])


def _written(size: Const) -> Fact:
    """A size as a fact; a size that is a written number less or plus one or two points to that number."""
    root = size.root
    if root is not None and number(root) and 0 < abs(root.value - size.value) <= 2 and root.at is not None:
        return fact(Const(size.value, size.via, root.at))
    return fact(size)


# -- PyTorch -----------------------------------------------------------------------------------------


def _of_feeds(found: list[Feed], shapes: Shapes) -> Iterator[Dim]:
    for feed in found:
        if feed.recurrent:
            places: set[int] = set()
            for term in first_layers(feed.recurrent):
                if id(term.at.node) not in places:
                    places.add(id(term.at.node))
                    yield steps_read(term, feed, shapes)
            return


def steps_read(term: Term, feed: Feed, shapes: Shapes) -> Dim:
    """The time steps that one application of a recurrent layer (or a loop around it) reads."""
    size: Dim = None
    if recurrent_kind(term) not in CELLS:
        size = input_sizes(term, shapes)[1]
    if size is None or integer(size) == 1:
        around = [loop for loop, _ in term.scope.loops if all(loop is not other for other, _ in feed.act.scope.loops)]
        if around:
            return turns_of(around[-1], shapes)
    return size


def input_sizes(term: Term, shapes: Shapes) -> tuple[Dim, Dim]:
    """Batch size and time steps of what a recurrent PyTorch layer is given."""
    given = term.args[0] if term.args else next(iter(term.kwargs.values()), None)
    if recurrent_kind(term) in CELLS:
        return shapes.axis(given, 0), None
    shape, first = shapes.of(given), time_major(layer_of(term))
    if first is None:
        return None, None
    if shape is not None and len(shape) == 2:
        return None, shape[0]
    zero, one = shapes.axis(given, 0), shapes.axis(given, 1)
    return (one, zero) if first else (zero, one)


def turns_of(loop: Loop, shapes: Shapes) -> Dim:
    """How often a loop turns."""
    iterable = loop.iterable
    if isinstance(iterable, Term) and iterable.name in ("builtins.enumerate", "tqdm.tqdm") and iterable.args:
        iterable = iterable.args[0]
    if isinstance(iterable, Range):
        if number(iterable.count):
            return iterable.count
        start, step = integer(iterable.start), integer(iterable.step)
        return shapes.size(iterable.stop) if start == 0 and step == 1 else None
    if isinstance(iterable, Term) and iterable.op == "method" and iterable.name in ("split", "chunk", "unbind"):
        shape = shapes.of(iterable.base)
        axis = integer(iterable.argument("dim", 0 if iterable.name == "unbind" else 1, Const(0)))
        if shape is not None and axis is not None and -len(shape) <= axis < len(shape):
            one = iterable.name != "split" or integer(iterable.args[0] if iterable.args else None) == 1
            return shape[axis] if one else None
        return None
    shape = shapes.of(iterable)
    if shape:
        return shape[0]
    return loop.count if number(loop.count) else None


# -- settings that cut or fill sequences ---------------------------------------------------------------


def _named(run: Run, shapes: Shapes) -> Iterator[Const]:
    for term in run.trace:
        if not term.scope.active or term.op not in ("call", "method"):
            continue
        last = term.name.rsplit(".", 1)[-1]
        given: Value | None = None
        if last in _LENGTH_ARGUMENTS:
            key, position = _LENGTH_ARGUMENTS[last]
            given = term.argument(key, position)
        elif "bptt_len" in term.kwargs:
            given = term.kwargs["bptt_len"]
        elif "max_length" in term.kwargs and {"truncation", "padding"} & set(term.kwargs):
            given = term.kwargs["max_length"]
        size = shapes.size(given) if given is not None else None
        if isinstance(size, Const) and number(size):
            yield size


__all__ = ["Any", "Choice", "Iterable", "Seq", "calls", "sequence_length"]
