"""JUnit's XML: a suite for each file, a failed test for each finding, a passed one for a file without."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from lstmadvisor.model import Finding, Report, Severity
from lstmadvisor.report.places import in_cell
from lstmadvisor.report.terminal import safe


def junit(report: Report) -> str:
    """The report as one XML document.  Advice is told, but fails no test."""
    suites = xml.Element("testsuites", name="lstmadvisor")
    paths = dict.fromkeys([*report.files, *(finding.at.path for finding in report.findings)])
    totals = [_suite(suites, report, path) for path in paths]
    for index, name in enumerate(("tests", "failures", "errors")):
        suites.set(name, str(sum(total[index] for total in totals)))
    xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


def _suite(suites: xml.Element, report: Report, path: str) -> tuple[int, int, int]:
    """Adds the suite of a file; how many tests it has, how many failed and how many could not be run."""
    suite = xml.SubElement(suites, "testsuite", name=safe(path))
    failures = sum([_finding(suite, finding) for finding in report.findings if finding.at.path == path])
    crashed = [outcome for outcome in report.outcomes if outcome.state == "error" and outcome.program == path]
    for outcome in crashed:
        test = xml.SubElement(suite, "testcase", name=f"{outcome.code} {outcome.rule}", classname=safe(path))
        xml.SubElement(test, "error", message=safe(outcome.reason))
    if not len(suite):
        xml.SubElement(suite, "testcase", name="no findings", classname=safe(path))
    counts = len(suite), failures, len(crashed)
    for name, count in zip(("tests", "failures", "errors"), counts, strict=True):
        suite.set(name, str(count))
    return counts


def _finding(suite: xml.Element, finding: Finding) -> bool:
    """Adds the test of a finding; whether it failed."""
    at = finding.at
    test = xml.SubElement(suite, "testcase", name=f"{finding.code} {finding.rule}", classname=safe(at.path))
    test.set("file", safe(at.path))
    if at.cell is None:
        test.set("line", str(at.line))
    where = f"{in_cell(at) or f'line {at.line}'}, column {at.column}"
    text = "\n".join(safe(part) for part in (f"{where}: {finding.message}", finding.help) if part)
    if finding.severity is Severity.ADVICE:
        xml.SubElement(test, "system-out").text = text
        return False
    kind = (finding.severity or Severity.WARNING).value
    xml.SubElement(test, "failure", type=kind, message=safe(finding.message)).text = text
    return True
