"""Which first-party files a file imports and whether recurrent layers are among them: told from bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lstmadvisor.extract.abstract.modules import Finder, project_root
from lstmadvisor.sources import Library

MOST_FOLLOWED = 80
"""Files that the search from one file reaches, at most."""
MOST_SEARCHED = 3_000
"""Files of a project that are looked at for importers of a module, at most."""
LARGEST = 2_000_000

_IMPORT = re.compile(
    rb"""(?:^|"|\\n)[ \t]*(?:"""
    rb"""from[ \t]+(?P<dots>\.*)(?P<base>[\w.]*)[ \t]+import[ \t]+\(?(?P<names>[\w, \t]*)"""
    rb"""|import[ \t]+(?P<plain>[\w., \t]+))""",
    re.M,
)
_RECURRENT = re.compile(
    rb"LSTM|GRU|RNN|\brnn\b|ConvLSTM|recurrent|seq2seq|dynamic_rnn",
)
_DEEP = re.compile(
    rb"\b(?:torch|keras|tensorflow|tf_keras|lightning|pytorch_lightning|fastai|ignite|accelerate|transformers|flax|skorch|kerastuner|keras_tuner)\b"
)
_SKIPPED = frozenset(("node_modules", "site-packages", "build", "dist", "__pycache__"))


class Imports:
    """The import graph of the projects under review, as far as it was asked for."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._bytes: dict[Path, bytes] = {}
        self._edges: dict[Path, tuple[Path, ...]] = {}
        self._python: dict[Path, tuple[Path, ...]] = {}

    def concerns(self, path: Path) -> bool:
        """Whether the file, or one that it imports, mentions a recurrent layer, and deep learning is imported."""
        text = self.read(path)
        if _RECURRENT.search(text) and _DEEP.search(text):
            return True
        deep = bool(_DEEP.search(text))
        seen = {path}
        queue = [path]
        for here in queue:
            if len(seen) > MOST_FOLLOWED:
                break
            for other in self.imported(here):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
                    found = self.read(other)
                    deep = deep or bool(_DEEP.search(found))
                    if deep and _RECURRENT.search(found):
                        return True
        return False

    def imported(self, path: Path) -> tuple[Path, ...]:
        """The first-party files that a file imports by name."""
        if path not in self._edges:
            finder = Finder(self._library, path, project_root(path))
            found: dict[Path, None] = {}
            for dotted, level in _names(self.read(path)):
                file = finder.file(dotted, path, level)
                if file is not None and file != path:
                    found[file.resolve()] = None
            self._edges[path] = tuple(found)
        return self._edges[path]

    def importers(self, path: Path) -> list[Path]:
        """First-party files that import the module at `path`, directly or through others, nearest first."""
        out: dict[Path, None] = {}
        queue = [path]
        for here in queue:
            for file in self._direct(here):
                if file != path and file not in out and len(out) < MOST_FOLLOWED:
                    out[file] = None
                    queue.append(file)
        return list(out)

    def _direct(self, path: Path) -> list[Path]:
        stem = path.parent.name if path.stem == "__init__" else path.stem
        word = re.compile(rb"\b" + re.escape(stem.encode()) + rb"\b")
        files = [
            f
            for f in self.files(project_root(path))
            if f != path and word.search(self.read(f)) and path in self.imported(f)
        ]
        return sorted(files, key=lambda f: (-len(set(f.parents) & set(path.parents)), str(f)))

    def files(self, root: Path) -> list[Path]:
        """The Python files and notebooks below a project's root."""
        if root not in self._python:
            self._python[root] = tuple(_walk(root))
        return list(self._python[root])

    def read(self, path: Path) -> bytes:
        """The bytes of a file; none of a large one, or of one that cannot be read."""
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes() if path.stat().st_size <= LARGEST else b""
            except OSError:
                self._bytes[path] = b""
        return self._bytes[path]


def _names(text: bytes) -> Iterator[tuple[str, int]]:
    for match in _IMPORT.finditer(text):
        if match["plain"] is not None:
            for part in match["plain"].split(b","):
                words = part.split()
                if words:
                    yield words[0].decode(), 0
            continue
        level, base = len(match["dots"]), match["base"].decode()
        if base or level:
            yield base, level
        for part in match["names"].split(b","):
            words = part.split()
            if words:
                yield f"{base}.{words[0].decode()}" if base else words[0].decode(), level


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
