"""Which files make one program, and its facts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmadvisor.extract.abstract.modules import project_root
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.data import program as data
from lstmadvisor.extract.imports import Imports
from lstmadvisor.extract.keras import program as keras
from lstmadvisor.extract.limits import SECONDS, TimeUp, within
from lstmadvisor.extract.pytorch import layers, loops, results
from lstmadvisor.extract.search import program as tuning
from lstmadvisor.facts import Program
from lstmadvisor.model import Message
from lstmadvisor.sources import STDIN, shown

if TYPE_CHECKING:
    from lstmadvisor.sources import Library

_log = logging.getLogger("lstmadvisor")

MOST_IMPORTERS = 8
"""Programs that are read to find out who uses a module, at most."""
MOST_USERS = 3
"""Programs that are given for one module, at most."""
TRAINS = frozenset(
    "backward fit fit_generator train_on_batch minimize apply_gradients fit_one_cycle manual_backward fine_tune "
    "search".split()
)


def understand(paths: Sequence[Path], library: Library) -> tuple[Program, ...]:
    """The programs that the files at `paths` belong to, each once, in the order of the paths."""
    found: dict[Path, Program] = {}
    imports = Imports(library)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 12_000))
    try:
        for path in paths:
            here = path if str(path) == STDIN else path.resolve()
            if len(paths) > 1 and not imports.concerns(here):
                continue
            try:
                with within(SECONDS):
                    for entry, program in _programs_of(here, library, imports, found):
                        found.setdefault(entry, program)
            except Exception as error:
                _log.debug("%s could not be understood", path, exc_info=True)
                library.messages.append(Message(path=shown(path), text=_failure(error), fatal=True))
    finally:
        sys.setrecursionlimit(limit)
    return tuple(found.values())


def _failure(error: Exception) -> str:
    if isinstance(error, TimeUp):
        return f"takes longer than {SECONDS:.0f} s to understand, left out"
    if isinstance(error, RecursionError):
        return "too deeply nested to understand, left out"
    return f"left out by an internal error ({type(error).__name__}: {error}); -v shows where"


def _programs_of(
    path: Path, library: Library, imports: Imports, found: dict[Path, Program]
) -> Iterator[tuple[Path, Program]]:
    if path in found:
        return
    run = follow(path, library)
    if run is None:
        return
    idle: list[tuple[Path, Run]] = []
    if not trains(run):
        entries = [e for e in imports.importers(path) if e not in found][:MOST_IMPORTERS] if str(path) != STDIN else []
        users = 0
        waiting: list[tuple[Path, Run]] = []
        for entry in entries:
            if users >= MOST_USERS:
                break
            other = follow(entry, library)
            if other is None or path not in other.modules:
                continue
            if not trains(other):
                waiting.append((entry, other))
            elif other.uses(path):
                users += 1
                yield entry, facts_of(other, library)
            else:
                idle.append((entry, other))
        for entry, other in waiting[:3] if not users else []:
            # a library: its classes and functions train when somebody calls them
            other.complete(False)
            if trains(other) and other.uses(path):
                users += 1
                yield entry, facts_of(other, library)
                break
        if users or any(str(path).endswith(f) for p in found.values() for f in p.files):
            return
    program = facts_of(run, library)
    if program.framework != "unknown":
        yield path, program
    for entry, other in idle[:1]:  # imports the module and never uses it
        yield entry, facts_of(other, library)


def follow(path: Path, library: Library) -> Run | None:
    """The abstract run of the program whose entry is `path`; None where the file cannot be read."""
    run = Run(library, path, project_root(path))
    if run.load(path, "__main__") is None:
        return None
    run.program(path)
    return run


def trains(run: Run) -> bool:
    """Whether the program trains something on the way that the defaults take."""
    return any(t.op == "method" and t.name in TRAINS and t.scope.active for t in run.trace) or any(
        t.op == "method"
        and t.name == "train"
        and not t.args
        and t.base is not None
        and t.scope.active
        and _is_trainer(t)
        for t in run.trace
    )


def _is_trainer(term: Any) -> bool:
    base = term.base
    name = getattr(base, "name", "")
    return isinstance(name, str) and name.endswith("Trainer")


def facts_of(run: Run, library: Library) -> Program:
    """All facts of one abstract run."""
    run.complete(trains(run))
    found: dict[str, Any] = {}
    frameworks = run.frameworks()
    if "pytorch" in frameworks:
        found |= layers.facts(run) | loops.facts(run)
    if "keras" in frameworks:
        found |= keras.facts(run) if "pytorch" not in frameworks else keras.merged(run, found)
    found |= data.facts(run, found)
    found |= tuning.facts(run, found)
    if "recurrent_layers" in found and "padding" in found:
        found["recurrent_layers"] = results.settled(found["recurrent_layers"], found["padding"])
    assert run.entry is not None
    framework: Any = "both" if len(frameworks) == 2 else next(iter(frameworks), "unknown")
    files = tuple(
        dict.fromkeys(
            [
                run.entry.source.path,
                *(m.source.path for m in run.modules.values()),
                *(run.shown(f) for f in sorted(run.files_read)),
            ]
        )
    )
    return Program(path=run.entry.source.path, files=files, framework=framework, **found)
