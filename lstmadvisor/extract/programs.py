"""Which files make one program, and its facts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lstmadvisor import facts
from lstmadvisor.cache import Cache, NotPlain, from_plain, to_plain
from lstmadvisor.ending import orderly
from lstmadvisor.extract.abstract.modules import project_root
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.data import program as data
from lstmadvisor.extract.imports import Imports
from lstmadvisor.extract.limits import SECONDS, TimeUp, within
from lstmadvisor.extract.search import program as tuning
from lstmadvisor.facts import Program
from lstmadvisor.model import Message
from lstmadvisor.sources import STDIN, shown

if TYPE_CHECKING:
    from lstmadvisor.sources import Library

MOST_IMPORTERS = 8
"""Programs that are read to find out who uses a module, at most."""
MOST_FRESH = 4
"""Runs that are kept to go on with, at most: one takes some megabytes."""
MOST_USERS = 3
"""Programs that are given for one module, at most."""
TRAINS = frozenset(
    "backward fit fit_generator train_on_batch minimize apply_gradients fit_one_cycle manual_backward fine_tune "
    "search".split()
)


class _Entry(NamedTuple):
    """What became of a file that was followed as the entry of a program."""

    trains: bool
    uses: dict[Path, bool]
    """the modules that it imports, and whether it uses them"""


class _Understood(NamedTuple):
    """What came of the files of one project."""

    programs: tuple[Program, ...]
    messages: tuple[Message, ...]


def understand(
    paths: Sequence[Path],
    library: Library,
    cache: Cache | None = None,
    jobs: int = 1,
    alone: bool = True,
    always: bool = True,
) -> tuple[Program, ...]:
    """The programs that the files at `paths` belong to, each once, in the order of projects and paths.

    Projects are understood in `jobs` processes where there is enough to do, and taken from `cache` where they have not
    changed; both are for files as they lie on disk, and for the main thread.  A single path is understood whatever it
    is, unless it is not `alone` but what is left of many.  Unless `always`, of a program without recurrent layers no
    more than that is told.
    """
    if len(paths) == 1 and alone:
        return _understood(paths, library, False, always)
    projects: dict[Path, list[Path]] = {}
    for path in paths:
        projects.setdefault(project_root(path.resolve()), []).append(path)
    keys = {
        root: None if cache is None else cache.key(root, own, "all" if always else "") for root, own in projects.items()
    }
    found: dict[Path, _Understood] = {}
    for root, key in keys.items():
        if cache is not None and key is not None and (kept := _restored(cache.get(key))) is not None:
            found[root] = kept
    missing = {root: own for root, own in projects.items() if root not in found}
    for root, new in _worked(missing, library, jobs, always):
        found[root] = new
        if cache is not None and (key := keys[root]) is not None and _is_all_within(new, cache.state(root)):
            with suppress(NotPlain):
                cache.put(key, to_plain(tuple(new)))
    for root in projects:
        library.messages += [message for message in found[root].messages if message not in library.messages]
    programs = [program for root in projects for program in found[root].programs]
    for file in dict.fromkeys(file for program in programs for file in program.files):
        if file.endswith((".py", ".ipynb")):
            library.source(file)
    return tuple({program.path: program for program in programs}.values())


def _restored(plain: Any) -> _Understood | None:
    try:
        return None if plain is None else _Understood(*from_plain(plain, _MODELS))
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return None


def _is_all_within(understood: _Understood, state: dict[str, str] | None) -> bool:
    """Whether all that the result came from is part of the project's state, and every file could be read."""
    files = {os.path.realpath(file) for program in understood.programs for file in program.files}
    return state is not None and files <= state.keys() and not any(each.fatal for each in understood.messages)


_MODELS = {name: each for name, each in {**vars(facts), "Message": Message}.items() if isinstance(each, type)}
_ENOUGH = 40
"""Files that are worth a second process."""


def _worked(
    projects: dict[Path, list[Path]], library: Library, jobs: int, always: bool
) -> Iterator[tuple[Path, _Understood]]:
    """Each project with what came of it; the order is that in which they are done."""
    left = projects
    if jobs > 1 and len(projects) > 1 and sum(map(len, projects.values())) >= _ENOUGH:
        import multiprocessing

        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        largest_first = sorted(projects.items(), key=lambda item: -len(item[1]))
        with orderly(), context.Pool(min(jobs, len(projects)), _quietly) as pool:  # which ends with the block
            for root, plain in pool.imap_unordered(partial(_in_a_process, always=always), largest_first):
                if (done := _restored(plain)) is not None:
                    left = {other: own for other, own in left.items() if other != root}
                    yield root, done
    for root, paths in left.items():
        known = len(library.messages)
        programs = _understood(paths, library, True, always)
        yield root, _Understood(programs, tuple(library.messages[known:]))


