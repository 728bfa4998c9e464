"""`[tool.lstmadvisor]`, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from lstmadvisor.errors import UserError, suggestion
from lstmadvisor.facts import Frozen
from lstmadvisor.model import Severity
from lstmadvisor.options import Options, model
from lstmadvisor.project import Project
from lstmadvisor.rule import Rule
from lstmadvisor.selection import Layer, UnknownSelector, covered

FailOn = Literal["error", "warning", "advice", "never"]


class Config(Frozen):
    """The settings of a project.  Keys are written with dashes; an unknown key is an error."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True)

    select: tuple[str, ...] | None = None
    """the rules to run, in place of the default ones"""
    extend_select: tuple[str, ...] = ()
    """rules to run as well"""
    ignore: tuple[str, ...] = ()
    """rules not to run"""
    per_file_ignores: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """patterns of paths, and the rules not to report there"""
    exclude: tuple[str, ...] = ()
    """patterns of files and folders that are left out when folders are searched"""
    force_exclude: bool = False
    """leave them out even if they are named on the command line, as pre-commit does"""
    fail_on: FailOn = "warning"
    """the least severity for exit code 1"""
    baseline: str | None = None
    """a file with known findings, which are not reported"""
    cache_dir: str | None = None
    """the folder in which is kept what was understood"""
    packs: tuple[str, ...] = ()
    """further folders of rules"""
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """by the name of a rule: its options, and `severity`"""

    @property
    def layer(self) -> Layer:
        """The selectors."""
        return Layer(self.select, self.extend_select, self.ignore)


class RuleSettings(NamedTuple):
    """What the configuration says of one rule."""

    options: Options
    severity: Severity | None = None
    """in place of every severity that the rule gives"""


def check(project: Project) -> Config:
    """The checked configuration; `UserError` says what is wrong with it, and in which file."""
    if not project.table:
        return Config()
    try:
        return Config.model_validate(project.table)
    except ValidationError as error:
        keys = [name.replace("_", "-") for name in Config.model_fields]
        raise UserError(_explain(error, _where(project.file), keys)) from None


def settings(config: Config, rules: Sequence[Rule], file: Path | None = None) -> dict[str, RuleSettings]:
    """The options and severity of every rule, by its code.

    `UserError` says which rule is named in `file` and is not there, and what is wrong with an option.
    """
    lists = {"select": config.select or (), "extend-select": config.extend_select, "ignore": config.ignore}
    for key, words in (*lists.items(), *config.per_file_ignores.items()):
        try:
            covered(rules, words)
        except UnknownSelector as error:
            raise UserError(f"{_where(file)}: {key}: {error}") from None
    names = {rule.name for rule in rules}
    for name in config.rules:
        if name not in names:
            raise UserError(f"{_where(file, 'rules', name)}: no such rule{suggestion(name, names)}")
    return {rule.code: _rule_settings(rule, config.rules.get(rule.name, {}), file) for rule in rules}


def as_toml(config: Config) -> str:
    """The configuration as a TOML file of its own would hold it, every key included."""
    table = config.model_dump(mode="json", by_alias=True)
    nested = {"per-file-ignores": table.pop("per-file-ignores"), "rules": table.pop("rules")}
    lines = [f"{key} = {_toml(value)}" for key, value in table.items() if value is not None]
    if nested["per-file-ignores"]:
        lines += ["", "[per-file-ignores]"]
        lines += [f"{_toml(pattern)} = {_toml(words)}" for pattern, words in nested["per-file-ignores"].items()]
    for name, options in nested["rules"].items():
        lines += ["", f"[rules.{name}]", *(f"{key} = {_toml(value)}" for key, value in options.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """JSON is TOML, but for tables and null."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def ignored_in(config: Config, project: Project, path: str) -> tuple[str, ...]:
    """The selectors that per-file-ignores names for a path."""
    absolute = Path(path).resolve()
    relative = absolute.relative_to(project.root).as_posix() if project.root in absolute.parents else path
    return tuple(
        selector
        for pattern, selectors in config.per_file_ignores.items()
        if fnmatch(relative, pattern) or fnmatch(absolute.name, pattern)
        for selector in selectors
    )


def _where(file: Path | None, *keys: str) -> str:
    """A table as people find it: its file and its heading there."""
    is_own = file is not None and file.name != "pyproject.toml"
    heading = ".".join(keys if is_own else ("tool", "lstmadvisor", *keys))
    return ": ".join([*([str(file)] if file else []), *([f"[{heading}]"] if heading else [])])


def _rule_settings(rule: Rule, table: dict[str, Any], file: Path | None) -> RuleSettings:
    if not table:
        return RuleSettings(rule.options())
    given = {key.replace("-", "_"): value for key, value in table.items()}
    where = _where(file, "rules", rule.name)
    severity = given.pop("severity", None)
    if severity is not None and severity not in list(Severity):
        raise UserError(f"{where}: severity must be {', '.join(s.value for s in Severity)}, not {severity!r}")
    try:
        return RuleSettings(options=rule.options.validated(given), severity=severity and Severity(severity))
    except ValidationError as error:
        keys = ["severity", *(name.replace("_", "-") for name in model(rule.options).model_fields)]
        raise UserError(_explain(error, where, keys)) from None


def _explain(error: ValidationError, where: str, keys: Sequence[str]) -> str:
    return "\n".join(f"{where}: {_line(details, keys)}" for details in error.errors())


def _line(details: ErrorDetails, keys: Sequence[str]) -> str:
    location = [str(part).replace("_", "-") for part in details["loc"]]
    if details["type"] == "extra_forbidden":
        hint = "; settings stand at the top here, without [tool.lstmadvisor]" if location == ["tool"] else ""
        return f"unknown key {location[-1]!r}{hint or suggestion(location[-1], keys)}"
    said = details["msg"].replace("a valid tuple", "a list").replace("a valid dictionary", "a table")
    return f"{'.'.join(location)}: {said[:1].lower()}{said[1:]}"
