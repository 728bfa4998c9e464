"""pre-commit itself, with the hooks of this repository: it builds and installs them, which takes pip and PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CONFIG = """\
repos:
  - repo: {hooks}
    rev: {revision}
    hooks:
      - id: {hook}
"""
STACK = """\
import keras
import numpy as np

x = np.random.randn(320, 20, 8).astype("float32")
y = x.mean(axis=(1, 2))

model = keras.Sequential(
    [
        keras.Input((20, 8)),
        keras.layers.LSTM(32),
        keras.layers.LSTM(32),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss="mse")
model.fit(x, y, validation_split=0.2, epochs=5, batch_size=32)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One store of installed hooks, and a git that knows nothing of the person at the machine."""
    person = {f"GIT_{role}_{what}": "t@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GIT_"))}
    return {
        **kept,
        **person,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
    }


@pytest.fixture(scope="module")
def hooks(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A clone of this repository, uncommitted work included, and its revision."""
    clone = tmp_path_factory.mktemp("hooks")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "hooks"]):
        run(["git", *command], clone, environment)
    return clone, run(["git", "rev-parse", "HEAD"], clone, environment).stdout.strip()


@pytest.fixture
def repository(
    hooks: tuple[Path, str], environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Path:
    """A repository that uses one of the hooks, `lstmadvisor` if the test does not say."""
    run(["git", "init", "--quiet"], tmp_path, environment)
    config = CONFIG.format(hooks=hooks[0].as_posix(), revision=hooks[1], hook=getattr(request, "param", "lstmadvisor"))
    (tmp_path / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    run(["pre-commit", "install", "--install-hooks"], tmp_path, environment)
    return tmp_path


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def commit(repository: Path, environment: dict[str, str]) -> tuple[bool, str]:
    """Commits everything: whether the hook let it pass, and what was said."""
    run(["git", "add", "--all"], repository, environment)
    command = ["git", "commit", "--message", "work"]
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def test_a_commit_fails_until_the_program_is_mended(repository: Path, environment: dict[str, str]) -> None:
    shutil.copy(EXAMPLES / "sunspots" / "train.py", repository)
    passed, said = commit(repository, environment)
    assert not passed
    assert "error[LA502] clip-after-step" in said
    assert "--> train.py:56:9" in said
    shutil.copy(EXAMPLES / "sunspots" / "train_clean.py", repository / "train.py")
    passed, said = commit(repository, environment)
    assert passed
    assert "Passed" in said


def test_notebooks_are_checked_too(repository: Path, environment: dict[str, str]) -> None:
    shutil.copy(EXAMPLES / "notebook" / "forecast.ipynb", repository)
    passed, said = commit(repository, environment)
    assert not passed
    assert "--> forecast.ipynb:cell 8:10:" in said
    shutil.copy(EXAMPLES / "notebook" / "forecast_clean.ipynb", repository / "forecast.ipynb")
    assert commit(repository, environment)[0]


def test_what_is_no_business_of_the_hook(repository: Path, environment: dict[str, str]) -> None:
    (repository / "notes.md").write_text("clip_grad_norm_ after step()\n", encoding="utf-8")
    passed, said = commit(repository, environment)
    assert passed
    assert "(no files to check)Skipped" in said
    (repository / "web.py").write_text("import flask\n", encoding="utf-8")
    passed, said = commit(repository, environment)
    assert passed
    assert "Passed" in said
    kernel = '{"cells": [], "metadata": {"kernelspec": {"language": "R"}}, "nbformat": 4, "nbformat_minor": 5}'
    (repository / "plot.ipynb").write_text(kernel, encoding="utf-8")
    passed, said = commit(repository, environment)
    assert passed
    assert "Passed" in said


def test_excluded_files_pass_although_pre_commit_names_them(repository: Path, environment: dict[str, str]) -> None:
    (repository / "old").mkdir()
    shutil.copy(EXAMPLES / "sunspots" / "train.py", repository / "old")
    assert not commit(repository, environment)[0]
    (repository / "pyproject.toml").write_text('[tool.lstmadvisor]\nexclude = ["old/"]\n', encoding="utf-8")
    assert commit(repository, environment)[0]


@pytest.mark.parametrize("repository", ["lstmadvisor-fix"], indirect=True)
def test_the_other_hook_mends_what_it_safely_can(repository: Path, environment: dict[str, str]) -> None:
    (repository / "train.py").write_text(STACK, encoding="utf-8")
    passed, said = commit(repository, environment)
    assert not passed
    assert "files were modified by this hook" in said
    once = "keras.layers.LSTM(32)"
    mended = STACK.replace(once, "keras.layers.LSTM(32, return_sequences=True)", 1)
    assert (repository / "train.py").read_text(encoding="utf-8") == mended
    assert commit(repository, environment)[0]
