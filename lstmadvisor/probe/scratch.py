"""A copy of the working directory for a script to write in.

Large files are linked, not copied; the child process replaces a link before it is written to.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lstmadvisor.errors import UserError

LARGE = 32 * 2**20
"""Bytes of a file that is linked rather than copied."""
MOST_BYTES = 2**30
"""Bytes that are copied before all that remains is linked."""
MOST_FILES = 20_000
FEW_FILES = 1_000
"""of a folder that is copied although nobody said that it belongs to the script"""
_WRITTEN_BELOW_PYTHON = (".pt", ".pth", ".ckpt", ".h5", ".hdf5", ".keras", ".safetensors", ".onnx", ".db", ".sqlite")
"""Libraries open these without the interpreter's knowledge: a link could be written through, so they are copied."""
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".ipynb_checkpoints"}
_LINKED = {".git", ".hg", ".svn", "node_modules", ".venv", "venv"}
_ROOTS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")

Manifest = dict[str, tuple[int, int]]


@dataclass
class Scratch:
    """Where a script runs: the folder that stands for `original`, and the script within it."""

    original: Path
    root: Path
    working: Path
    script: Path
    copied: int = 0
    linked: int = 0
    size: int = 0
    before: Manifest = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """prefixes of paths within, and those of the originals as people see them"""

    def written(self) -> tuple[str, ...]:
        """The files that are new or changed, relative to the working directory."""
        now = manifest(self.root)
        changed = (path for path, state in now.items() if self.before.get(path) != state)
        return tuple(sorted(os.path.relpath(self.root / path, self.working) for path in changed))


def project_root(folder: Path) -> Path:
    """The nearest folder above that looks like a project, below the home directory.

    Where none does, the parent of `folder` if it holds little: scripts read `../data`.  Else `folder` itself.
    """
    for parent in (folder, *folder.parents):
        if parent in (Path.home(), Path(parent.anchor)):
            break
        if any((parent / name).exists() for name in _ROOTS):
            return parent
    above = folder.parent
    shared = (Path.home(), Path(above.anchor), Path(tempfile.gettempdir()).resolve())
    return above if above not in shared and _small(above) else folder


def _small(folder: Path) -> bool:
    """Whether a folder holds few files."""
    count = 0
    for _, _, files in os.walk(folder):
        count += len(files)
        if count > FEW_FILES:
            return False
    return True


@contextmanager
def scratch(script: Path) -> Iterator[Scratch]:
    """A copy of the project around the present directory, gone afterwards."""
    here, script = Path.cwd().resolve(), script.resolve()
    with tempfile.TemporaryDirectory(prefix="lstmadvisor-", ignore_cleanup_errors=True) as name:
        top = Path(name).resolve()
        try:
            made = _copy(project_root(here), top / "work")
        except _TooLarge:
            shutil.rmtree(top / "work", ignore_errors=True)
            try:
                made = _copy(here, top / "work")
            except _TooLarge:
                raise UserError(
                    f"{here} holds more than {MOST_FILES:,} files: too many to copy; run from the project's own "
                    "folder, or pass --in-place to let the script write where it is"
                ) from None
        made.working = made.root / here.relative_to(made.original)
        if script.is_relative_to(made.original):
            made.script = made.root / script.relative_to(made.original)
        else:
            beside = _copy(script.parent, top / "script")
            made.script = beside.root / script.name
            made.places[f"{beside.root}{os.sep}"] = f"{script.parent}{os.sep}"
        made.places[f"{made.working}{os.sep}"] = ""
        made.places.setdefault(f"{made.root}{os.sep}", f"{made.original}{os.sep}")
        made.before = manifest(made.root)
        yield made


def in_place(script: Path) -> Scratch:
    """The present directory itself."""
    here = Path.cwd().resolve()
    made = Scratch(here, here, here, script.resolve(), places={f"{here}{os.sep}": ""})
    made.before = manifest(here)
    return made


def manifest(root: Path) -> Manifest:
    """Size and time of every file, as far as they are not too many."""
    found: Manifest = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT | _LINKED]
        for name in files:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                state = path.lstat()
                found[os.path.relpath(path, root)] = (state.st_size, state.st_mtime_ns)
        if len(found) > MOST_FILES:
            break
    return found


class _TooLarge(Exception):
    """More files than are copied."""


def _copy(original: Path, root: Path) -> Scratch:
    """Copies a tree, file by file."""
    made = Scratch(original, root, root, root)
    root.mkdir(parents=True)
    for folder, folders, files in os.walk(original):
        target = root / os.path.relpath(folder, original)
        target.mkdir(exist_ok=True)
        for name in list(folders):
            source = Path(folder, name)
            if name in _LEFT_OUT or source == root.parent:  # where temporary files lie within the project
                folders.remove(name)
            elif name in _LINKED or source.is_symlink() or (source / "pyvenv.cfg").exists():
                folders.remove(name)
                (target / name).symlink_to(source.resolve())
                made.linked += 1
        for name in files:
            _place(Path(folder, name), target / name, made)
        if made.copied + made.linked > MOST_FILES:
            raise _TooLarge
    return made


def _place(source: Path, target: Path, made: Scratch) -> None:
    """Copies one file, or links it."""
    try:
        size = source.stat().st_size
        if not source.is_file():
            return
        linked = size > LARGE or made.size + size > MOST_BYTES
        if linked and source.suffix.lower() not in _WRITTEN_BELOW_PYTHON:
            target.symlink_to(source.resolve())
            made.linked += 1
            return
        shutil.copy2(source, target)
    except OSError:
        return  # unreadable, or gone: the script will say what it misses
    made.copied += 1
    made.size += size
