"""The proof that code under review is not executed: a project that leaves a trace wherever Python would run it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import argparse
import pickle
import yaml
import torch
from torch import nn
from helper import *
import package.inner

open("trace-import", "w")
torch.hub.load(exec("open('trace-argument', 'w')"), "model")


def leave(name):
    open("trace-" + name, "w").close()
    return lambda thing: thing


class Meta(type):
    def __new__(meta, name, bases, body):
        leave("metaclass")
        return super().__new__(meta, name, bases, body)

    def __getattr__(cls, name):
        return leave("metaclass-attribute")


class Base(nn.Module, metaclass=Meta):
    def __init_subclass__(cls, **options):
        leave("init-subclass")

    def __class_getitem__(cls, item):
        return leave("class-getitem")

    def __getattr__(self, name):
        return leave("attribute")


@leave("decorator")
class Net(Base, marker=leave("keyword")):
    default: leave("annotation") = leave("class-body")

    def __init__(self, units=leave("default") and 8):
        super().__init__()
        self.lstm = nn.LSTM(4, units, dropout=0.7, num_layers=2)

    @property
    def hidden(self):
        return leave("property")

    def __repr__(self):
        return leave("repr")

    def forward(self, x):
        return self.lstm(x)[0]


parser = argparse.ArgumentParser()
parser.add_argument("--units", type=leave("type"), default=eval("leave('argparse')"), action=leave("action"))
arguments = parser.parse_args()
settings = yaml.load(open("config.yaml"), Loader=yaml.UnsafeLoader)
data = pickle.load(open("data.pickle", "rb"))
model = Net[int](arguments.units)
print(f"{leave('format')} {model!r}", file=__import__("helper"))
optimizer = torch.optim.Adam(model.parameters(), lr=settings["rate"])
for x, y in data:
    loss = (model(x) - y).pow(2).mean() if leave("condition") else 0
    loss.backward()
    optimizer.step()
[leave("comprehension") for _ in range(2)]
__import__("os").system("touch trace-system")
"""
TRACE = "open({!r}, 'w').close()\n"
RUN = """import sys
sys.path.remove("")
from lstmadvisor.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch trace-pickle",)


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A project every file of which leaves a file `trace-…` behind if it is run."""
    (tmp_path / "train.py").write_text(TRAIN)
    for name in (
        "helper.py", "package/__init__.py", "package/inner.py", "setup.py", "conftest.py", "yaml.py",
        "click.py", "rich.py", "jinja2.py", "libcst.py", "pydantic.py", "json.py", "tomllib.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TRACE.format(f"trace-{name.replace('/', '-')}"))
    (tmp_path / "config.yaml").write_text('rate: !!python/object/apply:os.system ["touch trace-yaml"]\n')
    (tmp_path / "data.pickle").write_bytes(pickle.dumps(_Bomb()))
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "helper"\n')
    cell = {"cell_type": "code", "source": ["!touch trace-shell\n", "%run helper.py\n", *TRAIN.splitlines(True)]}
    (tmp_path / "train.ipynb").write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5}))
    return tmp_path


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    installed = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": installed, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("script", ["train.py", "train.ipynb"])
@pytest.mark.parametrize("command", ["check", "audit", "facts"])
def test_a_review_executes_nothing(trapped: Path, command: str, script: str) -> None:
    before = sorted(trapped.rglob("*"))
    done = _run(trapped, "-m", "lstmadvisor", command, script)
    assert done.returncode == (0 if command == "facts" else 1), done.stderr
    assert ("0.7" if command == "facts" else "LA201") in done.stdout
    assert [path for path in sorted(trapped.rglob("*")) if path not in before and _is_a_trace(path)] == []


def test_a_folder_of_traps(trapped: Path) -> None:
    done = _run(trapped, "-m", "lstmadvisor", "check", ".")
    assert done.returncode == 1, done.stderr
    assert [path for path in trapped.rglob("*") if _is_a_trace(path)] == []


def test_no_framework_is_imported(trapped: Path) -> None:
    done = _run(trapped, "-c", RUN, "audit", "train.py", "--fail-on", "never")
    assert "LA201" in done.stdout, done.stderr
    assert {"lstmadvisor.cli", "libcst"} <= set(done.stderr.split())
    assert not {"torch", "keras", "tensorflow", "numpy", "helper"} & set(done.stderr.split())


def test_the_traps_work(trapped: Path) -> None:
    """The project does leave traces if it is run."""
    _run(trapped, "train.py")
    assert any(_is_a_trace(path) for path in trapped.rglob("*"))


def _is_a_trace(path: Path) -> bool:
    return path.name.startswith("trace-")
