"""Who is told to end, by `timeout` or CI, leaves no process and no folder behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmadvisor.ending import orderly

POOL = """
import time
from pathlib import Path
from lstmadvisor.extract import programs
from lstmadvisor.sources import Library

def stuck(project, always):
    print("begun", flush=True)
    time.sleep(600)

programs._in_a_process, programs._ENOUGH = stuck, 2
programs.understand([Path("a/train.py").resolve(), Path("b/train.py").resolve()], Library(), jobs=2)
"""
PROBE = """
from pathlib import Path
from lstmadvisor.probe.run import Plan, probed
Path("train.py").write_text(
    "import os, sys, time\\nwith open(sys.argv[1], 'w') as pipe:\\n    print(os.getpid(), file=pipe)\\ntime.sleep(600)\\n"
)
probed(Plan(Path("train.py"), ("PIPE",), seconds=500))
"""


def started(folder: Path, code: str) -> subprocess.Popen[str]:
    (folder / "temporary").mkdir()
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder / "temporary")}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_processes_of_a_large_tree(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "setup.py").touch()
        (tmp_path / name / "train.py").write_text("import torch\nnet = torch.nn.LSTM(1, 2)\n")
    process = started(tmp_path, POOL)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.terminate()
    said, _ = process.communicate(timeout=300)  # comes to its end when nobody is left to write
    assert said in ("", "begun\n")
    assert process.returncode == 128 + signal.SIGTERM


def test_the_script_of_a_probe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = started(tmp_path, PROBE.replace("PIPE", str(tmp_path / "pipe")))
    with (tmp_path / "pipe").open() as pipe:
        script = int(pipe.read())
    process.terminate()
    process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(script, 0)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_program_with_its_own_way_to_end_keeps_it() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("mine"))
    try:
        with orderly():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["mine"]


def test_afterwards_it_means_what_it_meant() -> None:
    with orderly():
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
