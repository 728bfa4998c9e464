"""How a run begins and ends: limits, errors, what the script gets and what it may write."""

import contextlib
import json
import signal
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest
import torch

from lstmadvisor.errors import UserError
from lstmadvisor.probe.attach import Attached
from lstmadvisor.probe.collect import collected
from lstmadvisor.probe.observer import Enough, Observer
from lstmadvisor.probe.run import Plan, probed
from tests.probe.programs import DATA, LOOP, MODEL, PLAIN, child, run

STEP = """
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
"""
SETUP = DATA + MODEL + "model = Net()\noptimizer = torch.optim.SGD(model.parameters(), lr=0.01)\n"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", None)


def hung(folder, code, monkeypatch, after):
    """A run whose time is up as soon as it has made so many steps."""
    clock = SimpleNamespace(passed=0.0)
    monkeypatch.setattr(
        "lstmadvisor.probe.run.time",
        SimpleNamespace(monotonic=lambda: time.monotonic() + clock.passed, sleep=time.sleep),
    )

    def progress(steps, loss, norm, left):
        if steps >= after:
            clock.passed = 10_000.0

    script = folder / "train.py"
    script.write_text(code)
    return probed(Plan(script, steps=200, seconds=5_000.0), progress)


def test_a_run_ends_after_the_steps_asked_for(tmp_path):
    probe = run(tmp_path, PLAIN)
    assert (probe.status, probe.steps, probe.asked) == ("step-limit", 30, 30)
    assert len(probe.of("loss").values) == 30
    assert probe.device == "cpu"
    assert probe.seed == 0
    assert set(probe.versions) >= {"python", "torch"}
    assert probe.layers[0].at.path == "train.py"


def test_a_script_that_ends_by_itself_is_complete(tmp_path):
    probe = run(tmp_path, PLAIN.replace("range(1000)", "range(7)"))
    assert (probe.status, probe.steps) == ("completed", 7)
    assert len(probe.of("gradient-norm").values) == 7


@pytest.mark.parametrize("leave", ["sys.exit(0)", "sys.exit()", "raise SystemExit"])
def test_leaving_early_is_complete(tmp_path, leave):
    code = SETUP + "import sys\nfor step in range(5):" + STEP + leave
    assert run(tmp_path, code).status == "completed"


def test_an_exception_is_reported_with_what_was_measured(tmp_path):
    probe = run(tmp_path, SETUP + "for step in range(5):" + STEP + "raise ValueError('no more data')\n")
    assert probe.status == "failed"
    assert probe.error == "ValueError: no more data"
    assert len(probe.of("loss").values) == 5


def test_an_exit_code_is_a_failure(tmp_path):
    probe = run(tmp_path, "import sys\nsys.exit('usage: nothing')\n")
    assert (probe.status, probe.error) == ("failed", "exit: usage: nothing")


def test_a_script_without_training(tmp_path):
    assert run(tmp_path, "print(1)\n").status == "no-training"


def test_a_process_that_is_torn_down_still_reports(tmp_path):
    code = SETUP + "import os\nfor step in range(120):" + STEP + "os._exit(3)\n"
    probe = run(tmp_path, code, steps=200)
    assert probe.status == "failed"
    assert probe.steps >= 50
    assert len(probe.of("loss").values) >= 50


@pytest.mark.parametrize("caught", ["Exception", "BaseException"])
def test_scripts_that_catch_everything_are_ended_all_the_same(tmp_path, caught):
    body = textwrap.indent(textwrap.dedent(STEP), "        ")
    code = SETUP + f"while True:\n    try:\n{body}\n    except {caught}:\n        pass\n"
    probe = run(tmp_path, code)
    assert (probe.status, probe.steps) == ("step-limit", 30)


def test_the_time_limit_ends_a_script_that_hangs(tmp_path, monkeypatch):
    code = SETUP + "import time\nfor step in range(5):" + STEP + "time.sleep(600)\n"
    probe = hung(tmp_path, code, monkeypatch, after=1)
    assert probe.status == "time-limit"
    assert len(probe.of("loss").values) == probe.steps >= 1


