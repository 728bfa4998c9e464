"""Edits on small texts: places by what stands there, and what becomes of the text."""

from __future__ import annotations

from pathlib import Path

from lstmadvisor import sources
from lstmadvisor.edits import Edit
from lstmadvisor.facts import Place
from lstmadvisor.fix.bytes import changed
from lstmadvisor.fix.plan import Planner
from lstmadvisor.sources import Library


def at(text: str, snippet: str, path: str = "train.py", cell: int | None = None) -> Place:
    """The place of the first `snippet` in `text`."""
    start = text.index(snippet)
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    end = start + len(snippet)
    end_line, end_column = text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end)
    return Place(path=path, cell=cell, line=line, column=column, end_line=end_line, end_column=end_column)


def edited(text: str | bytes, *edits: Edit, path: str = "train.py") -> str:
    """`text` after the edits of one fix; raises `Refused`."""
    data = text.encode() if isinstance(text, str) else text
    return edited_bytes(data, *edits, path=path).decode()


def edited_bytes(data: bytes, *edits: Edit, path: str = "train.py") -> bytes:
    """The bytes of a file after the edits of one fix."""
    library = Library()
    if path.endswith((".py", ".ipynb")):
        library.add(sources.read(Path(path), data))
    else:
        Path(path).write_bytes(data)
    return changed(data, path, Planner(library).changes(edits))
