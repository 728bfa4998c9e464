"""Configuration files that a script reads: JSON, YAML, TOML → values that remember their line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmadvisor.extract.abstract.values import Const, Map, Object, Opaque, Seq, Spot, Term, Value
from lstmadvisor.folders import SKIPPED

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run
    from lstmadvisor.sources import Library

LARGEST = 200_000  # characters of a configuration file


def locate(run: Run, name: str, module: Any) -> Path | None:
    """The file that a script means by `name`: beside the script, below the project root, or where we are."""
    if len(name) > 400 or "\0" in name:
        return None
    path = Path(name)
    bases = [run.finder.entry.parent, run.finder.root]
    if module is not None and module.source.file is not None:
        bases.insert(1, module.source.file.parent)
    for base in bases:
        candidate = path if path.is_absolute() else base / path
        try:
            if candidate.is_file() and (
                run.finder.root in candidate.resolve().parents or run.finder.entry.parent in candidate.resolve().parents
            ):
                return candidate
        except OSError:
            return None
    return None


def read(library: Library, path: Path, shown: str) -> Value:
    """The contents of a configuration file as values."""
    text = library.text(path)
    if text is None:
        return Opaque(f"{shown} cannot be read")
    if len(text) > LARGEST:
        return Opaque(f"{shown} is too large to read")
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return _toml(text, shown)
    if suffix in (".json", ".yaml", ".yml", ""):
        return from_text(text, shown)
    if suffix in (".ini", ".cfg"):
        return _ini(text, shown)
    return Opaque(f"{shown} is not a configuration file that is understood")


def from_text(text: str, shown: str) -> Value:
    """JSON or YAML text as values."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        try:
            return plain(json.loads(text), text, shown)
        except (ValueError, RecursionError):
            return Opaque(f"{shown} cannot be parsed")
    if node is None:
        return Map({}, at=Spot(None, None, shown, 1))
    loader = yaml.SafeLoader("")
    return _node(node, shown, loader, 0, {})


def _node(node: Any, shown: str, loader: Any, depth: int, seen: dict[int, Value]) -> Value:
    """One node as a value; what an alias repeats is read once."""
    if id(node) not in seen:
        seen[id(node)] = Opaque("refers to itself")
        seen[id(node)] = _fresh_node(node, shown, loader, depth, seen)
    return seen[id(node)]


def _fresh_node(node: Any, shown: str, loader: Any, depth: int, seen: dict[int, Value]) -> Value:
    import yaml

    at = Spot(None, None, shown, node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > 20:
        return Opaque("nested too deeply", at)
    if isinstance(node, yaml.MappingNode):
        out = Map({}, at=at, kind="attrdict")
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.tag == "tag:yaml.org,2002:merge":
                    merged = _node(value, shown, loader, depth + 1, seen)
                    if isinstance(merged, Map):
                        out.entries = {**merged.entries, **out.entries}
                    continue
                try:
                    name = loader.construct_object(key)
                except yaml.YAMLError:
                    name = key.value
                out.entries[name if isinstance(name, (str, int, float, bool)) else key.value] = _node(
                    value, shown, loader, depth + 1, seen
                )
        return out
    if isinstance(node, yaml.SequenceNode):
        return Seq([_node(v, shown, loader, depth + 1, seen) for v in node.value[:400]], "list", at=at)
    try:
        value = loader.construct_object(node)
    except (yaml.YAMLError, ValueError):
        value = node.value
    if isinstance(value, str):
        if re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):  # YAML 1.1 reads 1e-3 as text; everyone means a number
            value = float(value)
        elif value.startswith("${"):
            return Opaque(f"an interpolation in {shown}", at)
    if not isinstance(value, (str, int, float, bool, type(None))):
        value = str(value)
    return Const(value, "config", at)


def plain(value: Any, text: str, shown: str, key: str = "") -> Value:
    """Plain data as values; lines are found by their key."""
    at = Spot(None, None, shown, _line(text, key))
    if isinstance(value, dict):
        return Map({k: plain(v, text, shown, str(k)) for k, v in value.items()}, at=at, kind="attrdict")
    if isinstance(value, list):
        return Seq([plain(v, text, shown, key) for v in value[:400]], "list", at=at)
    return Const(value if isinstance(value, (str, int, float, bool, type(None))) else str(value), "config", at)


def _line(text: str, key: str) -> int:
    if not key:
        return 1
    found = re.search(rf"(?m)^.*?[\"']?{re.escape(key)}[\"']?\s*[:=]", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _toml(text: str, shown: str) -> Value:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return plain(tomllib.loads(text), text, shown)
    except (tomllib.TOMLDecodeError, RecursionError):
        return Opaque(f"{shown} cannot be parsed")


def _ini(text: str, shown: str) -> Value:
    import configparser

    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
        return plain({s: dict(parser.items(s)) for s in parser.sections()}, text, shown)
    except configparser.Error:
        return Opaque(f"{shown} cannot be parsed")


def load(run: Run, name: Value | None, at: Spot) -> Value | None:
    """The configuration file called `name` (a constant path, or an opened file)."""
    if isinstance(name, Term) and name.name.rsplit(".", 1)[-1] in ("open", "read", "read_text", "read_bytes"):
        inner = name.base if name.op == "method" else (name.args[0] if name.args else name.kwargs.get("file"))
        return load(run, inner, at)
    if (
        isinstance(name, Opaque)
        and name.why.startswith("the required argument")
        and (only := _only_config(run)) is not None
    ):
        run.files_read.add(only)
        return read(run.library, only, run.shown(only))
    if isinstance(name, Const) and isinstance(name.value, str):
        path = locate(run, name.value, at.module)
        if path is None:
            return Opaque(f"the file {name.value!r} is not there", at)
        run.files_read.add(path)
        return read(run.library, path, run.shown(path))
    return None


def _only_config(run: Run) -> Path | None:
    """The one configuration file that is shipped with a program whose command line demands one."""
    found: set[Path] = set()
    for folder in {run.finder.root, run.finder.entry.parent}:
        for depth in ("*", "*/*", "*/*/*"):
            for suffix in _SUFFIXES:
                found.update(f.resolve() for f in folder.glob(depth + suffix) if _is_shipped(f, folder))
            if len(found) > 1:
                return None
    return found.pop() if len(found) == 1 else None


_TOOLING = frozenset(
    "package.json package-lock.json tsconfig.json pyproject.toml environment.yml environment.yaml docker-compose.yml "
    "mkdocs.yml lstmadvisor.toml".split()
)
_SUFFIXES = (".yaml", ".yml", ".json", ".toml")


def _is_shipped(file: Path, folder: Path) -> bool:
    """Whether a file below a folder may configure a program: no tool's file, no rest of a run, no cache."""
    hidden = any(part.startswith(".") or part in SKIPPED for part in file.relative_to(folder).parts)
    return not hidden and file.name not in _TOOLING and file.is_file()


def to_object(value: Value, kind: str = "namespace") -> Value:
    """Dicts become objects with attributes, at every depth."""
    if isinstance(value, Map):
        return Object(kind, {str(k): to_object(v, kind) for k, v in value.entries.items()}, value.open, value.at)
    if isinstance(value, Seq):
        return Seq([to_object(v, kind) for v in value.items], value.kind, value.open, value.at)
    return value
