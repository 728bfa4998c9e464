"""Sizes as expressions: what `x.shape[1]`, `len(x)` and the bounds of a slice come to."""

from __future__ import annotations

from collections.abc import Sequence

from lstmadvisor.extract.abstract.values import Choice, Const, Seq, Spot, Term, Value
from lstmadvisor.extract.shapes.dims import difference, integer, number, quotient, same_key
from lstmadvisor.extract.shapes.tables import Dim, Shape

DEEPEST = 60


class Sizes:
    """The part of `Shapes` that reads sizes off shapes."""

    def __init__(self) -> None:
        self._sizes: dict[int, Value] = {}
        self._kept: list[Value] = []
        self._depth = 0

    def of(self, value: Value | None) -> Shape | None:
        """The shape of a value, or None."""
        raise NotImplementedError

    def equal(self, sizes: tuple[Dim, ...]) -> bool:
        """Whether all sizes are known to be the same."""
        first = sizes[0]
        return all(s is not None and first is not None and same_key(s) == same_key(first) for s in sizes)

    def filled_up(self, ids: Value, filler: Value) -> Dim:
        """The length of `ids + [0] * (longest - len(ids))`."""
        if not isinstance(filler, Term) or filler.op != "binop" or filler.name != "*":
            return None
        count = next((a for a in filler.args if isinstance(a, Term) and a.op == "binop" and a.name == "-"), None)
        return self.missing(count, ids) if count is not None else None

    def missing(self, count: Value, ids: Value | None) -> Dim:
        """The longest length where `count` is `longest - len(ids)` (or `longest - ids.size(0)`)."""
        if not isinstance(count, Term) or count.op != "binop" or count.name != "-" or ids is None:
            return None
        longest, length = count.args
        measured: Value | None = None
        if isinstance(length, Term) and length.name == "builtins.len" and length.args:
            measured = length.args[0]
        elif isinstance(length, Term) and length.op in ("method", "item") and length.base is not None:
            measured = length.base.base if length.op == "item" and isinstance(length.base, Term) else length.base
        if measured is None or same_key(measured) != same_key(ids):
            return None
        size = self.size(longest)
        return size if number(size) else None

    def slice_length(self, size: Dim, part: Seq, at: Spot | None = None) -> Dim:
        """The length of `x[lower:upper:step]` along an axis of `size`."""
        lower, upper, step = (None if isinstance(b, Const) and b.value is None else b for b in part.items)
        if step is not None and integer(step) not in (1, -1):
            return None
        low, high = integer(lower), integer(upper)
        if low == 0 and isinstance(lower, Const):
            lower = None
        if lower is None and upper is None:
            return size
        if lower is None:
            assert upper is not None
            if high is not None and high < 0:
                return self._less(size, upper, at)
            known = self.size(upper)
            if number(known):
                smaller = integer(size)
                return size if smaller is not None and smaller <= (integer(known) or 0) else known
            return known if isinstance(known, Term) and known.op != "elem" else None
        if upper is None:
            if low is not None and low < 0:
                return Const(-low, lower.via, lower.at, lower) if isinstance(lower, Const) else None
            if isinstance(lower, Term) and lower.op == "binop" and len(lower.args) == 1:
                return self.size(lower.args[0])
            return difference(size, lower, self.resolve, at) if size is not None else None
        if high is not None and high < 0:
            less = self._less(size, upper, at)
            return difference(less, lower, self.resolve, at) if less is not None else None
        if low is not None and low < 0:
            return None
        return difference(upper, lower, self.resolve, at)

    def _less(self, size: Dim, upper: Value, at: Spot | None) -> Dim:
        """`x[:-k]`"""
        given = integer(upper)
        if size is None or given is None:
            return None
        return difference(size, Const(-given, "literal", getattr(upper, "at", None)), self.resolve, at)

    def size(self, value: Value | None) -> Dim:
        """What a size expression (`x.shape[1]`, `len(x)`) stands for; the value itself where it stays open."""
        if value is None or isinstance(value, Const):
            return value
        if isinstance(value, Choice):
            sizes = tuple(self.size(o) for o in value.options)
            varies = "random" in value.why  # drawn anew in each turn: the most counts
            return sizes[0] if self.equal(sizes) else _largest(sizes) if varies else None
        if not isinstance(value, Term):
            return None
        resolved = self.resolve(value)
        if resolved is value and value.op == "binop" and self._depth < DEEPEST:
            self._depth += 1
            try:
                plain = difference(value, Const(0), self.resolve, value.at)
                if plain is None and value.name in ("/", "//") and len(value.args) == 2:
                    plain = quotient([value.args[0]], [value.args[1]], self.resolve, value.at)
            finally:
                self._depth -= 1
            return plain if plain is not None else value
        return resolved

    def is_frame(self, value: Value | None) -> bool:
        """Whether a value is a data frame of pandas."""
        return isinstance(value, Term) and is_frame(value)

    def sizes_of(self, value: Value | None) -> Shape | None:
        """The sizes that a tuple of sizes holds: `(a, b)`, `x.shape`, `x.shape[1:]`, `x.size()`."""
        if isinstance(value, Seq):
            return None if value.open else tuple(self.size(i) for i in value.items)
        if not isinstance(value, Term):
            return None
        if (value.op == "attr" and value.name == "shape") or (
            value.op == "method" and value.name == "size" and not value.args
        ):
            return self.of(value.base)
        if value.op == "item" and isinstance(value.args[0], Seq) and value.args[0].kind == "slice":
            inner = self.sizes_of(value.base)
            bounds = [b.value for b in value.args[0].items if isinstance(b, Const)]
            if inner is not None and len(bounds) == 3 and all(b is None or isinstance(b, int) for b in bounds):
                return inner[bounds[0] : bounds[1] : bounds[2]]
        return None

    def resolve(self, term: Term) -> Value:
        """A size that a term reads off a known shape, else the term itself."""
        if id(term) in self._sizes:
            return self._sizes[id(term)]
        self._sizes[id(term)] = term
        self._kept.append(term)
        found = self._read(term)
        if found is not None:
            self._sizes[id(term)] = found
        return self._sizes[id(term)]

    def _read(self, term: Term) -> Dim:
        if term.op == "item" and isinstance(term.base, Term) and term.base.op == "attr" and term.base.name == "shape":
            return self._axis(term.base.base, integer(term.args[0]))
        if (
            term.op == "item"
            and isinstance(term.base, Term)
            and term.base.op == "method"
            and term.base.name == "size"
            and not term.base.args
        ):
            return self._axis(term.base.base, integer(term.args[0]))
        if term.op == "method" and term.name == "size" and len(term.args) == 1:
            return self._axis(term.base, integer(term.args[0]))
        if term.op == "call" and term.name == "builtins.len" and term.args:
            return self._axis(term.args[0], 0)
        if term.op == "call" and term.name in ("builtins.min", "builtins.max") and len(term.args) > 1:
            sizes = [self.size(a) for a in term.args]
            if term.name == "builtins.max":
                return _largest(sizes)
            return next((s for s in sizes if number(s)), None)  # at most that
        if term.op == "call" and term.name.startswith("numpy.random.normal") and term.args and len(term.args) < 3:
            return self.size(term.args[0])  # around that
        if term.op == "call" and term.name in ("builtins.int", "math.floor", "numpy.floor") and term.args:
            inner = self.size(term.args[0])
            if isinstance(inner, Const) and number(inner):
                return (
                    inner
                    if isinstance(inner.value, int)
                    else Const(int(inner.value), "arithmetic", term.at, inner.root or inner)
                )
        return None

    def _axis(self, value: Value | None, axis: int | None) -> Dim:
        shape = self.of(value)
        if shape is None or axis is None or not -len(shape) <= axis < len(shape):
            return None
        return shape[axis]


def is_frame(term: Term) -> bool:
    """Whether a term is a data frame of pandas."""
    here: Value | None = term
    for _ in range(30):
        if not isinstance(here, Term):
            return False
        if here.op == "call":
            return here.name.startswith("pandas.") and here.name.rsplit(".", 1)[-1] in (
                "read_csv",
                "read_excel",
                "DataFrame",
                "read_parquet",
                "concat",
                "merge",
            )
        if (here.op == "method" and here.name not in ("to_numpy", "get", "to_list", "tolist")) or (
            here.op == "attr" and here.name in ("iloc", "loc")
        ):
            here = here.base
        elif here.op == "item":
            index = here.args[0]
            if isinstance(index, Const) and isinstance(index.value, str):
                return False
            here = here.base
        else:
            return False
    return False


def _largest(sizes: Sequence[Dim]) -> Dim:
    """The largest of some numbers; None where one is not known."""
    if not sizes or not all(isinstance(s, Const) and number(s) for s in sizes):
        return None
    return max((s for s in sizes if isinstance(s, Const)), key=lambda c: c.value)
