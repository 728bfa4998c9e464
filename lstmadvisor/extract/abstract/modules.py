"""First-party modules: finding the file behind an import, its syntax tree and the places in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from lstmadvisor.extract.abstract.values import Env, Spot
from lstmadvisor.facts import Place

if TYPE_CHECKING:
    from lstmadvisor.sources import Library, Source


class Module:
    """A parsed first-party file and its global names."""

    def __init__(self, source: Source, tree: cst.Module, name: str) -> None:
        self.source = source
        self.name = name
        self._tree = tree
        self._positions: Mapping[cst.CSTNode, CodeRange] | None = None
        self.env = Env(self)
        self.stars: list[str] = []
        self.done = False

    @property
    def tree(self) -> cst.Module:
        """The syntax tree."""
        return self._tree

    def code(self, node: cst.CSTNode, limit: int = 60) -> str:
        """The source of a node on one line, cut at `limit` characters."""
        text = " ".join(self._tree.code_for_node(node).split())
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def range(self, node: cst.CSTNode) -> CodeRange | None:
        """Start and end of a node; computed for the whole module at the first question."""
        if self._positions is None:
            wrapper = MetadataWrapper(self._tree, unsafe_skip_copy=True)
            self._positions = cast("Mapping[cst.CSTNode, CodeRange]", wrapper.resolve(PositionProvider))
        return self._positions.get(node)


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

    def file(self, dotted: str, importer: Path, level: int = 0) -> Path | None:
        """The file of `import dotted` (or of a relative import with `level` dots) in `importer`."""
        parts = [p for p in dotted.split(".") if p]
        if level:
            base = importer.parent
            for _ in range(level - 1):
                base = base.parent
            return self._under(base, parts)
        for base in self._bases(importer):
            if parts and (found := self._under(base, parts)):
                return found
        return None

    def _bases(self, importer: Path) -> list[Path]:
        bases = [self.entry.parent, importer.parent]
        bases += [p for p in importer.parents if p == self.root or self.root in p.parents]
        bases += [self.root / "src"]
        return list(dict.fromkeys(bases))

    @staticmethod
    def _under(base: Path, parts: list[str]) -> Path | None:
        target = base.joinpath(*parts)
        if parts and target.with_name(target.name + ".py").is_file():
            return target.with_name(target.name + ".py")
        if (target / "__init__.py").is_file():
            return target / "__init__.py"
        return None

    def defining(self, dotted: str, name: str, importer: Path, level: int = 0) -> Path | None:
        """The one file of a folder without `__init__.py` that defines `name` at its top level (a partial checkout)."""
        pattern = re.compile(rf"^(?:def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*[:=]", re.M)
        for folder in self._folders(dotted, importer, level):
            hits = [
                f
                for f in sorted(folder.glob("*.py"))[:200]
                if f.stat().st_size < 300_000 and pattern.search(f.read_text(errors="replace"))
            ]
            if len(hits) == 1:
                return hits[0]
        return None

    def _folders(self, dotted: str, importer: Path, level: int) -> list[Path]:
        parts = [p for p in dotted.split(".") if p]
        if level:
            base = importer.parent
            for _ in range(level - 1):
                base = base.parent
            return [base.joinpath(*parts)]
        return [f for b in self._bases(importer) if parts and (f := b.joinpath(*parts)).is_dir()]

    def is_namespace(self, dotted: str, importer: Path, level: int = 0) -> bool:
        """Whether the import names a folder of the project without `__init__.py`."""
        folders = self._folders(dotted, importer, level)
        return any(f.is_dir() and (level > 0 or any(f.glob("*.py"))) for f in folders)


def project_root(file: Path) -> Path:
    """The nearest folder above `file` with a project file or `.git`; else where we are, if that is above it.

    Else the folder that holds its outermost package.
    """
    for folder in file.parents:
        if any(
            (folder / mark).exists() for mark in (".git", "pyproject.toml", "setup.py", "setup.cfg", "lstmadvisor.toml")
        ):
            return folder
    here = Path.cwd()
    if here in file.parents and len(here.parts) > 2:
        return here
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
