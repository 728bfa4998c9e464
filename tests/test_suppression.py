"""Silencing comments."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Place
from lstmadvisor.suppression import silences, speaks_for


def silent_lines(text: str, python: bool = True, **place: int) -> list[int]:
    """The lines of `text` at which a finding would be silenced."""
    found = silences(text, python)
    lines = range(1, text.count("\n") + 2)
    return [n for n in lines if any(speaks_for(s, Place(path="a.py", line=n, **place)) for s in found)]


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("# noqa", ("all",)),
        ("#NOQA", ("all",)),
        ("# noqa: LA203", ("LA203",)),
        ("# noqa:LA203,E501 because", ("LA203", "E501")),
        ("# noqa: E501 LA203", ("E501", "LA203")),
        ("# too late  # noqa: LA203", ("LA203",)),
        ("# type: ignore # noqa", ("all",)),
        ("# lstmadvisor: ignore[clip-after-step] measured", ("clip-after-step",)),
        ("#lstmadvisor:ignore[ LA2 , clip-after-step ]", ("LA2", "clip-after-step")),
        ("# lstmadvisor: ignore", ("all",)),
    ],
)
def test_what_a_comment_says(comment: str, words: tuple[str, ...]) -> None:
    (silence,) = silences(f"x = 1  {comment}\n")
    assert silence.words == words


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# lstmadvisor: ignore[x] measured twice", "measured twice"),
        ("# lstmadvisor: ignore[x]: measured  # type: ignore", "measured"),
        ("# lstmadvisor: ignore-file[x] - generated", "generated"),
        ("# lstmadvisor: ignore[x]", ""),
        ("# noqa: LA201 because", ""),
    ],
)
def test_the_reason_in_a_comment(comment: str, reason: str) -> None:
    (silence,) = silences(f"x = 1  {comment}\n")
    assert silence.reason == reason


@pytest.mark.parametrize(
    "text", ["x = '# noqa'", 'x = """\n# noqa\n"""', "x = 1  # noqaa", "x = 1  # not noqa-like: no"]
)
def test_what_is_no_such_comment(text: str) -> None:
    assert silences(text) == ()


def test_only_the_line() -> None:
    assert silent_lines("a = 1\nb = 2  # noqa\nc = 3\n") == [2]


def test_a_statement_over_lines() -> None:
    text = "fit(\n    a=1,\n    b=2,  # noqa\n    c=3,\n)  # noqa\n"
    assert silent_lines(text) == [3, 5]
    assert silent_lines(text, end_line=5) == [1, 2, 3, 4, 5]


def test_a_comment_inside_a_long_span_of_other_statements_does_not_count() -> None:
    assert silent_lines("def f():\n    a = 1  # noqa\n", end_line=2) == [2]


def test_own_line_speaks_for_the_next_statement() -> None:
    text = "a = 1\n# lstmadvisor: ignore[x] why\n\nfit(\n    a=1,\n)\nb = 2\n"
    assert silent_lines(text) == [4, 5, 6]
    assert silent_lines("# noqa\na = 1\n") == []


def test_own_line_inside_a_statement() -> None:
    assert silent_lines("fit(\n    # lstmadvisor: ignore[x]\n    a=1,\n    b=2,\n)\n") == [3]


def test_whole_file() -> None:
    assert silent_lines("a = 1\nb = 2\n# lstmadvisor: ignore-file[LA2] generated\n") == [1, 2, 3, 4]


def test_broken_code_keeps_what_came_before() -> None:
    assert silent_lines("a = 1  # noqa\nb = (\n") == [1]


def test_other_languages() -> None:
    text = "rate: 0.7  # noqa\nurl: a#noqa\n# lstmadvisor: ignore[x]\nlr: 3\n"
    assert silent_lines(text, python=False) == [1, 4]


def test_tabs_and_spaces_mixed() -> None:
    assert silent_lines("if a:\n        b = 1\n\tc = 2  # noqa\n") == [3]
    assert silent_lines("for a in b:\n    c = 1\n\td = 2\n# lstmadvisor: ignore-file[x]\n") == [1, 2, 3, 4, 5]
