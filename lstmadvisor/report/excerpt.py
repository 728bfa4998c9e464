"""Source excerpts as rustc draws them: the lines concerned, each span underlined and labelled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from lstmadvisor.facts import Place
from lstmadvisor.report.terminal import Paint, safe, width

_TAB = 4
_TALLEST = 4
"""Lines of one span that are underlined; of a taller one only the first is."""
_WORD = re.compile(r"[\w.]+|\"[^\"]*\"|'[^']*'|\S")


class Span(NamedTuple):
    """A place to underline, in a style, with a few words beside it."""

    at: Place
    label: str
    style: str
    sign: str = "-"


class Piece(NamedTuple):
    """The part of a span that lies on one line, as 0-based columns of the text."""

    line: int
    start: int
    end: int
    label: str
    span: Span


class Excerpts:
    """Draws spans over source text, no wider than `columns`."""

    def __init__(self, paint: Paint, columns: int) -> None:
        self._paint = paint
        self._columns = columns

    def draw(self, text: str, spans: Sequence[Span], gutter: int) -> list[str]:
        """The lines of `text` that the spans touch, numbered in a gutter of that many columns."""
        lines = text.split("\n")
        pieces = [piece for span in spans for piece in pieces_of(lines, span)]
        drawn: list[str] = []
        previous = 0
        for number in sorted({piece.line for piece in pieces}):
            if previous and number == previous + 2:
                drawn.append(self._numbered(number - 1, _Ruler(lines[number - 2], self._columns, 0).text, gutter))
            elif previous and number > previous + 1:
                drawn.append(self._paint("frame", "..."))
            previous = number
            here = sorted((p for p in pieces if p.line == number), key=lambda p: (p.span.sign != "^", p.start))
            ruler = _Ruler(lines[number - 1], self._columns, here[0].start)
            drawn.append(self._numbered(number, ruler.text, gutter))
            drawn += [self._underline(ruler, piece, gutter) for piece in here]
        return drawn

    def bar(self, gutter: int) -> str:
        """An empty line of the frame."""
        return self._paint("frame", " " * gutter + " |")

    def _numbered(self, number: int, text: str, gutter: int) -> str:
        return f"{self._paint('frame', f'{number:>{gutter}} |')} {text}".rstrip()

    def _underline(self, ruler: _Ruler, piece: Piece, gutter: int) -> str:
        start, end = ruler.column(piece.start), ruler.column(piece.end)
        signs = piece.span.sign * max(end - start, 1)
        label = f" {safe(piece.label)}" if piece.label else ""
        return f"{self.bar(gutter)} {' ' * start}{self._paint(piece.span.style, signs + label)}"


class _Ruler:
    """One source line as it is printed: made safe, tabs expanded, cut around the column of interest."""

    def __init__(self, line: str, limit: int, interest: int) -> None:
        cells: list[str] = []
        self._columns = [0]
        for character in line:
            column = self._columns[-1]
            shown = " " * (_TAB - column % _TAB) if character == "\t" else safe(character)
            cells.append(shown)
            self._columns.append(column + (len(shown) if len(shown) != 1 else width(shown)))
        self._cut = 0
        self._last = self._columns[-1]
        if self._last <= limit:
            self.text = "".join(cells)
            return
        focus = self._columns[min(interest, len(cells))]
        self._cut = max(0, min(focus - limit // 3, self._last - limit))
        self._last = self._cut + limit
        kept = [c for c, at in zip(cells, self._columns, strict=False) if self._cut <= at < self._last]
        before, after = "…" if self._cut else "", "…" if self._last < self._columns[-1] else ""
        self.text = before + "".join(kept)[len(before) : len("".join(kept)) - len(after)] + after

    def column(self, index: int) -> int:
        """Where a column of the text is printed."""
        at = self._columns[max(0, min(index, len(self._columns) - 1))]
        return min(max(at, self._cut), self._last) - self._cut


def pieces_of(lines: Sequence[str], span: Span) -> list[Piece]:
    """The parts of a span on each of its lines; only the first line of a very tall one."""
    at = span.at
    if not 0 < at.line <= len(lines):
        return []
    first = lines[at.line - 1]
    start = min(at.column - 1, len(first))
    last_line = at.end_line or at.line
    if at.end_column is None or last_line < at.line:
        word = _WORD.match(first, start)
        return [Piece(at.line, start, word.end() if word else start + 1, span.label, span)]
    if last_line == at.line:
        return [Piece(at.line, start, at.end_column - 1, span.label, span)]
    if last_line - at.line >= _TALLEST or last_line > len(lines):
        return [Piece(at.line, start, len(first.rstrip()), span.label, span)]
    pieces = [Piece(at.line, start, len(first.rstrip()), "", span)]
    for number in range(at.line + 1, last_line + 1):
        line = lines[number - 1]
        end = at.end_column - 1 if number == last_line else len(line.rstrip())
        label = span.label if number == last_line else ""
        pieces.append(Piece(number, len(line) - len(line.lstrip()), end, label, span))
    return pieces
