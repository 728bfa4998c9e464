"""Which files make one program."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from lstmadvisor.extract.abstract.modules import Module
from lstmadvisor.extract.abstract.values import Class, Function, Instance, Term
from lstmadvisor.extract.programs import understand
from lstmadvisor.facts import Program
from lstmadvisor.sources import Library

MODEL = "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self, h=8):\n        super().__init__()\n        self.rnn = nn.LSTM(1, h)\n    def forward(self, x):\n        return self.rnn(x)[0]\n"
TRAIN = (
    "import torch\nfrom {model} import Net\nnet = Net(16)\nloss = net(torch.zeros(1, 1, 1)).sum()\nloss.backward()\n"
)


def programs(folder: Path, files: dict[str, str], *asked: str) -> tuple[Program, ...]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return understand([folder / a for a in asked], Library())


def names(found: tuple[Program, ...]) -> list[tuple[str, list[str]]]:
    return [(Path(p.path).name, sorted(Path(f).name for f in p.files)) for p in found]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def test_a_script_and_the_module_it_imports_are_one_program(tmp_path: Path) -> None:
    files = {"model.py": MODEL, "train.py": TRAIN.format(model="model")}
    assert names(programs(tmp_path, files, "train.py")) == [("train.py", ["model.py", "train.py"])]


def test_asked_of_a_module_the_program_that_imports_it_is_given(tmp_path: Path) -> None:
    files = {"model.py": MODEL, "train.py": TRAIN.format(model="model")}
    assert names(programs(tmp_path, files, "model.py")) == [("train.py", ["model.py", "train.py"])]


def test_through_a_package_that_only_passes_it_on(tmp_path: Path) -> None:
    files = {
        "nets/__init__.py": "from .lstm import Net\n",
        "nets/lstm.py": MODEL,
        "scripts/train.py": TRAIN.format(model="nets"),
    }
    assert names(programs(tmp_path, files, "nets/lstm.py")) == [("train.py", ["__init__.py", "lstm.py", "train.py"])]


def test_a_module_that_nobody_trains_is_a_program_of_its_own(tmp_path: Path) -> None:
    found = programs(tmp_path, {"model.py": MODEL}, "model.py")
    assert names(found) == [("model.py", ["model.py"])]
    assert found[0].api == "module"


def test_an_importer_that_never_uses_the_module_comes_after_the_module_itself(tmp_path: Path) -> None:
    files = {
        "model.py": MODEL,
        "train.py": "from model import Net\nimport torch\nn = torch.nn.GRU(1, 2)\nn(torch.ones(1))[0].sum().backward()\n",
    }
    assert names(programs(tmp_path, files, "model.py")) == [
        ("model.py", ["model.py"]),
        ("train.py", ["model.py", "train.py"]),
    ]


def test_a_folder_gives_each_program_once_and_skips_what_has_no_recurrent_net(tmp_path: Path) -> None:
    files = {
        "model.py": MODEL,
        "train.py": TRAIN.format(model="model"),
        "cnn.py": "import torch\nnet = torch.nn.Linear(1, 1)\nnet(torch.ones(1)).backward()\n",
        "web.py": "import http\n",
    }
    assert names(programs(tmp_path, files, "cnn.py", "model.py", "train.py", "web.py")) == [
        ("train.py", ["model.py", "train.py"])
    ]


def test_two_programs_share_a_module(tmp_path: Path) -> None:
    files = {"model.py": MODEL, "a.py": TRAIN.format(model="model"), "b.py": TRAIN.format(model="model")}
    assert [n for n, _ in names(programs(tmp_path, files, "model.py"))] == ["a.py", "b.py"]


def test_a_circle_of_imports_ends(tmp_path: Path) -> None:
    files = {"model.py": "import train\n" + MODEL, "train.py": TRAIN.format(model="model")}
    assert names(programs(tmp_path, files, "train.py")) == [("train.py", ["model.py", "train.py"])]


HELPERS = """
import functools
from dataclasses import dataclass
@dataclass
class Options:
    size: int = 8
    others: list = None
class Trainer:
    def __init__(self, net, options):
        self.net, self.options, self.me = net, options, self
    def each(self, data):
        def step(batch, depth=0):
            return step(batch, depth + 1) if depth < 2 else self.net(batch).sum()
        scale = [lambda loss: loss * weight for weight in (1, 2)]
        for batch in data:
            yield functools.partial(step, batch), scale
def made(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner
@made
def start(net):
    trainer = Trainer(net, Options())
    for step, scale in trainer.each([1, 2]):
        scale[0](step()).backward()
    return trainer
"""


def test_runs_that_are_over_do_not_wait_for_the_garbage_collector(tmp_path: Path) -> None:
    train = "from helpers import start\nfrom model import Net\nkept = start(Net())\n"
    files = {"model.py": MODEL, "train.py": train, "helpers.py": HELPERS}
    gc.collect()
    gc.disable()
    try:
        found = programs(tmp_path, files, *files)
        left = [each for each in gc.get_objects() if isinstance(each, (Module, Term, Function, Class, Instance))]
    finally:
        gc.enable()
    assert names(found) == [("train.py", ["helpers.py", "model.py", "train.py"])]
    assert left == []
