"""What holds for every rule, whoever writes it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from typing import Any

import pytest
from rule_pages import RULES, each_rule, page_of

from lstmadvisor import packs, rule_info
from lstmadvisor.facts import Item, Program
from lstmadvisor.model import Grade, Severity
from lstmadvisor.rule import NoOptions, Rule
from lstmadvisor.rule_info import FAMILIES, TOPICS, RuleInfo

ARTICLE = {"A01", "A02", "F1", "F2", *(f"H{n}" for n in range(1, 11)), *(f"T{n}" for n in range(1, 12))}


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


def test_what_is_read_without_running_is_what_is_declared() -> None:
    read = packs.infos(packs.packs())
    fields = [field.name for field in dataclasses.fields(RuleInfo) if field.name != "options_info"]
    assert [[getattr(a, f) for f in fields] for a in read] == [[getattr(b, f) for f in fields] for b in RULES]


def test_every_page_has_a_rule() -> None:
    pages = {page for pack in packs.packs() for page in pack.folder.glob("*/*.md")}
    assert pages == {rule.page for rule in RULES}


@pytest.mark.parametrize("rule", each_rule())
def test_declaration(rule: Rule) -> None:
    assert re.fullmatch(FAMILIES[rule.family] + r"\d\d", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.topic in TOPICS
    assert rule.severity in list(Severity)
    assert rule.grade in list(Grade)
    assert rule.article is None or rule.article in ARTICLE
    assert rule.frameworks
    assert set(rule.frameworks) <= {"pytorch", "keras"}
    assert rule.fix in (None, "safe", "unsafe", "display")


@pytest.mark.parametrize("rule", each_rule())
def test_summary_is_one_sentence(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z`\"'][^\n]*[^.\n]\.", rule.summary)
    assert not re.search(r"[.!?] +[A-Z]", rule.summary)
    assert len(rule.summary) <= 110


@pytest.mark.parametrize("rule", each_rule())
def test_needs_name_facts(rule: Rule) -> None:
    for path in rule.needs:
        model: Any = Program
        for name in path.split("."):
            assert name in model.model_fields, f"{path} is no fact"
            field = model.model_fields[name].annotation
            model = field if isinstance(field, type) and issubclass(field, Item) else None


@pytest.mark.parametrize("rule", each_rule())
def test_check_and_options_agree(rule: Rule) -> None:
    """The second parameter is annotated with the options class, and every option has a default and a docstring."""
    hints = typing.get_type_hints(rule.check)
    assert list(inspect.signature(rule.check).parameters) == ["program", "options"]
    assert hints["options"] is rule.options
    assert rule.options is NoOptions or vars(rule.options.validated({}))
    described = {option.name: option.doc for option in rule_info.read(rule.path).options_info}
    assert set(described) == set(typing.get_type_hints(rule.options))
    assert all(described.values())


@pytest.mark.parametrize("rule", each_rule())
def test_page(rule: Rule) -> None:
    page = page_of(rule)
    assert (page.code, page.name) == (rule.code, rule.name)
    assert all(page.sections.values()), "an empty section"
    for framework in rule.frameworks[: 1 if rule.family == "probe" else None]:  # a number is a number in both
        bad, good = page.of("Bad", framework), page.of("Good", framework)
        assert bad, f"no bad example for {framework}"
        assert good, f"no good example for {framework}"
    assert {example.framework for example in page.of("Bad") + page.of("Good")} <= set(rule.frameworks)
    for example in page.examples:
        if example.section == "Bad":
            assert example.expected(rule.code), f"line {example.line}: nothing is marked"
        else:
            assert not example.marks, f"line {example.line}: marked, but not bad"
    assert page.of("When not to worry"), "no condition of silence is tested"