def test_a_script_that_ignores_signals_is_killed_and_reported(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmadvisor.probe.run.GRACE", 1.0)  # it will not end whatever the time given
    hang = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n"
    probe = hung(tmp_path, SETUP + "for step in range(60):" + STEP + hang, monkeypatch, after=50)
    assert probe.status == "time-limit"
    assert len(probe.of("loss").values) >= 50


def test_ctrl_c_reports_what_was_gathered(tmp_path):
    (tmp_path / "train.py").write_text(PLAIN.replace("range(1000)", "range(10**9)"))
    code = """
import signal, sys
from pathlib import Path
from lstmadvisor.probe.run import Plan, probed
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start what runs in the background without it
def progress(steps, *rest):
    print("step", steps, flush=True)
probe = probed(Plan(Path("train.py"), steps=10**8, seconds=600), progress)
print(probe.status, probe.steps, len(probe.of("loss").values))
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("step")
    process.send_signal(signal.SIGINT)
    *_, last = process.communicate(timeout=600)[0].splitlines()
    status, steps, losses = last.split()
    assert status == "interrupted"
    assert 0 < int(steps) == int(losses)


@pytest.mark.parametrize("moment", range(1, 70))
def test_wherever_the_probe_is_interrupted_each_loss_has_its_step(moment):
    found = []
    observer = Observer(found.append)
    attached = Attached(observer)
    attached.torch(torch)
    calls = 0

    def trace(frame, event, argument):
        nonlocal calls
        if observer.steps >= 3 and event == "call" and "lstmadvisor" in frame.f_code.co_filename:
            calls += 1
            if calls == moment:
                observer.ask()
                observer.ask()

    sys.setprofile(trace)
    try:
        with contextlib.suppress(Enough):
            exec(compile(PLAIN, "train.py", "exec"), {"__name__": "__main__"})
    finally:
        sys.setprofile(None)
        observer.finish()
        attached.remove()
    probe = collected(found, {}, status="interrupted", steps=observer.steps)
    assert len(probe.of("loss").values) == probe.steps


def test_too_much_memory_ends_it(tmp_path):
    code = "kept = []\nwhile True:\n    kept.append(bytearray(2**24))\n"
    probe = run(tmp_path, code, memory=300 * 2**20)
    assert probe.status == "failed"
    assert "memory" in probe.why


def test_arguments_and_the_guard_of_main(tmp_path):
    code = """
    import argparse, sys
    from helper import VALUE
    if __name__ == "__main__":
        parser = argparse.ArgumentParser()
        parser.add_argument("--steps", type=int)
        args = parser.parse_args()
        assert VALUE == 3 and sys.argv[0].endswith("train.py") and __file__.endswith("train.py")
        raise RuntimeError(f"steps {args.steps}")
    """
    (tmp_path / "helper.py").write_text("VALUE = 3\n")
    assert run(tmp_path, code, "--steps", "12").error == "RuntimeError: steps 12"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_loader(tmp_path, method):
    code = f"""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    class Rows(Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            return torch.full((5, 3), float(index)), torch.tensor([float(index)])

    if __name__ == "__main__":
        rnn, head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1)
        optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=1e-5)
        loader = DataLoader(Rows(), batch_size=8, num_workers=2, multiprocessing_context="{method}")
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(head(rnn(x)[0][:, -1]), y).backward()
            optimizer.step()
    """
    probe = run(tmp_path, code)
    assert (probe.status, probe.steps) == ("completed", 8), probe.why
    (loader,) = probe.loaders
    assert (loader.batch_size, loader.size, loader.workers, loader.trained) == (8, 64, 2, True)


def test_the_script_writes_into_a_copy(tmp_path):
    (tmp_path / "log.txt").write_text("mine\n")
    code = """
    import os
    with open("log.txt", "a") as log:
        log.write("yours\\n")
    os.makedirs("runs")
    open("runs/model.bin", "wb").close()
    assert open("log.txt").read() == "mine\\nyours\\n"
    """
    probe = run(tmp_path, code)
    assert probe.status == "no-training", probe.why
    assert (tmp_path / "log.txt").read_text() == "mine\n"
    assert not (tmp_path / "runs").exists()
    assert probe.written == ("log.txt", "runs/model.bin")
    assert probe.scratch


def test_temporary_files_within_the_project_are_not_copied_into_themselves(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    code = "import pathlib\nraise RuntimeError(len([*pathlib.Path('temporary').glob('*/work')]))\n"
    assert run(tmp_path, code).error == "RuntimeError: 0"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_in_place_it_writes_where_it_is(tmp_path):
    probe = run(tmp_path, "open('log.txt', 'w').close()\n", in_place=True)
    assert (tmp_path / "log.txt").exists()
    assert (probe.written, probe.scratch) == (("log.txt",), False)


def test_large_files_are_linked_and_never_written_through(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmadvisor.probe.scratch.LARGE", 10)
    for name in ("data.csv", "log.csv", "model.dat"):
        (tmp_path / name).write_text("0123456789abcdef")
    code = """
    import os, torch
    assert all(os.path.islink(name) for name in ("data.csv", "log.csv", "model.dat"))
    assert open("data.csv").read() == "0123456789abcdef"
    with open("log.csv", "a") as log:
        log.write("more")
    assert open("log.csv").read() == "0123456789abcdefmore"
    torch.save(torch.zeros(3), "model.dat")
    assert os.path.getsize("model.dat") > 16
    """
    probe = run(tmp_path, code)
    assert probe.status == "no-training", probe.why
    assert probe.written == ("log.csv", "model.dat")
    assert all((tmp_path / name).read_text() == "0123456789abcdef" for name in ("data.csv", "log.csv", "model.dat"))


def test_a_script_beside_its_data_outside_the_working_directory(tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "data.txt").write_text("7")
    monkeypatch.chdir(elsewhere)
    code = "from pathlib import Path\nraise RuntimeError(Path(__file__).with_name('data.txt').read_text())\n"
    assert run(folder, code).error == "RuntimeError: 7"


def test_data_beside_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "names.txt").write_text("ada")
    source = tmp_path / "source"
    source.mkdir()
    monkeypatch.chdir(source)
    code = "text = open('../data/names.txt').read()\nopen('../data/names.txt', 'w').close()\nraise RuntimeError(text)\n"
    assert run(source, code).error == "RuntimeError: ada"
    assert (tmp_path / "data" / "names.txt").read_text() == "ada"


def test_a_notebook_runs_cell_by_cell(tmp_path):
    def cell(code):
        return {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}

    cells = [cell("%matplotlib inline\n" + DATA), cell(MODEL), cell("!echo hello\n" + LOOP)]
    text = {"cell_type": "markdown", "source": "# Title", "metadata": {}}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *cells]}
    path = tmp_path / "train.ipynb"
    path.write_text(json.dumps(book))
    probe = probed(Plan(path, steps=10, seconds=60.0))
    assert (probe.status, probe.steps) == ("step-limit", 10), probe.why
    assert (probe.layers[0].at.cell, probe.layers[0].at.path) == (2, "train.ipynb")


def test_a_file_of_a_package_imports_its_neighbours(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "sizes.py").write_text("SIZE = 5\n")
    assert run(package, "from .sizes import SIZE\nraise RuntimeError(SIZE)\n").error == "RuntimeError: 5"


def test_secrets_are_masked(tmp_path):
    code = "raise RuntimeError('bad key hf_abcdefghijklmnopqrstuvwxyz123')\n"
    probe = run(tmp_path, code, "--api-key", "abc", "--token=def", "--lr", "0.1", "--name", "a1b2" * 10)
    assert probe.error == "RuntimeError: bad key ***"
    assert probe.command[1:] == ("--api-key", "***", "--token=***", "--lr", "0.1", "--name", "***")


def test_a_framework_is_not_imported_before_the_script_does(tmp_path):
    code = "import sys\nassert not {'torch', 'keras', 'numpy', 'pydantic'} & set(sys.modules)\n"
    assert run(tmp_path, code).status == "no-training"


def test_the_child_needs_nothing_of_the_core(tmp_path):
    """It runs in an environment that has PyTorch and not what lstmadvisor is built on."""
    block = "import sys\nfor name in ('pydantic', 'libcst', 'click', 'rich', 'jinja2', 'yaml', 'pathspec'):\n"
    found, done = child(tmp_path, block + "    sys.modules[name] = None\n" + PLAIN, 30)
    assert found[-1]["record"] == "end", done.stderr
    assert found[-1]["steps"] == 30


def test_what_is_missing_is_said_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        probed(Plan(tmp_path / "none.py"))
    (tmp_path / "train.py").touch()
    with pytest.raises(UserError, match="no such interpreter"):
        probed(Plan(tmp_path / "train.py", python=str(tmp_path / "python")))
