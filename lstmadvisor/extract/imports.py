"""The import graph of the projects under review, told from bytes, and which files come to a recurrent layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lstmadvisor.extract.abstract.modules import Finder, project_root
from lstmadvisor.extract.glance import DEEP, Glance, glance
from lstmadvisor.extract.reach import Reach
from lstmadvisor.sources import Library

MOST_FOLLOWED = 80
"""Files that the search from one file reaches, at most."""
FEW = 40
"""Files that one imports, directly or through others, of which it may use any; of more it uses some, by name."""
MOST_SEARCHED = 3_000
"""Files of a project that are looked at for importers of a module, at most."""
LARGEST = 2_000_000

_SKIPPED = frozenset(("node_modules", "site-packages", "build", "dist", "__pycache__"))
_HANDED_ON = frozenset(("*", "torch", "nn", "keras", "tf", "tensorflow", "layers"))
"""Names under which a project's file hands a library on."""


class Imports:
    """The import graph of the projects under review, as far as it was asked for."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._glances: dict[Path, Glance] = {}
        self._edges: dict[Path, dict[Path, bool]] = {}
        self._finders: dict[Path, Finder] = {}
        self._files: dict[Path, tuple[Path, ...]] = {}
        self._importers: dict[Path, dict[Path, list[Path]]] = {}
        self._reaches: dict[Path, Reach] = {}

    def concerns(self, path: Path) -> bool:
        """Whether the file may build a recurrent layer or comes to one by what it imports."""
        around = self._around(path)
        if around is None:
            return path in self._reach(path)
        glances = [self.glance(file) for file in around]
        return any(each.recurrent for each in glances) and any(each.deep for each in glances)

    def rules_out(self, path: Path) -> bool:
        """Whether it is sure that the file comes to no recurrent layer: known of large projects only."""
        return self._around(path) is None and path not in self._reach(path)

    def _around(self, path: Path) -> list[Path] | None:
        """The file and those that it imports, directly or through others; None if they are more than a few."""
        seen, found = {path}, [path]
        for here in found:
            if len(found) > FEW:
                return None
            new = [file for file in self.imported(here) if file not in seen]
            seen.update(new)
            found += new
        return found

    def imported(self, path: Path) -> tuple[Path, ...]:
        """The first-party files that a file imports by name."""
        return tuple(self._edges_of(path))

    def passed_on(self, path: Path) -> tuple[Path, ...]:
        """The files among them whose names it hands on as its own."""
        return tuple(file for file, whole in self._edges_of(path).items() if whole)

    def importers(self, path: Path) -> list[Path]:
        """First-party files that import the module at `path`, directly or through others, nearest first."""
        out: dict[Path, None] = {}
        queue = [path]
        for here in queue:
            for file in self.direct_importers(here):
                if file != path and file not in out and len(out) < MOST_FOLLOWED:
                    out[file] = None
                    queue.append(file)
        return list(out)

    def direct_importers(self, path: Path, root: Path | None = None) -> list[Path]:
        """Files below `root` (the project of the module at `path`) that import that module, nearest first."""
        root = root or self._root(path)
        if root not in self._importers:
            index = self._importers[root] = {}
            for file in self.files(root):
                for other in self.imported(file):
                    index.setdefault(other, []).append(file)
        above = set(path.parents)
        return sorted(self._importers[root].get(path, ()), key=lambda f: (-len(set(f.parents) & above), str(f)))

    def files(self, root: Path) -> tuple[Path, ...]:
        """The Python files and notebooks below a project's root."""
        if root not in self._files:
            self._files[root] = tuple(_walk(root))
        return self._files[root]

    def read(self, path: Path) -> bytes:
        """The bytes of a file; none of a large one, or of one that cannot be read."""
        try:
            return path.read_bytes() if path.stat().st_size <= LARGEST else b""
        except OSError:
            return b""

    def glance(self, path: Path) -> Glance:
        """What a file tells without being parsed."""
        if path not in self._glances:
            self._glances[path] = glance(self.read(path), path.suffix == ".ipynb")
        return self._glances[path]

    def _root(self, path: Path) -> Path:
        return self._finder(path).root

    def _finder(self, path: Path) -> Finder:
        if path.parent not in self._finders:
            self._finders[path.parent] = Finder(self._library, path, project_root(path))
        return self._finders[path.parent]

    def _edges_of(self, path: Path) -> dict[Path, bool]:
        """The files imported, and of each whether its names are handed on."""
        if path not in self._edges:
            finder, edges = self._finder(path), dict[Path, bool]()
            hub = path.stem == "__init__"
            for each in self.glance(path).imports:
                modules = [(each.base, "*" in each.names or (hub and not each.names))] if each.base or each.dots else []
                modules += [(f"{each.base}.{name}" if each.base else name, hub) for name in each.names if name != "*"]
                for dotted, whole in modules:
                    file = finder.file(dotted, path, each.dots)
                    if file is not None and file != path:
                        edges[file] = edges.get(file, False) or whole
            self._edges[path] = edges
        return self._edges[path]

    def _builds(self, path: Path) -> bool:
        """Whether a file mentions recurrent layers and has a library that they can come from."""
        return self.glance(path).recurrent and (self._has_library(path) or self._is_handed_one(path))

    def _has_library(self, path: Path) -> bool:
        finder = self._finder(path)
        return any(
            not each.dots and (head := each.base.partition(".")[0]) in DEEP and finder.file(head, path) is None
            for each in self.glance(path).imports
        )

    def _is_handed_one(self, path: Path) -> bool:
        return any(
            not _HANDED_ON.isdisjoint(each.names)
            and (file := self._finder(path).file(each.base, path, each.dots)) is not None
            and self._has_library(file)
            for each in self.glance(path).imports
        )

    def _reach(self, path: Path) -> Reach:
        root = self._root(path)
        if root not in self._reaches:
            self._reaches[root] = Reach(self, root, filter(self._builds, self.files(root)))
        return self._reaches[root]


def _walk(root: Path) -> Iterator[Path]:
    count = 0
    for suffix in ("*.py", "*.ipynb"):
        for file in sorted(root.rglob(suffix)):
            if any(part.startswith(".") or part in _SKIPPED for part in file.relative_to(root).parts):
                continue
            count += 1
            if count > MOST_SEARCHED:
                return
            yield file.resolve()
