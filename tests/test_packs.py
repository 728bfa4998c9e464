"""Folders of rules: built-in and the user's, loaded the same way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from small_pack import CLIP, DROPOUT, install_pack, write_rule

from lstmadvisor import packs
from lstmadvisor.errors import UserError
from lstmadvisor.rule_info import OptionInfo

OWN = CLIP.replace("LA501", "XY001").replace("clip-after-step", "own-rule")


@pytest.fixture(autouse=True)
def _pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_pack(tmp_path / "core", monkeypatch)


def names(*folders: Path) -> list[str]:
    """What is read equals what is run."""
    found = packs.packs(folders)
    read = [info.name for info in packs.infos(found)]
    assert read == [rule.name for rule in packs.rules(found)]
    return read


def test_reading_tells_everything_without_running(tmp_path: Path) -> None:
    before = set(sys.modules)
    info = next(info for info in packs.infos(packs.packs()) if info.code == "LA201")
    assert not [name for name in set(sys.modules) - before if name.startswith("lstmadvisor_packs")]
    assert (info.name, info.severity, info.article, info.needs) == ("dropout-too-high", "warning", "H3", ("dropouts",))
    assert info.options_info == (OptionInfo("most", "float", "0.5", "rates above this are a warning"),)
    assert info.page == tmp_path / "core" / "regularisation" / "dropout_too_high.md"


def test_own_pack(tmp_path: Path) -> None:
    write_rule(tmp_path / "own", "training/own_rule", OWN)
    path = list(sys.path)
    assert names(tmp_path / "own") == [
        "gru-alternative", "dropout-too-high", "clip-after-step", "no-seed", "own-rule",
    ]  # fmt: skip
    assert sys.path == path


def test_packs_with_equal_file_names_do_not_shadow_each_other(tmp_path: Path) -> None:
    for name, code in (("a", "XY001"), ("b", "XY002")):
        write_rule(tmp_path / name, "training/own_rule", OWN.replace("XY001", code))
    with pytest.raises(UserError, match="own-rule is already the rule in"):
        names(tmp_path / "a", tmp_path / "b")


def test_helpers_are_no_rules_and_can_be_imported(tmp_path: Path) -> None:
    write_rule(tmp_path / "own", "training/own_rule", "from .._shared import LIMIT\n" + OWN)
    (tmp_path / "own" / "_shared.py").write_text("LIMIT = 3\n")
    (tmp_path / "own" / "training" / "_more.py").write_text("raise RuntimeError\n")
    (tmp_path / "own" / "__pycache__").mkdir(exist_ok=True)
    assert "own-rule" in names(tmp_path / "own")


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        ("training/own_rule", "def check(", "own_rule.py: "),
        ("training/own_rule", "x = 1", "decorated with @rule"),
        ("training/own_rule", OWN + OWN, "decorated with @rule"),
        ("training/own_rule", OWN.replace('"A"', "str('A')"), "grade must be a literal"),
        ("training/own_rule", OWN.replace('grade="A",', ""), "missing 1 required positional argument: 'grade'"),
        ("training/own_rule", OWN.replace("grade=", "graed="), "no parameter 'graed'"),
        ("training/own_rule", OWN.replace("XY001", "xy1"), "the code 'xy1' must be"),
        ("training/own_rule", OWN.replace("XY001", "LA201"), "LA201 is already the rule in"),
        ("training/other", OWN, r"belongs into training/own_rule\.py"),
        ("data/own_rule", OWN, r"belongs into training/own_rule\.py"),
        ("advice/own_rule", OWN, "the folder of a family is one of"),
    ],
)
def test_rule_files_that_are_wrong(tmp_path: Path, place: str, text: str, message: str) -> None:
    write_rule(tmp_path / "own", place, text)
    with pytest.raises(UserError, match=message):
        packs.infos(packs.packs([tmp_path / "own"]))


def test_rule_file_that_fails_when_run(tmp_path: Path) -> None:
    write_rule(tmp_path / "own", "training/own_rule", OWN + "\n1 / 0\n")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        packs.rules(packs.packs([tmp_path / "own"]))


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere is not a folder"):
        packs.packs([tmp_path / "nowhere"])


def test_loading_again_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The synthetic package follows its folder."""
    assert len(packs.rules(packs.packs())) == 4
    write_rule(tmp_path / "other", "regularisation/dropout_too_high", DROPOUT.replace("0.5", "0.4"))
    monkeypatch.setattr(packs._where, "shipped", lambda name: tmp_path / "other")
    (rule,) = packs.rules(packs.packs())
    assert vars(rule.options.validated({})) == {"most": 0.4}
