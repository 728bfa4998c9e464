"""Tables of what functions, methods and layers do to shapes, and how their rules read arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Seq, Term, Value

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes

Dim = Value | None
Shape = tuple[Dim, ...]
Rule = Callable[["Shapes", Term], "Shape | None"]

CALLS: dict[str, Rule] = {}
"""what functions give, by canonical name or by last name"""
METHODS: dict[str, Rule] = {}
LAYERS: dict[str, Rule] = {}
"""what layers give when they are applied, by last name; `LSTM[0]` is an item of it"""


def rule(table: dict[str, Rule], names: str) -> Callable[[Rule], Rule]:
    """Register a rule under several names."""

    def register(function: Rule) -> Rule:
        for name in names.split():
            table[name] = function
        return function

    return register


def subject_of(term: Term) -> Value | None:
    """What a function or method works on."""
    if term.op == "method":
        return term.base
    return term.args[0] if term.args else next(iter(term.kwargs.values()), None)


def rest_of(term: Term) -> list[Value]:
    """The arguments behind the subject, a single list or tuple opened."""
    given = term.args if term.op == "method" else term.args[1:]
    if len(given) == 1 and isinstance(given[0], Seq):
        return list(given[0].items)
    return list(given)


def sizes_in(shapes: Shapes, values: Sequence[Value]) -> Shape:
    out: list[Dim] = []
    for value in values:
        if is_starred(value):
            out.extend(shapes.sizes_of(value.base) or (None,))  # type: ignore[attr-defined]
        else:
            out.append(shapes.size(value))
    return tuple(out)


def is_starred(value: Value) -> bool:
    """`*x.shape` inside a list of sizes."""
    if not isinstance(value, Term) or value.op != "elem" or not isinstance(value.base, Term):
        return False
    base = value.base.base if value.base.op == "item" else value.base
    return isinstance(base, Term) and base.name in ("shape", "size")


def is_open(shapes: Shapes, sizes: Seq) -> bool:
    """Whether a list of sizes may hold more than is known."""
    starred = [v for v in sizes.items if is_starred(v)]
    return bool(sizes.open) and not (starred and all(shapes.sizes_of(v.base) is not None for v in starred))  # type: ignore[attr-defined]
