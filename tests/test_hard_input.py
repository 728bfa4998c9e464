"""Input that breaks tools: one clear message, or nothing to say, but never a traceback and never a hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

NET = "import torch\nimport torch.nn as nn\nnet = nn.LSTM(1, 2)\n"

UNREADABLE: dict[str, bytes] = {
    "binary": bytes(range(256)) * 50,
    "a zero byte": b"import torch\x00\nLSTM",
    "Python 2": b"import torch\nprint 'LSTM'\n",
    "100,000 brackets": (NET + "x = " + "(" * 100_000 + "1" + ")" * 100_000).encode(),
    "20,000 sums": (NET + "x = " + "+".join(["net"] * 20_000)).encode(),
    "20,000 attributes": (NET + "x = net" + ".a" * 20_000).encode(),
    "5,000 calls": (NET + "x = net" + "(1)" * 5_000).encode(),
    "3,000 elifs": (NET + "if net == 0:\n    x = 0\n" + "".join(f"elif net == {i}:\n    x = {i}\n" for i in range(3_000))).encode(),
    "ten megabytes": (NET + "x = 1\n" * 1_800_000).encode(),
}  # fmt: skip


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "lstmadvisor", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def _facts(path: Path, asked: str | None = None) -> subprocess.CompletedProcess[str]:
    return _run(path.parent, "facts", "--format", "json", asked or path.name)


@pytest.mark.parametrize("case", UNREADABLE, ids=str)
def test_what_cannot_be_read_is_one_message(tmp_path: Path, case: str) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(UNREADABLE[case])
    done = _facts(path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("train.py")


def _branches() -> str:
    def body(name: str, other: str, count: int) -> str:
        return f"def {name}(x):\n" + "".join(f"    if x.{name}{i}:\n        {other}(x)\n" for i in range(count))

    return body("f", "g", 200) + body("g", "h", 200) + body("h", "f", 50) + "f(net.a)\n"


HARD: dict[str, Callable[[], str]] = {
    "ever longer text": lambda: "s = 'a'\nfor i in range(60):\n    s = s + s\n",
    "ever longer list": lambda: "s = [1]\nfor i in range(60):\n    s = s + s\n",
    "ever deeper list": lambda: "s = [1]\nfor i in range(60):\n    s = [s, s]\nnet(s)\n",
    "a list inside itself": lambda: "s = []\ns.append(s)\nfor t in s:\n    for u in t:\n        net(u)\n",
    "huge numbers": lambda: "a = 2**2**2**2**2**2\nb = 'x' * 10**10\nc = '%999999999d' % 3\nd = f'{3:999999999}'\ne = 'a'.zfill(10**9)\n",
    "a graph of sums": lambda: "y = torch.ones(1)\nfor i in range(64):\n    y = y + y\nnet(y)[0].sum().backward()\n",
    "branches upon branches": _branches,
    "nested ifs": lambda: "".join("    " * i + f"if net.a{i}:\n" for i in range(60)) + "    " * 60 + "x = 1\n",
    "nested loops": lambda: "".join("    " * i + f"for i{i} in range(60):\n" for i in range(8)) + "    " * 8 + "net(i0)\n",
    "endless recursion": lambda: "def f(n):\n    return f(n + 1) + f(n + 2)\nf(0)\n",
    "a decorator that decorates itself": lambda: "def d(f):\n    return d(f)\n@d\ndef g(): pass\n",
    "circles of attributes": lambda: (
        "class C:\n    def __getattr__(self, n):\n        return getattr(self, n)\n    @property\n    def p(self):\n        return self.p\nC().x.y\nC().p\n"
    ),
    "a class that is its own base": lambda: "class A(A): pass\nA()\n",
    "a module that imports itself": lambda: "import train\nfrom train import *\n",
}  # fmt: skip


@pytest.mark.parametrize("case", HARD, ids=str)
def test_hard_programs_end(tmp_path: Path, case: str) -> None:
    path = tmp_path / "train.py"
    path.write_text(NET + HARD[case]())
    done = _facts(path)
    assert done.returncode == 0, done.stderr
    assert '"value": "LSTM"' in done.stdout


def test_a_configuration_that_grows_when_it_is_expanded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 12)
    ]
    (tmp_path / "c.yaml").write_text("\n".join(lines))
    path = tmp_path / "train.py"
    path.write_text(NET + "import yaml\ncfg = yaml.safe_load(open('c.yaml'))\nnet(cfg['a11'])\n")
    assert _facts(path).returncode == 0


def test_one_unreadable_file_among_others_is_only_a_message(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import torch LSTM\n")
    (tmp_path / "train.py").write_text(NET + "net(torch.ones(1, 1, 1))[0].sum().backward()\n")
    done = _facts(tmp_path / "train.py", ".")
    assert done.returncode == 0
    assert '"path": "train.py"' in done.stdout


def test_a_pipe_and_a_circle_of_links_do_not_stop_the_others(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "one.py").symlink_to("two.py")
    (tmp_path / "two.py").symlink_to("one.py")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to("..")
    (tmp_path / "train.py").write_text(NET + "net(torch.ones(1, 1, 1))[0].sum().backward()\n")
    done = _run(tmp_path, "facts", "--format", "json", ".", "pipe.py", "one.py")
    assert done.returncode == 0
    assert [program["files"] for program in json.loads(done.stdout)["programs"]] == [["train.py"]]
    assert sorted(line.split(":")[0] for line in done.stderr.splitlines()) == ["one.py", "pipe.py"]


def _oddities(folder: Path) -> None:
    """What may lie beside a program, and is no file that can be read."""
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "pipe.json")
    for suffix in ("py", "yaml"):
        (folder / f"one.{suffix}").symlink_to(f"two.{suffix}")
        (folder / f"two.{suffix}").symlink_to(f"one.{suffix}")
        (folder / f"gone.{suffix}").symlink_to(f"nowhere.{suffix}")


@pytest.mark.parametrize("model", ["model.py", "parts/model.py"])
def test_pipes_and_circles_of_links_beside_a_program_change_nothing(tmp_path: Path, model: str) -> None:
    here = tmp_path / model
    here.parent.mkdir(exist_ok=True)
    here.write_text(
        "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        self.rnn = nn.LSTM(1, 2)\n"
    )
    package = "model" if here.parent == tmp_path else "parts"
    (tmp_path / "train.py").write_text(
        f"import torch, argparse, yaml\nfrom {package} import Net\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--config', required=True)\ncfg = yaml.safe_load(open(parser.parse_args().config))\n"
        "net = Net()\nnet(torch.ones(1, 1, 1))[0].sum().backward()\n"
    )
    (tmp_path / "train.yaml").write_text("rate: 3\n")
    ways = [["."], ["."], [".", "--no-cache"], ["train.py"], [model]]
    before = [_run(tmp_path, "facts", "--format", "json", *way) for way in ways]
    assert all('"value": "LSTM"' in done.stdout for done in before)
    _oddities(tmp_path)
    if here.parent != tmp_path:
        _oddities(here.parent)
    after = [_run(tmp_path, "facts", "--format", "json", *way) for way in ways]
    assert [(done.returncode, done.stdout, done.stderr) for done in after] == [(0, done.stdout, "") for done in before]
