"""Source text as HTML: coloured, numbered by line, with marked spans.  Broken code is no obstacle."""

from __future__ import annotations

import keyword
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from lstmadvisor.report.terminal import safe, width

_TAB = 4
_LONGEST = 400
"""Characters of a line that are shown."""
_TOKEN = re.compile(
    r"""(?P<c>\#[^\n]*)
      | (?P<s>(?:\b[bfrtu]{1,2})?(?:\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z)|'{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
            |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))
      | (?P<d>\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?j?)\b|(?<!\w)\.\d+(?:e[+-]?\d+)?\b)
      | (?P<k>\w+)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_DIFF = {"+": "add", "-": "del", "@": "hunk"}
_KEYWORDS = frozenset(keyword.kwlist)


@dataclass(frozen=True)
class Stretch:
    """Part of a line, from `start` to `end` as 0-based columns, in a CSS class."""

    start: int
    end: int
    style: str


def tokens(text: str) -> dict[int, list[Stretch]]:
    """The comments, strings, numbers and keywords of Python-like text, by 1-based line: classes c, s, d, k."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: dict[int, list[Stretch]] = {}
    for match in _TOKEN.finditer(text):
        style = match.lastgroup
        if style is None or (style == "k" and match[0] not in _KEYWORDS):
            continue
        first, last = bisect_left(starts, match.start() + 1), bisect_left(starts, match.end())
        for number in range(first, last + 1):
            start = max(match.start() - starts[number - 1], 0)
            end = min(match.end() - starts[number - 1], len(lines[number - 1]))
            if end > start:
                found.setdefault(number, []).append(Stretch(start, end, style))
    return found


def line_html(line: str, coloured: Sequence[Stretch], marked: Sequence[Stretch] = ()) -> Markup:
    """One line: tokens as `<i>`, marked spans as `<mark>`; what could mislead the eye is spelt out as `<u>`."""
    shown = _untabbed(line[:_LONGEST])
    edges = {0, len(shown)} | {edge for one in (*coloured, *marked) for edge in (one.start, one.end)}
    cuts = sorted(edge for edge in edges if edge <= len(shown))
    parts: list[Markup | str] = []
    for start, end in pairwise(cuts):
        piece = shown[start:end]
        html = Markup("").join(_spelt(part, _outside_tags) for part in ([piece] if isinstance(piece, str) else piece))
        colour = next((one.style for one in coloured if one.start <= start and end <= one.end), "")
        mark = next((one.style for one in marked if one.start <= start and end <= one.end), "")
        html = Markup("<i class={}>{}</i>").format(colour, html) if colour and html.strip() else html
        parts.append(Markup("<mark class={}>{}</mark>").format(mark, html) if mark else html)
    if len(line) > _LONGEST:
        parts.append("…")
    return Markup("").join(parts)


def column(line: str, index: int) -> int:
    """How many columns of a fixed-width font stand left of the character `index` of a line."""
    return sum(map(_columns, _untabbed(line[:_LONGEST])[:index]))


def diff_html(diff: str) -> Markup:
    """A unified diff, each line as a `<span>`; its text is the diff itself, tabs included."""
    parts = []
    for line in diff.split("\n")[:-1]:
        style = "head" if line.startswith(("--- ", "+++ ")) else _DIFF.get(line[:1], "")
        html = Markup("\t").join(_spelt(part, _outside_tags) for part in line.split("\t"))
        parts.append(Markup('<span class="{}">{}\n</span>').format(style, html))
    return Markup("").join(parts)


def spelt(text: str) -> Markup:
    """Text as HTML, with every character spelt out and set apart that `safe` makes visible."""
    return _spelt(text, escape)


def _spelt(text: str, escaped: Callable[[str], Markup]) -> Markup:
    if text.isprintable():
        return escaped(text)
    return Markup("").join(escaped(c) if c.isprintable() else Markup("<u>{}</u>").format(safe(c)) for c in text)


def _outside_tags(text: str) -> Markup:
    """Code is full of quotes, which need no escape outside of tags."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _untabbed(line: str) -> Sequence[str]:
    """The characters of a line, each tab as blanks up to the next stop."""
    if "\t" not in line:
        return line
    cells: list[str] = []
    at = 0
    for character in line:
        cells.append(" " * (_TAB - at % _TAB) if character == "\t" else character)
        at += _columns(cells[-1])
    return cells


def _columns(cell: str) -> int:
    shown = safe(cell)
    return width(shown) if len(shown) == 1 else len(shown)
