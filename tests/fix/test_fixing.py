"""`check --fix` and its kin on real rules: what is written, what is left alone, and what is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lstmadvisor.cli import main
from lstmadvisor.edits import Change, Edit, InsertStatements, ReplaceExpression, SetValue
from lstmadvisor.facts import Place
from lstmadvisor.fix import apply
from lstmadvisor.fix.apply import moved, overlap
from lstmadvisor.model import Finding, Fix, Report, Severity
from lstmadvisor.sources import Library

PROGRAM = """\
import torch
from torch import nn

rate = 0.8  # high


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 64, batch_first=True)
        self.drop = nn.Dropout(rate)
        self.head = nn.Linear(64, 1)

    def forward(self, x):
        return self.head(self.drop(self.lstm(x)[0][:, -1]))


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(10):
    x, y = torch.randn(32, 20, 8), torch.randn(32, 1)
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
"""
MENDED = PROGRAM.replace("rate = 0.8", "rate = 0.2").replace(
    "    optimizer.step()\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n",
    "    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n    optimizer.step()\n",
)
SELECT = ("--isolated", "--select", "LA201,LA502")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    Path("train.py").write_text(PROGRAM)


def run(*arguments: str, code: int, **given: str | bytes) -> Result:
    result = CliRunner().invoke(main, [*arguments, *SELECT], **given)  # type: ignore[arg-type]
    assert result.exit_code == code, result.output
    return result


class TestCommands:
    def test_unsafe_fixes_are_made_only_when_asked_for(self) -> None:
        run("check", "train.py", "--fix", code=1)
        assert Path("train.py").read_text() == PROGRAM
        result = run("check", "train.py", "--fix", "--unsafe-fixes", code=0)
        assert Path("train.py").read_text() == MENDED
        assert "Fixed 2 findings." in result.stderr
        assert "No findings" in result.stdout

    def test_a_second_run_changes_nothing(self) -> None:
        run("check", "train.py", "--fix", "--unsafe-fixes", code=0)
        before = Path("train.py").stat().st_mtime_ns
        assert "Fixed" not in run("check", "train.py", "--fix", "--unsafe-fixes", code=0).stderr
        assert Path("train.py").stat().st_mtime_ns == before

    @pytest.mark.parametrize("command", ["check", "audit"])
    def test_diff_writes_nothing_and_exits_with_1(self, command: str) -> None:
        result = run(command, "train.py", "--diff", "--unsafe-fixes", code=1)
        assert Path("train.py").read_text() == PROGRAM
        assert result.stdout.startswith("--- train.py\n+++ train.py\n@@ ")
        assert "\n-rate = 0.8  # high\n+rate = 0.2  # high\n" in result.stdout
        assert run(command, "train.py", "--diff", code=0).stdout == ""

    def test_the_diff_is_one_that_patch_understands(self) -> None:
        diff = run("check", "train.py", "--diff", "--unsafe-fixes", code=1).stdout
        old, new = PROGRAM.split("\n"), MENDED.split("\n")
        removed = [line[1:] for line in diff.split("\n") if line.startswith("-") and not line.startswith("---")]
        added = [line[1:] for line in diff.split("\n") if line.startswith("+") and not line.startswith("+++")]
        assert sorted(set(removed) - set(added)) == sorted(set(old) - set(new))

    def test_fix_only_reports_nothing(self) -> None:
        result = run("check", "train.py", "--fix-only", "--unsafe-fixes", code=0)
        assert Path("train.py").read_text() == MENDED
        assert result.stdout == ""

    def test_standard_input_is_fixed_to_standard_output(self) -> None:
        result = run("check", "-", "--fix", "--unsafe-fixes", code=0, input=PROGRAM)
        assert result.stdout == MENDED
        result = run("check", "-", "--fix", code=1, input=PROGRAM)
        assert result.stdout == PROGRAM
        assert "LA201" in result.stderr

    def test_read_only_files_are_left_alone_and_their_findings_reported(self) -> None:
        Path("train.py").chmod(0o444)
        result = run("check", "train.py", "--fix", "--unsafe-fixes", code=1)
        assert "train.py: is read-only, left alone" in result.stderr
        assert "Fixed" not in result.stderr
        assert "LA502" in result.stdout
        assert Path("train.py").read_text() == PROGRAM

    def test_links_still_point_to_the_file_that_is_changed(self) -> None:
        Path("link.py").symlink_to("train.py")
        run("check", "link.py", "--fix", "--unsafe-fixes", code=0)
        assert Path("link.py").is_symlink()
        assert Path("train.py").read_text() == MENDED

    def test_an_interrupted_write_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*paths: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        result = run("check", "train.py", "--fix", "--unsafe-fixes", code=1)
        assert "No space left on device" in result.stderr
        assert Path("train.py").read_text() == PROGRAM

    def test_a_notebook_is_fixed_cell_by_cell(self) -> None:
        head, _, rest = PROGRAM.partition("\n\n\nclass")
        cells = [
            {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": text.splitlines(True)}
            for text in (head, "class" + rest.removesuffix("\n"))
        ]
        book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        text = json.dumps(book, indent=1)
        Path("n.ipynb").write_text(text)
        assert "+++ n.ipynb:cell 0\n" in run("check", "n.ipynb", "--diff", "--unsafe-fixes", code=1).stdout
        run("check", "n.ipynb", "--fix", "--unsafe-fixes", code=0)
        after = json.loads(Path("n.ipynb").read_text())
        assert "".join(after["cells"][0]["source"]) + "\n\n\n" + "".join(after["cells"][1]["source"]) + "\n" == MENDED

    def test_a_value_is_changed_in_its_configuration_file(self) -> None:
        head = 'import json\nfrom pathlib import Path\n\nconfig = json.loads(Path("config.json").read_text())\n'
        script = PROGRAM.replace("rate = 0.8  # high\n", 'rate = config["rate"]\n').replace("import torch\n", head, 1)
        config = '{\n    "name": "é",\n    "rate": 0.8\n}\n'
        Path("train.py").write_text(script)
        Path("config.json").write_text(config)
        diff = run("audit", "train.py", "--diff", "--unsafe-fixes", code=1).stdout
        assert '-    "rate": 0.8\n+    "rate": 0.2\n' in diff

    def test_files_that_were_not_passed_are_left_alone(self) -> None:
        Path("settings.py").write_text("RATE = 0.8\n")
        Path("train.py").write_text("from settings import RATE\n" + PROGRAM.replace("rate = 0.8", "rate = RATE"))
        run("check", "train.py", "--fix", "--unsafe-fixes", code=0)
        assert Path("settings.py").read_text() == "RATE = 0.8\n"
        run("check", "train.py", "settings.py", "--fix", "--unsafe-fixes", code=0)
        assert Path("settings.py").read_text() == "RATE = 0.2\n"

    def test_what_a_fix_would_change_stands_in_the_json(self) -> None:
        found = json.loads(run("check", "train.py", "--format", "json", code=1).stdout)["findings"]
        fix = next(f["fix"] for f in found if f["code"] == "LA201")
        assert fix["changes"] == [
            {"path": "train.py", "cell": None, "line": 4, "column": 8, "end_line": 4, "end_column": 11, "text": "0.2"}
        ]
        assert fix["edits"][0]["verb"] == "set-value"
        assert "+rate = 0.2  # high\n" in fix["diff"]

    def test_what_a_fix_would_change_stands_below_the_finding(self) -> None:
        text = run("check", "train.py", code=1).stdout
        assert "  = unsafe fix: lower the rate to 0.2 (fewer values are dropped in training)\n" in text
        assert "\n 4 - rate = 0.8  # high\n 4 + rate = 0.2  # high\n" in text

    def test_silenced_findings_are_not_fixed(self) -> None:
        text = PROGRAM.replace("rate = 0.8  # high", "rate = 0.8  # noqa: LA201")
        Path("train.py").write_text(text)
        run("check", "train.py", "--fix", "--unsafe-fixes", code=0)
        assert "rate = 0.8  # noqa: LA201" in Path("train.py").read_text()


class Reviewer:
    """A review by rules that are one line each: a finding wherever a word stands."""

    def __init__(self, *rules: tuple[str, str, Severity, Callable[[Place], tuple[Edit, ...]]]) -> None:
        self.rules = rules

    def __call__(self, library: Library) -> Report:
        source = library.get("train.py")
        assert source is not None
        found = []
        for number, line in enumerate(source.original.split("\n"), 1):
            for code, word, severity, edits in self.rules:
                if word in line:
                    column = line.index(word) + 1
                    place = Place(
                        path="train.py", line=number, column=column, end_line=number, end_column=column + len(word)
                    )
                    fix = Fix(title="do", applicability="safe", edits=edits(place))
                    found.append(Finding(at=place, message=word, code=code, rule=code, severity=severity, fix=fix))
        return Report(files=("train.py",), findings=tuple(found))

    def fixed(self, text: str) -> apply.Fixed:
        Path("train.py").write_text(text)
        library = Library()
        assert library.source(Path("train.py"))
        return apply.fixed(self(library), library, self, lambda finding: True, lambda path: True)

    def text(self, text: str) -> str:
        found = self.fixed(text)
        return found.contents["train.py"][1].decode() if found.contents else text


def replaced(code: str) -> Callable[[Place], tuple[Edit, ...]]:
    return lambda place: (ReplaceExpression(at=place, code=code),)


def inserted(code: str) -> Callable[[Place], tuple[Edit, ...]]:
    return lambda place: (InsertStatements(at=place, side="after", code=code),)


class TestEngine:
    def test_rounds_repeat_until_nothing_changes(self) -> None:
        reviewer = Reviewer(
            ("A", "one", Severity.WARNING, replaced("two")), ("B", "two", Severity.WARNING, replaced("three"))
        )
        assert reviewer.text("x = one\ny = two\n") == "x = three\ny = three\n"

    def test_of_overlapping_fixes_the_more_severe_comes_first(self) -> None:
        whole = Reviewer(("A", "f(g)", Severity.WARNING, replaced("h")), ("B", "g", Severity.ERROR, replaced("k")))
        assert whole.text("x = f(g)\n") == "x = f(k)\n"
        other = Reviewer(("A", "f(g)", Severity.ERROR, replaced("h")), ("B", "g", Severity.WARNING, replaced("k")))
        assert other.text("x = f(g)\n") == "x = h\n"

    def test_a_result_that_is_no_python_is_rolled_back_and_the_others_are_kept(self) -> None:
        reviewer = Reviewer(
            ("A", "bad", Severity.ERROR, replaced("1 +")), ("B", "old", Severity.WARNING, replaced("new"))
        )
        found = reviewer.fixed("x = bad\ny = old\n")
        assert found.contents["train.py"][1] == b"x = bad\ny = new\n"
        assert [(f.code, why.partition(" (")[0]) for f, why in found.refused] == [
            ("A", "the result would be no Python")
        ]
        assert [f.code for f, _ in found.made] == ["B"]

    def test_a_keyword_given_twice_is_no_python(self) -> None:
        reviewer = Reviewer(("A", "bad", Severity.ERROR, replaced("f(a=1, a=2)")))
        assert reviewer.text("x = bad\n") == "x = bad\n"

    def test_a_fix_that_does_not_help_is_rolled_back(self) -> None:
        reviewer = Reviewer(("A", "bad", Severity.WARNING, inserted("y = 1")))
        found = reviewer.fixed("x = bad\n")
        assert (found.contents, found.made) == ({}, ())
        assert [why for _, why in found.refused] == ["the finding would still be there"]

    def test_a_fix_that_only_moves_the_finding_is_rolled_back(self) -> None:
        reviewer = Reviewer(("A", "bad", Severity.WARNING, replaced("f(1, bad)")))
        assert reviewer.fixed("x = bad\n").contents == {}

    def test_a_fix_that_leads_to_another_error_is_rolled_back(self) -> None:
        reviewer = Reviewer(
            ("A", "old", Severity.WARNING, replaced("worse")), ("E", "worse", Severity.ERROR, lambda place: ())
        )
        found = reviewer.fixed("x = old\ny = worse\n")
        assert found.contents == {}
        assert "it would lead to E" in {f.code: why for f, why in found.refused}["A"]

    def test_what_two_fixes_both_insert_is_inserted_once(self) -> None:
        def both(place: Place) -> tuple[Edit, ...]:
            return (ReplaceExpression(at=place, code="`copy.deepcopy`(y)"),)

        reviewer = Reviewer(("A", "one", Severity.WARNING, both), ("B", "two", Severity.WARNING, both))
        assert reviewer.text("import os\nx = one\nz = two\n") == (
            "import os\nimport copy\nx = copy.deepcopy(y)\nz = copy.deepcopy(y)\n"
        )

    def test_fixes_that_chase_each_other_come_to_an_end(self) -> None:
        reviewer = Reviewer(
            ("A", "one", Severity.WARNING, replaced("two")), ("B", "two", Severity.WARNING, replaced("one"))
        )
        assert reviewer.text("x = one\n") in ("x = one\n", "x = two\n")

    def test_a_file_that_changed_meanwhile_is_left_alone(self) -> None:
        Path("train.py").write_text("x = old\n")
        library = Library()
        reviewer = Reviewer(("A", "old", Severity.WARNING, replaced("new")))
        assert library.source(Path("train.py"))
        report = reviewer(library)
        Path("train.py").write_text("z = 1\nx = old\n")
        found = apply.fixed(report, library, reviewer, lambda finding: True, lambda path: True)
        assert found.contents == {}
        assert "changed on disk" in found.refused[0][1]

    def test_a_value_that_is_not_there_is_not_set(self) -> None:
        reviewer = Reviewer(("A", "0.7", Severity.WARNING, lambda place: (SetValue(at=place, was=0.5, to=0.1),)))
        found = reviewer.fixed("x = 0.7\n")
        assert found.contents == {}
        assert "0.7" in found.refused[0][1]


def change(line: int, column: int, end_line: int, end_column: int, text: str) -> Change:
    return Change(path="a", line=line, column=column, end_line=end_line, end_column=end_column, text=text)


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ([change(1, 1, 1, 1, "import a\n")], (3, 5), (4, 5)),
        ([change(1, 1, 1, 1, "import a\n")], (1, 5), (2, 5)),
        ([change(2, 5, 2, 8, "0.25")], (2, 5), (2, 5)),
        ([change(2, 5, 2, 8, "0.25")], (2, 10), (2, 11)),
        ([change(2, 5, 2, 8, "0.25"), change(2, 12, 2, 12, ", b")], (2, 20), (2, 24)),
        ([change(2, 5, 2, 5, "clip()\n    ")], (2, 5), (3, 5)),
        ([change(2, 1, 4, 1, "")], (5, 3), (3, 3)),
        ([change(2, 3, 4, 2, "x")], (4, 6), (2, 8)),
        ([change(2, 3, 4, 2, "x")], (3, 1), (2, 3)),
    ],
)
def test_places_move_with_the_text(changes: list[Change], before: tuple[int, int], after: tuple[int, int]) -> None:
    assert moved(("a", None, *before), changes) == ("a", None, *after)


def test_overlap() -> None:
    one = change(2, 3, 2, 6, "x")
    assert not overlap([one], [one])
    assert overlap([one], [change(2, 6, 2, 6, "y")])
    assert overlap([one], [change(1, 1, 4, 1, "")])
    assert not overlap([one], [change(2, 7, 2, 9, "y")])
    assert not overlap([one], [one.model_copy(update={"path": "b"})])
