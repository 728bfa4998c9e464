"""The scorecard for people: what to change first, then what to decide, what to keep, and the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from lstmadvisor.facts import Place
from lstmadvisor.model import ScorecardLine
from lstmadvisor.report.terminal import Paint, safe

_MARKS = {
    "follows": ("good", "✓"), "departs": ("warning", "✗"),
    "does not apply": ("dim", "·"), "could not tell": ("dim", "?"),
}  # fmt: skip
_GROUPS = {
    "change": "To change", "your call": "Your call", "keep": "To keep",
    "could not tell": "Could not tell", "does not apply": "Does not apply",
}  # fmt: skip
_LEAST = 24
"""Columns for what was found, at least."""


def scorecard_text(card: Sequence[ScorecardLine], paint: Paint, columns: int, everything: bool = False) -> list[str]:
    """The scorecards of a report, a block of lines for each program; `everything` unfolds the notes."""
    programs: dict[str, list[ScorecardLine]] = {}
    for line in card:
        programs.setdefault(line.program, []).append(line)
    return [
        "\n".join(_program(name, lines, _Page(lines, paint, columns, everything))) for name, lines in programs.items()
    ]


class _Page:
    """The widths that all lines share, and how they look."""

    def __init__(self, card: Sequence[ScorecardLine], paint: Paint, columns: int, everything: bool) -> None:
        self.paint = paint
        self.everything = everything
        self.columns = max(columns, 60)
        self.item = max(len(line.item) for line in card)
        self.title = max(len(line.title) for line in card)

    def wrapped(self, text: str, indent: int) -> list[str]:
        """`text` in lines that begin at the column `indent`."""
        width = max(self.columns - indent - 1, _LEAST)
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _program(name: str, card: list[ScorecardLine], page: _Page) -> Iterator[str]:
    against = safe(name) if name else "this program"
    yield page.paint("bold", f"The article, held against {against}")
    for key, heading in _GROUPS.items():
        group = [line for line in card if _group(line) == key]
        if not group:
            continue
        if key == "does not apply" and not page.everything:
            names = ", ".join(f"{line.item} {line.title}" for line in group)
            first, *others = page.wrapped(f"{heading} ({len(group)}): {names}", 4)
            yield f"  {page.paint('dim', first)}"
            yield from (f"    {page.paint('dim', other)}" for other in others)
            continue
        yield f"  {page.paint('bold', f'{heading} ({len(group)})')}"
        word = 0 if key == group[0].verdict else max(len(line.verdict) for line in group)
        for line in group:
            yield from _line(line, word, page)
    if not page.everything:
        yield f"  {page.paint('dim', 'What the article says, and where it is wrong: --all')}"


def _group(line: ScorecardLine) -> str:
    return line.verdict if line.action != "change" and line.verdict in _GROUPS else line.action


def _line(line: ScorecardLine, word: int, page: _Page) -> Iterator[str]:
    style, mark = _MARKS[line.verdict]
    verdict = page.paint(style, f"{mark} {line.verdict:<{word}}" if word else mark)
    indent = 4 + (word + 4 if word else 3) + page.item + 2 + page.title + 2
    place = _placed(line.at)
    first, *others = page.wrapped(f"{safe(line.found)}  {place}".rstrip(), indent)
    yield f"    {verdict}  {line.item:<{page.item}}  {line.title:<{page.title}}  {_shown(first, place, page)}"
    yield from (f"{' ' * indent}{_shown(other, place, page)}" for other in others)
    if line.next and (page.everything or line.verdict != "could not tell" or line.action == "change"):
        first, *others = page.wrapped(safe(line.next), indent + 2)
        yield f"{' ' * indent}→ {first}"
        yield from (f"{' ' * indent}  {other}" for other in others)
    if page.everything:
        yield from _explained(f"article [{line.grade}]: {line.says}", page)
        yield from _explained(f"note: {line.note}" if line.note else "", page)


def _explained(text: str, page: _Page) -> Iterator[str]:
    return (f"      {page.paint('dim', part)}" for part in page.wrapped(text, 6) if part)


def _shown(text: str, place: str, page: _Page) -> str:
    painted = text.replace(place, page.paint("dim", place)) if place else text
    return painted.replace("\xa0", " ")


def _placed(at: Place | None) -> str:
    """A place in one word: the blank before the number of a cell does not break."""
    if at is None:
        return ""
    cell = "" if at.cell is None else f"cell\xa0{at.cell}:"
    return f"{safe(at.path)}:{cell}{at.line}"
