"""Reports for people: full, as rustc writes them, and concise, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lstmadvisor.facts import Place, Unknown
from lstmadvisor.model import Evidence, Finding, Fix, Report, Severity
from lstmadvisor.report.diffs import excerpt
from lstmadvisor.report.excerpt import Excerpts, Span
from lstmadvisor.report.scorecard_text import scorecard_text
from lstmadvisor.report.terminal import Paint, safe

_SHOWN = 8
"""Findings of an audit that are shown in full without `--all`; errors always are."""
_SHOWN_UNDECIDED = 5
_PLURALS = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.ADVICE: "pieces of advice"}
_SINGULARS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "piece of advice"}


class Look(NamedTuple):
    """How a report is to look."""

    paint: Paint = Paint()
    columns: int = 120
    quiet: bool = False
    """findings only"""
    verbose: bool = False
    """what could not be judged, too"""
    all: bool = False
    """nothing folded"""


def full(report: Report, look: Look) -> str:
    """The findings of `check` with their source, and a summary."""
    blocks = [block(finding, report, look) for finding in report.findings]
    if look.verbose:
        blocks += _listed(_undecided(report, everything=True))
    if not look.quiet:
        blocks += _listed(_summary(report, look))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def audited(report: Report, look: Look) -> str:
    """An audit: the scorecard, the findings that cost most, what could not be judged, and counts."""
    findings = sorted(report.findings, key=cost)
    worst = [f for n, f in enumerate(findings) if look.all or n < _SHOWN or f.severity is Severity.ERROR]
    blocks = (
        [] if look.quiet else [*_listed(_programs(report, look)), *_probes(report, look), *_scorecards(report, look)]
    )
    blocks += [block(finding, report, look) for finding in worst]
    if folded := [finding for finding in findings if finding not in worst]:
        blocks.append(f"{counted(folded)} more; --all shows them")
    if not look.quiet:
        blocks += _listed(_undecided(report, look.all or look.verbose))
        blocks += _listed((*_summary(report, look), *_tally(report)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def concise(report: Report, look: Look) -> str:
    """One line for each finding."""
    lines = [f"{placed(f.at)}: {_heading(f, look)}" for f in report.findings]
    return "".join(f"{line}\n" for line in lines)


def block(finding: Finding, report: Report, look: Look) -> str:
    """One finding with its source."""
    paint, style = look.paint, _style(finding)
    primary = Span(finding.at, finding.label, style, "^")
    seen = [Span(e.at, e.text, "frame") for e in finding.evidence if e.at and _has_line(report, e.at)]
    notes = [_note(e) for e in finding.evidence if not (e.at and _has_line(report, e.at))]
    groups: dict[tuple[str, int | None], list[Span]] = {}
    for span in (primary, *seen):
        groups.setdefault((span.at.path, span.at.cell), []).append(span)
    gutter = max(len(str(span.at.end_line or span.at.line)) for span in (primary, *seen))
    excerpts = Excerpts(paint, max(look.columns - gutter - 4, 20))
    lines = [_heading(finding, look)]
    for spans in groups.values():
        arrow = "-->" if spans[0] is primary else ":::"
        lines.append(f"{' ' * gutter}{paint('frame', arrow)} {placed(spans[0].at)}")
        if drawn := excerpts.draw(report.source(spans[0].at), spans, gutter):
            lines += [excerpts.bar(gutter), *drawn, excerpts.bar(gutter)]
    tail = [("note", note) for note in notes]
    tail += [("help", finding.help)] if finding.help else []
    tail += [_fix(finding.fix)] if finding.fix else []
    equals = f"{' ' * gutter} {paint('frame', '=')}"
    lines += [f"{equals} {paint('bold', kind)}: {safe(text)}" for kind, text in tail]
    if finding.fix and finding.fix.diff:
        lines += excerpt(finding.fix.diff, _named(finding.at), gutter, paint)
    return "\n".join(lines)


def _fix(fix: Fix) -> tuple[str, str]:
    """What a fix does and what is to be known of it, in one line."""
    if fix.refused:
        return "fix", f"{fix.title} (not by itself: {fix.refused})"
    return f"{fix.applicability} fix", f"{fix.title}{f' ({fix.why})' if fix.why else ''}"


def _named(at: Place) -> str:
    """What a diff calls the text that a place lies in."""
    return at.path if at.cell is None else f"{at.path}:cell {at.cell}"


def _heading(finding: Finding, look: Look) -> str:
    kind = look.paint(_style(finding), f"{_style(finding)}[{finding.code}]")
    return f"{kind} {look.paint('bold', f'{finding.rule}: {safe(finding.message)}')}"


def _style(finding: Finding) -> str:
    return (finding.severity or Severity.WARNING).value


def placed(at: Place) -> str:
    cell = "" if at.cell is None else f"cell {at.cell}:"
    return f"{safe(at.path)}:{cell}{at.line}:{at.column}"


def _has_line(report: Report, at: Place) -> bool:
    return 0 < at.line <= report.source(at).count("\n") + 1 and bool(report.source(at))


def _note(evidence: Evidence) -> str:
    text = f"{evidence.series} (measured): {evidence.text}" if evidence.series else evidence.text
    return f"{placed(evidence.at)}: {text}" if evidence.at else text


def cost(finding: Finding) -> tuple[int, str]:
    """What to sort by, so that the findings that cost most come first: severity, then how good the evidence is."""
    return -(finding.severity or Severity.WARNING).rank, finding.grade.value if finding.grade else ""


def counted(findings: Iterable[Finding]) -> str:
    """How many findings of each severity there are, in words."""
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{counts[s]} {_SINGULARS[s] if counts[s] == 1 else _PLURALS[s]}" for s in Severity if counts[s]]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _summary(report: Report, look: Look) -> Iterator[str]:
    files = f"{len(report.files)} file{'' if len(report.files) == 1 else 's'}"
    if report.findings:
        yield f"{look.paint('bold', f'Found {counted(report.findings)}')} in {files}."
        named = min(report.findings, key=cost).rule
        yield f"To read about a finding: lstmadvisor rule {named}"
    elif report.programs:
        yield f"{look.paint('good', 'No findings')} in {files}."
    else:
        yield f"No recurrent network in {files}."


def _programs(report: Report, look: Look) -> Iterator[str]:
    for program in report.programs:
        others = [file for file in program.files if file != program.path]
        beside = f" with {', '.join(map(safe, others[:4]))}{', …' if len(others) > 4 else ''}" if others else ""
        kind = "defines a model and trains nothing" if program.api == "module" else f"trains by {program.api}"
        yield f"{look.paint('bold', safe(program.path))}{beside}: {program.framework}, {kind}"


def _probes(report: Report, look: Look) -> list[str]:
    measured = [program.probe for program in report.programs if not isinstance(program.probe, Unknown)]
    if not measured:
        return []
    from lstmadvisor.report.probe_text import probe_text

    return [probe_text(probe, look.paint) for probe in measured]


def _scorecards(report: Report, look: Look) -> list[str]:
    return scorecard_text(report.scorecard, look.paint, look.columns, look.all)


def _undecided(report: Report, everything: bool) -> Iterator[str]:
    """The rules that could not judge, each with the missing fact."""
    undecided = list(dict.fromkeys((o.rule, o.reason) for o in report.outcomes if o.state == "undecided"))
    if not undecided:
        return
    shown = undecided if everything else undecided[:_SHOWN_UNDECIDED]
    yield f"Could not judge {len(undecided)} rule{'' if len(undecided) == 1 else 's'}:"
    yield from (f"  {rule}: {safe(reason)}" for rule, reason in shown)
    if len(undecided) > len(shown):
        yield f"  … and {len(undecided) - len(shown)} more; --all shows them"


def _tally(report: Report) -> Iterator[str]:
    counts = Counter(outcome.state for outcome in report.outcomes)
    if report.outcomes:
        yield f"{counts['passed']} rules passed, {counts['not-applicable']} did not apply."


def _listed(lines: Iterable[str]) -> list[str]:
    """The lines as one block, no block if there are none."""
    block = "\n".join(lines)
    return [block] if block else []
