"""Runs a training script in a child process, with limits, and collects what it measures."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmadvisor import sources
from lstmadvisor.ending import orderly
from lstmadvisor.errors import UserError
from lstmadvisor.measured import Probe, Status
from lstmadvisor.probe import scratch as copies
from lstmadvisor.probe.collect import collected, records
from lstmadvisor.probe.secrets import masked, masked_arguments

ENOUGH = 150
"""Steps from which on a verdict can be given."""
GRACE = 8.0
"""Seconds that a script has to end after it was told to."""
REMINDERS = (0.15, 0.35, 0.5)
"""How long it is waited, as shares of that, before it is told again: first the step is waited for, then the script is
interrupted, and an interruption can get lost."""
TICK = 0.1
_TAIL = 2_000
_SHARE_OF_MEMORY = 0.85

Progress = Callable[[int, "float | None", "float | None", float], None]
"""Called with the steps made, the last loss and gradient norm, and the seconds left."""


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    script: Path
    arguments: tuple[str, ...] = ()
    python: str = sys.executable
    steps: int = 200
    """optimizer steps after which the script is ended"""
    seconds: float = 120.0
    """after which it is ended in any case"""
    memory: int | None = None
    """bytes; None: most of what is free now"""
    in_place: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """The command as it is shown."""
        return (self.script.as_posix(), *masked_arguments(self.arguments))

    def told(self) -> str:
        """What will happen, in words."""
        where = "in place: it may overwrite files" if self.in_place else "in a scratch copy of the working directory"
        python = "" if self.python == sys.executable else f" by {self.python}"
        return (
            f"runs {shlex.join(self.command)}{python} {where}, until {self.steps} optimizer steps or {self.seconds:g} s"
        )


def probed(plan: Plan, progress: Progress | None = None) -> Probe:
    """Runs the script.  What it did before a limit, an error or Ctrl-C is reported in any case."""
    if not plan.script.is_file():
        raise UserError(f"{plan.script}: no such file")
    if shutil.which(plan.python) is None:
        raise UserError(f"{plan.python}: no such interpreter")
    cells = _cells(plan.script)
    with orderly(), contextlib.ExitStack() as stack:
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lstmadvisor-", ignore_cleanup_errors=True)))
        place = copies.in_place(plan.script) if plan.in_place else stack.enter_context(copies.scratch(plan.script))
        order = {
            "script": str(place.script),
            "arguments": list(plan.arguments),
            "results": str(own / "results.jsonl"),
            "scratch": None if plan.in_place else str(place.root),
            "steps": plan.steps,
            "cells": cells,
        }
        (own / "plan.json").write_text(json.dumps(order), encoding="utf-8")
        (own / "results.jsonl").touch()
        run = _Run(plan, place, own, progress)
        run.go()
        return run.result()


class _Run:
    """One child process, watched."""

    def __init__(self, plan: Plan, place: copies.Scratch, own: Path, progress: Progress | None) -> None:
        self._plan = plan
        self._place = place
        self._own = own
        self._progress = progress
        self._results = own / "results.jsonl"
        self._position = 0
        self._cut: tuple[Status, str] | None = None
        self._seconds = 0.0
        self._code: int | None = None

    def go(self) -> None:
        """Starts the process and waits for it, for a limit, or for Ctrl-C."""
        child = Path(__file__).with_name("child.py")
        command = [self._plan.python, "-u", str(child), str(self._own / "plan.json")]
        notebook = self._place.script.suffix == ".ipynb"
        environment = {"MPLBACKEND": "Agg", **os.environ}
        started = time.monotonic()
        with (self._own / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self._place.script.parent if notebook else self._place.working,  # as Jupyter has it
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                try:
                    self._watch(process, started)
                except KeyboardInterrupt:
                    self._cut = ("interrupted", "stopped by Ctrl-C")
                if process.poll() is None:
                    self._end(process)
            finally:
                _kill(process)
        self._code = process.returncode
        self._seconds = time.monotonic() - started

    def _watch(self, process: subprocess.Popen[bytes], started: float) -> None:
        """Returns when the process has ended or must end."""
        most = self._plan.memory or _free_memory()
        looked = 0.0
        stopping: float | None = None
        while process.poll() is None:
            time.sleep(TICK)
            now = time.monotonic()
            left = self._plan.seconds - (now - started)
            if stopping is None and self._news(left):
                stopping = now
            if stopping is not None and now - stopping > GRACE:
                return
            if left <= 0 and stopping is None:
                self._cut = ("time-limit", f"stopped after {self._plan.seconds:g} s")
                return
            if most and now - looked > 0.5:
                looked = now
                if _memory(process.pid) > most:
                    self._cut = ("failed", f"took more than {most / 2**30:.1f} GiB of memory")
                    return

    def _news(self, left: float) -> bool:
        """Reads what was written since, and shows it; whether the script is being ended."""
        with self._results.open("rb") as file:
            file.seek(self._position)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._position += len(whole)
        stopping = False
        for one in records(whole.decode("utf-8", "replace")):
            stopping = stopping or one["record"] == "stopping"
            if one["record"] == "progress" and self._progress is not None:
                self._progress(one["steps"], one["loss"], one["norm"], max(left, 0.0))
        return stopping

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Asks the process to end, and gives it time to write what it has."""
        with contextlib.suppress(KeyboardInterrupt):
            for share in REMINDERS:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(share * GRACE)
                    return

    def result(self) -> Probe:
        """What was measured."""
        found = records(self._results.read_text(encoding="utf-8", errors="replace"))
        ended: dict[str, Any] = next((one for one in found if one["record"] == "end"), {})
        outside: list[str] = next((one["paths"] for one in found if one["record"] == "outside"), [])
        steps = ended.get("steps") or max((one["steps"] for one in found if one["record"] == "progress"), default=0)
        status, why, error = self._verdict(ended, steps)
        plan = self._plan
        return collected(
            found,
            self._place.places,
            status=status,
            why=masked(why),
            steps=steps,
            asked=plan.steps,
            seconds=round(self._seconds, 3),
            command=plan.command,
            script=plan.script.as_posix(),
            script_hash=script_hash(plan.script),
            written=(*self._place.written(), *outside),
            scratch=not plan.in_place,
            error=masked(error),
        )

    def _verdict(self, ended: dict[str, Any], steps: int) -> tuple[Status, str, str]:
        """How the run ended, why, and with which exception."""
        error = ended.get("error", "")
        if self._cut is not None:
            return (*self._cut, "")
        if ended.get("status") == "step-limit":
            return "step-limit", f"{steps} steps, as asked", ""
        if ended.get("status") == "failed":
            return "failed", error or "the script failed", error
        if not ended and self._code:
            last = _last_line(self._own / "output.txt")
            return "failed", last or f"the process ended with code {self._code}", last
        if not steps:
            return "no-training", "the script ended without an optimizer step", ""
        return "completed", f"the script ended by itself after {steps} steps", ""


