"""Small training programs as text, and ways to run them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from lstmadvisor.measured import Probe
from lstmadvisor.probe.attach import Attached
from lstmadvisor.probe.collect import collected, records
from lstmadvisor.probe.observer import Enough, Observer
from lstmadvisor.probe.run import Plan, probed

CHILD = Path(probed.__code__.co_filename).with_name("child.py")

DATA = """
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(32, 12, 3)
y = x.sum(dim=(1, 2)).unsqueeze(1)
"""

MODEL = """
class Net(nn.Module):
    def __init__(self, kind=nn.LSTM, **options):
        super().__init__()
        self.rnn = kind(3, 8, batch_first=True, **options)
        size = options.get("proj_size", 8) * (2 if options.get("bidirectional") else 1)
        self.head = nn.Linear(size, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head(out[:, -1])
"""

LOOP = """
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(1000):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""

PLAIN = DATA + MODEL + LOOP


def run(folder: Path, code: str, *arguments: str, **plan: Any) -> Probe:
    """Probes a program as `audit --probe` does, from the folder that it lies in, and demands that no instrument failed."""
    script = folder / "train.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    probe = probed(Plan(script, arguments, **({"steps": 30, "seconds": 300.0} | plan)))
    assert probe.broken == (), probe.broken
    return probe


def measure(folder: Path, code: str, steps: int = 30) -> Probe:
    """What is measured of a program that is run in this process."""
    import torch

    script = folder / "train.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    found: list[dict[str, Any]] = []
    observer = Observer(found.append, limit=steps)
    attached = Attached(observer)
    attached.torch(torch)
    if "keras" in sys.modules:
        attached.keras(sys.modules["keras"])
    try:
        exec(compile(script.read_text(), str(script), "exec"), {"__name__": "__main__"})
        status = "completed"
    except Enough:
        status = "step-limit"
    finally:
        observer.finish()
        attached.remove()
    probe = collected(found, {f"{folder}/": ""}, status=status, steps=observer.steps)
    assert probe.broken == (), probe.broken
    return probe


def child(folder: Path, code: str, steps: int, cells: Any = None) -> tuple[list[dict[str, Any]], Any]:
    """The records that the child process writes, and how it ended."""
    script, plan, results = folder / "train.py", folder / "plan.json", folder / "results.jsonl"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    order = {"script": str(script), "arguments": [], "results": str(results), "scratch": None, "steps": steps}
    plan.write_text(json.dumps({**order, "cells": cells}), encoding="utf-8")
    results.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, str(CHILD), str(plan)], cwd=folder, capture_output=True, text=True, check=False
    )
    return records(results.read_text(encoding="utf-8")), done
