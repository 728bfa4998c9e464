"""The part of `audit` that measures: says what it will do, shows how it goes, saves and loads the result."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from pydantic import ValidationError

from lstmadvisor.errors import UserError
from lstmadvisor.measured import Probe
from lstmadvisor.probe.run import Plan, Progress, probed, script_hash
from lstmadvisor.report.terminal import safe

SCHEMA: Final = "lstmadvisor/probe/1"


@dataclass(frozen=True)
class Probing:
    """What `audit` was told about measuring."""

    run: bool = False
    arguments: tuple[str, ...] = ()
    steps: int = 200
    seconds: float = 120.0
    python: str | None = None
    memory: float | None = None
    """GiB"""
    in_place: bool = False
    dry_run: bool = False
    save: str | None = None
    load: str | None = None


def measured(script: str, told: Probing, quiet: bool) -> Probe | None:
    """What was measured now, or in the run that was saved; None if nothing was to be."""
    if told.load is not None:
        if told.run:
            raise UserError("--probe measures, --load-probe reports what was measured before: one of the two")
        return _loaded(Path(told.load), Path(script))
    if not told.run:
        _refuse_without_run(told)
        return None
    plan = Plan(
        script=Path(script),
        arguments=told.arguments,
        python=told.python or sys.executable,
        steps=told.steps,
        seconds=told.seconds,
        memory=None if told.memory is None else int(told.memory * 2**30),
        in_place=told.in_place,
    )
    if told.dry_run:
        click.echo(f"--probe {safe(plan.told())}")
        sys.exit(0)
    click.echo(f"lstmadvisor: {safe(plan.told())}", err=True)
    with _shown(plan, quiet) as progress:
        probe = probed(plan, progress)
    probe = _with_statistics(probe)
    if told.save is not None:
        save(Path(told.save), probe)
    return probe


def _refuse_without_run(told: Probing) -> None:
    given = {
        "arguments of the script": told.arguments, "--save-probe": told.save, "--dry-run": told.dry_run,
        "--python": told.python, "--in-place": told.in_place,
    }  # fmt: skip
    for name, value in given.items():
        if value:
            raise UserError(f"{name} without --probe: nothing is run")


def _with_statistics(probe: Probe) -> Probe:
    from lstmadvisor.probe.statistics import derived

    return probe.model_copy(update={"statistics": derived(probe)})


def save(file: Path, probe: Probe) -> None:
    """Writes what was measured."""
    text = json.dumps({"schema": SCHEMA, **probe.model_dump(mode="json")}, indent=1)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error


def _loaded(file: Path, script: Path) -> Probe:
    """A saved run; says so if the script has changed since."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            raise UserError(f"{file}: not a probe that --save-probe wrote")
        probe = Probe.model_validate(document)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error
    except (ValidationError, ValueError, RecursionError):
        raise UserError(f"{file}: not a probe that this version of lstmadvisor wrote") from None
    if probe.script_hash != script_hash(script):
        click.echo(f"lstmadvisor: {safe(str(script))} has changed since {safe(str(file))} was measured", err=True)
    return _with_statistics(probe)


@contextmanager
def _shown(plan: Plan, quiet: bool) -> Iterator[Progress | None]:
    """A line that moves, on a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("step {task.completed}/{task.total}"), BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starts", total=plan.steps)

        def progress(steps: int, loss: float | None, norm: float | None, left: float) -> None:
            parts = [f"loss {number(loss)}", f"gradient norm {number(norm)}", f"{left:.0f} s left"]
            bar.update(task, completed=min(steps, plan.steps), description=", ".join(parts))

        yield progress


def number(value: float | None) -> str:
    """A number in three digits, as people write it."""
    if value is None or not math.isfinite(value):
        return "not finite"
    return f"{value:.3g}"
