"""Facts for people: what was understood and where it is written, and what is unknown and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from lstmadvisor.facts import UNSEEN, Item, Known, Place, Program, Unknown
from lstmadvisor.model import Report
from lstmadvisor.report.terminal import Paint, safe

_HEAD = {"path", "files", "framework", "api"}


def facts_text(report: Report, paint: Paint) -> str:
    """All programs of a report, each fact on a line."""
    blocks = ["\n".join(_program(program, paint)) for program in report.programs]
    return "\n\n".join(blocks) + "\n" if blocks else "No recurrent network found.\n"


def _program(program: Program, paint: Paint) -> Iterator[str]:
    yield f"{paint('bold', safe(program.path))}  {program.framework}, {program.api}"
    if others := [safe(file) for file in program.files if file != program.path]:
        yield f"  with {', '.join(others)}"
    empty: list[str] = []
    for name in Program.model_fields:
        fact = getattr(program, name)
        if name in _HEAD or fact is UNSEEN:
            continue
        if fact == ():
            empty.append(spoken(name))
        else:
            yield from _fact(spoken(name), fact, 1, paint)
    if empty:
        yield f"  {paint('dim', 'looked for, none: ' + ', '.join(empty))}"


def _fact(label: str, fact: Any, depth: int, paint: Paint) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(fact, Known | Unknown):
        yield f"{indent}{label}: {_value(fact, paint)}"
    elif isinstance(fact, tuple):
        yield f"{indent}{label}:"
        for number, item in enumerate(fact, 1):
            if isinstance(item, Place):
                yield from _fact(str(number), item, depth + 1, paint)
            else:
                yield from _item(str(number), item, depth + 1, paint)
    elif isinstance(fact, Place):
        yield f"{indent}{label}:{_at(fact, paint)}"
    elif isinstance(fact, Item) and any(examined(fact)):
        yield from _item(label, fact, depth, paint)


def _item(label: str, item: Item, depth: int, paint: Paint) -> Iterator[str]:
    named, title = title_of(item)
    off = "" if item.active else paint("dim", "  not active by default")
    yield f"{'  ' * depth}{label}{paint('bold', safe(title))}{_at(item.at, paint)}{off}"
    for name, fact in examined(item):
        if name != named:
            yield from _fact(spoken(name), fact, depth + 1, paint)


def title_of(item: Item) -> tuple[str, str]:
    """The field that says what an item is, and its value, if it is known."""
    for name in ("kind", "name"):
        fact = getattr(item, name, None)
        fact = fact.value if isinstance(fact, Known) and fact.at is None else fact
        if isinstance(fact, str):
            return name, f" {fact}"
    return "", ""


def examined(item: BaseModel) -> Iterator[tuple[str, Any]]:
    """The fields of an item that something looked for, places and activity aside."""
    for name in type(item).model_fields:
        fact = getattr(item, name)
        if name not in ("at", "active") and not isinstance(fact, str | None) and fact is not UNSEEN and fact != ():
            yield name, fact


def _value(fact: Known | Unknown, paint: Paint) -> str:
    if isinstance(fact, Unknown):
        return f"{paint('warning', 'unknown')}: {safe(fact.unknown)}{_at(fact.at, paint)}"
    if fact.via == "absent":
        return "none"
    via = "" if fact.via == "literal" else paint("dim", f"  ({fact.via})")
    return f"{paint('good', safe(shown(fact.value)))}{via}{_at(fact.at, paint)}"


def shown(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{key} {shown(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _at(at: Place | None, paint: Paint) -> str:
    if at is None:
        return ""
    cell = "" if at.cell is None else f"cell {at.cell}:"
    return paint("dim", f"  {safe(at.path)}:{cell}{at.line}")


def spoken(name: str) -> str:
    """The name of a field in words."""
    return name.rstrip("_").replace("_", " ")