def _quietly() -> None:
    """Ctrl-C is for the process that waits for the others; it ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _in_a_process(project: tuple[Path, list[Path]], always: bool) -> tuple[Path, Any]:
    """What came of a project, in plain form: models that are pickled lose which of their facts were never looked at."""
    from lstmadvisor.sources import Library

    root, paths = project
    library = Library()
    programs = _understood(paths, library, True, always)
    try:
        return root, to_plain((programs, tuple(library.messages)))
    except NotPlain:
        return root, None


def _understood(paths: Sequence[Path], library: Library, several: bool, always: bool) -> tuple[Program, ...]:
    programs = _Programs(library, always)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 12_000))
    try:
        for path in paths:
            here = path if str(path) == STDIN else path.resolve()
            if several and not programs.imports.concerns(here):
                continue
            try:
                with within(SECONDS):
                    programs.add(here)
            except Exception as error:
                import logging

                logging.getLogger("lstmadvisor").debug("%s could not be understood", path, exc_info=True)
                library.messages.append(Message(path=shown(path), text=_failure(error), fatal=True))
    finally:
        sys.setrecursionlimit(limit)
        programs.forget_all()
    return tuple(programs.found.values())


def _failure(error: Exception) -> str:
    if isinstance(error, TimeUp):
        return f"takes longer than {SECONDS:.0f} s to understand, left out"
    if isinstance(error, RecursionError):
        return "too deeply nested to understand, left out"
    return f"left out by an internal error ({type(error).__name__}: {error}); -v shows where"


class _Programs:
    """The programs found so far, by their entries, and what became of files that were tried as entries."""

    def __init__(self, library: Library, always: bool) -> None:
        self.found: dict[Path, Program] = {}
        self.imports = Imports(library)
        self._library = library
        self._always = always
        """whether programs without recurrent layers are understood, too"""
        self._entries: dict[Path, _Entry] = {}
        self._completed: dict[Path, _Entry] = {}
        """the same where what nobody calls was read, too"""
        self._fresh: dict[Path, Run | None] = {}
        """the last runs, as they were left"""

    def add(self, path: Path) -> None:
        """Find the programs that the file at `path` belongs to."""
        if path in self.found:
            return
        idle: list[Path] = []
        if not self._entry(path).trains:
            users, idle = self._users(path) if str(path) != STDIN else (0, [])
            if users or any(str(path).endswith(f) for p in self.found.values() for f in p.files):
                return
        program = self._facts(path)
        if program is not None and program.framework != "unknown":
            self.found[path] = program
        for entry in idle[:1]:  # imports the module and never uses it
            self._take(entry)

    def _users(self, path: Path) -> tuple[int, list[Path]]:
        """Takes the programs that use the module at `path`; how many, and those that train without using it."""
        users = 0
        idle: list[Path] = []
        waiting: list[Path] = []
        entries = (e for e in self.imports.importers(path) if e not in self.found and not self.imports.rules_out(e))
        for entry in islice(entries, MOST_IMPORTERS):
            if users >= MOST_USERS:
                break
            other = self._entry(entry)
            if path not in other.uses:
                continue
            if not other.trains:
                waiting.append(entry)
            elif other.uses[path]:
                users += 1
                self._take(entry)
            else:
                idle.append(entry)
        for entry in waiting[:3] if not users else ():
            # a library: its classes and functions train when somebody calls them
            whole = self._whole(entry)
            if whole.trains and whole.uses.get(path):
                self._take(entry)
                return 1, idle
        return users, idle

    def _entry(self, path: Path) -> _Entry:
        if path not in self._entries:
            run = self._run(path)
            self._entries[path] = _told(run)
            self._keep(path, run)
        return self._entries[path]

    def _whole(self, path: Path) -> _Entry:
        if path not in self._completed:
            run = self._run(path)
            if run is not None:
                run.complete(False)
            self._completed[path] = _told(run)
            self._keep(path, run)
        return self._completed[path]

    def _take(self, entry: Path) -> None:
        if entry not in self.found and (program := self._facts(entry)) is not None:
            self.found[entry] = program

    def _facts(self, entry: Path) -> Program | None:
        run = self._run(entry)
        if run is None:
            return None
        program = facts_of(run, self._always)
        run.forget()
        return program

    def _run(self, entry: Path) -> Run | None:
        if entry in self._fresh:
            return self._fresh.pop(entry)
        run = follow(entry, self._library)
        if run is not None:
            run.imports = self.imports
        return run

    def _keep(self, entry: Path, run: Run | None) -> None:
        self._fresh[entry] = run
        if len(self._fresh) > MOST_FRESH:
            self._forget(next(iter(self._fresh)))

    def _forget(self, entry: Path) -> None:
        run = self._fresh.pop(entry)
        if run is not None:
            run.forget()

    def forget_all(self) -> None:
        """Let go of what was kept to go on with."""
        for entry in list(self._fresh):
            self._forget(entry)


def _told(run: Run | None) -> _Entry:
    if run is None:
        return _Entry(False, {})
    return _Entry(trains(run), {module: run.uses(module) for module in run.modules})


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


def facts_of(run: Run, always: bool) -> Program:
    """All facts of one abstract run; unless `always`, of one without recurrent layers nothing but that."""
    run.complete(trains(run))
    frameworks = run.frameworks()
    found: dict[str, Any] = {}
    if not always and frameworks == {"pytorch"} and _is_not_recurrent(run):
        found["recurrent_layers"] = ()
    else:
        found = _facts(run, frameworks)
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


def _is_not_recurrent(run: Run) -> bool:
    from lstmadvisor.extract.pytorch import layers

    return layers.are_not_recurrent(run)


def _facts(run: Run, frameworks: set[str]) -> dict[str, Any]:
    """Facts by key of `Program`.  The extractors of a framework take long to import: those of the other are left."""
    found: dict[str, Any] = {}
    if "pytorch" in frameworks:
        from lstmadvisor.extract.pytorch import layers, loops

        found |= layers.facts(run) | loops.facts(run)
    if "keras" in frameworks:
        from lstmadvisor.extract.keras import program as keras

        found |= keras.facts(run) if "pytorch" not in frameworks else keras.merged(run, found)
    found |= data.facts(run, found)
    found |= tuning.facts(run, found)
    if "recurrent_layers" in found and "padding" in found:
        from lstmadvisor.extract.pytorch import results

        found["recurrent_layers"] = results.settled(found["recurrent_layers"], found["padding"])
    return found
