"""Loads folders of rules: the built-in one and those that the configuration names.

A folder holds `<family>/<name>.py` with a page `<name>.md` beside it.  It is imported as a package
under the synthetic name `lstmadvisor_packs`, so that nothing is added to `sys.path`, the rule files
may import each other relatively, and folders of different packs cannot shadow each other.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lstmadvisor import _where, rule_info
from lstmadvisor.errors import UserError
from lstmadvisor.rule_info import FAMILIES, RuleFileError, RuleInfo

if TYPE_CHECKING:
    from lstmadvisor.rule import Rule

_ROOT = "lstmadvisor_packs"
_CODE = re.compile(r"[A-Z]{2,}\d{3}")

AnyInfo = TypeVar("AnyInfo", bound=RuleInfo)


class Pack(NamedTuple):
    """A folder of rules under the name of its synthetic package."""

    name: str
    folder: Path

    def files(self) -> Iterator[Path]:
        """The rule files, `_helpers.py` and folders like `_shared` left out."""
        for family in sorted(self.folder.iterdir()):
            if not family.is_dir() or family.name.startswith(("_", ".")):
                continue
            if family.name not in FAMILIES:
                raise RuleFileError(f"{family}: the folder of a family is one of {', '.join(FAMILIES)}")
            names = sorted(entry.name for entry in os.scandir(family))
            yield from (family / name for name in names if name.endswith(".py") and not name.startswith("_"))


def packs(folders: Sequence[Path] = ()) -> tuple[Pack, ...]:
    """The built-in pack, then one for each folder."""
    own = [Pack(f"pack{number}", path.resolve()) for number, path in enumerate(folders, 1)]
    for pack in own:
        if not pack.folder.is_dir():
            raise UserError(f"the rule pack {pack.folder} is not a folder")
    return (Pack("core", _where.shipped("rules")), *own)


def infos(sources: Iterable[Pack]) -> tuple[RuleInfo, ...]:
    """What all rules say of themselves, by code.  No rule file is run."""
    return _checked(rule_info.read(path) for pack in sources for path in pack.files())


def find(sources: Iterable[Pack], word: str) -> RuleInfo | None:
    """The rule of that code or name, if there is one; reads no more files than might be it."""
    exact = word.upper() if _CODE.fullmatch(word.upper()) else word.lower().replace("_", "-")
    for path in (path for pack in sources for path in pack.files()):
        if path.stem.replace("_", "-") == exact or f'"{exact}"'.encode() in path.read_bytes():
            info = rule_info.read(path)
            if exact in (info.code, info.name):
                return info
    return None


def rules(sources: Iterable[Pack]) -> tuple[Rule, ...]:
    """All rules, ready to run, by code."""
    return _checked(rule for pack in sources for rule in _loaded(pack))


def _loaded(pack: Pack) -> Iterator[Rule]:
    _package(_ROOT, None)
    _package(f"{_ROOT}.{pack.name}", pack.folder)
    for path in pack.files():
        yield _load(f"{_ROOT}.{pack.name}.{path.parts[-2]}", path)


def _load(package: str, path: Path) -> Rule:
    from lstmadvisor.rule import Rule

    try:
        module = _imported(package, path)
    except Exception as error:
        raise RuleFileError(f"{path}: {type(error).__name__}: {error}") from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, Rule) and value.check.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise RuleFileError(f"{path}: a rule file holds one function decorated with @rule(...), this one {len(found)}")
    return found[0]


def _imported(package: str, path: Path) -> ModuleType:
    """The module of a file: that it is there is known, and to search for each of many takes a third of the time."""
    name = f"{package}.{path.stem}"
    if name not in sys.modules:
        importlib.import_module(package)
        loader = SourceFileLoader(name, str(path))
        module = sys.modules[name] = ModuleType(name)
        module.__spec__, module.__file__ = ModuleSpec(name, loader), str(path)
        try:
            loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _package(name: str, folder: Path | None) -> None:
    search = [str(folder)] if folder else []
    if name not in sys.modules:
        sys.modules[name] = ModuleType(name)
    if getattr(sys.modules[name], "__path__", None) != search:
        for loaded in [module for module in sys.modules if module.startswith(f"{name}.")]:
            del sys.modules[loaded]
        sys.modules[name].__path__ = search


def _checked(found: Iterable[AnyInfo]) -> tuple[AnyInfo, ...]:
    """The rules by code, each well formed and the only one of its name."""
    seen: dict[str, RuleInfo] = {}
    result = sorted(found, key=lambda info: info.code)
    for info in result:
        if not _CODE.fullmatch(info.code):
            raise RuleFileError(f"{info.path}: the code {info.code!r} must be capital letters and three digits")
        place = f"{info.family}/{info.name.replace('-', '_')}.py"
        if "/".join(info.path.parts[-2:]) != place:
            raise RuleFileError(f"{info.path}: the rule {info.name!r} of this family belongs into {place}")
        for key in (info.code, info.name):
            if key in seen:
                raise RuleFileError(f"{info.path}: {key} is already the rule in {seen[key].path}")
            seen[key] = info
    return tuple(result)
