"""SARIF 2.1.0, the format of code scanning services and editors."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from lstmadvisor import __version__, pages
from lstmadvisor.facts import Place
from lstmadvisor.model import Evidence, Finding, Fix, Message, Outcome, Report, Severity, Suppressed
from lstmadvisor.report.places import Places, in_cell
from lstmadvisor.report.terminal import safe
from lstmadvisor.rule_info import RuleInfo

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "advice": "note"}
_LINK = re.compile(r"\[(?=[^\]]*\]\()")


def sarif(report: Report) -> str:
    """The report as one SARIF log with one run."""
    writer = _Writer(report)
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [writer.run()]}, indent=1) + "\n"


class _Writer:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._places = Places()
        self._index = {rule.code: index for index, rule in enumerate(report.rules)}

    def run(self) -> dict[str, Any]:
        report = self._report
        return {
            "tool": {
                "driver": {
                    "name": "lstmadvisor",
                    "semanticVersion": __version__,
                    "rules": [_rule(rule) for rule in report.rules],
                }
            },
            "invocations": [
                {
                    "executionSuccessful": not any(outcome.state == "error" for outcome in report.outcomes),
                    "toolExecutionNotifications": [
                        *(self._message(message) for message in report.messages),
                        *(self._crash(outcome) for outcome in report.outcomes if outcome.state == "error"),
                    ],
                }
            ],
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"SRCROOT": {"uri": Path.cwd().as_uri().rstrip("/") + "/"}},
            "results": [
                *(self._result(finding, None) for finding in report.findings),
                *(self._result(one.finding, one) for one in report.suppressed),
            ],
        }

    def _result(self, finding: Finding, suppressed: Suppressed | None) -> dict[str, Any]:
        related = [
            self._related(number, evidence) for number, evidence in enumerate(finding.evidence, 1) if evidence.at
        ]
        measured = [f"{evidence.series}: {evidence.text}" for evidence in finding.evidence if evidence.series]
        cell = in_cell(finding.at)
        return _without_empty(
            {
                "ruleId": finding.code,
                "ruleIndex": self._index.get(finding.code),
                "level": _LEVELS[(finding.severity or Severity.WARNING).value],
                "message": _text(f"{cell}: {finding.message}" if cell else finding.message),
                "locations": [self._location(finding.at)],
                "relatedLocations": related,
                "fixes": _fixes(finding.fix),
                "partialFingerprints": {"lstmadvisor/v1": finding.fingerprint},
                "properties": _without_empty(
                    {
                        "grade": finding.grade.value if finding.grade else None,
                        "topic": finding.topic,
                        "help": finding.help,
                        "measured": measured,
                    }
                ),
            }
        ) | {"suppressions": [_suppression(suppressed)] if suppressed else []}

    def _location(self, at: Place) -> dict[str, Any]:
        physical: dict[str, Any] = {"artifactLocation": _artifact(at.path)}
        if line := self._places.line(at):
            physical["region"] = _region(at) if at.cell is None else {"startLine": line}
        cell = in_cell(at)
        return {"physicalLocation": physical} | ({"logicalLocations": [{"name": cell}]} if cell else {})

    def _related(self, number: int, evidence: Evidence) -> dict[str, Any]:
        assert evidence.at is not None
        return {"id": number, **self._location(evidence.at), "message": _text(evidence.text or "see here")}

    def _message(self, message: Message) -> dict[str, Any]:
        file = {"physicalLocation": {"artifactLocation": _artifact(message.path)}}
        return {
            "level": "error" if message.fatal else "warning",
            "message": _text(message.text),
            "locations": [self._location(message.at) if message.at else file],
        }

    def _crash(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "level": "error",
            "message": _text(f"rule {outcome.rule} crashed on {outcome.program}: {outcome.reason}"),
            "associatedRule": {"id": outcome.code},
        }


def _fixes(fix: Fix | None) -> list[dict[str, Any]]:
    """The fix, unless it changes a notebook: its regions would be those of cells."""
    if fix is None or not fix.changes or any(change.cell is not None for change in fix.changes):
        return []
    by_path: dict[str, list[dict[str, Any]]] = {}
    for change in fix.changes:
        by_path.setdefault(change.path, []).append(
            {
                "deletedRegion": {
                    "startLine": change.line,
                    "startColumn": change.column,
                    "endLine": change.end_line,
                    "endColumn": change.end_column,
                },
                "insertedContent": {"text": change.text},
            }
        )
    description = f"{fix.title} ({fix.applicability}: {fix.why})" if fix.why else f"{fix.title} ({fix.applicability})"
    return [
        {
            "description": _text(description),
            "artifactChanges": [
                {"artifactLocation": _artifact(path), "replacements": replacements}
                for path, replacements in by_path.items()
            ],
        }
    ]


def _rule(rule: RuleInfo) -> dict[str, Any]:
    page = pages.read(rule.page)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": page.summary},
        "help": {
            "text": f"{page.summary}\n\nTo read more: lstmadvisor rule {rule.name}",
            "markdown": page.brief(),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": list(dict.fromkeys((rule.family, rule.topic))), "grade": rule.grade},
    }


def _text(text: str) -> dict[str, str]:
    """A message, in which nothing is a link."""
    return {"text": _LINK.sub(r"\\\\[", safe(text))}


def _suppression(suppressed: Suppressed) -> dict[str, Any]:
    kind = "inSource" if suppressed.by == "comment" else "external"
    return _without_empty({"kind": kind, "justification": safe(suppressed.reason)})


def _artifact(path: str) -> dict[str, Any]:
    if PurePosixPath(path).is_absolute() or Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "SRCROOT"}


def _region(at: Place) -> dict[str, int]:
    region = {"startLine": at.line, "startColumn": at.column}
    return region | ({"endLine": at.end_line or at.line, "endColumn": at.end_column} if at.end_column else {})


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
