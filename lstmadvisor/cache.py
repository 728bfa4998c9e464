"""What was understood before: kept in a folder, found again by the content of all that it came from.

A cache is never needed.  What cannot be written is not kept, what cannot be read is understood anew, and two runs at
once replace whole files of one another.  It holds JSON: nothing in it is executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lstmadvisor import __version__
from lstmadvisor.folders import SKIPPED

NAME = ".lstmadvisor_cache"
CONFIGURATION = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
"""Files beside Python and notebooks that a program's facts can come from."""
_PYTHON = (".py", ".ipynb")
_LARGEST = 5_000_000
"""Bytes of a file whose content counts; of a larger one, its size and time."""
MOST = 100_000
"""Files of a project that are looked at; the results of a larger one are not kept."""
_YOUNG = 2.0
"""Seconds after a change in which the next one might not show in a file's time."""
_SIGNATURE = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# This file says that the folder is a cache of lstmadvisor.\n"
)


class Cache:
    """A folder of results, and what is remembered of the files that they came from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / _edition()
        self._top = folder
        kept = self._load("files")
        self._files: dict[str, list[Any]] = dict(filter(_is_note, kept.items() if isinstance(kept, dict) else ()))
        """by path: time and size, the digest of the content, the answer to `asked`"""
        self._current: set[str] = set()
        """files that were looked at in this run"""
        self._new = False
        self._states: dict[Path, dict[str, str] | None] = {}

    def asked(self, path: Path, question: Callable[[bytes], bool]) -> bool:
        """What `question` says of a file's content; it is asked again only where the content is another."""
        known = self._known(str(path))
        if len(known) < 4:
            try:
                known.append(question(path.read_bytes()))
            except OSError:
                return True
            self._new = True
        return bool(known[3])

    def key(self, root: Path, paths: Iterable[Path], kind: str = "") -> str | None:
        """Under what the results of a kind for `paths` in the project at `root` are kept; None if they cannot be."""
        state = self.state(root)
        if state is None:
            return None
        text = json.dumps([str(Path.cwd()), str(root), kind, sorted(state.items()), [str(path) for path in paths]])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def state(self, root: Path) -> dict[str, str] | None:
        """The digests of all files in a project that facts can come from; None if there are too many."""
        if root not in self._states:
            found = {}
            for path in _walk(str(root)):
                found[path] = self._known(path)[2]
                if len(found) > MOST:
                    break
            self._states[root] = found if len(found) <= MOST else None
        return self._states[root]

    def get(self, key: str) -> Any:
        """What was kept, None if nothing was."""
        return self._load(key)

    def put(self, key: str, value: Any) -> None:
        """Keep what JSON can hold."""
        self._write(self.folder / f"{key}.json", json.dumps(value))

    def close(self) -> None:
        """Write down what is remembered of files."""
        if self._new:
            self._new = False
            now = time.time_ns()
            old = {path: note for path, note in self._files.items() if now - note[0] > _YOUNG * 1e9}
            self._write(self.folder / "files.json", json.dumps(old))

    def _known(self, path: str) -> list[Any]:
        known = self._files.get(path)
        if path in self._current and known is not None:
            return known
        try:
            status = Path(path).stat()
        except OSError:
            return [0, 0, ""]
        if not stat.S_ISREG(status.st_mode):
            return [0, 0, ""]
        if known is None or known[:2] != [status.st_mtime_ns, status.st_size]:
            known = self._files[path] = [status.st_mtime_ns, status.st_size, _digest(path, status)]
            self._new = True
        self._current.add(path)
        return known

    def _load(self, name: str) -> Any:
        try:
            return json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None

    def _write(self, file: Path, text: str) -> None:
        with contextlib.suppress(OSError):
            if not self.folder.is_dir():
                self.folder.mkdir(parents=True)
                (self._top / ".gitignore").write_text("*\n", encoding="utf-8")
                (self._top / "CACHEDIR.TAG").write_text(_SIGNATURE, encoding="utf-8")
            import tempfile

            handle, name = tempfile.mkstemp(dir=self.folder)
            os.close(handle)
            try:
                Path(name).write_text(text, encoding="utf-8")
                Path(name).replace(file)
            except BaseException:
                Path(name).unlink()
                raise


def _is_note(entry: tuple[str, Any]) -> bool:
    match entry[1]:
        case [int(), int(), str(), *more]:
            return len(more) < 2
    return False


def _edition() -> str:
    """A name that changes with the tool, its files included, and with Python."""
    here = Path(__file__).parent
    sources = sorted(
        (str(f), f.stat().st_mtime_ns) for f in (here, *(here / "extract").rglob("*.py"), here / "facts.py")
    )
    version = f"{__version__}-{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{version}-{hashlib.sha256(repr(sources).encode()).hexdigest()[:8]}"


def _digest(path: str, status: os.stat_result) -> str:
    if status.st_size > _LARGEST:
        return f"{status.st_size}-{status.st_mtime_ns}"
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=12).hexdigest()
    except OSError:
        return ""


def _walk(top: str) -> Iterator[str]:
    """The files below a folder that facts can come from."""
    waiting = [top]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED and entry.name != NAME:
                    waiting.append(entry.path)
            elif entry.name.endswith((*_PYTHON, *CONFIGURATION)):
                yield entry.path


# -- models as JSON ----------------------------------------------------------------------------------


class NotPlain(Exception):
    """A value that JSON cannot hold and give back as it was."""


def to_plain(value: Any) -> Any:
    """A model as lists, dicts, texts and numbers; tuples and dicts are marked, so that they come back as they were."""
    if value is None or isinstance(value, (str, int, float)):
        if type(value) in (type(None), str, int, float, bool):
            return value
    elif isinstance(value, BaseModel):
        own = {name: to_plain(getattr(value, name)) for name in type(value).model_fields if _is_set(value, name)}
        return {"is": type(value).__name__, "has": own}
    elif type(value) is list:
        return [to_plain(each) for each in value]
    elif type(value) is tuple:
        return {"is": "tuple", "has": [to_plain(each) for each in value]}
    elif type(value) is dict:
        return {"is": "dict", "has": [[to_plain(key), to_plain(each)] for key, each in value.items()]}
    raise NotPlain(type(value).__name__)


def _is_set(model: BaseModel, name: str) -> bool:
    return getattr(model, name) is not type(model).model_fields[name].default


def from_plain(plain: Any, models: Mapping[str, type[BaseModel]]) -> Any:
    """What `to_plain` was given.  Models are looked up by name in `models`."""
    if isinstance(plain, list):
        return [from_plain(each, models) for each in plain]
    if not isinstance(plain, dict):
        return plain
    kind, has = plain["is"], plain["has"]
    if kind == "tuple":
        return tuple(from_plain(each, models) for each in has)
    if kind == "dict":
        return {from_plain(key, models): from_plain(each, models) for key, each in has}
    return models[kind](**{name: from_plain(each, models) for name, each in has.items()})
