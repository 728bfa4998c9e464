"""Runs rules over programs: facts in, outcomes and findings out."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lstmadvisor.config import RuleSettings
from lstmadvisor.facts import Known, Place, Program, Unknown
from lstmadvisor.model import Finding, Grade, Outcome, Severity, State, Undecided
from lstmadvisor.rule import Rule
from lstmadvisor.selection import UnknownSelector, covered
from lstmadvisor.suppression import Silence, silences, speaks_for

_log = logging.getLogger("lstmadvisor")


@dataclass(frozen=True)
class Judgement:
    """What the rules said of the programs."""

    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    """by place, each with its severity and identity"""


def judge(programs: Sequence[Program], rules: Sequence[Rule], settings: Mapping[str, RuleSettings]) -> Judgement:
    """Runs every rule on every program.  A finding that two programs share, by their modules, is given once."""
    outcomes: list[Outcome] = []
    findings: dict[tuple[str, str], list[Finding]] = {}
    for program in programs:
        for rule in rules:
            outcome, found = _judge_one(program, rule, settings[rule.code])
            outcomes.append(outcome)
            new = [finding for finding in found if (rule.code, _key(finding.at)) not in findings]
            for finding in new:
                findings.setdefault((rule.code, _key(finding.at)), []).append(finding)
    ordered = sorted((f for same in findings.values() for f in same), key=_order)
    return Judgement(tuple(outcomes), tuple(ordered))


def fingerprinted(findings: Sequence[Finding], line_of: Callable[[Place], str]) -> tuple[Finding, ...]:
    """The findings with an identity that survives edits elsewhere in the file, and the moving of the file.

    It is made of the code, the source line without its white space, and the how-manieth such finding in the file it is.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    result = []
    for finding in findings:
        line = "".join(line_of(finding.at).split())
        key = (finding.at.path, finding.code, line)
        seen[key] += 1
        text = "\0".join((finding.code, line, str(seen[key])))
        result.append(finding.model_copy(update={"fingerprint": hashlib.sha256(text.encode()).hexdigest()[:16]}))
    return tuple(result)


class Silencer:
    """The silencing comments of the sources under review."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._silences: dict[tuple[str, int | None], tuple[Silence, ...]] = {}
        self.complaints: list[tuple[Place, str]] = []
        """comments that name no rule, and what was probably meant"""

    def read(self, path: str, cell: int | None, text: str) -> None:
        """Takes note of the comments in a file or in a cell of a notebook."""
        found = silences(text, python=cell is not None or path.endswith((".py", ".pyi", ".ipynb")))
        self._silences[path, cell] = found
        for silence in found:
            for word in silence.words:
                if not silence.foreign:
                    self._complain(word, Place(path=path, cell=cell, line=silence.comment))

    def silence(self, finding: Finding) -> Silence | None:
        """The comment that silences the finding, if there is one."""
        own_cell = (finding.at.path, finding.at.cell)
        speaking = (
            silence
            for (path, cell), found in self._silences.items()
            if path == finding.at.path
            for silence in found
            if silence.lines is None or (path, cell) == own_cell
            if speaks_for(silence, finding.at) and self._covers(silence, finding.code)
        )
        return next(speaking, None)

    def _covers(self, silence: Silence, code: str) -> bool:
        for word in silence.words:
            try:
                if code in covered(self._rules, [word]):
                    return True
            except UnknownSelector:
                continue
        return False

    def _complain(self, word: str, at: Place) -> None:
        try:
            covered(self._rules, [word])
        except UnknownSelector as error:
            self.complaints.append((at, str(error)))


def _judge_one(program: Program, rule: Rule, settings: RuleSettings) -> tuple[Outcome, tuple[Finding, ...]]:
    def outcome(state: State, reason: str = "") -> Outcome:
        return Outcome(
            rule=rule.name, code=rule.code, topic=rule.topic, program=program.path, state=state, reason=reason
        )

    if program.framework != "both" and program.framework not in rule.frameworks:
        return outcome("not-applicable", f"for {' and '.join(rule.frameworks)}"), ()
    if program.recurrent_layers == ():
        return outcome("not-applicable", "no recurrent layer"), ()
    needed = {path: _fact(program, path) for path in rule.needs}
    if needed and all(map(_nothing, needed.values())):
        return outcome("not-applicable", f"no {' and no '.join(path.replace('_', ' ') for path in needed)}"), ()
    try:
        said = list(rule.check(program, settings.options))
        complete = (_complete(found, rule, settings) for found in said if isinstance(found, Finding))
        findings = tuple({(f.at, f.message): f for f in complete}.values())
    except Exception as error:
        _log.debug("rule %s crashed on %s", rule.name, program.path, exc_info=True)
        return outcome("error", f"{type(error).__name__}: {error}"), ()
    if findings:
        return outcome("failed"), findings
    missing = [one.missing for one in said if isinstance(one, Undecided)]
    missing += [
        f"{path.replace('_', ' ')}: {fact.unknown}" for path, fact in needed.items() if isinstance(fact, Unknown)
    ]
    if missing:
        return outcome("undecided", "; ".join(dict.fromkeys(missing))), ()
    return outcome("passed"), ()


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


def _order(finding: Finding) -> tuple[str, int, int, int, str, str]:
    at = finding.at
    return at.path, -1 if at.cell is None else at.cell, at.line, at.column, finding.code, finding.message
