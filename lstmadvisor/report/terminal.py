"""Colour, and text that is safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import IO, NamedTuple

_CODES = {
    "error": "1;31", "warning": "1;33", "advice": "1;36", "bold": "1", "dim": "2", "frame": "1;34", "good": "32",
    "added": "32", "removed": "31",
}  # fmt: skip


class Paint(NamedTuple):
    """Wraps text in colours, or leaves it alone."""

    color: bool = False

    def __call__(self, style: str, text: str) -> str:
        """`text` in one of the styles: a severity, bold, dim, frame, good, added or removed."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color and text else text


def wants_color(mode: str, stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether to colour: `mode` first, then NO_COLOR, then FORCE_COLOR, then whether a person is reading."""
    if mode != "auto":
        return mode == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def safe(text: str) -> str:
    """`text` with every character made visible that could steer a terminal or reverse the reading order."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def width(character: str) -> int:
    """The columns that one printed character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
