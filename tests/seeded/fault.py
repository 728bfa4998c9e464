"""What a seeded fault is: a good program of the silent set with a few words changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SILENT = Path(__file__).parents[1] / "silent"


@dataclass(frozen=True)
class Fault:
    """A rule, a good program on which it is silent, and the edits after which it must speak."""

    rule: str
    base: str
    """a file of the silent set, of a program in a folder too: `turbofan/train.py`"""
    edits: tuple[tuple[str, str], ...]
    """what stands there once, and what stands there instead"""
    at: str = ""
    """a part of the line that the finding must point at; by default the new text"""

    @property
    def program(self) -> Path:
        """The file or folder that makes up the good program."""
        return SILENT / Path(self.base).parts[0]

    def text(self) -> str:
        """The faulty text of the base."""
        text = (SILENT / self.base).read_text(encoding="utf-8")
        for old, new in self.edits:
            assert text.count(old) == 1, (self.rule, old, text.count(old))
            text = text.replace(old, new)
        return text

    @property
    def marked(self) -> str:
        """A part of the line that the finding must point at."""
        return self.at or self.edits[0][1].strip()


def fault(rule: str, base: str, old: str, new: str, *more: tuple[str, str], at: str = "") -> Fault:
    """A fault in one place, or in several that belong together."""
    return Fault(rule, base, ((old, new), *more), at)
