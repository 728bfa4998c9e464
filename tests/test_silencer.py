"""Comments held against findings: what is silenced, and what silences nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lstmadvisor.facts import Place, Program
from lstmadvisor.model import Finding, Undecided
from lstmadvisor.rule import NoOptions, Rule, rule
from lstmadvisor.silencer import Silencer


def declared(code: str, name: str) -> Rule:
    def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
        yield from ()

    return rule(
        code=code, name=name, summary="A fault.", family="regularisation", topic="other", severity="warning", grade="B"
    )(check)  # fmt: skip


RULES = [declared("LA201", "some-rule"), declared("LA202", "other-rule")]
EVERY = frozenset(("LA201", "LA202"))


def unused(
    text: str, *found: tuple[str, int], judged: frozenset[str] = EVERY, unsure: frozenset[str] = frozenset()
) -> list[str]:
    """The parts of `text`, a file, that silence nothing, given findings by code and line."""
    silencer = Silencer(RULES)
    silencer.read("a.py", None, text)
    for code, line in found:
        silencer.silence(Finding(at=Place(path="a.py", line=line), message="x", code=code))
    places = [finding.at for finding in silencer.unused("a.py", judged, unsure)]
    lines = text.split("\n")
    return [lines[at.line - 1][at.column - 1 : (at.end_column or 0) - 1] for at in places]


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # noqa: {}",
        "x = 1  # why not  # noqa:{} # more",
        "x = 1  # lstmadvisor: ignore[{}] why",
        "# lstmadvisor: ignore[ {} ]\nx = 1",
        "x = 1\ny = 2  # lstmadvisor: ignore-file[{}]",
    ],
)
def test_a_comment_is_unused_unless_it_silences_something(text: str) -> None:
    text = text.format("LA201")
    line = 1 + text.startswith("#")
    assert unused(text) == ["LA201"]
    assert unused(text, ("LA201", line)) == []
    assert unused(text, ("LA202", line)) == ["LA201"]


def test_each_word_counts() -> None:
    text = "x = 1  # noqa: E501, LA201, LA202"
    assert unused(text, ("LA202", 1)) == ["LA201"]
    assert unused("x = 1  # lstmadvisor: ignore[some-rule, LA202]", ("LA202", 1)) == ["some-rule"]


def test_two_comments_for_one_finding_are_both_used() -> None:
    text = "# lstmadvisor: ignore[some-rule]\nx = 1  # noqa: LA201"
    assert unused(text, ("LA201", 2)) == []


@pytest.mark.parametrize(
    "text", ["x = 1  # noqa", "x = 1  # noqa: E501", "x = 1  # lstmadvisor: ignore", "x = 1  # noqa: LA999"]
)
def test_what_names_no_rule_is_left_alone(text: str) -> None:
    assert unused(text) == []


def test_rules_that_did_not_judge_everything() -> None:
    text = "x = 1  # noqa: LA201"
    assert unused(text, judged=frozenset(("LA202",))) == []
    assert unused(text, unsure=frozenset(("LA201",))) == []
    assert unused("x = 1  # lstmadvisor: ignore[LA2]", unsure=frozenset(("LA201",))) == []


def test_comments_in_notebooks_count_for_their_cell_or_the_whole_file() -> None:
    silencer = Silencer(RULES)
    silencer.read("book.ipynb", 0, "x = 1  # noqa")
    silencer.read("book.ipynb", 2, "x = 1  # noqa: LA202")
    silencer.read("other.ipynb", 4, "# lstmadvisor: ignore-file[some-rule]")

    def silenced(path: str, cell: int) -> bool:
        finding = Finding(at=Place(path=path, cell=cell, line=1), message="x", code="LA201")
        return silencer.silence(finding) is not None

    assert silenced("book.ipynb", 0)
    assert not silenced("book.ipynb", 1)
    assert silenced("other.ipynb", 0)
    assert not silenced("third.ipynb", 4)
    assert [finding.at.cell for finding in silencer.unused("book.ipynb", EVERY, frozenset())] == [2]
    assert [finding.at.cell for finding in silencer.unused("other.ipynb", EVERY, frozenset())] == []
