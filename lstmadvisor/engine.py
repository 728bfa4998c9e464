"""Runs rules over programs: facts in, outcomes and findings out."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lstmadvisor import causes
from lstmadvisor.config import RuleSettings
from lstmadvisor.facts import UNSEEN, Known, Place, Program, Unknown
from lstmadvisor.model import Finding, Grade, Outcome, Severity, State, Undecided
from lstmadvisor.rule import Rule

_COMMENT = re.compile(r"""^((?:[^#"'\\]|\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*)#.*$""")


class Judgement(NamedTuple):
    """What the rules said of the programs."""

    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    """by place, each with its severity"""
    unsure: frozenset[tuple[str, str]] = frozenset()
    """programs and codes of rules that could not judge everything there"""

    def unsure_by_program(self) -> dict[str, set[str]]:
        """The codes of `unsure`, by program."""
        codes: dict[str, set[str]] = {}
        for program, code in self.unsure:
            codes.setdefault(program, set()).add(code)
        return codes


def judge(programs: Sequence[Program], rules: Sequence[Rule], settings: Mapping[str, RuleSettings]) -> Judgement:
    """Runs every rule on every program.  A finding that two programs share, by their modules, is given once."""
    outcomes: list[Outcome] = []
    findings: dict[tuple[str, str], list[Finding]] = {}
    unsure: set[tuple[str, str]] = set()
    for program in programs:
        judged = [(rule, *_judge_one(program, rule, settings[rule.code])) for rule in rules]
        unsure |= {(program.path, rule.code) for rule, _, _, complete in judged if not complete}
        said = [finding for _, _, found, _ in judged for finding in found]
        if not isinstance(program.probe, Unknown):
            said = list(causes.folded(said, bad_input=program.probe.checks.first_bad == "input"))
        outcomes += _explained([outcome for _, outcome, _, _ in judged], {finding.rule for finding in said})
        new = [finding for finding in said if (finding.code, _key(finding.at)) not in findings]
        for finding in new:
            findings.setdefault((finding.code, _key(finding.at)), []).append(finding)
    ordered = sorted((f for same in findings.values() for f in same), key=order)
    return Judgement(tuple(outcomes), tuple(ordered), frozenset(unsure))


def with_findings(
    judgement: Judgement, rule: Rule, settings: RuleSettings, findings: Sequence[Finding], programs: Sequence[Program]
) -> Judgement:
    """The judgement with findings of a rule that does not judge from facts; it has failed where they lie."""
    if not findings:
        return judgement
    files = {finding.at.path for finding in findings}
    concerned = {program.path for program in programs if not files.isdisjoint(program.files)}
    outcomes = tuple(
        outcome.model_copy(update={"state": "failed"})
        if outcome.code == rule.code and outcome.program in concerned
        else outcome
        for outcome in judgement.outcomes
    )
    complete = [_complete(finding, rule, settings) for finding in findings]
    ordered = sorted((*judgement.findings, *complete), key=order)
    return judgement._replace(outcomes=outcomes, findings=tuple(ordered))


def _explained(outcomes: list[Outcome], spoken: set[str]) -> list[Outcome]:
    """The outcomes; those whose findings were folded beneath their cause say so."""
    return [
        one.model_copy(update={"reason": "follows from another finding"})
        if one.state == "failed" and one.rule not in spoken
        else one
        for one in outcomes
    ]


def fingerprinted(findings: Sequence[Finding], line_of: Callable[[Place], str]) -> tuple[Finding, ...]:
    """The findings with an identity that survives edits elsewhere in the file, and the moving of the file.

    It is made of the code, the source line without white space and comment, and the how-manieth such finding in the
    file it is.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    result = []
    for finding in findings:
        line = "".join(_COMMENT.sub(r"\1", line_of(finding.at)).split())
        key = (finding.at.path, finding.code, line)
        seen[key] += 1
        text = "\0".join((finding.code, line, str(seen[key])))
        result.append(finding.model_copy(update={"fingerprint": hashlib.sha256(text.encode()).hexdigest()[:16]}))
    return tuple(result)


def _judge_one(program: Program, rule: Rule, settings: RuleSettings) -> tuple[Outcome, tuple[Finding, ...], bool]:
    """What became of the rule, what it found, and whether it could judge everything."""

    def outcome(state: State, reason: str = "") -> Outcome:
        return Outcome(
            rule=rule.name, code=rule.code, topic=rule.topic, program=program.path, state=state, reason=reason
        )

    if rule.family == "probe":
        if isinstance(program.probe, Unknown):
            reason = "no probe" if program.probe == UNSEEN else program.probe.unknown
            return outcome("not-applicable", reason), (), True
    elif program.framework != "both" and program.framework not in rule.frameworks:
        return outcome("not-applicable", f"for {' and '.join(rule.frameworks)}"), (), True
    elif program.recurrent_layers == ():
        return outcome("not-applicable", "no recurrent layer"), (), True
    needed = {path: _fact(program, path) for path in rule.needs}
    if needed and all(map(_nothing, needed.values())):
        return outcome("not-applicable", f"no {' and no '.join(path.replace('_', ' ') for path in needed)}"), (), True
    try:
        said = list(rule.check(program, settings.options))
        complete = (_complete(found, rule, settings) for found in said if isinstance(found, Finding))
        findings = tuple({(f.at, f.message): f for f in complete}.values())
    except Exception as error:
        import logging

        logging.getLogger("lstmadvisor").debug("rule %s crashed on %s", rule.name, program.path, exc_info=True)
        return outcome("error", f"{type(error).__name__}: {error}"), (), False
    missing = [one.missing for one in said if isinstance(one, Undecided)]
    missing += [
        f"{path.replace('_', ' ')}: {fact.unknown}" for path, fact in needed.items() if isinstance(fact, Unknown)
    ]
    if findings:
        return outcome("failed"), findings, not missing
    if missing:
        return outcome("undecided", "; ".join(dict.fromkeys(missing))), (), False
    return outcome("passed"), (), True


def _fact(program: Program, path: str) -> object:
    fact: object = program
    for name in path.split("."):
        fact = fact if isinstance(fact, Unknown) else getattr(fact, name)
    return fact


def _nothing(fact: object) -> bool:
    return fact == () or (isinstance(fact, Known) and fact.via == "absent")


def _complete(finding: Finding, rule: Rule, settings: RuleSettings) -> Finding:
    return finding.model_copy(
        update={
            "code": rule.code,
            "rule": rule.name,
            "topic": finding.topic or rule.topic,
            "grade": Grade(rule.grade),
            "severity": settings.severity or finding.severity or Severity(rule.severity),
        }
    )


def _key(at: Place) -> str:
    return f"{at.path}:{at.cell}:{at.line}:{at.column}"


def order(finding: Finding) -> tuple[str, int, int, int, str, str]:
    """The order of findings: by place."""
    at = finding.at
    return at.path, -1 if at.cell is None else at.cell, at.line, at.column, finding.code, finding.message
