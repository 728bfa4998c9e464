"""What README.md, CONTRIBUTING.md and CHANGELOG.md promise that no other test looks at."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement

from lstmadvisor import __version__, config, packs, schemas
from lstmadvisor.project import Project
from lstmadvisor.report import FORMATS
from lstmadvisor.selection import select

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(*words: str, **environment: str) -> str:
    inherited = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "lstmadvisor", *words], env=inherited, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_configuration_in_the_readme_is_one() -> None:
    (text,) = blocks(README, "toml")
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table = toml.loads(text)["tool"]["lstmadvisor"]
    checked = config.check(Project(ROOT, table, ROOT / "pyproject.toml"))
    rules = packs.rules(packs.packs())
    assert config.settings(checked, rules)["LA201"].severity == "error"
    assert "no-seed" not in {rule.name for rule in select(rules, [checked.layer])}
    schema = Draft202012Validator(yaml.safe_load(schemas.published("configuration")))
    schema.validate(table)
    assert not schema.is_valid({**table, "selct": []})


def test_the_hook_and_the_action_in_the_readme_are_there() -> None:
    hook, action = map(yaml.safe_load, blocks(README, "yaml"))
    known = {each["id"] for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    assert {each["id"] for repo in hook["repos"] for each in repo["hooks"]} < known
    assert all(f"`{name}`" in README or f"id: {name}" in README for name in known)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert set(action["steps"][1]["with"]) <= set(inputs)


def test_the_formats_in_the_readme_are_all() -> None:
    listed = max(re.findall(r"`--format ([a-z|]+)`", README), key=len)
    assert tuple(listed.split("|")) == FORMATS


def test_shell_completion() -> None:
    variable, shell = re.findall(r"(_LSTMADVISOR_COMPLETE)=(\w+)_source lstmadvisor", README)[0]
    script = run(**{variable: f"{shell}_source"})
    assert "complete -o nosort -F" in script
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    words = {"COMP_WORDS": "lstmadvisor che", "COMP_CWORD": "1"}
    assert run(**{variable: "bash_complete"}, **words) == "plain,check\n"
    words = {"COMP_WORDS": "lstmadvisor check --format gi", "COMP_CWORD": "3"}
    assert run(**{variable: "bash_complete"}, **words) == "plain,github\nplain,gitlab\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("check trai", "file,trai\n"),
        ("audit trai", "file,trai\n"),
        ("check . --baseline kno", "file,kno\n"),
        ("rule clip-aft", "plain,clip-after-step\n"),
        ("rule la502", "plain,LA502\n"),
        ("check --select LA201,arch", "plain,LA201,architecture\n"),
        ("check --ignore nothing-like-it", "\n"),
    ],
)
def test_the_shell_completes_files_and_rules(typed: str, offered: str) -> None:
    words = {"COMP_WORDS": f"lstmadvisor {typed}", "COMP_CWORD": str(len(typed.split()))}
    assert run(_LSTMADVISOR_COMPLETE="bash_complete", **words) == offered


def test_the_version_is_the_same_everywhere() -> None:
    assert run("--version") == f"lstmadvisor, version {__version__}\n"
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_files_that_the_documents_name_are_there() -> None:
    named = re.findall(
        r"(?<![\w./-])((?:tests|rules|lstmadvisor|examples|benchmarks|\.ci)/[\w./-]*\w)", README + CONTRIBUTING
    )
    missing = {name for name in named if not (ROOT / name).exists() and "many_epochs" not in name}
    assert missing == set()


def test_constraints_pin_every_development_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {Requirement(line).name.lower() for line in lines if not line.startswith("#")}
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        Requirement(word).name.lower() for word in project["dependencies"] + project["optional-dependencies"]["dev"]
    }
    assert wanted - pinned <= {"pip"}
