"""The answer to one item, and how answers to its parts add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from lstmadvisor.facts import Item, Place, Unknown

Verdict = Literal["follows", "departs", "does not apply", "could not tell"]
Action = Literal["keep", "change", "your call"]

AnyItem = TypeVar("AnyItem", bound=Item)


@dataclass(frozen=True)
class Answer:
    """What a program does about an item, and what to do next."""

    verdict: Verdict
    found: str
    action: Action = "keep"
    next: str = ""
    """one imperative step"""
    notes: tuple[str, ...] = ()
    """where the article is imprecise or wrong, for this program"""
    at: Place | None = None


def follows(
    found: str, at: Place | None = None, action: Action = "keep", next: str = "", notes: Sequence[str] = ()
) -> Answer:
    """The program does as the article says."""
    return Answer("follows", found, action, next, tuple(notes), at)


def departs(
    found: str, at: Place | None = None, action: Action = "your call", next: str = "", notes: Sequence[str] = ()
) -> Answer:
    """The program does otherwise."""
    return Answer("departs", found, action, next, tuple(notes), at)


def inapplicable(found: str, *notes: str) -> Answer:
    """There is nothing in the program that the item speaks of."""
    return Answer("does not apply", found, notes=notes)


def untold(what: str, fact: object, at: Place | None = None, notes: Sequence[str] = ()) -> Answer:
    """The code does not tell; `fact` knows why."""
    reason = fact.unknown if isinstance(fact, Unknown) else "not a plain number"
    place = fact.at if isinstance(fact, Unknown) and fact.at is not None else at
    return Answer("could not tell", f"{what}: {reason}", "your call", "", tuple(notes), place)


def used(many: Iterable[AnyItem] | Unknown) -> tuple[AnyItem, ...] | Unknown:
    """The items on the way that the defaults take, or why they are not known."""
    return many if isinstance(many, Unknown) else tuple(item for item in many if item.active)


def joined(parts: Sequence[Answer]) -> Answer:
    """One answer from those to several parts: the part that matters most leads, all are told."""
    first = min(parts, key=_weight)
    told = [part for part in parts if part.verdict != "does not apply"] or [first]
    found = "; ".join(dict.fromkeys(part.found for part in (first, *told)))
    notes = tuple(dict.fromkeys(note for part in (first, *told) for note in part.notes))
    return Answer(first.verdict, found, first.action, first.next, notes, first.at)


def _weight(part: Answer) -> tuple[bool, int, int]:
    order = ("departs", "could not tell", "follows", "does not apply")
    return part.action != "change", order.index(part.verdict), ("change", "your call", "keep").index(part.action)
