"""Reports for machines.  The models below are the published shapes."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError

from lstmadvisor import __version__
from lstmadvisor.facts import Program
from lstmadvisor.model import SCHEMA, Evidence, Finding, Fix, Outcome, Report, ScorecardLine

FACTS_SCHEMA: Final = "lstmadvisor/facts/1"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


class Tool(_Shape):
    """Who wrote the report."""

    name: Literal["lstmadvisor"] = "lstmadvisor"
    version: str = __version__


class OutcomeShape(_Shape):
    """What became of a rule on a program."""

    rule: str
    topic: str
    program: str
    state: str
    reason: str


class PlaceShape(_Shape):
    """A further place that a finding rests on."""

    path: str | None
    cell: int | None
    line: int | None
    text: str


class SeriesShape(_Shape):
    """A measured series that a finding rests on."""

    series: str
    text: str


class FindingShape(_Shape):
    """One finding."""

    code: str
    rule: str
    topic: str
    severity: str
    grade: str
    path: str
    cell: int | None
    line: int
    column: int
    end_line: int | None
    end_column: int | None
    message: str
    help: str
    evidence: tuple[PlaceShape | SeriesShape, ...]
    fix: Fix | None
    fingerprint: str


class ReportShape(_Shape):
    """The JSON of `check` and `audit`."""

    schema_: Literal["lstmadvisor/report/1"] = Field(alias="schema")
    tool: Tool
    programs: tuple[Program, ...]
    outcomes: tuple[OutcomeShape, ...]
    findings: tuple[FindingShape, ...]
    scorecard: tuple[ScorecardLine, ...]


class FactsShape(_Shape):
    """The JSON of `facts`."""

    schema_: Literal["lstmadvisor/facts/1"] = Field(alias="schema")
    programs: tuple[Program, ...]


def report_json(report: Report) -> str:
    """A report as JSON, by the shape `lstmadvisor/report/1`."""
    shape = ReportShape(
        schema=SCHEMA,
        tool=Tool(),
        programs=report.programs,
        outcomes=tuple(map(_outcome, report.outcomes)),
        findings=tuple(map(_finding, report.findings)),
        scorecard=report.scorecard,
    )
    return _json(shape)


def facts_json(report: Report) -> str:
    """The facts of a report's programs as JSON, by the shape `lstmadvisor/facts/1`."""
    return _json(FactsShape(schema=FACTS_SCHEMA, programs=report.programs))


def _json(shape: _Shape) -> str:
    try:
        return shape.model_dump_json(indent=2, by_alias=True) + "\n"
    except PydanticSerializationError:  # half a surrogate pair in a string of the user's, which has no UTF-8
        return json.dumps(shape.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def _outcome(outcome: Outcome) -> OutcomeShape:
    return OutcomeShape.model_validate(outcome.model_dump(exclude={"code"}))


def _finding(finding: Finding) -> FindingShape:
    at = finding.at
    return FindingShape(
        code=finding.code,
        rule=finding.rule,
        topic=finding.topic or "other",
        severity=finding.severity.value if finding.severity else "warning",
        grade=finding.grade.value if finding.grade else "B",
        path=at.path,
        cell=at.cell,
        line=at.line,
        column=at.column,
        end_line=at.end_line,
        end_column=at.end_column,
        message=finding.message,
        help=finding.help,
        evidence=tuple(map(_evidence, finding.evidence)),
        fix=finding.fix,
        fingerprint=finding.fingerprint,
    )


def _evidence(evidence: Evidence) -> PlaceShape | SeriesShape:
    if evidence.series is not None:
        return SeriesShape(series=evidence.series, text=evidence.text)
    place: dict[str, Any] = evidence.at.model_dump() if evidence.at else {"path": None, "cell": None, "line": None}
    return PlaceShape(path=place["path"], cell=place["cell"], line=place["line"], text=evidence.text)