def script_hash(script: Path) -> str:
    """SHA-256 of a file, empty if it cannot be read."""
    try:
        return hashlib.sha256(script.read_bytes()).hexdigest()
    except OSError:
        return ""


def _cells(script: Path) -> list[tuple[int, str]] | None:
    """The code cells of a notebook, each with its index among all; None for a script."""
    if script.suffix != ".ipynb":
        return None
    try:
        source = sources.read(script)
    except sources.Unreadable as error:
        raise UserError(str(error)) from None
    lines = source.code.split("\n")
    lasts = [first - 1 for _, first in source.cells[1:]] + [len(lines)]
    return [
        (cell, "\n".join(lines[first - 1 : last]) + "\n")
        for (cell, first), last in zip(source.cells, lasts, strict=True)
    ]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of a process and of those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


def _members(group: int) -> Iterator[str]:
    """The processes of a group, as folders of /proc; none where there is no such thing."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                yield str(folder)


def _memory(group: int) -> int:
    """Bytes of memory that are resident for a group of processes."""
    total = 0
    for folder in _members(group):
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int(Path(folder, "statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE") if total else 0


def _free_memory() -> int | None:
    """Bytes that a run may take, None where the system does not tell."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable"))
        return int(int(line.split()[1]) * 1024 * _SHARE_OF_MEMORY)
    return None


def _last_line(file: Path) -> str:
    """The last line of what a script printed."""
    lines = [line for line in file.read_bytes()[-_TAIL:].decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
