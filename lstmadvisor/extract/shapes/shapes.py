"""Shapes of arrays, tensors and lists that are only partly known.

`Shapes.of(value)` is a tuple of sizes (a `Const` keeps the place where it is written; None is a size
that is not known), or None where not even the number of axes is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Function,
    Instance,
    Map,
    Range,
    Seq,
    Term,
    Value,
)
from lstmadvisor.extract.data.feeds import written
from lstmadvisor.extract.data.pipelines import ask
from lstmadvisor.extract.shapes import layers as shape_layers
from lstmadvisor.extract.shapes import moves as shape_moves
from lstmadvisor.extract.shapes import rules as shape_rules
from lstmadvisor.extract.shapes.axes import axis
from lstmadvisor.extract.shapes.dims import integer
from lstmadvisor.extract.shapes.items import Items
from lstmadvisor.extract.shapes.sizes import DEEPEST, is_frame
from lstmadvisor.extract.shapes.tables import CALLS, LAYERS, METHODS, Dim, Shape


class Shapes(Items):
    """Shapes of the values of one abstract run."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self._known: dict[int, Shape | None] = {}
        self._supposed: dict[int, Shape] = {}
        self._stored: dict[int, list[Value]] | None = None

    def of(self, value: Value | None) -> Shape | None:
        """The shape of a value, or None."""
        if value is None or self._depth > DEEPEST:
            return None
        if id(value) in self._known:
            return self._known[id(value)]
        self._known[id(value)] = None  # a value that depends on itself
        self._kept.append(value)
        self._depth += 1
        try:
            made = self._shape(value)
        finally:
            self._depth -= 1
        self._known[id(value)] = made
        return made

    def axis(self, value: Value | None, number: int) -> Dim:
        """The size of one axis, counted from the front; known now and then where the number of axes is not."""
        return axis(self, value, number)

    def stored_in(self, holder: Value) -> Shape | None:
        """The common shape of what was appended to a container; an unknown one counts as an axis of unknown size."""
        if self._stored is None:
            self._stored = written(self.run)
        inner = [self.of(v) for v in self._stored.get(id(holder), ())]
        return (self.agreed(inner) or (None,)) if inner else None

    def given_by(self, function: Value | None, value: Value) -> Shape | None:
        """The shape of what a user's function makes of a value."""
        return self.of(ask(self.run, function, [value])) if isinstance(function, (Function, Bound)) else None

    def suppose(self, value: Value, shape: Shape) -> None:
        """Take `shape` for the shape of `value`; what was concluded before is forgotten."""
        self._known.clear()
        self._sizes.clear()
        self._kept.append(value)
        self._supposed[id(value)] = shape
        self._known.update(self._supposed)

    def stand_in(self, run: Run, at: Term, shape: Shape) -> Term:
        """A value that has `shape`."""
        made = run.term("param", "input", None, [], at=at.at)
        self._known[id(made)] = shape
        self._kept.append(made)
        return made

    def _shape(self, value: Value) -> Shape | None:
        match value:
            case Const():
                if isinstance(value.value, str):
                    return (Const(len(value.value), "arithmetic", value.at, value),)
                return () if isinstance(value.value, (int, float, bool)) else None
            case Choice():
                return self.agreed([self.of(o) for o in value.options])
            case Seq():
                return self._sequence(value)
            case Map():
                return (None,)
            case Range():
                return (self.size(value.count),)
            case Term():
                return self._term(value)
            case _:
                return None

    def agreed(self, shapes: Sequence[Shape | None]) -> Shape | None:
        """The common shape of several values, sizes that differ left open; None where the numbers of axes differ."""
        if not shapes or any(s is None or len(s) != len(shapes[0] or ()) for s in shapes):
            return None
        columns = zip(*[s for s in shapes if s is not None], strict=True)
        return tuple(column[0] if self.equal(column) else None for column in columns)

    def _sequence(self, value: Seq) -> Shape | None:
        if value.kind == "slice" or not value.items:
            return None if value.kind == "slice" or value.open else (Const(0),)
        counted = not value.open or value.open.startswith("sorted")
        length: Dim = Const(len(value.items), "arithmetic", value.at) if counted else None
        inner = self.agreed([self.of(i) for i in value.items[:12]])
        if inner is None and value.open:
            known = [s for s in (self.of(i) for i in value.items) if s is not None]
            inner = self.agreed(known)
        return (length, *inner) if inner is not None else None

    def _term(self, term: Term) -> Shape | None:
        last = term.name.rsplit(".", 1)[-1]
        match term.op:
            case "call":
                rule = CALLS.get(term.name) or CALLS.get(last)
                return rule(self, term) if rule is not None else None
            case "method":
                rule = METHODS.get(last)
                return rule(self, term) if rule is not None else None
            case "apply":
                return self._applied(term)
            case "attr":
                return self._attribute(term)
            case "item":
                return self._item(term)
            case "elem":
                return self._element(term)
            case "binop":
                return self._operation(term)
            case "comp":
                return self._comprehension(term)
            case _:
                return None

    def _applied(self, term: Term) -> Shape | None:
        layer = term.base
        if isinstance(layer, Instance):
            layer = layer.term
        if isinstance(layer, Term) and layer.op == "call":
            rule = LAYERS.get(layer.name.rsplit(".", 1)[-1])
            if rule is not None:
                return rule(self, term)
        return None

    def _attribute(self, term: Term) -> Shape | None:
        inner = self.of(term.base)
        if term.name in ("values", "data", "real", "iloc", "loc", "grad", "str"):
            return inner
        if term.name == "T" and inner is not None:
            return inner[::-1]
        if term.name == "shape" and inner is not None:
            return (Const(len(inner)),)
        column = term.name[:1].isalpha() and term.name not in ("index", "columns", "dtypes", "size")
        framed = inner is not None and len(inner) == 2 and isinstance(term.base, Term) and is_frame(term.base)
        return (inner[0],) if inner is not None and column and framed else None

    def _comprehension(self, term: Term) -> Shape | None:
        if term.name == "generator" or not term.args:
            return None
        inner = self.of(term.args[0])
        if inner is None:
            return None
        source = self.of(term.base) if _one_each(term) else None
        return (source[0] if source else None, *inner)

    def _element(self, term: Term) -> Shape | None:
        if term.name == "index":
            return ()
        if term.name == "batch" and not term.args and isinstance(term.base, Term):
            return self._of_loader(term.base, 0)
        if term.name == "batch":
            sample = self.of(term.args[0]) if term.args else None
            if sample is None:
                return None
            loader = term.base
            if isinstance(loader, Term) and isinstance(loader.kwargs.get("collate_fn"), Value):
                return sample
            return (self.loader_batch(loader), *sample)
        if term.name == "sample":
            inner = self.of(term.args[0] if term.args else term.base)
            return inner[1:] if inner else None
        if term.name == "batched":
            inner = self.of(term.args[0])
            return (self.size(term.args[1]), *inner) if inner is not None else None
        if term.name == "windowed":
            inner = self.of(term.args[0]) or (None, None)
            return (self.size(term.args[2]), self.size(term.args[1]), *inner[1:])
        base = term.base
        if isinstance(base, Term) and base.op == "method" and base.name in ("split", "chunk", "unbind"):
            return self._piece(base)
        inner = self.of(base)
        return inner[1:] if inner else None

    def _operation(self, term: Term) -> Shape | None:
        if term.name in ("+", "+=") and len(term.args) == 2:
            full = next(
                (f for f in (self.filled_up(a, b) for a, b in (term.args, term.args[::-1])) if f is not None), None
            )
            if full is not None:
                return (full,)
        if any(_is_set(a) for a in term.args):
            return None
        shapes = [self.of(a) for a in term.args]
        known = [s for s in shapes if s is not None]
        if len(known) < len(shapes):
            plain = [a for a, s in zip(term.args, shapes, strict=True) if s is None]
            if not known or not all(isinstance(a, Term) for a in plain):
                return None
            return max(known, key=len) if len(max(known, key=len)) > 1 else None
        longest = max(known, key=len)
        same = [s for s in known if len(s) == len(longest)]
        return self.agreed(same) or tuple(self._wider([s[i] for s in same]) for i in range(len(longest)))

    def _wider(self, sizes: list[Dim]) -> Dim:
        """One axis of two arrays that are combined: a length of 1 is stretched."""
        real = [s for s in sizes if integer(s) != 1]
        return None if any(s is None for s in real) or not self.equal(tuple(real)) else real[0]


def _one_each(comprehension: Term) -> bool:
    """Whether a comprehension gives one item for each of its source."""
    node = comprehension.at.node
    plain = not isinstance(node, cst.BaseComp) or (not node.for_in.ifs and node.for_in.inner_for_in is None)
    return plain and comprehension.name != "set"


def _is_set(value: Value) -> bool:
    """Whether a value is a set, whose operators join and intersect."""
    seen: set[int] = set()
    waiting = [value]
    for here in waiting:  # grows; a sum of sums of the same sums is a graph
        if id(here) in seen or not isinstance(here, (Seq, Term)):
            continue
        seen.add(id(here))
        if isinstance(here, Seq):
            is_one = here.kind == "set"
        else:
            is_one = (here.op == "comp" and here.name == "set") or (
                here.op == "call" and here.name in ("builtins.set", "builtins.frozenset")
            )
            waiting += here.args if here.op == "binop" else ()
        if is_one:
            return True
    return False


__all__ = ["Dim", "Shape", "Shapes", "shape_layers", "shape_moves", "shape_rules"]
