"""Fixes are applied in rounds, each checked by a new review, until nothing changes any more."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lstmadvisor import sources
from lstmadvisor.edits import Change
from lstmadvisor.facts import Place
from lstmadvisor.fix.bytes import changed
from lstmadvisor.fix.plan import Planner
from lstmadvisor.fix.syntax import Refused
from lstmadvisor.folders import reals
from lstmadvisor.model import Finding, Report, Severity
from lstmadvisor.sources import STDIN, Library, Unreadable

MOST_ROUNDS = 100

Judge = Callable[[Library], Report]
"""Reviews the same paths as before, with what a library holds."""
Item = TypeVar("Item")
_Key = tuple[str, str, str, int | None, int, int]


@dataclass(frozen=True)
class Fixed:
    """What came of the fixes of one review."""

    report: Report
    """what is found when they are made"""
    contents: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """path → what the file held and what it is to hold, for every file that changes"""
    made: tuple[tuple[Finding, frozenset[str]], ...] = ()
    """the findings that are fixed, each with the files that its fix changes"""
    refused: tuple[tuple[Finding, str], ...] = ()
    """the findings whose fix was left out, and why"""


def fixed(
    report: Report,
    library: Library,
    judge: Judge,
    wanted: Callable[[Finding], bool],
    allowed: Callable[[str], bool],
    contents: Mapping[str, bytes] | None = None,
) -> Fixed:
    """Applies the wanted fixes to what `library` holds; no file is written.

    allowed: whether a file may be changed.  contents: path → bytes of what is in no file, standard input.
    """
    return _Fixing(report, library, judge, wanted, allowed, dict(contents or {})).run()


class _Fixing:
    def __init__(
        self,
        report: Report,
        library: Library,
        judge: Judge,
        wanted: Callable[[Finding], bool],
        allowed: Callable[[str], bool],
        contents: dict[str, bytes],
    ) -> None:
        self.report, self.library = report, library
        self._judge, self._wanted, self._allowed = judge, wanted, allowed
        self._contents = contents
        self._before: dict[str, bytes] = dict(contents)
        self._made: list[tuple[Finding, frozenset[str]]] = []
        self._failed: dict[_Key, str] = {}
        self._alone = False
        """after a failure that no single fix can be blamed for: one fix a round"""

    def run(self) -> Fixed:
        """Rounds until no wanted fix changes anything any more."""
        for _ in range(MOST_ROUNDS):
            chosen = self._chosen()
            if not chosen:
                break
            self._attempt(chosen)
        left = [f for f in self.report.findings if _key(f) in self._failed]
        after = {p: (self._before[p], data) for p, data in self._contents.items() if data != self._before[p]}
        return Fixed(self.report, after, tuple(self._made), tuple((f, self._failed[_key(f)]) for f in left))

    def _chosen(self) -> list[tuple[Finding, tuple[Change, ...]]]:
        """The fixes of one round: the more severe first, none that overlaps with one before."""
        planner = Planner(self.library)
        chosen: list[tuple[Finding, tuple[Change, ...]]] = []
        for finding in sorted(self.report.findings, key=_rank):
            if finding.fix is None or not self._wanted(finding) or _key(finding) in self._failed:
                continue
            try:
                changes = planner.changes(finding.fix.edits)
                self._may_change(changes)
            except Refused as error:
                self._failed[_key(finding)] = str(error)
                continue
            if not any(overlap(changes, others) for _, others in chosen):
                chosen.append((finding, changes))
                if self._alone:
                    break
        return chosen

    def _may_change(self, changes: Sequence[Change]) -> None:
        if not changes:
            raise Refused("nothing is left to change")
        for path in {change.path for change in changes}:
            if not self._allowed(path):
                raise Refused(f"it would change {path}, which is not among the files passed")
            if path not in self._contents:
                self._before[path] = self._contents[path] = self._bytes(path)

    def _bytes(self, path: str) -> bytes:
        """What the file holds, if it is still what was reviewed."""
        source = self.library.get(path)
        file = Path(path) if source is None or source.file is None else source.file
        try:
            data = file.read_bytes()
            same = source is None or sources.read(file, data).original == source.original
        except (OSError, Unreadable):
            same = False
        if not same:
            raise Refused(f"{path} has changed on disk meanwhile")
        return data

    def _attempt(self, chosen: list[tuple[Finding, tuple[Change, ...]]]) -> None:
        """Makes the changes in memory, reviews, and keeps them if all is well."""
        every = [change for _, changes in chosen for change in changes]
        try:
            contents, library = self._changed(every)
            report = self._judge(library)
            self._still_sound(report, every)
        except Refused as error:
            if len(chosen) > 1:
                self._alone = True
            else:
                self._failed[_key(chosen[0][0])] = str(error)
            return
        unhealed = [f for f, _ in chosen if _remains(f, report, every) or _wandered(f, self.report, report, every)]
        if unhealed:
            if len(chosen) > 1:
                self._alone = True
            else:
                self._failed[_key(chosen[0][0])] = "the finding would still be there"
            return
        self.report, self.library, self._alone = report, library, False
        self._contents |= contents
        self._made += [(finding, frozenset(c.path for c in changes)) for finding, changes in chosen]
        self._failed = {_moved_key(key, every): why for key, why in self._failed.items()}

    def _changed(self, changes: Sequence[Change]) -> tuple[dict[str, bytes], Library]:
        """The contents with the changes made, and a library that holds them; `Refused` if they are no Python."""
        paths = {change.path for change in changes}
        contents = {p: changed(self._contents[p], p, [c for c in _once(changes) if c.path == p]) for p in paths}
        try:
            library = self.library.with_changes(
                {(Path(p) if p != STDIN else Path(STDIN)): data for p, data in {**self._contents, **contents}.items()}
            )
        except Unreadable as error:
            raise Refused(f"the result would be no Python ({error.message.text})") from None
        left_out = Counter(message.path for message in self.library.messages if message.at)
        for path in paths:
            source, old = library.get(path), self.library.get(path)
            if source is None or old is None:
                continue
            if sum(m.path == path and m.at is not None for m in library.messages) > left_out[path]:
                raise Refused("a cell would be no Python")
            if not _compiles(source.code) and _compiles(old.code):
                raise Refused("the result would be no Python")
        return contents, library

    def _still_sound(self, report: Report, changes: Sequence[Change]) -> None:
        """Refuses a result that is understood less well, or in which an error shows that was not there."""
        lost = {p.path for p in self.report.programs} - {p.path for p in report.programs}
        if lost:
            raise Refused("the program would no longer be understood")
        old = [f for f in self.report.findings if f.severity is Severity.ERROR]
        places = {_moved_key(_key(f), changes)[:1] + _moved_key(_key(f), changes)[2:] for f in old}
        counts = Counter((f.code, f.message) for f in old)
        errors = [f for f in report.findings if f.severity is Severity.ERROR]
        elsewhere = [f for f in errors if _key(f)[:1] + _key(f)[2:] not in places]
        counts.subtract((f.code, f.message) for f in errors if f not in elsewhere)
        for finding in elsewhere:
            counts[finding.code, finding.message] -= 1
            if counts[finding.code, finding.message] < 0:
                raise Refused(f"it would lead to {finding.code} {finding.rule}: {finding.message}")


def together(report: Report) -> list[Report]:
    """The report in parts: programs that share files, and what was found in these."""
    groups: list[set[str]] = []
    for program in report.programs:
        mine = {program.path, *program.files}
        others = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine] + [mine.union(*others)]
    named = list(zip(report.files, reals(report.files), strict=True))
    return [
        report.model_copy(
            update={
                "files": tuple(file for file, real in named if {file, real} & group),
                "programs": tuple(program for program in report.programs if program.path in group),
                "outcomes": tuple(outcome for outcome in report.outcomes if outcome.program in group),
                "findings": tuple(finding for finding in report.findings if finding.at.path in group),
            }
        )
        for group in groups
    ]


def joined(report: Report, parts: Sequence[Fixed]) -> Fixed:
    """The whole report with some of its parts fixed."""
    inside = {file for part in parts for program in part.report.programs for file in (program.path, *program.files)}
    everything = [part.report for part in parts]

    def rest(many: Iterable[Item], path_of: Callable[[Item], str]) -> tuple[Item, ...]:
        return tuple(item for item in many if path_of(item) not in inside)

    programs = (*rest(report.programs, lambda p: p.path), *(p for part in everything for p in part.programs))
    outcomes = (*rest(report.outcomes, lambda o: o.program), *(o for part in everything for o in part.outcomes))
    findings = (*rest(report.findings, lambda f: f.at.path), *(f for part in everything for f in part.findings))
    suppressed = (
        *rest(report.suppressed, lambda s: s.finding.at.path),
        *(s for part in everything for s in part.suppressed),
    )
    order = {program.path: n for n, program in enumerate(report.programs)}
    whole = report.model_copy(
        update={
            "programs": tuple(sorted(programs, key=lambda p: order.get(p.path, len(order)))),
            "outcomes": tuple(sorted(outcomes, key=lambda o: order.get(o.program, len(order)))),
            "findings": tuple(sorted(findings, key=lambda f: _rank(f)[1:])),
            "suppressed": suppressed,
            "scorecard": tuple(line for part in everything for line in part.scorecard) or report.scorecard,
            "sources": report.sources | {key: text for part in everything for key, text in part.sources.items()},
        }
    )
    return Fixed(
        whole,
        {path: change for part in parts for path, change in part.contents.items()},
        tuple(each for part in parts for each in part.made),
        tuple(each for part in parts for each in part.refused),
    )


def overlap(one: Iterable[Change], others: Collection[Change]) -> bool:
    """Whether two fixes touch the same place; one change that both ask for is no conflict."""
    for a in one:
        for b in others:
            if a == b or (a.path, a.cell) != (b.path, b.cell):
                continue
            if (a.line, a.column) <= (b.end_line, b.end_column) and (b.line, b.column) <= (a.end_line, a.end_column):
                return True
    return False


def moved(at: tuple[str, int | None, int, int], changes: Iterable[Change]) -> tuple[str, int | None, int, int]:
    """Where a place is after changes: its path, cell, line and column."""
    path, cell, line, column = at
    lines = columns = 0
    for change in _once(changes):
        if (change.path, change.cell) != (path, cell) or (change.line, change.column) > (line, column):
            continue
        if (change.end_line, change.end_column) > (line, column):
            inside = change.line, change.column  # what stood here is gone: where the new text begins
            return path, cell, inside[0] + lines, inside[1] + (columns if change.line == line else 0)
        new_lines = change.text.count("\n")
        lines += new_lines - (change.end_line - change.line)
        if change.end_line == line:
            last = len(change.text.rpartition("\n")[2])
            start = 1 if new_lines else change.column + (columns if change.line == line else 0)
            columns = start + last - change.end_column
    return path, cell, line + lines, column + columns


def _once(changes: Iterable[Change]) -> list[Change]:
    """The changes in order of place, one that several fixes ask for once."""
    return sorted(dict.fromkeys(changes), key=lambda c: (c.path, c.line, c.column, c.end_line, c.end_column))


def _remains(finding: Finding, new: Report, changes: Sequence[Change]) -> bool:
    """Whether a finding is still there at its place."""
    place = _moved_key(_key(finding), changes)
    return any(key[:1] + key[2:] == place[:1] + place[2:] for key in map(_key, new.findings))


def _wandered(finding: Finding, old: Report, new: Report, changes: Sequence[Change]) -> bool:
    """Whether a finding is there in the same words at a place where it was not."""
    words = (finding.code, finding.message)
    before = {_moved_key(_key(f), changes) for f in old.findings if (f.code, f.message) == words}
    return any(key[:2] == words and key not in before for key in map(_key, new.findings))


def _key(finding: Finding) -> _Key:
    at = finding.at
    return finding.code, finding.message, at.path, at.cell, at.line, at.column


def _moved_key(key: _Key, changes: Iterable[Change]) -> _Key:
    return (*key[:2], *moved(key[2:], changes))


def _rank(finding: Finding) -> tuple[int, str, int, int, int, str]:
    at: Place = finding.at
    severity = finding.severity.rank if finding.severity else 0
    return -severity, at.path, -1 if at.cell is None else at.cell, at.line, at.column, finding.code


def _compiles(code: str) -> bool:
    """Whether the interpreter takes the text for Python; nothing is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
