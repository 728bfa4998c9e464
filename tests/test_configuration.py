"""`[tool.lstmadvisor]`: where it is found, what it may say, and which rules it selects."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from small_pack import install_pack

from lstmadvisor import config, packs, project, selection
from lstmadvisor.errors import UserError, suggestion
from lstmadvisor.model import Severity
from lstmadvisor.project import Project
from lstmadvisor.rule import Rule
from lstmadvisor.selection import Layer


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Rule, ...]:
    install_pack(tmp_path / "rules", monkeypatch)
    return packs.rules(packs.packs())


def configured(**table: Any) -> config.Config:
    return config.check(Project(Path(), table, Path("pyproject.toml")))


def wrong(**table: Any) -> str:
    with pytest.raises(UserError) as caught:
        configured(**table)
    return str(caught.value)


def write(folder: Path, text: str, name: str = "pyproject.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_nearest_above_all_paths(tmp_path: Path) -> None:
    top = write(tmp_path, "[tool.lstmadvisor]\nignore = ['LA1']")
    one = write(tmp_path / "one", "[tool.lstmadvisor]\nignore = ['LA2']")
    write(tmp_path / "two", "[project]\nname = 'lstmadvisor'")
    script = write(tmp_path / "one" / "deep", "", "train.py")
    assert project.nearest([script]).file == one
    assert project.nearest([script]).root == tmp_path / "one"
    assert project.nearest([script, tmp_path / "two"]).file == top
    assert project.nearest([tmp_path / "two" / "no such file.py"]).file == top


def test_broken_files(tmp_path: Path) -> None:
    write(tmp_path, "[tool.lstmadvisor\n")
    with pytest.raises(UserError, match=r"pyproject\.toml: "):
        project.nearest([tmp_path])
    with pytest.raises(UserError, match="No such file"):
        project.named(tmp_path / "absent.toml")
    write(tmp_path, "[tool]\nlstmadvisor = 3\n")
    with pytest.raises(UserError, match="must be a table"):
        project.nearest([tmp_path])


def test_a_file_of_its_own(tmp_path: Path) -> None:
    assert project.named(write(tmp_path, "ignore = ['LA1']", "lint.toml")).table == {"ignore": ["LA1"]}


def test_the_nearest_file_wins_whatever_its_name(tmp_path: Path) -> None:
    top = write(tmp_path, "ignore = ['LA1']", "lstmadvisor.toml")
    near = write(tmp_path / "one", "[tool.lstmadvisor]\nignore = ['LA2']")
    assert project.nearest([tmp_path / "one" / "a.py"]).file == near
    assert project.nearest([tmp_path / "two" / "a.py"]).file == top
    assert project.nearest([tmp_path]).table == {"ignore": ["LA1"]}
    own = write(tmp_path / "one", "ignore = ['LA3']", "lstmadvisor.toml")
    assert project.nearest([tmp_path / "one" / "a.py"]).file == own


def test_settings_as_toml_say_the_same() -> None:
    found = configured(**{
        "select": ["LA2", 'q"u\\o'], "fail-on": "error", "per-file-ignores": {"tests/*": ["LA2"], 'a"b': ["LA3"]},
        "rules": {"x": {"most": 1.5, "severity": "error", "names": ["a"]}, "y": {"on": True}},
    })  # fmt: skip
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    assert config.check(Project(Path(), toml.loads(config.as_toml(found)))) == found


def test_a_file_of_its_own_that_an_editor_of_windows_wrote(tmp_path: Path) -> None:
    (tmp_path / "lint.toml").write_bytes(b"\xef\xbb\xbfignore = ['LA1']\r\n")
    assert project.named(tmp_path / "lint.toml").table == {"ignore": ["LA1"]}


def test_the_heading_of_pyproject_in_a_file_of_its_own(tmp_path: Path) -> None:
    found = project.named(write(tmp_path, "[tool.lstmadvisor]\nignore = ['LA1']", "lstmadvisor.toml"))
    with pytest.raises(UserError, match=r"unknown key 'tool'; settings stand at the top here, without"):
        config.check(found)


def test_where_an_unknown_key_stands(tmp_path: Path) -> None:
    for name, where in (("pyproject.toml", ": [tool.lstmadvisor]"), ("lstmadvisor.toml", "")):
        with pytest.raises(UserError, match=re.escape(f"{name}{where}: unknown key 'selct'; did you mean 'select'?")):
            config.check(Project(tmp_path, {"selct": []}, tmp_path / name))


@pytest.mark.parametrize(("name", "table"), [("pyproject.toml", "tool.lstmadvisor."), ("lstmadvisor.toml", "")])
def test_where_a_rule_is_named_that_is_not_there(rules: tuple[Rule, ...], name: str, table: str) -> None:
    file, top = Path("home") / name, f": [{table[:-1]}]" if table else ""
    for given, message in (
        ({"select": ["LA999"]}, f"{top}: select: no rule answers to 'LA999'"),
        ({"per-file-ignores": {"tests/*": ["LA2", "no-sed"]}}, f"{top}: tests/*: no rule answers to 'no-sed'"),
        ({"rules": {"no-sed": {}}}, f": [{table}rules.no-sed]: no such rule; did you mean 'no-seed'?"),
        ({"rules": {"no-seed": {"x": 1}}}, f": [{table}rules.no-seed]: unknown key 'x'"),
    ):
        with pytest.raises(UserError, match="^" + re.escape(str(file) + message)):
            config.settings(configured(**given), rules, file)


def test_every_key() -> None:
    found = configured(**{
        "select": ["LA2"], "extend-select": ["LA501"], "ignore": ["topic"], "per-file-ignores": {"tests/*": ["LA2"]},
        "exclude": ["old"], "force-exclude": True, "fail-on": "error", "packs": ["lint"], "rules": {"x": {"most": 1}},
    })  # fmt: skip
    assert found.layer == Layer(("LA2",), ("LA501",), ("topic",))
    assert found.fail_on == "error"
    assert found.force_exclude


def test_unknown_keys_and_wrong_values() -> None:
    assert wrong(selct=["LA2"]) == "pyproject.toml: [tool.lstmadvisor]: unknown key 'selct'; did you mean 'select'?"
    assert wrong(per_file_ignore={}).endswith("did you mean 'per-file-ignores'?")
    assert wrong(zzz=1).endswith("unknown key 'zzz'")
    assert "fail-on: input should be 'error'" in wrong(**{"fail-on": "loud"})
    assert "ignore: input should be a list" in wrong(ignore="LA2")


def test_rule_settings(rules: tuple[Rule, ...]) -> None:
    found = config.settings(configured(rules={"dropout-too-high": {"most": 0.6, "severity": "error"}}), rules)
    assert vars(found["LA201"].options) == {"most": 0.6}
    assert found["LA201"].severity is Severity.ERROR
    assert found["LA501"].severity is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"dropout-to-high": {}}, r"\[tool.lstmadvisor.rules.dropout-to-high\]: no such rule; .* 'dropout-too-high'"),
        ({"dropout-too-high": {"moost": 1}}, r"rules.dropout-too-high\]: unknown key 'moost'; did you mean 'most'"),
        ({"dropout-too-high": {"most": "much"}}, "most: input should be a valid number"),
        ({"dropout-too-high": {"severity": "loud"}}, "severity must be error, warning, advice, not 'loud'"),
    ],
)
def test_wrong_rule_settings(rules: tuple[Rule, ...], table: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        config.settings(configured(rules=table), rules)


def test_per_file_ignores(tmp_path: Path) -> None:
    found = configured(**{"per-file-ignores": {"tests/*.py": ["LA2"], "conftest.py": ["LA5"]}})
    root = Project(tmp_path)
    assert config.ignored_in(found, root, str(tmp_path / "tests" / "deep" / "a.py")) == ("LA2",)
    assert config.ignored_in(found, root, str(tmp_path / "src" / "conftest.py")) == ("LA5",)
    assert config.ignored_in(found, root, str(tmp_path / "a.py")) == ()


@pytest.mark.parametrize(
    ("layers", "codes"),
    [
        ([], "LA201 LA501 LA601"),
        ([Layer(select=("LA5",))], "LA501"),
        ([Layer(select=("training",))], "LA501"),
        ([Layer(select=("clip-misplaced",))], "LA501"),
        ([Layer(select=("clip_after_step", "la601"))], "LA501 LA601"),
        ([Layer(select=("all",))], "LA101 LA201 LA501 LA601"),
        ([Layer(ignore=("LA2",))], "LA501 LA601"),
        ([Layer(select=("LA",), ignore=("LA2",))], "LA501 LA601"),
        ([Layer(select=("LA201",), ignore=("LA2",))], "LA201"),
        ([Layer(select=("LA2",), ignore=("LA201",))], ""),
        ([Layer(select=("LA2",), ignore=("LA2",))], ""),
        ([Layer(extend=("gru-alternative",))], "LA101 LA201 LA501 LA601"),
        ([Layer(extend=("LA1", "architecture"))], "LA201 LA501 LA601"),
        ([Layer(ignore=("LA201",)), Layer(select=("LA2",))], "LA201"),
        ([Layer(ignore=("LA2",)), Layer(ignore=("LA5",))], "LA601"),
        ([Layer(ignore=("LA201",)), Layer(extend=("LA2",))], "LA201 LA501 LA601"),
    ],
)
def test_selection(rules: tuple[Rule, ...], layers: list[Layer], codes: str) -> None:
    assert " ".join(rule.code for rule in selection.select(rules, layers)) == codes


def test_unknown_selectors_are_errors(rules: tuple[Rule, ...]) -> None:
    for layer in (Layer(select=("clip-aftr-step",)), Layer(ignore=("clip-aftr-step",))):
        with pytest.raises(UserError, match="'clip-aftr-step'; did you mean 'clip-after-step'"):
            selection.select(rules, [layer])
    with pytest.raises(UserError, match="'LA999'"):
        selection.covered(rules, ["LA999"])
    assert selection.select((), [Layer(select=("all",))]) == ()


def test_suggestion() -> None:
    assert suggestion("zzz", ["select"]) == ""
