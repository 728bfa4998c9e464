"""First-party modules: finding the file behind an import, its syntax tree and the places in it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst

from lstmadvisor import folders
from lstmadvisor.extract.abstract.values import Env, Spot
from lstmadvisor.extract.glance import DEEP
from lstmadvisor.facts import Place
from lstmadvisor.nodes import Range, below

if TYPE_CHECKING:
    from lstmadvisor.sources import Library, Parsed, Source

_LARGEST_GLANCED_AT = 300_000
"""Bytes of a file that is searched for a definition."""


class Module:
    """A parsed first-party file and its global names."""

    def __init__(self, source: Source, parsed: Parsed, name: str) -> None:
        self.source = source
        self.name = name
        self._parsed = parsed
        self.env = Env(self)
        self.stars: list[str] = []
        self.done = False

    @property
    def tree(self) -> cst.Module:
        """The syntax tree."""
        return self._parsed.tree

    def code(self, node: cst.CSTNode, limit: int = 60) -> str:
        """The source of a node on one line, cut at `limit` characters."""
        text = " ".join(self.tree.code_for_node(node).split())
        return text if len(text) <= limit else text[: limit - 1] + "…"

    @cached_property
    def assigned(self) -> dict[cst.CSTNode, cst.Assign]:
        """By the value that a statement assigns: that statement."""
        found: dict[cst.CSTNode, cst.Assign] = {}
        waiting: list[cst.CSTNode] = [self.tree]
        while waiting:
            here = waiting.pop()
            if isinstance(here, cst.Assign):
                found[here.value] = here
            else:
                waiting += below(here)
        return found

    def range(self, node: cst.CSTNode) -> Range | None:
        """Start and end of a node; computed for the whole module at the first question."""
        return self._parsed.positions.get(node)


def place(spot: Spot | None) -> Place | None:
    """Where a spot is, as the user sees it: path, cell, line, column (from 1)."""
    if spot is None:
        return None
    if spot.module is None or spot.node is None:
        return Place(path=spot.file, line=spot.line, column=spot.column) if spot.file else None
    found = spot.module.range(spot.node)
    if found is None:
        return None
    cell, line = spot.module.source.locate(found.start.line)
    _, end_line = spot.module.source.locate(found.end.line)
    return Place(
        path=spot.module.source.path,
        cell=cell,
        line=line,
        column=found.start.column + 1,
        end_line=end_line,
        end_column=found.end.column + 1,
    )


class Finder:
    """Finds the file that an import means, below the project root."""

    def __init__(self, library: Library, entry: Path, root: Path) -> None:
        self.library = library
        self.entry = entry
        self.root = root
        self._base_folders: dict[str, list[str]] = {}
        self._files: dict[str, Path] = {}

    def file(self, dotted: str, importer: Path, level: int = 0) -> Path | None:
        """The file of `import dotted` (or of a relative import with `level` dots) in `importer`."""
        found = self.found(dotted, str(importer.parent), level)
        if found is None:
            return None
        if found not in self._files:
            self._files[found] = Path(found)
        return self._files[found]

    def found(self, dotted: str, folder: str, level: int = 0) -> str | None:
        """The full name of the file of `import dotted` in a file in `folder`."""
        parts = [p for p in dotted.split(".") if p]
        if level:
            return self._under(_above(folder, level), parts)
        for base in self._bases(folder) if parts else ():
            if parts[0] in DEEP and "__init__.py" in self.library.folder(base).files:
                continue  # in `gluonts/`, which has a folder `torch`, `import torch` means the library
            if found := self._under(base, parts):
                return found
        return None

    def is_first_party(self, dotted: str, folder: str) -> bool:
        """Whether `import dotted` in a file in `folder` may mean a file of the project."""
        head = dotted.partition(".")[0]
        listed = map(self.library.folder, self._bases(folder))
        return not head or any(head in each.folders or f"{head}.py" in each.files for each in listed)

    def _bases(self, folder: str) -> list[str]:
        if folder not in self._base_folders:
            here, root = Path(folder), self.root
            bases = [self.entry.parent, here]
            bases += [p for p in (here, *here.parents) if p == root or root in p.parents]
            bases += [root / "src"]
            self._base_folders[folder] = list(dict.fromkeys(map(str, bases)))
        return self._base_folders[folder]

    def _under(self, base: str, parts: list[str]) -> str | None:
        folder = base
        for number, part in enumerate(parts):
            listed = self.library.folder(folder)
            if number == len(parts) - 1 and f"{part}.py" in listed.files:
                return self.library.real(folder, f"{part}.py")
            if part not in listed.folders:
                return None
            folder = f"{folder}/{part}"
        return self.library.real(folder, "__init__.py") if "__init__.py" in self.library.folder(folder).files else None

    def defining(self, dotted: str, name: str, importer: Path, level: int = 0) -> Path | None:
        """The one file of a folder without `__init__.py` that defines `name` at its top level (a partial checkout)."""
        pattern = re.compile(rf"^(?:def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*[:=]".encode(), re.M)
        for folder in self._folders(dotted, importer, level):
            files = sorted(folder.glob("*.py"))[:200]
            hits = [f for f in files if pattern.search(folders.content(f, _LARGEST_GLANCED_AT) or b"")]
            if len(hits) == 1:
                return hits[0]
        return None

    def _folders(self, dotted: str, importer: Path, level: int) -> list[Path]:
        parts = [p for p in dotted.split(".") if p]
        if level:
            return [Path(_above(str(importer.parent), level), *parts)]
        bases = self._bases(str(importer.parent)) if parts else ()
        return [Path(base, *parts) for base in bases if self._has(base, parts)]

    def _has(self, folder: str, parts: list[str]) -> bool:
        for part in parts:
            if part not in self.library.folder(folder).folders:
                return False
            folder = f"{folder}/{part}"
        return True

    def is_namespace(self, dotted: str, importer: Path, level: int = 0) -> bool:
        """Whether the import names a folder of the project without `__init__.py`."""
        listed = [self.library.folder(str(folder)) for folder in self._folders(dotted, importer, level)]
        return any(
            any(name.endswith(".py") for name in each.files) or (level > 0 and (each.files or each.folders))
            for each in listed
        )


def _above(folder: str, level: int) -> str:
    """The folder that a relative import with `level` dots in a file in `folder` starts from."""
    for _ in range(level - 1):
        folder = folder.rpartition(os.sep)[0] or os.sep
    return folder


def is_project(folder: Path) -> bool:
    """Whether a project file or `.git` lies in a folder."""
    marks = (".git", "pyproject.toml", "setup.py", "setup.cfg", "lstmadvisor.toml")
    return any((folder / mark).exists() for mark in marks)


def project_root(file: Path, is_project: Callable[[Path], bool] = is_project) -> Path:
    """The nearest folder above `file` with a project file or `.git`; else where we are, if that is above it.

    Else the folder that holds its outermost package.
    """
    for folder in file.parents:
        if is_project(folder):
            return folder
    here = Path.cwd()
    if here in file.parents and len(here.parts) > 2:
        return here
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
