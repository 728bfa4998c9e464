"""The data-flow graph of a run, turned round: what uses a value."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Map, Seq, Term, Value


class Flow:
    """Users of every value that a run's trace reaches, containers included."""

    def __init__(self, run: Run) -> None:
        self._users: dict[int, list[Value]] = {}
        self._written: dict[int, list[Value]] = {}
        self._seen: set[int] = set()
        self._values: list[Value] = []
        self.results: dict[int, list[Term]] = {}
        """of a value: the calls of user modules that gave it"""
        queue: list[Value] = []
        for term in run.trace:
            queue.append(term)
            if term.op == "enter":
                for each in _parts(term.result):
                    self.results.setdefault(id(each), []).append(term)
                if term.result is not None:
                    queue.append(term.result)
        self._fill(queue)

    def _fill(self, queue: list[Value]) -> None:
        for value in queue:
            if id(value) in self._seen:
                continue
            self._seen.add(id(value))
            self._values.append(value)
            for source in sources(value):
                if not _passes_through(value):
                    self._users.setdefault(id(source), []).append(value)
                queue.append(source)
            if isinstance(value, Term) and value.op == "setitem" and value.base is not None and len(value.args) == 2:
                self._written.setdefault(id(value.base), []).append(value.args[1])

    def users(self, value: Value) -> list[Value]:
        """What uses a value directly: terms, and the lists and choices that it is in."""
        return self._users.get(id(value), [])

    def written(self, value: Value) -> list[Value]:
        """What was stored into a value with `value[…] = x`."""
        return self._written.get(id(value), [])

    def consumers(self, value: Value) -> Iterator[tuple[Term, Value]]:
        """The terms that use a value, containers looked through, each with the operand that holds the value."""
        queue = [value]
        seen = {id(value)}
        for here in queue:
            for user in self.users(here):
                if isinstance(user, Term):
                    yield user, here
                elif id(user) not in seen:
                    seen.add(id(user))
                    queue.append(user)

    def values(self) -> Iterator[Value]:
        """Every value that the trace reaches."""
        return iter(self._values)

    def reaches(self, value: Value, target: set[int], limit: int = 3000) -> bool:
        """Whether anything computed from `value` is one of the values with ids `target`."""
        seen = {id(value)}
        queue = [value]
        for here in queue:
            if id(here) in target:
                return True
            if len(seen) > limit:
                return False
            for user in self.users(here):
                if isinstance(user, Term) and user.op == "setitem" and user.base is not None and user.args[-1] is here:
                    user = user.base
                if id(user) not in seen:
                    seen.add(id(user))
                    queue.append(user)
        return False


def _passes_through(value: Value) -> bool:
    """Whether a term only marks that a container of modules was called: the calls inside are there themselves."""
    return isinstance(value, Term) and (value.op == "enter" or (value.op == "apply" and value.result is not None))


def _parts(value: Value | None) -> Iterator[Value]:
    """A result and, of tuples and alternatives, its parts."""
    if value is None:
        return
    yield value
    if isinstance(value, Seq) and len(value.items) < 20:
        for item in value.items:
            yield from _parts(item)
    elif isinstance(value, Choice):
        for option in value.options:
            yield from _parts(option)
    elif isinstance(value, Map) and len(value.entries) < 20:
        for entry in value.entries.values():
            yield from _parts(entry)


def sources(value: Value) -> list[Value]:
    """What a value was made from directly."""
    if isinstance(value, Term):
        out = list(value.args)
        if value.base is not None:
            out.append(value.base)
        out.extend(value.kwargs.values())
        return out
    if isinstance(value, Seq):
        return list(value.items)
    if isinstance(value, Map):
        return list(value.entries.values())
    if isinstance(value, Choice):
        return list(value.options)
    return []


__all__ = ["Flow", "sources"]
