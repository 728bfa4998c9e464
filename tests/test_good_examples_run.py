"""Every Good and every Fixed example is a program that really runs, so that no page teaches code that fails.

Importing torch and keras takes longer than the examples, so one interpreter for each framework runs them all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rule_pages import each_example

from lstmadvisor.pages import Example
from lstmadvisor.rule import Rule

SECONDS = 600
"""An example that takes longer is broken; the first one pays for the import."""


_STAND_INS = Path(__file__).with_name("stand_ins")
"""what examples import and tests cannot have"""


class Runner:
    """An interpreter that stays."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, folder: Path, script: str) -> str | None:
        """The error that the script ends with, if any."""
        process = self._process = self._process or self._started()
        assert process.stdin
        assert process.stdout
        watchdog = threading.Timer(SECONDS, process.kill)
        watchdog.start()
        process.stdin.write(json.dumps({"folder": str(folder), "script": script}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        watchdog.cancel()
        if not answer:
            self.stop()
            return f"the interpreter died, or ran for more than {SECONDS} seconds"
        error: str | None = json.loads(answer)["error"]
        return error

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        paths = os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(_STAND_INS)))
        environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
        runner = str(Path(__file__).with_name("example_runner.py"))
        return subprocess.Popen(
            [sys.executable, runner],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip


@pytest.fixture(scope="module")
def runners() -> Iterator[dict[str, Runner]]:
    started = {"pytorch": Runner(), "keras": Runner()}
    yield started
    for runner in started.values():
        runner.stop()


@pytest.mark.parametrize(("rule", "example"), each_example("Good", "Fixed"))
def test_runs(rule: Rule, example: Example, tmp_path: Path, runners: dict[str, Runner]) -> None:
    framework = example.framework or rule.frameworks[0]
    example.write(tmp_path)
    error = runners[framework].run(tmp_path, example.script)
    assert error is None, error
