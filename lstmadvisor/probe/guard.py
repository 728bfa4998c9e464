"""Keeps a script that runs in a scratch copy from writing through the links that stand for large files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR
MOST = 50


class Guard:
    """Watches what is opened for writing.  A link within `root` is replaced by a copy first."""

    def __init__(self, root: str | None, own: str) -> None:
        """`own`: the file that the probe itself writes."""
        self._root = os.path.realpath(root) + os.sep if root else None
        self._elsewhere = (os.path.realpath(tempfile.gettempdir()) + os.sep, "/dev/", "/proc/", str(Path(own).parent))
        self.outside: dict[str, None] = {}
        """files opened for writing that lie elsewhere, in order"""

    def install(self) -> None:
        """Watches until the process ends."""
        sys.addaudithook(self._audit)

    def release(self, path: Any, keep: bool) -> None:
        """Makes sure that `path` may be written; `keep` its content, if it is a link to a file."""
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike):
            return
        name = os.path.abspath(path)
        if self._root is not None and name.startswith(self._root):
            link = Path(name)
            if link.is_symlink() and link.is_file():
                target = link.resolve()
                link.unlink()
                if keep:
                    shutil.copyfile(target, link)
        elif len(self.outside) < MOST and not name.startswith(self._elsewhere) and "__pycache__" not in name:
            self.outside[name] = None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path, mode, flags = arguments
        if isinstance(mode, str) and not any(sign in mode for sign in "wax+"):
            return
        if isinstance(path, int) or not (isinstance(mode, str) or (flags or 0) & _WRITING):
            return
        truncated = isinstance(mode, str) and "w" in mode
        with contextlib.suppress(OSError):
            self.release(path, keep=not truncated)
