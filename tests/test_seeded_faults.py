"""Each rule finds its fault in a program seeded with it, where it stands, and is silent on the repaired twin."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
from rule_pages import RULES, judged
from seeded import architecture, configuration, data, initialisation, optimisation, regularisation, training
from seeded.fault import SILENT, Fault

from lstmadvisor import sources
from lstmadvisor.extract import programs
from lstmadvisor.facts import Program
from lstmadvisor.rule import Rule

FAMILIES = (architecture, regularisation, initialisation, optimisation, training, data, configuration)
FAULTS = [fault for family in FAMILIES for fault in family.FAULTS]
RULE = {rule.name: rule for rule in RULES}
ELSEWHERE = frozenset(("unused-suppression",))
"""Rules about the comments that silence others: no fact shows them."""


def understood(path: Path) -> tuple[Program, ...]:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return programs.understand(files, sources.Library())


@functools.cache
def good(path: Path) -> tuple[Program, ...]:
    return understood(path)


def test_every_rule_over_facts_has_one() -> None:
    wanted = {rule.name for rule in RULES if rule.family != "probe"} - ELSEWHERE
    assert wanted == {fault.rule for fault in FAULTS}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.rule) for fault in FAULTS])
def test_fault_is_found_where_it_stands(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / fault.program.name
    copied = shutil.copytree if fault.program.is_dir() else shutil.copy
    copied(fault.program, program)
    (tmp_path / fault.base).write_text(fault.text(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = judged(understood(program), [RULE[fault.rule]]).findings
    lines = [Path(f.at.path).read_text(encoding="utf-8").splitlines()[f.at.line - 1] for f in found]
    assert [line for line in lines if fault.marked in line], lines


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.rule) for fault in FAULTS])
def test_twin_is_silent(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SILENT)
    rule: Rule = RULE[fault.rule]
    assert [(f.at.path, f.at.line, f.message) for f in judged(good(fault.program), [rule]).findings] == []
