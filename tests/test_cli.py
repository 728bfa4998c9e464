"""The commands: what they write, where, and how they exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from small_pack import CLIP, SCRIPT, install_extractor, install_pack, write_rule

from lstmadvisor import facts, review
from lstmadvisor.cli import main

FOUND = ["train.py:4:25: warning[LA201]", "train.py:8:2: error[LA501]"]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_pack(tmp_path / "pack", monkeypatch)
    install_extractor(monkeypatch)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    Path("train.py").write_text(SCRIPT)
    Path("clean.py").write_text("x = 1\n")
    Path("broken.py").write_bytes(b"\0")


def run(*arguments: str, code: int, **given: Any) -> Result:
    result = CliRunner().invoke(main, list(arguments), **given)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def concise(*arguments: str, code: int, command: str = "check", **given: Any) -> list[str]:
    """What is found, up to the code of the rule."""
    result = run(command, *arguments, "--format", "concise", code=code, **given)
    return [line.partition("]")[0] + "]" for line in result.stdout.splitlines()]


def test_check_reports_errors_and_warnings() -> None:
    assert concise("train.py", "clean.py", code=1) == FOUND
    assert concise("clean.py", code=0) == []


def test_audit_reports_advice_too() -> None:
    assert concise("train.py", code=1, command="audit") == ["train.py:1:1: advice[LA601]", *FOUND]
    assert concise("train.py", "--fail-on", "never", "--select", "LA6", code=0, command="audit") == [
        "train.py:1:1: advice[LA601]"
    ]
    assert concise("train.py", "--fail-on", "advice", "--select", "LA6", code=1, command="audit")


def test_check_reports_places_in_the_files_passed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("main.py").write_text("from train import *  # Dropout\n")
    there = facts.Place(path="train.py", line=4)
    monkeypatch.setattr(
        "small_pack.program",
        lambda path: facts.Program(
            path=path, framework="pytorch", dropouts=(facts.Dropout(rate=facts.Known(value=0.7), at=there),)
        ),
    )
    assert concise("main.py", code=0) == []
    assert concise("main.py", "train.py", code=1) == ["train.py:4:1: warning[LA201]"]
    assert concise("main.py", code=1, command="audit") == ["train.py:4:1: warning[LA201]"]


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["--select", "LA2"], 1, FOUND[:1]),
        (["--select", "LA2,training"], 1, FOUND),
        (["--select", "LA2", "--extend-select", "clip-after-step"], 1, FOUND),
        (["--ignore", "dropout-too-high"], 1, FOUND[1:]),
        (["--min-severity", "error"], 1, FOUND[1:]),
        (["--select", "LA2", "--fail-on", "error"], 0, FOUND[:1]),
        (["--fail-on", "never"], 0, FOUND),
    ],
)
def test_selection_and_exit_codes(arguments: list[str], code: int, found: list[str]) -> None:
    assert concise("train.py", *arguments, code=code) == found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "Missing argument"),
        (["check", "train.py", "--colour", "always"], "No such option"),
        (["check", "train.py", "--format", "xml"], "'xml' is not one of"),
        (["check", "train.py", "--select", "clip-aftr-step"], "did you mean 'clip-after-step'?"),
        (["check", "train.py", "--config", "absent.toml"], "No such file"),
        (["check", "train.py", "-"], "- stands alone"),
        (["check", "train.py", "-o", "no/such/folder/report"], "No such file"),
        (["check", "broken.py"], "broken.py: "),
        (["audit", "broken.py"], "broken.py: "),
        (["facts", "broken.py"], "broken.py: "),
        (["rule", "clip-aftr-step"], "did you mean 'clip-after-step'?"),
        (["chek"], "No such command"),
    ],
)
def test_could_not_run(arguments: list[str], message: str) -> None:
    result = run(*arguments, code=2)
    assert message in result.stderr
    assert result.stdout == ""


def test_one_unreadable_file_among_others_is_a_message() -> None:
    result = run("check", "clean.py", "broken.py", code=0)
    assert result.stderr.startswith("broken.py: ")
    assert result.stdout == "No recurrent network in 1 file.\n"


def test_a_crashed_rule_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    crash = (
        CLIP.replace("LA501", "LA502").replace("clip-after-step", "crash").replace("for clip", "1 / 0\n    for clip")
    )
    write_rule(tmp_path / "pack", "training/crash", crash)
    result = run("check", "train.py", "--format", "concise", code=2)
    assert "rule crash crashed on train.py: ZeroDivisionError: division by zero" in result.stderr
    assert len(result.stdout.splitlines()) == 2
    for further in ("--diff", "--fix-only", "--add-noqa"):
        assert "rule crash crashed on train.py" in run("check", "train.py", further, code=2).stderr


def test_internal_errors_show_a_traceback_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: review.Request) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(review, "check", fail)
    result = run("check", "train.py", code=2)
    assert result.stderr == "lstmadvisor: internal error: RuntimeError: oops; -v shows where\n"
    assert "Traceback" in CliRunner().invoke(main, ["check", "train.py", "-v"]).stderr


def test_configuration_of_the_project() -> None:
    Path("pyproject.toml").write_text(
        "[tool.lstmadvisor]\nignore = ['LA5']\n[tool.lstmadvisor.rules.dropout-too-high]\nseverity = 'error'\n"
    )
    assert concise("train.py", code=1) == ["train.py:4:25: error[LA201]"]
    assert concise("train.py", "--isolated", code=1) == FOUND
    assert concise("train.py", "--ignore", "LA2", code=0) == []
    assert concise("train.py", "--select", "LA5", code=1) == FOUND[1:]
    Path("lint.toml").write_text("fail-on = 'never'\n[rules.dropout-too-high]\nmost = 0.8\n")
    assert concise("train.py", "--config", "lint.toml", code=0) == FOUND[1:]
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\nper-file-ignores = {'tr*.py' = ['LA2']}\n")
    assert concise("train.py", code=1) == FOUND[1:]
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\nper-file-ignores = {'nowhere.py' = ['LA222']}\n")
    assert "no rule answers to 'LA222'" in run("check", "train.py", code=2).stderr


def test_options_may_stand_in_the_environment() -> None:
    assert concise("train.py", code=1, env={"LSTMADVISOR_SELECT": "LA2, LA6"}) == FOUND[:1]
    assert concise("train.py", "--select", "LA5", code=1, env={"LSTMADVISOR_SELECT": "LA2"}) == FOUND[1:]
    assert concise("train.py", code=0, env={"LSTMADVISOR_FAIL_ON": "never"}) == FOUND
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\nignore = ['LA5']\n")
    assert concise("train.py", code=1, env={"LSTMADVISOR_ISOLATED": "1"}) == FOUND
    assert "'--fail-on': 'x' is not one of" in run("check", "train.py", code=2, env={"LSTMADVISOR_FAIL_ON": "x"}).stderr
    shown = run("check", "train.py", code=1, env={"LSTMADVISOR_FORMAT": "json"}).stdout
    assert json.loads(shown)["schema"] == "lstmadvisor/report/1"


def test_show_settings() -> None:
    Path("lstmadvisor.toml").write_text("ignore = ['LA5']\n[rules.dropout-too-high]\nmost = 0.8\n")
    shown = run("check", "train.py", "--fail-on", "error", "--show-settings", code=0).stdout
    assert shown.startswith(f"# {Path.cwd() / 'lstmadvisor.toml'}\n")
    assert 'ignore = ["LA5"]\n' in shown
    assert 'fail-on = "error"\n' in shown
    assert "[rules.dropout-too-high]\nmost = 0.8\n" in shown
    assert shown.endswith("# 2 rules:\n#   LA201 dropout-too-high\n#   LA601 no-seed\n")
    Path("again").mkdir()
    Path("again/lstmadvisor.toml").write_text(shown)
    again = run("check", "train.py", "--config", "again/lstmadvisor.toml", "--show-settings", code=0).stdout
    assert again.partition("\n")[2] == shown.partition("\n")[2]
    Path("lstmadvisor.toml").write_text("[rules.dropout-to-high]\n")
    assert "no such rule" in run("check", "train.py", "--show-settings", code=2).stderr


def test_show_files() -> None:
    Path("lstmadvisor.toml").write_text("exclude = ['clean.py']\n")
    shown = run("check", ".", "clean.py", "gone.py", "--show-files", code=0)
    assert shown.stdout == "broken.py\ntrain.py\nclean.py\n"
    assert shown.stderr == "gone.py: no such file or folder\n"
    assert run("check", "clean.py", "--force-exclude", "--show-files", code=0).stdout == ""


def test_own_packs_are_loaded_when_configured_and_only_then() -> None:
    own = CLIP.replace("LA501", "XY001").replace("clip-after-step", "own-rule")
    write_rule(Path("lint"), "training/own_rule", own)
    assert concise("train.py", code=1) == FOUND
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\npacks = ['lint']\n")
    assert concise("train.py", code=1) == [*FOUND, "train.py:8:2: error[XY001]"]
    assert "XY001" in run("rule", code=0).stdout
    assert run("rule", "XY001", code=0).stdout.startswith("# XY001 own-rule\n")


def test_suppression() -> None:
    Path("train.py").write_text(SCRIPT.replace("Dropout(0.7)", "Dropout(0.7)  # noqa: LA201"))
    assert concise("train.py", code=1) == FOUND[1:]
    Path("train.py").write_text(SCRIPT.replace("Dropout(0.7)", "Dropout(0.7)  # noqa: E501"))
    assert concise("train.py", code=1) == FOUND
    Path("train.py").write_text(SCRIPT + "# lstmadvisor: ignore-file[dropout-too-high, training]\n")
    assert concise("train.py", code=0) == []
    Path("train.py").write_text(SCRIPT + "# lstmadvisor: ignore-file[dropout-to-high]\n")
    result = run("check", "train.py", "--format", "concise", code=1)
    assert "train.py:11:1: no rule answers to 'dropout-to-high'; did you mean 'dropout-too-high'?" in result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [
        ("markdown", "# title"),
        ("code", "%matplotlib inline\nfrom torch.nn import LSTM, Dropout\ndrop = Dropout(0.7)"),
    ]
    book = {"nbformat": 4, "cells": [{"cell_type": kind, "source": text} for kind, text in cells]}
    there = facts.Place(path="book.ipynb", cell=1, line=3, column=16, end_line=3, end_column=19)
    rate = facts.Known(value=0.7, at=there)
    monkeypatch.setattr(
        "small_pack.program",
        lambda path: facts.Program(path=path, framework="keras", dropouts=(facts.Dropout(rate=rate),)),
    )
    Path("book.ipynb").write_text(json.dumps(book))
    shown = run("check", "book.ipynb", code=1).stdout
    assert " --> book.ipynb:cell 1:3:16\n" in shown
    assert "3 | drop = Dropout(0.7)\n  |                ^^^\n" in shown
    Path("book.ipynb").write_text(json.dumps(book).replace("(0.7)", "(0.7)  # noqa"))
    assert concise("book.ipynb", code=0) == []


def test_stdin() -> None:
    assert concise("-", code=1, input=SCRIPT) == [line.replace("train.py", "<stdin>") for line in FOUND]
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\nper-file-ignores = {'lib/*' = ['LA2']}\n")
    named = ["-", "--stdin-filename", "lib/net.py"]
    assert concise(*named, code=1, input=SCRIPT) == ["lib/net.py:8:2: error[LA501]"]
    assert "binary" in run("check", "-", code=2, input=b"\0").stderr


def test_output_file() -> None:
    assert run("check", "train.py", "-o", "report.txt", code=1).output == ""
    assert "error[LA501]" in Path("report.txt").read_text(encoding="utf-8")


def test_quiet() -> None:
    assert run("check", "clean.py", "-q", code=0).output == ""
    assert "Found" not in run("check", "train.py", "-q", code=1).stdout
    assert "broken.py" in run("check", "clean.py", "broken.py", "-q", code=0).stderr


@pytest.mark.parametrize(
    ("mode", "environment", "colored"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": ""}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color(mode: str, environment: dict[str, str], colored: bool) -> None:
    # CliRunner strips colours unless told not to
    result = run("check", "train.py", "--color", mode, code=1, env=environment, color=True)
    assert ("\x1b[1;31m" in result.stdout) is colored


def test_facts() -> None:
    shown = run("facts", "train.py", code=0).stdout
    assert "rate: 0.7  train.py:4" in shown
    assert "looked for, none: seeds" in shown
    document = json.loads(run("facts", "train.py", "clean.py", "--format", "json", code=0).stdout)
    assert document["schema"] == "lstmadvisor/facts/1"
    assert [program["path"] for program in document["programs"]] == ["train.py"]
    assert run("facts", "clean.py", code=0).stdout == "No recurrent network found.\n"


def test_rule_lists_and_explains() -> None:
    everything = run("rule", code=0).stdout
    assert "  LA501  error    clip-after-step   Gradients are clipped" in everything
    assert "  LA101  off      gru-alternative   A GRU would do." in everything
    assert "LA201" not in run("rule", "LA5", code=0).stdout
    page = run("rule", "dropout_too_high", code=0).stdout
    assert page == run("rule", "la201", code=0).stdout
    assert page.startswith("# LA201 dropout-too-high\n\n*warning · regularisation · topic dropout-too-high")
    assert "most = 0.5  # rates above this are a warning\n" in page
    assert "\x1b[" in run("rule", "LA201", "--color", "always", code=0, color=True).stdout


def test_rule_json() -> None:
    document = json.loads(run("rule", "--format", "json", code=0).stdout)
    assert document["schema"] == "lstmadvisor/rules/1"
    assert [rule["code"] for rule in document["rules"]] == ["LA101", "LA201", "LA501", "LA601"]
    one = document["rules"][1]
    assert one["options"] == [
        {"name": "most", "type": "float", "default": "0.5", "doc": "rates above this are a warning"}
    ]
    assert one["page"].startswith("# LA201")
    assert set(one) == {
        "code", "name", "summary", "family", "topic", "severity", "grade", "article", "frameworks", "needs", "enabled",
        "fix", "options", "page",
    }  # fmt: skip


def test_the_server_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'lstmadvisor[lsp]'" in run("server", code=2).stderr


def command(*arguments: str, **given: Any) -> subprocess.CompletedProcess[str]:
    """The command as users start it, without the small pack."""
    environment = {**os.environ, "PYTHONPATH": str(Path(review.__file__).parents[1])}
    words = [sys.executable, *given.pop("python", []), "-m", "lstmadvisor", *arguments]
    return subprocess.run(words, text=True, capture_output=True, env=environment, check=False, **given)


def test_as_a_process() -> None:
    assert "Usage:" in command("--help").stdout
    assert command("--version").stdout.startswith("lstmadvisor, version ")
    wrong = command("check", "--no-such-option", "x.py")
    assert (wrong.returncode, wrong.stdout) == (2, "")


@pytest.mark.parametrize("arguments", [("--help",), ("rule",)])
def test_quick_commands_import_little(arguments: tuple[str, ...]) -> None:
    lines = command(*arguments, python=["-X", "importtime"]).stderr.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert "click" in imported
    assert not imported & {"pydantic", "libcst", "rich", "torch", "keras", "jinja2", "yaml", "pathspec"}


@pytest.mark.parametrize(
    ("program", "own", "others"),
    [
        ("from torch import nn\nlayer = nn.LSTM(4, 8)\n", "pytorch.layers", "keras."),
        ("import keras\nlayer = keras.layers.LSTM(8)\n", "keras.program", "pytorch.layers"),
    ],
)
def test_a_check_imports_what_its_framework_needs(tmp_path: Path, program: str, own: str, others: str) -> None:
    (tmp_path / "train.py").write_text(program)
    found = command("check", "--isolated", "train.py", python=["-X", "importtime"], cwd=tmp_path)
    imported = {line.rpartition("|")[2].strip() for line in found.stderr.splitlines()}
    assert f"lstmadvisor.extract.{own}" in imported
    assert not [name for name in imported if name.startswith(f"lstmadvisor.extract.{others}")]
    assert not imported & {"rich", "torch", "keras", "jinja2", "yaml", "pathspec", "tomllib", "multiprocessing"}


def test_a_reader_that_goes_away() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(review.__file__).parents[1])}
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "lstmadvisor", "rule"],
        stdout=writer, stderr=subprocess.PIPE, env=environment, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")
