"""The examples on every rule's page: Bad fires where it is marked, the others are silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_pages import RULES, each_example, each_rule, fixed, found, judged, page_of, understood

from lstmadvisor.model import Severity
from lstmadvisor.pages import Example
from lstmadvisor.rule import Rule


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("rule", "example"), each_example("Bad"))
def test_fires_at_the_marked_lines_only(rule: Rule, example: Example, tmp_path: Path) -> None:
    assert sorted({(f.at.path, f.at.line) for f in found(rule, example, tmp_path)}) == example.expected(rule.code)


@pytest.mark.parametrize(("rule", "example"), each_example("Good", "When not to worry"))
def test_is_silent(rule: Rule, example: Example, tmp_path: Path) -> None:
    assert [(f.at.path, f.at.line, f.message) for f in found(rule, example, tmp_path)] == []


@pytest.mark.parametrize(("rule", "example"), each_example("Good"))
def test_good_code_is_judged_and_good_in_every_respect(rule: Rule, example: Example, tmp_path: Path) -> None:
    judgement = judged(understood(example, tmp_path, rule), RULES)
    loud = [f for f in judgement.findings if f.severity is not Severity.ADVICE]
    assert [(f.rule, f.at.path, f.at.line, f.message) for f in loud] == []
    undecided = [o.reason for o in judgement.outcomes if o.rule == rule.name and o.state == "undecided"]
    assert undecided == [], "the rule could not judge its own good example"


@pytest.mark.parametrize("rule", [p for p in each_rule() if p.values[0].fix in ("safe", "unsafe")])
def test_fixed_is_what_the_fixer_makes_of_bad(rule: Rule, tmp_path: Path) -> None:
    """Fixed holds, in the order of Bad, what becomes of each bad example that a fix changes."""
    page = page_of(rule)
    made = []
    for number, example in enumerate(page.of("Bad")):
        (tmp_path / str(number)).mkdir()
        result = fixed(rule, example, tmp_path / str(number))
        made += [(example.framework, result)] if result else []
    shown = [(example.framework, {file.name: file.text for file in example.files}) for example in page.of("Fixed")]
    assert shown == made
