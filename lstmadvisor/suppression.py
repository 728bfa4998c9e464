"""Comments that silence findings.

`# noqa` and `# noqa: LA203` count for the statement line that they end; `# lstmadvisor: ignore[name]
reason` too, or, on a line of its own, for the next line of code; `# lstmadvisor: ignore-file[name]`
for the whole file.  Comments are found by tokenizing, so that a string never silences anything.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from lstmadvisor.facts import Place
from lstmadvisor.patterns import regex

_NOQA = regex(r"#\s*noqa\b(?P<codes>\s*:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?", re.IGNORECASE)
_OWN = regex(
    r"#\s*lstmadvisor\s*:\s*ignore(?P<file>-file)?\b\s*(?:\[(?P<words>[^\]]*)\])?(?P<reason>[^#]*)", re.IGNORECASE
)
_CODE = regex(r"[A-Z]+[0-9]+", re.IGNORECASE)
_WORD = regex(r"[^,\s](?:[^,]*[^,\s])?")
_LINE_COMMENT = regex(r"(?:^|\s)(#.*)")

_INDENTATION = regex(r"^[ \t]*\t[ \t]*", re.MULTILINE)
_LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

EVERYTHING = "all"


class Silence(NamedTuple):
    """One comment: the selectors that it names, and the lines that it counts for (None: the file)."""

    words: tuple[str, ...]
    comment: int
    lines: range | None
    foreign: bool = False
    """a noqa, whose codes may be another tool's"""
    reason: str = ""
    columns: tuple[tuple[int, int], ...] = ()
    """where each word begins and ends in the line of the comment; none if no word is written there"""


class _Comment(NamedTuple):
    text: str
    line: int
    column: int
    lines: range
    """the lines that it may speak for: its statement's, up to its own, or the next line of code"""


def silences(text: str, python: bool = True) -> tuple[Silence, ...]:
    """All silencing comments in `text`; of a file in another language, those that `#` begins."""
    if "noqa" not in text.lower() and "lstmadvisor" not in text.lower():
        return ()
    comments = _tokens(text) if python else _plain(text)
    return tuple(silence for comment in comments for silence in _read(comment))


def named(text: str) -> frozenset[str] | None:
    """The codes that `noqa` may name in `text`, by a quick look; None if there may be comments of our own."""
    lowered = text.lower()
    if "lstmadvisor" in lowered:
        return None
    if "noqa" not in lowered:
        return frozenset()
    return frozenset(code.upper() for noqa in _NOQA.finditer(text) for code in _CODE.findall(noqa["codes"] or ""))


def speaks_for(silence: Silence, at: Place) -> bool:
    """Whether the comment counts for something at `at`, its words left aside."""
    if silence.lines is None:
        return True
    if at.line not in silence.lines:
        return False
    on_its_own = silence.comment not in silence.lines
    return on_its_own or at.line <= silence.comment <= (at.end_line or at.line)


def _read(comment: _Comment) -> Iterator[Silence]:
    if (found := _NOQA.search(comment.text)) and comment.line in comment.lines:
        listed = list(_CODE.finditer(comment.text, *found.span("codes"))) if found["codes"] else []
        words = tuple(word[0].upper() for word in listed)
        yield Silence(words or (EVERYTHING,), comment.line, comment.lines, True, columns=_columns(comment, listed))
    if found := _OWN.search(comment.text):
        listed = list(_WORD.finditer(comment.text, *found.span("words"))) if found["words"] else []
        words = tuple(word[0] for word in listed) if found["words"] is not None else (EVERYTHING,)
        lines = None if found["file"] else comment.lines
        reason = found["reason"].strip(" \t:—-")
        yield Silence(words, comment.line, lines, reason=reason, columns=_columns(comment, listed))


def _columns(comment: _Comment, words: list[re.Match[str]]) -> tuple[tuple[int, int], ...]:
    return tuple((comment.column + word.start(), comment.column + word.end()) for word in words)


def _tokens(text: str) -> Iterator[_Comment]:
    above: list[tokenize.TokenInfo] = []
    inside: list[tokenize.TokenInfo] = []
    first: int | None = None
    for token in tokens(text):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            (above if first is None else inside).append(token)
        elif token.type == tokenize.NEWLINE and first is not None:
            statement = range(first, line + 1)
            yield from (_Comment(c.string, *_start(c), statement) for c in above)
            yield from (_Comment(c.string, *_start(c), _within(c, statement)) for c in inside)
            above, inside, first = [], [], None
        elif token.type not in _LAYOUT and first is None:
            first = line
    yield from (_Comment(c.string, *_start(c), range(0)) for c in above)


def _start(token: tokenize.TokenInfo) -> tuple[int, int]:
    return token.start[0], token.start[1] + 1


def _within(comment: tokenize.TokenInfo, statement: range) -> range:
    """A comment on a line of its own between the lines of a statement speaks for the line below it."""
    line = comment.start[0]
    return range(line + 1, line + 2) if comment.line.lstrip().startswith("#") else statement


def tokens(text: str) -> list[tokenize.TokenInfo]:
    """The tokens up to the first place that is not Python; that tabs and spaces are mixed is put up with."""
    found: list[tokenize.TokenInfo] = []
    try:
        found.extend(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        even = _INDENTATION.sub(lambda blank: blank[0].expandtabs(), text)
        return found if even == text else tokens(even)
    return found


def _plain(text: str) -> Iterator[_Comment]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := _LINE_COMMENT.search(line):
            own = not line[: found.start(1)].strip()
            target = number + 1 if own else number
            yield _Comment(found[1], number, found.start(1) + 1, range(target, target + 1))
