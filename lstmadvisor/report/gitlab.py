"""GitLab's code quality report."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from lstmadvisor.model import Finding, Report, Severity
from lstmadvisor.report.places import Places, sentences
from lstmadvisor.report.terminal import safe

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.ADVICE: "info"}


def gitlab(report: Report) -> str:
    """The findings as a JSON array."""
    places = Places()
    return json.dumps([_issue(finding, places) for finding in report.findings], indent=2) + "\n"


def _issue(finding: Finding, places: Places) -> dict[str, Any]:
    at = finding.at
    begin = places.line(at) or 1
    end = at.end_line if at.cell is None and at.end_line else begin
    return {
        "description": sentences(at, (f"{finding.rule}: {finding.message}",)),
        "check_name": finding.code,
        "fingerprint": _fingerprint(finding),
        "severity": _SEVERITIES[finding.severity or Severity.WARNING],
        "location": {"path": at.path, "lines": {"begin": begin, "end": end}},
        "content": {"body": safe(finding.help)},
    }


def _fingerprint(finding: Finding) -> str:
    """GitLab wants no two alike, also where two files hold the same line."""
    return hashlib.sha256(os.fsencode(f"{finding.at.path}\0{finding.fingerprint}")).hexdigest()
