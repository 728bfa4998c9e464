"""`--add-noqa`: a comment on the line of every finding."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmadvisor import notebooks
from lstmadvisor.edits import Change
from lstmadvisor.fix.bytes import changed, spliced
from lstmadvisor.model import Finding, Report
from lstmadvisor.suppression import silences, speaks_for, tokens

_PYTHON = (".py", ".pyi", ".ipynb", "<stdin>")
_CONFIGURATION = (".yaml", ".yml", ".toml")
_NOQA = re.compile(r"#\s*noqa\s*:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*", re.IGNORECASE)


def silenced(report: Report) -> tuple[Mapping[str, tuple[bytes, bytes]], Sequence[Finding]]:
    """What files held and hold with a comment for every finding, and the findings that none can be written for."""
    changes, refused = comments(report)
    paths = dict.fromkeys(change.path for change in changes)
    before = {path: Path(path).read_bytes() for path in paths}
    after = {path: changed(data, path, [c for c in changes if c.path == path]) for path, data in before.items()}
    return {path: (before[path], after[path]) for path in paths}, refused


def comments(report: Report) -> tuple[Sequence[Change], Sequence[Finding]]:
    """A comment for every finding, and the findings that have no room for one."""
    changes: list[Change] = []
    refused: list[Finding] = []
    places: dict[tuple[str, int | None], list[Finding]] = {}
    for finding in report.findings:
        places.setdefault((finding.at.path, finding.at.cell), []).append(finding)
    for (path, cell), findings in places.items():
        text = report.source(findings[0].at)
        lines = _lines_with_room(text, path, cell is not None)
        by_line: dict[int, list[Finding]] = {}
        for finding in findings:
            at = finding.at
            room = [line for line in range(at.line, (at.end_line or at.line) + 1) if line in lines]
            if room:
                by_line.setdefault(room[-1], []).append(finding)
            else:
                refused.append(finding)
        for number, here in by_line.items():
            change = _comment(path, cell, number, text.split("\n")[number - 1], sorted({f.code for f in here}))
            after = silences(spliced(text, [change]), python=not path.endswith(_CONFIGURATION))
            if all(any(speaks_for(s, f.at) and f.code in s.words for s in after) for f in here):
                changes.append(change)
            else:
                refused += here
    return changes, refused


def _lines_with_room(text: str, path: str, is_cell: bool) -> frozenset[int]:
    """The lines that a comment may end: not those within a string or before a backslash."""
    if not path.endswith(_PYTHON + _CONFIGURATION):
        return frozenset()
    if path.endswith(_CONFIGURATION):
        return frozenset(range(1, text.count("\n") + 2))
    code = notebooks.plain_cell(text).code if is_cell else text
    lines = {token.start[0] for token in tokens(code) if token.type in (tokenize.NEWLINE, tokenize.NL)}
    return frozenset(lines)


def _comment(path: str, cell: int | None, number: int, line: str, codes: list[str]) -> Change:
    """The codes at the end of the line, or within the noqa that is there."""
    if there := _NOQA.search(line):
        column, text = there.end() + 1, "".join(f", {code}" for code in codes)
        return Change(path=path, cell=cell, line=number, column=column, end_line=number, end_column=column, text=text)
    column = len(line.rstrip()) + 1
    text = f"  # noqa: {', '.join(codes)}"
    return Change(
        path=path, cell=cell, line=number, column=column, end_line=number, end_column=len(line) + 1, text=text
    )
