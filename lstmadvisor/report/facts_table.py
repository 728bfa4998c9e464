"""The facts of a program as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lstmadvisor.facts import UNSEEN, Item, Known, Place, Program, Unknown
from lstmadvisor.report.facts_text import examined, shown, spoken, title_of

_HEAD = {"path", "files", "framework", "api", "probe"}


@dataclass(frozen=True)
class Row:
    """One fact: what it is called, its value or the reason why it is unknown, and where it is written."""

    depth: int
    name: str
    value: str = ""
    via: str = ""
    at: Place | None = None
    kind: str = "known"
    """known, unknown, head (of an item or a list)"""


def facts_table(program: Program) -> tuple[Row, ...]:
    """What was understood of a program, as far as anything looked for it."""
    rows: list[Row] = []
    none: list[str] = []
    for name in Program.model_fields:
        fact = getattr(program, name)
        if name in _HEAD or fact is UNSEEN:
            continue
        if fact == ():
            none.append(spoken(name))
        else:
            rows += _fact(spoken(name), fact, 0)
    if none:
        rows.append(Row(0, "looked for, none", ", ".join(none)))
    return tuple(rows)


def _fact(name: str, fact: Any, depth: int) -> Iterator[Row]:
    if isinstance(fact, Unknown):
        yield Row(depth, name, fact.unknown, "", fact.at, "unknown")
    elif isinstance(fact, Known):
        absent = fact.via == "absent"
        yield Row(depth, name, "none" if absent else shown(fact.value), "" if absent else fact.via, fact.at)
    elif isinstance(fact, tuple):
        for number, item in enumerate(fact, 1):
            label = f"{name} {number}" if len(fact) > 1 else name
            yield from _fact(label, item, depth) if isinstance(item, Place) else _item(label, item, depth)
    elif isinstance(fact, Place):
        yield Row(depth, name, "", "", fact)
    elif isinstance(fact, Item) and any(examined(fact)):
        yield from _item(name, fact, depth)


def _item(name: str, item: Item, depth: int) -> Iterator[Row]:
    named, title = title_of(item)
    yield Row(depth, name, title.strip(), "" if item.active else "not active by default", item.at, "head")
    for field, fact in examined(item):
        if field != named:
            yield from _fact(spoken(field), fact, depth + 1)
