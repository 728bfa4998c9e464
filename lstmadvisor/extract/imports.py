"""The import graph of the projects under review, told from bytes, and which files come to a recurrent layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

from lstmadvisor import folders
from lstmadvisor.extract.abstract.modules import Finder, is_project, project_root
from lstmadvisor.extract.glance import DEEP, Glance, glance, mentions_library
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
    """The import graph of the projects under review, as far as it was asked for.

    Within it files go by their full names as texts: there are thousands, each named many times.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._glances: dict[str, Glance] = {}
        self._edges: dict[str, dict[str, bool]] = {}
        self._finders: dict[str, Finder] = {}
        self._is_project = cache(is_project)
        self._files: dict[str, tuple[str, ...]] = {}
        self._importers: dict[str, dict[str, list[str]]] = {}
        self._nearest: dict[str, list[str]] = {}
        self._reaches: dict[str, Reach] = {}
        self._far: set[str] = set()
        """files that import more than a few others, directly or through others"""

    def concerns(self, path: Path) -> bool:
        """Whether the file may build a recurrent layer or comes to one by what it imports."""
        name = str(path)
        around = self._around(name)
        if around is None:
            return name in self._reach(name)
        return any(self.glance(file).recurrent for file in around) and any(
            mentions_library(self.read(file)) for file in around
        )

    def rules_out(self, path: Path) -> bool:
        """Whether it is sure that the file comes to no recurrent layer: known of large projects only."""
        name = str(path)
        return self._around(name) is None and name not in self._reach(name)

    def _around(self, path: str) -> list[str] | None:
        """The file and those that it imports, directly or through others; None if they are more than a few."""
        seen, found = {path}, [path]
        for here in found:
            if len(found) > FEW or here in self._far:
                self._far.add(path)
                return None
            new = [file for file in self._edges_of(here) if file not in seen]
            seen.update(new)
            found += new
        return found

    def imported(self, path: str) -> tuple[str, ...]:
        """The first-party files that a file imports by name."""
        return tuple(self._edges_of(path))

    def passed_on(self, path: str) -> tuple[str, ...]:
        """The files among them whose names it hands on as its own."""
        return tuple(file for file, whole in self._edges_of(path).items() if whole)

    def importers(self, path: Path) -> list[Path]:
        """First-party files that import the module at `path`, directly or through others, nearest first."""
        start = str(path)
        out: dict[str, None] = {}
        queue = [start]
        for here in queue:
            for file in self._nearest_importers(here):
                if file != start and file not in out and len(out) < MOST_FOLLOWED:
                    out[file] = None
                    queue.append(file)
        return list(map(Path, out))

    def _nearest_importers(self, path: str) -> list[str]:
        """The files of its project that import the module at `path`, nearest first."""
        if path not in self._nearest:
            above = Path(path).parent.parts

            def shared(file: str) -> int:
                pairs = zip(Path(file).parent.parts, above, strict=False)
                return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

            found = self.direct_importers(path, str(self._finder(path).root))
            self._nearest[path] = sorted(found, key=lambda file: (-shared(file), file))
        return self._nearest[path]

    def direct_importers(self, path: str, root: str) -> list[str]:
        """The files below `root` that import the module at `path`."""
        if root not in self._importers:
            index = self._importers[root] = {}
            for file in self._files_below(root):
                for other in self._edges_of(file):
                    index.setdefault(other, []).append(file)
        return self._importers[root].get(path, [])

    def files(self, root: Path) -> tuple[Path, ...]:
        """The Python files and notebooks below a project's root."""
        return tuple(map(Path, self._files_below(str(root))))

    def _files_below(self, root: str) -> tuple[str, ...]:
        if root not in self._files:
            python: list[str] = []
            notebooks: list[str] = []
            for file in self._walk(root):
                (notebooks if file.endswith(".ipynb") else python).append(file)
                if len(python) == MOST_SEARCHED:
                    break
            self._files[root] = tuple([*python, *notebooks][:MOST_SEARCHED])
        return self._files[root]

    def _walk(self, folder: str) -> Iterator[str]:
        """The files below a folder in the order of names, links to folders not followed."""
        listed = self._library.folder(folder)
        inner = {name for name in listed.folders - listed.links - _SKIPPED if not name.startswith(".")}
        python = {name for name in listed.files if name.endswith((".py", ".ipynb")) and not name.startswith(".")}
        for name in sorted(inner | python):
            if name in python:
                yield self._library.real(folder, name)
            else:
                yield from self._walk(f"{folder}{os.sep}{name}")

    def read(self, path: Path | str) -> bytes:
        """The bytes of a file; none of a large one, or of one that cannot be read."""
        return folders.content(path, LARGEST) or b""

    def glance(self, path: str) -> Glance:
        """What a file tells without being parsed."""
        if path not in self._glances:
            self._glances[path] = glance(self.read(path), path.endswith(".ipynb"))
        return self._glances[path]

    def _finder(self, path: str) -> Finder:
        folder = path.rpartition(os.sep)[0]
        if folder not in self._finders:
            self._finders[folder] = Finder(self._library, Path(path), project_root(Path(path), self._is_project))
        return self._finders[folder]

    def _edges_of(self, path: str) -> dict[str, bool]:
        """The files imported, and of each whether its names are handed on."""
        if path not in self._edges:
            finder, edges = self._finder(path), dict[str, bool]()
            folder, _, name = path.rpartition(os.sep)
            hub = name.startswith("__init__.")
            for each in self.glance(path).imports:
                if not each.dots and not finder.is_first_party(each.base, folder):
                    continue
                modules = [(each.base, "*" in each.names or (hub and not each.names))] if each.base or each.dots else []
                modules += [(f"{each.base}.{name}" if each.base else name, hub) for name in each.names if name != "*"]
                for dotted, whole in modules:
                    file = finder.found(dotted, folder, each.dots)
                    if file is not None and file != path:
                        edges[file] = edges.get(file, False) or whole
            self._edges[path] = edges
        return self._edges[path]

    def _builds(self, path: str) -> bool:
        """Whether a file mentions recurrent layers and has a library that they can come from."""
        return self.glance(path).recurrent and (self._has_library(path) or self._is_handed_one(path))

    def _has_library(self, path: str) -> bool:
        folder = path.rpartition(os.sep)[0]
        return any(
            not each.dots
            and (head := each.base.partition(".")[0]) in DEEP
            and self._finder(path).found(head, folder) is None
            for each in self.glance(path).imports
        )

    def _is_handed_one(self, path: str) -> bool:
        folder = path.rpartition(os.sep)[0]
        return any(
            not _HANDED_ON.isdisjoint(each.names)
            and (file := self._finder(path).found(each.base, folder, each.dots)) is not None
            and self._has_library(file)
            for each in self.glance(path).imports
        )

    def _reach(self, path: str) -> Reach:
        root = str(self._finder(path).root)
        if root not in self._reaches:
            self._reaches[root] = Reach(self, root, filter(self._builds, self._files_below(root)))
        return self._reaches[root]
