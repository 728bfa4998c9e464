"""Outcomes, findings, their order and identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lstmadvisor import engine
from lstmadvisor.config import Config, RuleSettings, settings
from lstmadvisor.facts import ABSENT, Dropout, Known, Padding, Place, Program, RecurrentLayer, Unknown
from lstmadvisor.model import Finding, Severity, Undecided
from lstmadvisor.rule import Check, NoOptions, Rule, active, number, rule, undecided, where


def declared(check: Check, **changes: Any) -> Rule:
    given: dict[str, Any] = {
        "code": "LA201", "name": "some-rule", "summary": "A fault.", "family": "regularisation", "topic": "other",
        "severity": "warning", "grade": "B", **changes,
    }  # fmt: skip
    return rule(**given)(check)


def silent(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield from ()


def finds(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield Finding(at=Place(path=program.path, line=3), message="wrong")
    yield Undecided(missing="something else")


def wonders(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield Undecided(missing="the rate: **kwargs")
    yield Undecided(missing="the rate: **kwargs")


def crashes(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield Finding(at=Place(path=program.path, line=3), message="wrong")
    raise KeyError("units")


def outcome(check: Check, program: Program, **changes: Any) -> tuple[str, str]:
    one = declared(check, **changes)
    result = engine.judge([program], [one], settings(Config(), [one]))
    assert bool(result.findings) == (result.outcomes[0].state == "failed")
    return result.outcomes[0].state, result.outcomes[0].reason


TORCH = Program(path="train.py", framework="pytorch", dropouts=(), padding=Padding(padded=ABSENT))


def test_states() -> None:
    assert outcome(silent, TORCH) == ("passed", "")
    assert outcome(finds, TORCH) == ("failed", "")
    assert outcome(wonders, TORCH) == ("undecided", "the rate: **kwargs")
    assert outcome(crashes, TORCH) == ("error", "KeyError: 'units'")


def test_not_applicable_to_another_framework() -> None:
    assert outcome(finds, TORCH, frameworks=("keras",)) == ("not-applicable", "for keras")
    assert outcome(finds, TORCH.model_copy(update={"framework": "both"}), frameworks=("keras",))[0] == "failed"


def test_not_applicable_without_anything_needed() -> None:
    assert outcome(finds, TORCH, needs=("dropouts",)) == ("not-applicable", "no dropouts")
    assert outcome(finds, TORCH, needs=("dropouts", "padding.padded"))[0] == "not-applicable"
    one = TORCH.model_copy(update={"recurrent_layers": (RecurrentLayer(),)})
    assert outcome(finds, one, needs=("dropouts", "recurrent_layers"))[0] == "failed"


def test_unknown_need_is_undecided_unless_something_was_found() -> None:
    opaque = TORCH.model_copy(update={"dropouts": Unknown(unknown="an opaque trainer")})
    assert outcome(silent, opaque, needs=("dropouts",)) == ("undecided", "dropouts: an opaque trainer")
    assert outcome(finds, opaque, needs=("dropouts",))[0] == "failed"
    assert outcome(silent, opaque)[0] == "passed"


def test_need_below_an_unknown() -> None:
    opaque = Unknown(unknown="no loop")
    program = TORCH.model_copy(update={"training_step": opaque})
    assert outcome(silent, program, needs=("training_step.order",)) == ("undecided", "training step.order: no loop")


def test_one_crash_leaves_the_others_alone() -> None:
    rules = [declared(crashes), declared(finds, code="LA202", name="other-rule")]
    result = engine.judge([TORCH], rules, settings(Config(), rules))
    assert [o.state for o in result.outcomes] == ["error", "failed"]
    assert [f.code for f in result.findings] == ["LA202"]


def test_findings_are_complete_and_in_order() -> None:
    def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
        yield Finding(at=Place(path="b.py", line=1), message="x")
        yield Finding(at=Place(path="a.py", line=9), message="y", severity=Severity.ERROR, topic="layers")
        yield Finding(at=Place(path="a.py", line=2, column=5), message="z")

    one = declared(check)
    found = engine.judge([TORCH], [one], settings(Config(), [one])).findings
    assert [(f.at.path, f.at.line) for f in found] == [("a.py", 2), ("a.py", 9), ("b.py", 1)]
    assert [(f.severity, f.topic, f.grade) for f in found[:2]] == [("warning", "other", "B"), ("error", "layers", "B")]


def test_configured_severity_replaces_the_rules() -> None:
    one = declared(finds)
    found = engine.judge([TORCH], [one], {one.code: RuleSettings(NoOptions(), Severity.ERROR)}).findings
    assert [f.severity for f in found] == [Severity.ERROR]


def test_what_two_programs_share_is_said_once() -> None:
    def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
        yield Finding(at=Place(path="model.py", line=1), message="one")
        yield Finding(at=Place(path="model.py", line=1), message="two")

    one = declared(check)
    programs = [TORCH, TORCH.model_copy(update={"path": "other.py"})]
    result = engine.judge(programs, [one], settings(Config(), [one]))
    assert [f.message for f in result.findings] == ["one", "two"]
    assert [o.state for o in result.outcomes] == ["failed", "failed"]


def prints(text: str, *lines: int) -> list[str]:
    findings = [Finding(at=Place(path="a.py", line=line), message="x", code="LA201") for line in lines]
    return [f.fingerprint for f in engine.fingerprinted(findings, lambda at: text.split("\n")[at.line - 1])]


def test_fingerprints_survive_edits_elsewhere_and_white_space() -> None:
    (before,) = prints("drop = Dropout(0.7)", 1)
    assert prints("import torch\n\n    drop =  Dropout(0.7)", 3) == [before]
    assert prints("drop = Dropout(0.8)", 1) != [before]


def test_fingerprints_tell_equal_lines_apart() -> None:
    first, second = prints("f(0.7)\nf(0.7)", 1, 2)
    assert first != second
    assert prints("f(0.7)", 1) == [first]


def test_helpers() -> None:
    at, other = Place(path="a.py", line=1), Place(path="a.py", line=2)
    on, off = Dropout(rate=Known(value=0.5, at=other), at=at), Dropout(active=False)
    assert active((on, off)) == (on,)
    assert active(Unknown(unknown="?")) == ()
    assert where(on.rate, on) == other
    assert where(Known(value=1, via="default"), on) == at
    assert where(off, TORCH) == Place(path="train.py", line=1)
    with pytest.raises(ValueError, match="no"):
        where(off)
    assert undecided(Unknown(unknown="**kwargs", at=at), "units") == Undecided(missing="units: **kwargs", at=at)
    ranges = Known(value={"low": 0, "high": 1}, via="search")
    assert [number(f) for f in (on.rate, ranges, Known(value=True), ABSENT)] == [0.5, None, None, None]
