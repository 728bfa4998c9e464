"""Which files a review reads: folders are searched, what git or the user ignores is left out."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from lstmadvisor.model import Message

SUFFIXES = (".py", ".ipynb")
SKIPPED = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".lstmadvisor_cache", ".mypy_cache", ".nox",
        ".pytest_cache", ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "build", "dist", "node_modules",
        "site-packages",
    }
)  # fmt: skip
"""Folders that are never searched, unless they are named themselves."""

_FRAMEWORKS = (
    b"torch", b"keras", b"tensorflow", b"lightning", b"transformers", b"fastai", b"accelerate", b"optuna", b"ignite",
    b"skorch",
)  # fmt: skip
_RECURRENT_WORD = re.compile(rb"GRU|RNN|Gru|Rnn|(?<![A-Za-z])(?:gru|rnn)")

_TRAINING = (
    b"backward", b"fit", b"train", b"minimize", b"apply_gradients", b"manual_backward", b"fine_tune", b"search",
)  # fmt: skip
_TRAINS = re.compile(rb"\b(?:backward|fit\w*|train\w*|minimize|apply_gradients|manual_backward|fine_tune|search)\s*\(")


def matters(data: bytes) -> bool:
    """Whether a file mentions a library for training networks: without one it is not worth parsing."""
    return any(word in data for word in _FRAMEWORKS)


def recurrent(data: bytes) -> bool:
    """Whether a file mentions a recurrent layer; a training script whose model lies in another file need not."""
    lower = data.lower()
    return b"lstm" in lower or ((b"gru" in lower or b"rnn" in lower) and _RECURRENT_WORD.search(data) is not None)


def trains(data: bytes) -> bool:
    """Whether a file calls what a training script calls, even if the network is defined in another file."""
    return any(_TRAINS.match(data, at) for word in _TRAINING for at in _places(word, data))


def _places(word: bytes, data: bytes) -> Iterator[int]:
    """Where a word is in a text: told ten times faster than by a pattern."""
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)


def shown(path: Path | str) -> str:
    """A path as people see it: relative to the working directory when below it, with forward slashes."""
    here, full = str(Path.cwd()), os.path.abspath(path)
    below = _below(full, here)
    return below or _below(os.path.realpath(full), here) or Path(full).as_posix()


def _below(path: str, folder: str) -> str | None:
    """A path relative to a folder above it, None if that is not above it."""
    top = folder.rstrip(os.sep) + os.sep
    if os.path.normcase(path).startswith(os.path.normcase(top)):
        return path[len(top) :].replace(os.sep, "/")
    return "." if os.path.normcase(path) == os.path.normcase(folder) else None


def reals(names: Iterable[str]) -> Iterator[str]:
    """How the files are shown that links among `names` point to; of any other file its own name."""
    real_folder = cache(os.path.realpath)
    for name in names:
        folder, file = os.path.split(os.path.abspath(name))
        inside = f"{real_folder(folder)}{os.sep}{file}"
        yield shown(os.path.realpath(inside) if Path(inside).is_symlink() else inside)


def absolute(path: Path | str) -> Path:
    """The full path, `..` taken out and symlinks kept."""
    return Path(os.path.abspath(path))


def content(path: Path | str, most: int) -> bytes | None:
    """The bytes of a file; None of one that is larger than `most`, cannot be read or is none, such as a pipe."""
    try:
        status = Path(path).stat()
        return Path(path).read_bytes() if stat.S_ISREG(status.st_mode) and status.st_size <= most else None
    except OSError:
        return None


def find(
    paths: Iterable[Path | str],
    exclude: Iterable[str] = (),
    force_exclude: bool = False,
    messages: list[Message] | None = None,
    root: Path | None = None,
) -> list[Path]:
    """The files among `paths`, and the Python files and notebooks in the folders among them, each once.

    `exclude` holds patterns as in a .gitignore file in `root` (default: the working directory); they spare files that
    are named in `paths`, unless `force_exclude` is set.  What cannot be listed is told in `messages`.
    """
    patterns = list(exclude)
    base = os.path.realpath(root or Path.cwd())
    search = _Search(_Ignore(base, _spec(patterns)) if patterns else None, [] if messages is None else messages)
    for path in map(Path, paths):
        if stat.S_ISDIR(_mode(path)):
            search.folder(path)
        elif not os.path.lexists(path):
            search.complain(path, "no such file or folder")
        elif not stat.S_ISREG(_mode(path)):
            search.complain(path, "not a file, or a link to none")
        elif not (force_exclude and search.excluded(os.path.realpath(path), folder=False)):
            search.take(str(path), os.path.realpath(path))
    return search.found


class _Ignore(NamedTuple):
    """Patterns of one .gitignore file, and the folder that they are relative to."""

    base: str
    spec: GitIgnoreSpec

    def verdict(self, path: str, folder: bool) -> bool | None:
        """Whether `path` is ignored; None if no pattern speaks of it."""
        inside = path.startswith(self.base.rstrip(os.sep) + os.sep)
        relative = os.path.relpath(path, self.base) if inside else path.lstrip(os.sep)
        return self.spec.check_file(relative.replace(os.sep, "/") + "/" * folder).include


class _Search:
    def __init__(self, exclude: _Ignore | None, messages: list[Message]) -> None:
        self.found: list[Path] = []
        self._seen: set[str] = set()
        self._exclude = exclude
        self._messages = messages

    def take(self, path: str, real: str) -> None:
        if real not in self._seen:
            self._seen.add(real)
            self.found.append(Path(path))

    def complain(self, path: Path | str, text: str) -> None:
        from lstmadvisor.model import Message

        self._messages.append(Message(path=shown(path), text=text, fatal=True))

    def excluded(self, real: str, folder: bool) -> bool:
        return self._exclude is not None and bool(self._exclude.verdict(real, folder))

    def folder(self, top: Path) -> None:
        """Search a folder, in the order of names; symlinks to folders are not followed, those to files come last."""
        real_top = os.path.realpath(top)
        links: list[str] = []
        waiting = [(str(top), real_top, _above(real_top))]
        while waiting:
            path, real, ignores = waiting.pop()
            try:
                with os.scandir(path) as listed:
                    entries = sorted(listed, key=lambda entry: entry.name)
            except OSError as error:
                self.complain(path, f"cannot be searched: {error.strerror}")
                continue
            names = {entry.name for entry in entries}
            if "pyvenv.cfg" in names and real != real_top:
                continue
            if ".gitignore" in names:
                ignores = (*ignores, *_gitignore(real))
            folders = []
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if entry.name in SKIPPED if is_folder else not entry.name.endswith(SUFFIXES):
                    continue
                inside = f"{real.rstrip(os.sep)}{os.sep}{entry.name}"
                if _ignored(ignores, inside, is_folder) or self.excluded(inside, is_folder):
                    continue
                if is_folder:
                    folders.append((entry.path, inside, ignores))
                elif entry.is_symlink():
                    links.append(entry.path)
                elif entry.is_file():
                    self.take(entry.path, inside)
            waiting += reversed(folders)
        for link in links:
            if stat.S_ISREG(_mode(link)):
                self.take(link, os.path.realpath(link))


def _mode(path: Path | str) -> int:
    """What kind of file `path` is, 0 if there is none that we may know of."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return 0


def _ignored(ignores: tuple[_Ignore, ...], path: str, folder: bool) -> bool:
    for ignore in reversed(ignores):
        verdict = ignore.verdict(path, folder)
        if verdict is not None:
            return verdict
    return False


def _above(folder: str) -> tuple[_Ignore, ...]:
    """The .gitignore files above `folder`, up to the root of its repository; none if they ignore the folder itself."""
    if _mode(f"{folder}/.git"):
        return ()
    ignores: tuple[_Ignore, ...] = ()
    for parent in Path(folder).parents:
        ignores = (*_gitignore(str(parent)), *ignores)
        if _mode(parent / ".git"):
            return () if _ignored(ignores, folder, folder=True) else ignores
    return ()


def _gitignore(folder: str) -> tuple[_Ignore, ...]:
    try:
        text = (Path(folder) / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return (_Ignore(folder, _spec(text.splitlines())),)


def _spec(patterns: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError:  # git passes over a pattern that it cannot read
        return GitIgnoreSpec.from_lines([pattern for pattern in patterns if _is_pattern(pattern)])


def _is_pattern(pattern: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True
