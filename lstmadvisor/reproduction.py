"""How to get the same report again: the command, the versions, the settings, and the files as they were."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from click.core import ParameterSource

from lstmadvisor import __version__
from lstmadvisor.config import Config
from lstmadvisor.model import Report
from lstmadvisor.project import Project

_LIBRARIES = ("libcst", "pydantic")
_OF_OUTPUT = frozenset(
    {"html", "output_file", "outputs", "form", "color", "quiet", "verbose", "everything", "fail_on", "save_probe"}
)
"""Options that change nothing of what is found."""
_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


@dataclass(frozen=True)
class Reproduction:
    """What a reader needs to make a report again.  Nothing in it depends on the time or on where it is written to."""

    command: str
    versions: tuple[tuple[str, str], ...]
    settings: str
    """the configuration as JSON, empty if there is none"""
    configured_in: str
    files: tuple[tuple[str, str], ...]
    """path and SHA-256 of every file that was judged or is quoted"""


def reproduction(context: click.Context, report: Report, project: Project, config: Config) -> Reproduction:
    """How to get `report` again, which the command of `context` has made."""
    given = config.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    quoted = (key.rpartition("#")[0] or key for key in report.sources)
    files = {*quoted, *(file for program in report.programs for file in (program.path, *program.files))}
    return Reproduction(
        command=f"{command(context)} --html report.html",
        versions=(
            ("lstmadvisor", __version__),
            ("Python", platform.python_version()),
            *((name, version(name)) for name in _LIBRARIES),
        ),
        settings=json.dumps(given, indent=2, ensure_ascii=False) if given else "",
        configured_in=project.file.name if project.file and given else "",
        files=tuple(_digests(sorted(files))),
    )


def command(context: click.Context) -> str:
    """The command line of a context in a normal form, without what only says how and where to write."""
    words: list[str] = ["lstmadvisor", context.command.name or ""]
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        if context.get_parameter_source(name) not in _GIVEN or name in _OF_OUTPUT:
            continue
        values = value if isinstance(value, (tuple, list)) else (value,)
        if isinstance(parameter, click.Argument):
            arguments += map(str, values)
        else:
            words += _option(parameter, values)
    return shlex.join([*words, *arguments])


def _option(option: click.Parameter, values: Iterable[object]) -> list[str]:
    name = next((name for name in option.opts if name.startswith("--")), option.opts[0])
    if isinstance(option, click.Option) and option.is_flag:
        return [name]
    return [word for value in values for word in (name, str(value))]


def _digests(paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    for path in paths:
        try:
            yield path, hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError:  # standard input
            continue
