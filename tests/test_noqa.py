"""`--add-noqa` on real files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lstmadvisor import noqa
from lstmadvisor.cli import main
from lstmadvisor.facts import Place
from lstmadvisor.model import Finding, Report

EXAMPLES = Path(__file__).parents[1] / "examples"


def written(text: str, *places: Place, name: str = "a.py") -> tuple[str, int]:
    """A file after comments for findings at the places, and for how many of them there was no room."""
    Path(name).write_text(text, encoding="utf-8", newline="")
    findings = tuple(Finding(at=at.model_copy(update={"path": name}), message="x", code="LA201") for at in places)
    files, refused = noqa.silenced(Report(files=(name,), findings=findings, sources={name: text.replace("\r\n", "\n")}))
    after = files[name][1].decode("utf-8") if name in files else text
    return after, len(refused)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def line(first: int, last: int | None = None) -> Place:
    return Place(path="", line=first, end_line=last)


@pytest.mark.parametrize(
    ("before", "place", "after"),
    [
        ("x = 1\ny = 2\n", line(1), "x = 1  # noqa: LA201\ny = 2\n"),
        ("x = 1\r\ny = 2\r\n", line(2), "x = 1\r\ny = 2  # noqa: LA201\r\n"),
        ("x = 1  # one\n", line(1), "x = 1  # one  # noqa: LA201\n"),
        ("x = 1  # noqa: E501 why\n", line(1), "x = 1  # noqa: E501, LA201 why\n"),
        ("fit(\n    a,\n    b,\n)\n", line(1, 4), "fit(\n    a,\n    b,\n)  # noqa: LA201\n"),
        ("fit(\n    a,\n    b,\n)\n", line(2, 2), "fit(\n    a,  # noqa: LA201\n    b,\n)\n"),
        ('s = """\n#\n"""\n', line(1, 3), 's = """\n#\n"""  # noqa: LA201\n'),
        ("x = 1", line(1), "x = 1  # noqa: LA201"),
    ],
)
def test_where_the_comment_goes(before: str, place: Place, after: str) -> None:
    assert written(before, place) == (after, 0)


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("x = 1 + \\\n    2\n", line(1, 1), "a.py"),
        ('s = """\nx\n"""\n', line(2, 2), "a.py"),
        ('{"rate": 0.7}\n', line(1), "a.json"),
        ("[model]\nrate = 0.7\n", line(2), "a.ini"),
    ],
)
def test_no_room(text: str, place: Place, name: str) -> None:
    assert written(text, place, name=name) == (text, 1)


def test_two_findings_on_one_line_share_a_comment() -> None:
    after, refused = written("f(1, 2)\n", line(1), line(1))
    assert (after, refused) == ("f(1, 2)  # noqa: LA201\n", 0)


def test_configuration_files() -> None:
    assert written("lr: 1\nrate: 0.7\n", line(2), name="a.yaml") == ("lr: 1\nrate: 0.7  # noqa: LA201\n", 0)


def test_one_is_no_plural() -> None:
    shutil.copy(EXAMPLES / "sunspots" / "train.py", "train.py")
    done = CliRunner().invoke(main, ["check", "train.py", "--select", "LA502", "--add-noqa"])
    assert done.stderr == "Silenced 1 finding in 1 file.\n"


def test_programs_and_notebooks_are_silent_afterwards() -> None:
    shutil.copytree(EXAMPLES, "work")
    first = CliRunner().invoke(main, ["check", "work", "--add-noqa"])
    assert first.exit_code == 0, first.output
    assert first.stderr.startswith("Silenced ")
    second = CliRunner().invoke(main, ["check", "work", "--format", "json"])
    assert json.loads(second.stdout)["findings"] == []
    book = Path("work/notebook/forecast.ipynb").read_text(encoding="utf-8").splitlines()
    old = (EXAMPLES / "notebook" / "forecast.ipynb").read_text(encoding="utf-8").splitlines()
    changed = [new for before, new in zip(old, book, strict=True) if before != new]
    assert changed
    assert all("  # noqa: LA" in new for new in changed)
