"""The mutable part of an abstract run: what was written, in order, and how it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    External,
    Named,
    Opaque,
    Scope,
    Spot,
    Term,
    Value,
)

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run

MISSING = Opaque("not there")
Journal = list[tuple[Any, Any, Any]]
"""What was written: (dict or object, key or field, what was there before)."""
MOST_OPTIONS = 6
"""Alternatives of one value that are kept apart."""
MOST_CONDITIONS = 12
"""Conditions that a value remembers to depend on."""


class Exhausted(Exception):
    """The program is larger than the budget of one run."""


class Stop(Exception):
    """`sys.exit()` on the way that the defaults take."""


class State:
    """What a run writes: names, attributes and the trace, so that an undecided branch can take it back."""

    budget = 60_000
    """Expressions and statements that one run may read; one in a hundred of the public programs needs 30,000"""

    def __init__(self) -> None:
        self.scope = Scope()
        self.trace: list[Term] = []
        self.journal: Journal | None = None
        self.serial = 0
        self.named: list[Named] = []
        """names and attributes that statements inside loops gave values, in order"""
        self.repeats: list[Spot] = []
        """where a list or text is repeated a computed number of times: `[0] * (longest - len(ids))`"""
        self.reads: set[str] = set()
        """settings of namespaces that were looked at"""
        self.dropped: set[int] = set()
        """ids of the calls that are statements: what they give is thrown away"""
        self.limits: list[Const] = []
        """named numbers that lengths are compared with or cut at: `len(x) > MAX_LEN`, `x[:MAX_LEN]`"""

    @property
    def run(self) -> Run:
        """The whole run, of which this is a part."""
        return cast("Run", self)

    def put(self, where: dict[Any, Value], key: Any, value: Value) -> None:
        """Write an entry so that an undecided branch can take it back."""
        if self.journal is not None:
            self.journal.append((where, key, where.get(key, MISSING)))
        where[key] = value

    def set(self, thing: Any, field: str, value: Any) -> None:
        """Set a field of a value so that an undecided branch can take it back."""
        if self.journal is not None:
            self.journal.append((thing, field, getattr(thing, field)))
        setattr(thing, field, value)

    def undo(self, journal: Journal) -> None:
        """Take back all that `journal` holds."""
        for thing, key, old in reversed(journal):
            if isinstance(thing, dict):
                if old is MISSING:
                    thing.pop(key, None)
                else:
                    thing[key] = old
            else:
                setattr(thing, key, old)

    def term(
        self,
        op: str,
        name: str,
        base: Value | None,
        args: list[Value],
        kwargs: dict[str, Value] | None = None,
        *,
        at: Spot,
        open_: str | None = None,
        event: bool = False,
    ) -> Term:
        """A new term under the present circumstances; an event is also written to the trace."""
        self.serial += 1
        made = Term(op, name, base, args, kwargs or {}, at, self.scope, self.serial, open_)
        if event:
            self.trace.append(made)
        return made

    def join(self, values: list[Value], why: str = "a branch that cannot be decided") -> Value:
        """One value for several possible ones."""
        flat: list[Value] = []
        under: dict[int, Value] = {}
        for value in values:
            if isinstance(value, Choice):
                under.update((id(c), c) for c in value.under)
            for each in value.options if isinstance(value, Choice) else [value]:
                if not any(self.same(each, f) for f in flat):
                    flat.append(each)
        if len(flat) == 1:
            return flat[0]
        if not flat:
            return Const(None)
        return Choice(flat[:MOST_OPTIONS], why, tuple(under.values())[:MOST_CONDITIONS])

    def join_under(self, values: list[Value], condition: Value, why: str) -> Value:
        """One value for those of both sides of an undecided condition."""
        joined = self.join(values, why)
        if isinstance(joined, Choice) and not any(condition is c for c in joined.under):
            joined.under = (*joined.under[: MOST_CONDITIONS - 1], condition)
        return joined

    @staticmethod
    def same(a: Value, b: Value) -> bool:
        """Whether two values are surely the same."""
        if a is b:
            return True
        if isinstance(a, Const) and isinstance(b, Const):
            return type(a.value) is type(b.value) and a.value == b.value
        if isinstance(a, External) and isinstance(b, External):
            return a.name == b.name
        return False
