"""A review as GitHub-flavoured Markdown, short enough for a comment on a pull request.

What comes from user code stands in code, or has every sign that Markdown or the forge would act on taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lstmadvisor.model import Finding, Report
from lstmadvisor.report.summary import by_action, finding_severity, verdict
from lstmadvisor.report.terminal import safe
from lstmadvisor.report.text import Look, block, cost, counted

_LONGEST = 60_000
"""Bytes; GitHub takes 65,536 characters."""
_LONGEST_TEXT = 300
_LONGEST_BLOCK = 6_000
_LISTED = 50
_SIGNS = {"error": "▲", "warning": "◆", "advice": "●", "good": "✓", "none": "?"}
_TITLES = {
    "change": "to change", "your call": "your call", "keep": "to keep",
    "could not tell": "could not tell", "does not apply": "does not apply",
}  # fmt: skip
_CODE = re.compile(r"`([^`]+)`")
_ACTIVE = re.compile(r"[\\`*_\[\]~|$&<>]|[@#]|:(?=//|\w+:)|www(?=\.)", re.IGNORECASE)
"""What Markdown acts on within a line; then what forges make links and pictures of, behind a backslash too."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown(report: Report) -> str:
    """The whole comment: what was found at a glance, the rest folded, as much as fits."""
    head, *rest = _blocks(report)
    parts, size = [head], len(head.encode())
    left_out = 0
    for part in rest:
        size += len(part.encode()) + 2
        if size < _LONGEST - 200:
            parts.append(part)
        else:
            size -= len(part.encode()) + 2
            left_out += 1
    if left_out:
        parts.append(f"*{left_out} more {'part' if left_out == 1 else 'parts'} did not fit; `lstmadvisor` shows all.*")
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Text as code within a line or within the cell of a table."""
    shown = safe(_cut(text)).replace("|", "\\|")
    ticks = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    space = " " if shown[:1] in ("`", " ", "") or shown[-1:] in ("`", " ") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def inline(text: str) -> str:
    """A sentence: what stands in backticks as code, all else without effect."""
    return "".join(code(part) if n % 2 else _plain(part) for n, part in enumerate(_CODE.split(_cut(text))))


def fenced(text: str, language: str = "") -> str:
    """Lines as a block of code."""
    if len(text) > _LONGEST_BLOCK:
        text = text[:_LONGEST_BLOCK].rpartition("\n")[0] + "\n…"
    ticks = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _plain(text: str) -> str:
    return _ACTIVE.sub(lambda match: _harmless(match[0]), safe(text))


def _harmless(found: str) -> str:
    """An empty comment keeps a sign that links from what it would link."""
    if found.lower() in ("@", "#", ":", "www"):
        return f"{found}<!-- -->"
    return _ENTITIES.get(found) or f"\\{found}"


def _blocks(report: Report) -> Iterator[str]:
    """By importance: the head comes first, and what is last is left out first."""
    findings = sorted(report.findings, key=cost)
    yield "\n\n".join(_head(report, findings))
    for finding in findings:
        yield _folded(_title(finding), _finding(finding, report))
    for program, groups in by_action(report.scorecard).items():
        counts = ", ".join(f"{len(lines)} {_TITLES[action]}" for action, lines in groups.items() if lines)
        rows = [
            f"| {line.item} {line.title} | {inline(line.found)} | {line.verdict} | {inline(line.next)} |"
            for action in ("change", "your call", "keep", "could not tell")
            for line in groups[action]
        ]
        table = "\n".join(["| article | this program | verdict | next |", "|---|---|---|---|", *rows])
        named = f"Of {code(program)}:\n\n" if len(report.programs) > 1 else ""
        yield _folded(f"The article, line by line: {counts}", f"{named}{table}")
    undecided = list(dict.fromkeys((o.code, o.rule, o.reason) for o in report.outcomes if o.state == "undecided"))
    if undecided:
        lines = [f"- {number} {rule}: {inline(reason)}" for number, rule, reason in undecided[:_LISTED]]
        yield _folded(f"Could not judge: {len(undecided)}", "\n".join(lines))


def _head(report: Report, findings: Sequence[Finding]) -> Iterator[str]:
    found = verdict(report)
    what = counted(findings) or found.text.rstrip(".").lower()
    where = f" in {code(report.programs[0].path)}" if len(report.programs) == 1 else ""
    yield f"### {_SIGNS[found.style]} lstmadvisor: {what}{where}"
    if findings:
        yield found.text
        rows = list(_fitting(map(_row, findings[:_LISTED]), _LONGEST // 3))
        yield "\n".join(["| | rule | finding | where |", "|---|---|---|---|", *rows])
        if len(findings) > len(rows):
            yield f"and {counted(findings[len(rows) :])} more."


def _fitting(rows: Iterable[str], size: int) -> Iterator[str]:
    """The first rows that take no more than so many bytes together."""
    for row in rows:
        size -= len(row.encode())
        if size < 0:
            return
        yield row


def _row(finding: Finding) -> str:
    sign = _SIGNS[finding_severity(finding)]
    return f"| {sign} | {finding.code} {finding.rule} | {inline(finding.message)} | {code(_place(finding))} |"


def _place(finding: Finding) -> str:
    at = finding.at
    return f"{at.path}:{at.line}" if at.cell is None else f"{at.path}, cell {at.cell}, line {at.line}"


def _title(finding: Finding) -> str:
    severity = finding_severity(finding)
    return f"{_SIGNS[severity]} {severity} {finding.code} {finding.rule}, line {finding.at.line}"


def _finding(finding: Finding, report: Report) -> str:
    fix = finding.fix
    without_diff = finding if fix is None else finding.model_copy(update={"fix": fix.model_copy(update={"diff": ""})})
    parts = [fenced(block(without_diff, report, Look(columns=110)), "text")]
    if fix and fix.diff:
        parts.append(fenced("\n".join(safe(line.expandtabs(4)) for line in fix.diff.split("\n")[:-1]), "diff"))
    return "\n\n".join(parts)


def _folded(summary: str, body: str) -> str:
    """`summary` is HTML: nothing of the user's stands in it."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"
