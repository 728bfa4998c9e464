"""A review in a sentence and a few numbers, for the reports that begin with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lstmadvisor.model import Finding, Report, ScorecardLine, Severity

ACTIONS = ("change", "your call", "keep", "could not tell", "does not apply")
"""What to do about the lines of a scorecard, in the order to read them."""


@dataclass(frozen=True)
class Verdict:
    """A report in a sentence, its worst severity (or good, none), and how often each severity occurs."""

    style: str
    text: str
    counts: dict[str, int]


def verdict(report: Report) -> Verdict:
    """What a report comes to."""
    found = Counter(finding_severity(finding) for finding in report.findings)
    counts = {severity.value: found[severity.value] for severity in Severity}
    clean = "good" if report.programs else "none"
    worst = next((severity for severity, count in counts.items() if count), clean)
    text = {
        "error": "The code proves a defect: mend it before you trust the results.",
        "warning": "No proven defect, but something that is likely to do harm.",
        "advice": "Nothing wrong was found; there is something to consider.",
        "good": "No findings.",
        "none": "No recurrent network found.",
    }[worst]
    return Verdict(worst, text, counts)


def finding_severity(finding: Finding) -> str:
    """The severity of a finding that went through the engine or, like a warning, did not."""
    return (finding.severity or Severity.WARNING).value


def by_action(lines: Sequence[ScorecardLine]) -> dict[str, dict[str, list[ScorecardLine]]]:
    """The lines of scorecards by program, then by what to do about them."""
    cards: dict[str, dict[str, list[ScorecardLine]]] = {}
    for line in lines:
        groups = cards.setdefault(line.program, {action: [] for action in ACTIONS})
        groups[line.verdict if line.action != "change" and line.verdict in groups else line.action].append(line)
    return cards
