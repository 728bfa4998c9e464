"""Findings that are known and accepted for now, in a file.

They are told from new ones by code, source line and how-manieth such finding it is, never by the number of the line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from lstmadvisor.errors import UserError
from lstmadvisor.model import Finding, Severity

SCHEMA = "lstmadvisor/baseline/1"


class Entry(NamedTuple):
    """One known finding; its path is relative to the folder of the baseline."""

    path: str
    code: str
    rule: str
    severity: str
    message: str
    fingerprint: str


class Baseline(NamedTuple):
    """What a baseline file holds."""

    file: Path
    entries: tuple[Entry, ...] = ()

    def relative(self, path: str) -> str:
        """A path as shown, as entries name it."""
        if not os.path.lexists(path):
            return path
        try:
            return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(self.file.parent))).as_posix()
        except ValueError:  # another drive
            return path

    def gone(self, entry: Entry) -> bool:
        """Whether the file of an entry is no longer there."""
        return not (self.file.parent / entry.path).exists()

    def updated(
        self, findings: Iterable[Finding], reviewed: Collection[str], codes: Collection[str], least: Severity
    ) -> Baseline:
        """The baseline after a review that found `findings` in `reviewed` by rules of `codes`, from `least` on.

        What that review could not see is kept.
        """
        seen = {self.relative(path) for path in reviewed}
        kept = [
            entry
            for entry in self.entries
            if not self.gone(entry)
            if entry.path not in seen or entry.code not in codes or Severity(entry.severity).rank < least.rank
        ]
        return Baseline(self.file, tuple(sorted({*kept, *map(self._entry, findings)})))

    def write(self) -> None:
        """Writes the file, one entry a line, so that changes of it can be read and merged."""
        lines = ",\n".join("  " + json.dumps(entry._asdict()) for entry in self.entries)
        text = f'{{"schema": "{SCHEMA}", "findings": [\n{lines}\n]}}\n'
        try:
            self.file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{self.file}: {error.strerror}") from error

    def _entry(self, finding: Finding) -> Entry:
        severity = (finding.severity or Severity.WARNING).value
        return Entry(
            self.relative(finding.at.path), finding.code, finding.rule, severity, finding.message, finding.fingerprint
        )  # fmt: skip


class Matching:
    """Which findings of one review a baseline knows; each entry stands for one of them."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self.left = list(baseline.entries)
        """entries that no finding has claimed"""

    def knows(self, finding: Finding) -> bool:
        """Claims the entry of a finding; that of a file which is gone may stand for a finding anywhere."""
        path = self._baseline.relative(finding.at.path)
        same = [e for e in self.left if (e.code, e.fingerprint) == (finding.code, finding.fingerprint)]
        claimed = next((e for e in same if e.path == path), None) or next(filter(self._baseline.gone, same), None)
        if claimed is None:
            return False
        self.left.remove(claimed)
        return True

    def fixed(self, reviewed: Collection[str], judged: Collection[tuple[str, str]]) -> list[Entry]:
        """The entries that no finding has claimed, of files that are gone, or of paths and codes that were judged."""
        shown = {self._baseline.relative(path): path for path in reviewed}
        return [e for e in self.left if self._baseline.gone(e) or (shown.get(e.path, ""), e.code) in judged]


def read(file: Path, missing_ok: bool = False) -> Baseline:
    """The baseline in a file; without the file an empty one, if that may be."""
    try:
        document = json.loads(file.read_bytes())
        known = set(Entry._fields)
        entries = [
            Entry(**{name: str(value) for name, value in entry.items() if name in known})
            for entry in document["findings"]
        ]
        if document["schema"] != SCHEMA or any(entry.severity not in list(Severity) for entry in entries):
            raise ValueError
    except FileNotFoundError:
        if missing_ok:
            return Baseline(file)
        raise UserError(f"{file}: no such baseline; --update-baseline makes it") from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(f"{file}: not a baseline") from None
    return Baseline(file, tuple(entries))
