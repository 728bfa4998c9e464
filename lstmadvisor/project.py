"""Finds the nearest `[tool.lstmadvisor]`, and reads what can be had from it without checking it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from lstmadvisor.errors import UserError

OWN_FILE = "lstmadvisor.toml"
"""A file that holds the configuration and nothing else."""


class Project(NamedTuple):
    """A configuration as it stands in its file, and the folder to which its paths are relative."""

    root: Path
    table: Mapping[str, Any] = MappingProxyType({})
    file: Path | None = None

    @property
    def packs(self) -> tuple[Path, ...]:
        """The folders of rules that the configuration names, unchecked."""
        named = self.table.get("packs", ())
        return tuple(self.root / name for name in named if isinstance(name, str)) if isinstance(named, list) else ()


def nearest(paths: Sequence[Path]) -> Project:
    """The nearest configuration above all the paths: lstmadvisor.toml, or pyproject.toml with `[tool.lstmadvisor]`."""
    absolute = [Path(os.path.realpath(path)) for path in paths] or [Path.cwd()]
    folders = [path if path.is_dir() else path.parent for path in absolute]
    common = [folder for folder in (folders[0], *folders[0].parents) if all(_below(f, folder) for f in folders)]
    for folder in common:
        for file in (folder / OWN_FILE, folder / "pyproject.toml"):
            table = _table(file, missing_ok=True)
            if table is not None:
                return Project(folder, table, file)
    return Project(Path.cwd())


def named(file: Path) -> Project:
    """The configuration in `file`: a pyproject.toml, or a TOML file that holds nothing else."""
    table = _table(file, missing_ok=False)
    return Project(file.resolve().parent, table or {}, file)


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _table(file: Path, missing_ok: bool) -> dict[str, Any] | None:
    try:
        data = file.read_bytes()
    except OSError as error:
        if missing_ok:
            return None
        raise UserError(f"{file}: {error.strerror}") from error
    if file.name == "pyproject.toml" and b"lstmadvisor" not in data:
        return None
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        document = toml.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error
    table = document.get("tool", {}).get("lstmadvisor") if file.name == "pyproject.toml" else document
    if table is not None and not isinstance(table, dict):
        raise UserError(f"{file}: tool.lstmadvisor must be a table")
    return table
