"""Files are replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


class NotWritten(Exception):
    """A file was left as it is; the text says why, in a clause."""


def replace(path: Path, before: bytes, after: bytes) -> None:
    """Replaces what a file holds, if that is still `before`; its permissions stay, a link still points to it."""
    real = Path(os.path.realpath(path))
    try:
        if real.read_bytes() != before:
            raise NotWritten("has changed on disk meanwhile, left alone")
        mode = real.stat()
        if not mode.st_mode & 0o222 or not os.access(real, os.W_OK):
            raise NotWritten("is read-only, left alone")
        _replaced(real, after, mode)
    except OSError as error:
        raise NotWritten(f"cannot be written: {error.strerror or error}") from None


def _replaced(real: Path, data: bytes, status: os.stat_result) -> None:
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(stat.S_IMODE(status.st_mode))
        with contextlib.suppress(OSError, AttributeError):
            os.chown(new, status.st_uid, status.st_gid)
        new.replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
