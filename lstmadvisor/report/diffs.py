"""Unified diffs for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmadvisor.report.terminal import Paint, safe

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)")
_STYLES = {"+": "added", "-": "removed"}


def painted(diff: str, paint: Paint) -> str:
    """A whole diff in colour."""
    return "".join(f"{_colored(line, paint)}\n" for line in diff.split("\n")[:-1])


def excerpt(diff: str, path: str, gutter: int, paint: Paint) -> Iterator[str]:
    """A diff below a finding in `path`: the lines that change with their numbers, and the lines right beside them."""
    lines = [line for line in diff.split("\n")[:-1] if not line.startswith("\\ ")]  # no newline at the end of the file
    beside = {n for i, line in enumerate(lines) if line[:1] in "+-" for n in (i - 1, i, i + 1)}
    shown = -1
    old = new = 0
    for number, line in enumerate(lines):
        if line.startswith("--- "):
            continue
        if line.startswith("+++ "):
            if line[4:] != path:
                yield f"{' ' * gutter} {paint('bold', safe(line[4:]))}"
        elif found := _HUNK.match(line):
            old, new = int(found[1]), int(found[2])
        else:
            sign = line[:1]
            if number in beside:
                if shown >= 0 and number > shown + 1:
                    yield paint("frame", "...")
                shown = number
                text = f"{old if sign == '-' else new:>{gutter}} {sign if sign != ' ' else '|'} "
                text += safe(line[1:].expandtabs(4))
                yield paint(_STYLES[sign], text.rstrip()) if sign in _STYLES else text.rstrip()
            old += sign != "+"
            new += sign != "-"


def _colored(line: str, paint: Paint) -> str:
    text = line[:1] + safe(line[1:].expandtabs(4))
    if line.startswith(("--- ", "+++ ")):
        return paint("bold", text)
    style = "frame" if line.startswith("@@") else _STYLES.get(line[:1])
    return paint(style, text) if style else text
