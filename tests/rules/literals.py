"""Programs as literals, to test rules without an extractor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lstmadvisor import engine, packs
from lstmadvisor.config import RuleSettings
from lstmadvisor.facts import Known, Place, Program, Unknown
from lstmadvisor.model import Finding, Severity

RULES = {rule.name: rule for rule in packs.rules(packs.packs())}
UNCLEAR = Unknown(unknown="**kwargs")


def at(line: int, path: str = "train.py") -> Place:
    return Place(path=path, line=line)


def given(value: Any, line: int | None = None, via: Any = "literal") -> Known:
    """A value that the program holds, written in `line`."""
    return Known(value=value, via=via, at=at(line) if line else None)


def program(framework: Any = "pytorch", **facts: Any) -> Program:
    return Program(**({"path": "train.py", "framework": framework, "api": "loop"} | facts))


@dataclass(frozen=True)
class Verdict:
    """What one rule made of one program."""

    state: str
    reason: str
    findings: tuple[Finding, ...]

    @property
    def lines(self) -> list[int]:
        return [finding.at.line for finding in self.findings]

    @property
    def only(self) -> Finding:
        (finding,) = self.findings
        return finding


def judge(name: str, given: Program, **options: Any) -> Verdict:
    """The verdict of the rule `name`, with these of its options."""
    rule = RULES[name]
    result = engine.judge([given], [rule], {rule.code: RuleSettings(rule.options(**options), None)})
    (outcome,) = result.outcomes
    assert outcome.state != "error", outcome.reason
    for finding in result.findings:
        check_words(finding)
    return Verdict(outcome.state, outcome.reason, result.findings)


def check_words(finding: Finding) -> None:
    """A message is one clause about this program, the help one step: no capitals, no full stop, no loose ends."""
    for text in (finding.message, finding.help, finding.label, *(evidence.text for evidence in finding.evidence)):
        assert text
        assert text == text.strip()
        assert not text.endswith(".")
        assert "None" not in text
        assert "\n" not in text
    assert finding.severity in list(Severity)
    assert len(finding.message) <= 160
    assert all(evidence.at != finding.at for evidence in finding.evidence)
