"""Where findings lie for tools that know files and lines, but no cells of notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstmadvisor import notebooks
from lstmadvisor.facts import Place
from lstmadvisor.report.terminal import safe


class Places:
    """Translates places into lines of files.  Each notebook is read once."""

    def __init__(self) -> None:
        self._notebooks: dict[str, dict[int, list[int]]] = {}

    def line(self, at: Place) -> int | None:
        """The line in the file: of a notebook, the line of its JSON; None if that cannot be told."""
        if at.cell is None:
            return at.line
        if at.path not in self._notebooks:
            self._notebooks[at.path] = _read(at.path)
        lines = self._notebooks[at.path].get(at.cell, [])
        return lines[at.line - 1] if 0 < at.line <= len(lines) else None


def in_cell(at: Place) -> str:
    """`cell 3, line 5`; empty outside notebooks."""
    return "" if at.cell is None else f"cell {at.cell}, line {at.line}"


def sentences(at: Place, parts: Sequence[str]) -> str:
    """The parts as lines of plain text, the first of them led by the cell."""
    cell = in_cell(at)
    return "\n".join(safe(part) for part in (f"{cell}: {parts[0]}" if cell else parts[0], *parts[1:]) if part)


def _read(path: str) -> dict[int, list[int]]:
    try:
        return notebooks.source_lines(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
