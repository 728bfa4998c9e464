"""Runs a script, or the cells of a notebook, as `__main__`, as the interpreter itself would."""

from __future__ import annotations

import io
import linecache
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_RELATIVE = re.compile(rb"^\s*from\s+\.", re.MULTILINE)


def run_script(script: str, arguments: list[str]) -> None:
    """Runs a file with these arguments, its folder first on the path."""
    with io.open_code(os.path.abspath(script)) as file:
        source = file.read()
    main = _main(script, arguments)
    if _RELATIVE.search(source):
        _in_package(main, Path(script).resolve())
    exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)


def run_cells(notebook: str, cells: list[tuple[int, str]], arguments: list[str]) -> None:
    """Runs the cells of a notebook, each an index and its code, one after the other in one namespace."""
    main = _main(notebook, arguments)
    del main.__dict__["__file__"]
    main.__dict__["get_ipython"] = _Shell
    main.__dict__["display"] = print
    for index, code in cells:
        name = f"{notebook}#{index}"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        exec(compile(code, name, "exec", dont_inherit=True), main.__dict__)


def _main(script: str, arguments: list[str]) -> ModuleType:
    """A fresh `__main__`."""
    main = ModuleType("__main__")
    main.__dict__.update(__file__=script, __builtins__=__builtins__, __spec__=None, __package__=None)
    sys.modules["__main__"] = main
    sys.argv[:] = [script, *arguments]
    sys.path.insert(0, str(Path(os.path.abspath(script)).parent))
    return main


def _in_package(main: ModuleType, script: Path) -> None:
    """A file of a package that imports its neighbours by dots runs as a part of its package."""
    names: list[str] = []
    folder = script.parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    if names:
        main.__package__ = ".".join(names)
        sys.path[0] = str(folder)


class _Shell:
    """What `get_ipython()` gives outside of IPython: every magic does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None
