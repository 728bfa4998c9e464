"""The process that runs the user's script and measures it.

It is started as a file, in the user's environment, and puts nothing on the user's path: the package that it belongs to
is made importable by its place alone.  What was measured is appended to a file, a JSON record a line.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any


def _own_package() -> None:
    """Makes `lstmadvisor` importable from where this file lies."""
    if "lstmadvisor" in sys.modules:
        return
    folder = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        "lstmadvisor", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["lstmadvisor"] = module
    spec.loader.exec_module(module)


class Child:
    """One probed run, by a plan as `lstmadvisor.probe.run` writes it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from lstmadvisor.probe.attach import Attached
        from lstmadvisor.probe.guard import Guard
        from lstmadvisor.probe.observer import Observer

        self._plan = plan
        self._file = Path(plan["results"]).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self._owner = os.getpid()
        self._ended = False
        self._guard = Guard(plan["scratch"], plan["results"])
        self._observer = Observer(self._write, limit=plan["steps"])
        self._attached = Attached(self._observer)
        self._observer.on_ignored = self._leave

    def run(self) -> None:
        """Runs the script to its end, or to the limit."""
        from lstmadvisor.probe.imports import when_imported
        from lstmadvisor.probe.observer import Enough
        from lstmadvisor.probe.scripts import run_cells, run_script

        self._guard.install()
        when_imported("torch", self._torch)
        when_imported("keras", self._attached.keras)
        signal.signal(signal.SIGTERM, self._terminate)
        script, arguments = self._plan["script"], self._plan["arguments"]
        try:
            if self._plan["cells"] is None:
                run_script(script, arguments)
            else:
                run_cells(script, [(index, code) for index, code in self._plan["cells"]], arguments)
            self._end("completed")
        except Enough:
            self._end("step-limit")
            self._leave()
        except SystemExit as error:
            failed = error.code not in (None, 0)
            self._end("failed" if failed else "completed", f"exit: {error.code}" if failed else "")
            raise
        except BaseException as error:
            self._end("failed", traceback.format_exception_only(error)[-1].strip())
            traceback.print_exc()
            sys.exit(1)

    def _torch(self, torch: ModuleType) -> None:
        from lstmadvisor.probe.patches import Patches

        self._attached.torch(torch)
        Patches().wrap(torch, "save", self._save)

    def _save(self, original: Any, obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
        self._guard.release(f, keep=False)  # the file is opened out of Python's sight
        return original(obj, f, *args, **kwargs)

    def _terminate(self, number: int, frame: Any) -> None:
        """Time is up; it is told again while nothing happens.  In a forked process this is none of our business."""
        if os.getpid() != self._owner:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        if not self._ended:
            self._observer.ask()

    def _end(self, status: str, error: str = "") -> None:
        """Writes all that is left, once."""
        if self._ended or os.getpid() != self._owner:
            return
        self._ended = True
        try:
            self._observer.finish()
        finally:
            self._write({"record": "outside", "paths": list(self._guard.outside)})
            self._write({"record": "end", "status": status, "error": error, "steps": self._observer.steps})

    def _leave(self) -> None:
        """Ends the process without asking threads and exit handlers of the script."""
        self._end("step-limit")
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(0)

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record) + "\n")


def main() -> None:
    """Reads the plan named on the command line and carries it out."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Child(plan).run()


if __name__ == "__main__":
    del sys.path[0]  # this folder: its names are not for the script
    _own_package()
    main()
