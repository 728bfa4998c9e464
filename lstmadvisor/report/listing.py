"""Source text for the HTML report: excerpts around marked places, and whole files to link into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lstmadvisor.facts import Place
from lstmadvisor.model import source_key
from lstmadvisor.report.excerpt import Piece, Span, pieces_of
from lstmadvisor.report.highlight import Stretch, column, line_html, spelt, tokens

_CONTEXT = 2
"""Lines around the place of a finding in an excerpt; around further places, one less."""
_MANY = 400
"""Places from which on there is one line less, to keep the report small."""
_WINDOWS = (8, 4, 2, 1)
"""Lines around a cited one where the files are too long to be shown whole: the most that fits."""
_LINES = 1200
"""Lines that the source view is to have at most."""
_CELL = re.compile(r"(?P<path>.*)#(?P<cell>\d+)", re.DOTALL)


@dataclass(frozen=True)
class Badge:
    """A link from a line of the source view to a finding."""

    href: str
    text: str
    style: str


@dataclass(frozen=True)
class Row:
    """One row of a listing: a numbered line, a note under one (without a number), or a gap (without a text either)."""

    number: int | None = None
    html: Markup | str = ""
    style: str = ""
    href: str = ""
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True)
class Excerpt:
    """The lines of one file, or of one cell, that a finding concerns; `at` is its first place."""

    at: Place
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class File:
    """One file, or one cell, as far as the source view shows it."""

    id: str
    path: str
    cell: int | None
    rows: tuple[Row, ...]
    length: int
    """lines that it has"""
    badges: int


class Sources:
    """The texts of a report, by `source_key`; `cited` are the places of its findings."""

    def __init__(self, texts: Mapping[str, str], cited: Iterable[Place]) -> None:
        self._lines = {key: _lines(text) for key, text in sorted(texts.items(), key=_order) if text}
        self._coloured: dict[str, dict[int, list[Stretch]]] = {}
        places = set(cited)
        self._context = _CONTEXT - (len(places) > _MANY)
        self._shown = _shown(self._lines, places)
        self._ids = {key: f"s{number}" for number, key in enumerate(self._shown, 1)}

    def href(self, at: Place | None) -> str:
        """Where the source view shows the line of a place; empty if it does not."""
        return "" if at is None else self._href(source_key(at), at.line)

    def has_line(self, at: Place) -> bool:
        """Whether the text of a place is at hand."""
        return 0 < at.line <= len(self._lines.get(source_key(at), ()))

    def excerpt(self, spans: Sequence[Span]) -> Excerpt:
        """The lines around spans of one text, each span marked in its style and labelled under its line."""
        key = source_key(spans[0].at)
        lines = self._lines[key]
        pieces = [piece for span in spans for piece in pieces_of(lines, span)]
        near = {
            number
            for piece in pieces
            for number in _around(piece.line, self._context - (piece.span.style != "p"), len(lines))
        }
        rows: list[Row] = []
        for number in sorted(near):
            if rows and number - 1 not in near:
                rows.append(Row())
            here = sorted((p for p in pieces if p.line == number), key=lambda piece: piece.start)
            rows.append(Row(number, self._html(key, number, here), "", self._href(key, number)))
            rows += [_note(lines[number - 1], piece) for piece in reversed(here) if piece.label]
        return Excerpt(spans[0].at, tuple(rows))

    def files(self, badges: Mapping[tuple[str, int], Sequence[Badge]]) -> Iterator[File]:
        """The source view, with badges beside lines given by source key and number."""
        for key, shown in self._shown.items():
            rows: list[Row] = []
            for number in sorted(shown):
                if rows and number - 1 not in shown:
                    rows.append(Row())
                beside = tuple(badges.get((key, number), ()))
                rows.append(Row(number, self._html(key, number), beside[0].style if beside else "", "", beside))
            cell = _CELL.fullmatch(key)
            path = cell["path"] if cell else key
            yield File(
                self._ids[key], path, int(cell["cell"]) if cell else None, tuple(rows), len(self._lines[key]),
                sum(len(row.badges) for row in rows),
            )  # fmt: skip

    def _href(self, key: str, line: int) -> str:
        return f"#{self._ids[key]}-{line}" if line in self._shown.get(key, ()) else ""

    def _html(self, key: str, number: int, pieces: Sequence[Piece] = ()) -> Markup:
        if key not in self._coloured:
            self._coloured[key] = tokens("\n".join(self._lines[key]))
        marked = [Stretch(piece.start, piece.end, piece.span.style) for piece in pieces]
        return line_html(self._lines[key][number - 1], self._coloured[key].get(number, ()), marked)


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _order(entry: tuple[str, str]) -> tuple[str, int]:
    cell = _CELL.fullmatch(entry[0])
    return (cell["path"], int(cell["cell"])) if cell else (entry[0], -1)


def _shown(lines: Mapping[str, Sequence[str]], cited: Iterable[Place]) -> Mapping[str, range | set[int]]:
    """The lines of each text that the source view shows: all if they are few, else those around what is cited."""
    if sum(map(len, lines.values())) <= _LINES:
        return {key: range(1, len(text) + 1) for key, text in lines.items()}
    places: dict[str, set[int]] = {}
    for place in cited:
        places.setdefault(source_key(place), set()).add(place.line)
    windows: dict[str, set[int]] = {}
    for reach in _WINDOWS:
        windows = {
            key: {near for line in places.get(key, ()) for near in _around(line, reach, len(text))}
            for key, text in lines.items()
        }
        if sum(map(len, windows.values())) <= _LINES:
            break
    return {key: shown for key, shown in windows.items() if shown}


def _around(line: int, reach: int, last: int) -> range:
    return range(max(line - reach, 1), min(line + reach, last) + 1)


def _note(line: str, piece: Piece) -> Row:
    indent = " " * column(line, piece.start)
    return Row(None, Markup("{}╰ {}").format(indent, spelt(piece.label)), piece.span.style)
