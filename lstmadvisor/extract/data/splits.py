"""How data is split into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lstmadvisor.extract.abstract.values import Choice, Const, Opaque, Seq, Term, Value, walk
from lstmadvisor.extract.data.feeds import inputs
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import Lineage, is_source
from lstmadvisor.extract.shapes.dims import difference, number, same_key

_FOLDS = frozenset(
    (
        "KFold",
        "StratifiedKFold",
        "TimeSeriesSplit",
        "ShuffleSplit",
        "StratifiedShuffleSplit",
        "GroupKFold",
        "GroupShuffleSplit",
        "RepeatedKFold",
    )
)
_ROWS = frozenset(("iloc", "loc", "values", "ix"))
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(eq=False)
class Part:
    """Some of the rows of an array."""

    term: Term
    base: Value
    kind: str
    """train, test, slice, mask, random"""
    lower: Value | None = None
    upper: Value | None = None
    test: Value | None = None
    """the condition of a mask"""
    shuffled: bool = False
    """whether the rows were drawn at random"""


def everything(roots: Iterator[Value]) -> Iterator[Value]:
    """Each value that `roots` were made with, once."""
    seen: set[int] = set()
    queue = list(roots)
    while queue:
        here = queue.pop()
        if id(here) not in seen:
            seen.add(id(here))
            yield here
            queue.extend(inputs(here))


def part_of(term: Term) -> Part | None:
    """The selection of rows that a term makes, or None."""
    if term.op == "item":
        return _of_item(term)
    if term.op == "method" and term.base is not None:
        last = term.name
        if last in ("take", "head") and term.args:
            return Part(term, term.base, "slice", None, term.args[0])
        if last in ("skip", "tail") and term.args:
            return Part(term, term.base, "slice", term.args[0], None)
        if last == "sample" and "frac" in term.kwargs and not _is_one(term.kwargs["frac"]):
            return Part(term, term.base, "train", shuffled=True)
        if (
            last == "drop"
            and term.args
            and any(isinstance(v, Term) and v.op == "attr" and v.name == "index" for v in walk(term.args[0], 10))
        ):
            return Part(term, term.base, "test", shuffled=True)
        if last == "narrow" and len(term.args) == 3 and isinstance(term.args[0], Const) and term.args[0].value == 0:
            start = term.args[1]
            return Part(
                term, term.base, "slice", None if isinstance(start, Const) and start.value == 0 else start, term.args[2]
            )
    if term.op == "call" and term.name.endswith("data.Subset") and len(term.args) > 1:
        return Part(term, term.args[0], "indexed", test=term.args[1])
    return None


def _is_one(value: Value) -> bool:
    return isinstance(value, Const) and value.value == 1


def _of_item(term: Term) -> Part | None:
    base, index = term.base, term.args[0]
    if isinstance(base, Term) and base.op == "call":
        last = base.name.rsplit(".", 1)[-1]
        if last == "train_test_split" and base.args and isinstance(index, Const) and isinstance(index.value, int):
            given = base.kwargs.get("shuffle")
            ordered = isinstance(given, Const) and given.value is False
            whole = base.args[min(index.value // 2, len(base.args) - 1)]
            return Part(term, whole, "test" if index.value % 2 else "train", shuffled=not ordered)
        if last == "random_split" and base.args and isinstance(index, Const):
            return Part(term, base.args[0], "train" if index.value == 0 else "test", shuffled=True)
        if last in ("split", "array_split", "split_with_sizes") and base.args and isinstance(index, Const):
            return Part(term, base.args[0], "train" if index.value == 0 else "test")
    if (
        isinstance(base, Term)
        and base.op == "method"
        and base.name == "train_test_split"
        and base.base is not None
        and isinstance(index, Const)
    ):
        return Part(term, base.base, "train" if index.value in ("train", 0) else "test", shuffled=True)
    if base is None:
        return None
    data = (
        base.base
        if isinstance(base, Term) and base.op == "attr" and base.name in _ROWS and base.base is not None
        else base
    )
    first = index.items[0] if isinstance(index, Seq) and index.kind == "tuple" and index.items else index
    if isinstance(first, Seq) and first.kind == "slice":
        lower, upper, step = (
            None if isinstance(b, Const) and b.value in (None, 0) and b.value is not False else b for b in first.items
        )
        if (
            (lower is None and upper is None)
            or moves(lower)
            or moves(upper)
            or (step is not None and not _is_one(step))
        ):
            return None
        return Part(term, data, "slice", lower, upper)
    if isinstance(first, Term):
        if (first.op == "binop" and (first.name in _OPPOSITE or first.name in ("~", "&", "|"))) or (
            first.op == "method" and first.name in ("isin", "between")
        ):
            return Part(term, data, "mask", test=first)
        inner = _of_item(first) if first.op == "item" else None
        if inner is not None and inner.kind == "slice":
            shuffled = any(
                isinstance(v, Term) and v.name.rsplit(".", 1)[-1] in ("permutation", "randperm", "shuffle")
                for v in walk(first, 60)
            )
            return Part(term, data, "slice", inner.lower, inner.upper, shuffled=shuffled)
        if inner is not None and inner.kind in ("train", "test"):
            return Part(term, data, inner.kind, shuffled=inner.shuffled)
        fold = _fold(first)
        if fold is not None:
            return Part(term, data, fold, shuffled=True)
    return None


def _fold(index: Term) -> str | None:
    """`for train_index, test_index in kfold.split(x)`: which of the two an index is."""
    if index.op != "item" or not isinstance(index.args[0], Const):
        return None
    for value in walk(index.base, 12):
        folder = value.base if isinstance(value, Term) and value.op == "method" and value.name == "split" else None
        if isinstance(folder, Term) and folder.name.rsplit(".", 1)[-1] in _FOLDS:
            return "train" if index.args[0].value == 0 else "test"
    return None


def moves(bound: Value | None, depth: int = 0) -> bool:
    """Whether a bound changes from turn to turn: the slice is a window, not a part."""
    if isinstance(bound, Const):
        return bound.via == "widened"
    if isinstance(bound, Choice):
        return any(moves(o, depth + 1) for o in bound.options)
    if not isinstance(bound, Term) or depth > 12:
        return False
    if bound.op == "elem":
        return bound.name in ("element", "index")
    if bound.op in ("call", "method") and bound.name.rsplit(".", 1)[-1] in (
        "randint",
        "randrange",
        "random",
        "choice",
        "item",
        "integers",
    ):
        return True
    if bound.op == "binop" or (
        bound.op == "call" and bound.name in ("builtins.int", "builtins.min", "builtins.max", "builtins.round")
    ):
        return any(moves(a, depth + 1) for a in bound.args)
    return False


def _without_windows(found: list[Part]) -> list[Part]:
    """Slices of one line whose constant bounds move with an unrolled loop are windows."""
    bounds: dict[int, set[Any]] = {}
    for part in found:
        if part.kind == "slice" and isinstance(part.upper, Const) and number(part.upper):
            bounds.setdefault(id(part.term.at.node), set()).add(part.upper.value)
    return [p for p in found if len(bounds.get(id(p.term.at.node), ())) < 3]


class Splits:
    """The parts of a program that belong together as the training and the held-out rows of one array."""

    def __init__(self, lineage: Lineage, values: list[Value], fits: list[Fit]) -> None:
        self.lineage = lineage
        self.fits = fits
        found = (part_of(v) for v in values if isinstance(v, Term))
        self.all = _without_windows([p for p in found if p is not None])
        self._by_term = {id(p.term): p for p in self.all}
        self._side: dict[int, str | None] = {}
        self._by_origin: dict[Any, list[Part]] | None = None

    def side(self, part: Part) -> str | None:
        """train or test, where another part holds the other rows; None for a mere selection."""
        if id(part) not in self._side:
            self._side[id(part)] = self._find_side(part)
        return self._side[id(part)]

    def _find_side(self, part: Part) -> str | None:
        if part.kind in ("train", "test"):
            return part.kind
        side: str | None = None
        for other in self._of_same_rows(part):
            if other is part or other.kind != part.kind:
                continue
            if part.kind == "slice":
                found = _sides(part, other)
            elif part.kind == "mask":
                found = _mask_side(part, other)
            else:
                found = _index_side(part, other)
            if found == "test":
                return found
            side = found or side
        return side

    def _of_same_rows(self, part: Part) -> list[Part]:
        """The parts that were taken from rows of the same origin."""
        if self._by_origin is None:
            self._by_origin = {}
            for each in self.all:
                for key in self._keys(each):
                    self._by_origin.setdefault(key, []).append(each)
        found = {id(p): p for key in self._keys(part) for p in self._by_origin.get(key, ())}
        return sorted(found.values(), key=lambda p: p.term.serial)

    def _keys(self, part: Part) -> Iterable[Any]:
        return self.lineage.origins(part.base) or (same_key(part.base),)

    def of(self, value: Value | None, before: int | None = None) -> set[str]:
        """Which sides the rows of a value come from: train, test, whole (not split on the way), unknown."""
        out: set[str] = set()
        seen: set[int] = set()
        queue = [] if value is None else [value]
        count = 0
        for here in queue:
            if id(here) in seen or count > 6_000:
                continue
            seen.add(id(here))
            count += 1
            part = self._by_term.get(id(here)) if isinstance(here, Term) else None
            if part is None and isinstance(here, Term):
                part = part_of(here)
            if part is not None and (side := self.side(part)) is not None:
                out.add(side)
                continue
            queue.extend(self.lineage.parents(here, before))
            if is_source(here):
                out.add(
                    "unknown"
                    if isinstance(here, Opaque) or (isinstance(here, Term) and here.op == "param")
                    else "whole"
                )
        return out

    def splitting(self, value: Value | None, before: int | None = None) -> Part | None:
        """A part with a counterpart that was taken from the same rows as `value`."""
        origins = self.lineage.origins(value, before)
        for part in self.all:
            if self.side(part) is not None and origins & self.lineage.origins(part.base):
                return part
        return None

    def held_out(self, value: Value | None, before: int | None = None) -> Fit | None:
        """A `fit(validation_split=…)` of the same rows as `value`."""
        origins = self.lineage.origins(value, before)
        for fit in self.fits:
            share = fit.act.kwargs.get("validation_split")
            if (
                share is not None
                and not (isinstance(share, Const) and not share.value)
                and origins & self.lineage.origins(fit.data)
            ):
                return fit
        return None


def _sides(part: Part, other: Part) -> str | None:
    """`x[:n]` and `x[n:]`: what comes behind another part is held out."""
    if part.lower is not None and other.upper is not None and _meet(other.upper, part.lower):
        return "test"
    if part.upper is not None and other.lower is not None and _meet(part.upper, other.lower):
        return "train"
    return None


def _meet(upper: Value, lower: Value) -> bool:
    """Whether one part ends where the other begins (or a window's length before it)."""
    if same_key(upper) == same_key(lower):
        return True
    if isinstance(upper, Const) and isinstance(lower, Const):
        if isinstance(upper.value, str) and isinstance(lower.value, str):
            return True
        if number(upper) and number(lower):
            a, b = float(upper.value), float(lower.value)
            return (a > 0) == (b > 0) and abs(a - b) <= 0.5 * max(abs(a), abs(b)) and abs(a) > 2
        return False
    gap = difference(upper, lower, lambda t: t)
    if number(gap):
        return True
    return _fraction(upper) and _fraction(lower)


def _fraction(bound: Value) -> bool:
    """Whether a bound is a share of the rows: `int(len(x) * 0.8)`."""
    return isinstance(bound, Term) and any(
        isinstance(v, Term) and (v.name in ("builtins.len", "shape", "builtins.int", "size", "round", "builtins.round"))
        for v in walk(bound, 60)
    )


def _mask_side(part: Part, other: Part) -> str | None:
    """`df[df.t < d]` and `df[df.t >= d]`; `x[mask]` and `x[~mask]`."""
    a, b = part.test, other.test
    if isinstance(b, Term) and b.name == "~" and a is not None and same_key(b.args[0]) == same_key(a):
        return "train"
    if isinstance(a, Term) and a.name == "~" and b is not None and same_key(a.args[0]) == same_key(b):
        return "test"
    if isinstance(a, Term) and isinstance(b, Term) and a.op == b.op == "binop" and len(a.args) == len(b.args) == 2:
        if same_key(a.args[0]) != same_key(b.args[0]):
            return None
        if (
            _OPPOSITE.get(a.name) == b.name
            or (a.name in ("<", "<=") and b.name in (">", ">="))
            or (a.name in (">", ">=") and b.name in ("<", "<="))
        ):
            return "train" if a.name in ("<", "<=", "!=") else "test"
    return None


def _index_side(part: Part, other: Part) -> str | None:
    """`Subset(data, range(0, n))` and `Subset(data, range(n, m))`."""
    a, b = getattr(part.test, "stop", None), getattr(other.test, "start", None)
    if a is not None and b is not None and same_key(a) == same_key(b):
        return "train"
    a, b = getattr(part.test, "start", None), getattr(other.test, "stop", None)
    if a is not None and b is not None and same_key(a) == same_key(b):
        return "test"
    return None


def roots_of(lineage: Lineage) -> Iterator[Value]:
    """Where to look for parts: everything that happens, and the data that objects keep."""
    yield from lineage.run.trace
    for instance in lineage.run.instances:
        yield from (v for v in instance.attrs.values() if isinstance(v, (Term, Seq, Choice)))
    for module in lineage.run.modules.values():
        yield from (v for v in module.env.names.values() if isinstance(v, (Term, Seq)))
