"""Probes the examples on the pages of the LA9 rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from lstmadvisor.measured import Probe
from lstmadvisor.probe.collect import collected, records
from lstmadvisor.probe.statistics import derived

STEPS = 160
SECONDS = 600
"""after which an example is broken"""

_process: subprocess.Popen[str] | None = None


def probed(script: Path) -> Probe:
    """What 160 steps of a script come to."""
    results = script.with_suffix(".jsonl")
    plan = {
        "script": str(script), "arguments": [], "results": str(results), "scratch": None, "steps": STEPS, "cells": None,
    }  # fmt: skip
    results.touch()
    process = _server()
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(plan) + "\n")
    process.stdin.flush()
    assert process.stdout.readline(), f"{script} ran for more than {SECONDS} seconds"
    watchdog.cancel()
    found = records(results.read_text(encoding="utf-8"))
    (ended,) = (record for record in found if record["record"] == "end")
    assert not ended["error"], ended["error"]
    probe = collected(found, status=ended["status"], steps=ended["steps"], asked=STEPS, script=script.name)
    return probe.model_copy(update={"statistics": derived(probe)})


def _server() -> subprocess.Popen[str]:
    global _process
    if _process is None or _process.poll() is not None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
        _process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("probe_server.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
    return _process
