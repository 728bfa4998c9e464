"""Workflow commands, from which GitHub Actions makes annotations."""

from __future__ import annotations

from lstmadvisor.facts import Place
from lstmadvisor.model import Finding, Report, Severity
from lstmadvisor.report.places import Places, sentences
from lstmadvisor.report.terminal import safe

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def github(report: Report) -> str:
    """One command for each finding."""
    places = Places()
    return "".join(f"{_command(finding, places)}\n" for finding in report.findings)


def _command(finding: Finding, places: Places) -> str:
    properties = {
        "title": f"{finding.code} {finding.rule}",
        "file": safe(finding.at.path),
        **_region(finding.at, places),
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    text = sentences(finding.at, (finding.message, f"help: {finding.help}" if finding.help else ""))
    return f"::{_LEVELS[finding.severity or Severity.WARNING]} {listed}::{_data(text)}"


def _region(at: Place, places: Places) -> dict[str, int]:
    """Lines, and columns where the end is on the same line: GitHub takes them for nothing else."""
    line = places.line(at)
    if line is None:
        return {}
    if at.cell is not None:
        return {"line": line}
    last = at.end_line or line
    columns = {"col": at.column, "endColumn": at.end_column} if last == line and at.end_column else {}
    return {"line": line, "endLine": last, **columns}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
