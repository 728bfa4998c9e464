"""Where results go: stdout or a file, in colour or not, whatever its encoding and whoever stops reading."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

from lstmadvisor.errors import UserError
from lstmadvisor.report.terminal import wants_color


def colored(mode: str, output_file: str | None = None) -> bool:
    """Whether the result is to be coloured."""
    return mode == "always" or (output_file is None and wants_color(mode, sys.stdout, os.environ))


def columns() -> int:
    """The width of the terminal, or a generous one where there is none."""
    if not sys.stdout.isatty():
        return 120
    import shutil

    return shutil.get_terminal_size().columns


def write(text: str, output_file: str | None = None) -> None:
    """Writes a result.  A reader that has gone away is no error."""
    if output_file is not None:
        try:
            Path(output_file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{output_file}: {error.strerror}") from error
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
