"""Changes as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lstmadvisor import sources
from lstmadvisor.edits import Change
from lstmadvisor.fix.bytes import spliced

_CONTEXT = 3


def unified(changes: Sequence[Change], text_of: Callable[[str, int | None], str]) -> str:
    """The changes of all files, each against what `text_of(path, cell)` gives."""
    parts = []
    for path, cell in dict.fromkeys((change.path, change.cell) for change in changes):
        old = text_of(path, cell)
        new = spliced(old, [change for change in changes if (change.path, change.cell) == (path, cell)])
        parts.append(between(old, new, path if cell is None else f"{path}:cell {cell}"))
    return "".join(parts)


def between_files(contents: Mapping[str, tuple[bytes, bytes]]) -> str:
    """The difference of what files hold and what they are to hold; of notebooks cell by cell."""
    parts = []
    for path, (before, after) in sorted(contents.items()):
        if not path.endswith((".ipynb", ".py", ".pyi")) and path != sources.STDIN:
            parts.append(between(before.decode("utf-8-sig"), after.decode("utf-8-sig"), path))
            continue
        old, new = sources.read(Path(path), before), sources.read(Path(path), after)
        for cell in [index for index, _ in old.cells] if old.is_notebook else [None]:
            name = path if cell is None else f"{path}:cell {cell}"
            parts.append(between(old.cell_text(cell), new.cell_text(cell), name))
    return "".join(parts)


def between(old: str, new: str, name: str) -> str:
    """The difference of two texts."""
    lines = difflib.unified_diff(_lines(old), _lines(new), name, name, n=_CONTEXT)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
