"""The list of rules, and the page of one, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from lstmadvisor.errors import UserError
from lstmadvisor.report.terminal import Paint
from lstmadvisor.rule_info import RuleInfo

_SCHEMA = "lstmadvisor/rules/1"


def listed(rules: Sequence[RuleInfo], paint: Paint) -> str:
    """The rules by family, a line each."""
    names = max((len(rule.name) for rule in rules), default=0)
    blocks = []
    for family, members in groupby(rules, key=lambda rule: rule.family):
        lines = [paint("bold", family)]
        for rule in members:
            style, level = (rule.severity, rule.severity) if rule.enabled else ("dim", "off")
            lines.append(f"  {rule.code}  {paint(style, f'{level:<7}')}  {rule.name:<{names}}  {rule.summary}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def explained(rule: RuleInfo) -> str:
    """The page of a rule as Markdown, its settings below the title and its options at the end."""
    title, _, body = _page(rule).partition("\n")
    lines = [title, "", f"*{_settings(rule)}*", body.rstrip(), "", "## Configuration", "", *_configuration(rule)]
    return "\n".join(lines) + "\n"


def rendered(markdown: str, columns: int) -> str:
    """Markdown as it looks best on a terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=min(columns, 100), force_terminal=True, no_color=False)
    with console.capture() as captured:
        console.print(Markdown(markdown, hyperlinks=False))
    return captured.get()


def rules_json(rules: Sequence[RuleInfo]) -> str:
    """What all the rules say of themselves, their pages included."""
    entries = []
    for rule in rules:
        entry = asdict(rule)
        del entry["path"]
        entry["options"] = [option._asdict() for option in entry.pop("options_info")]
        entries.append({**entry, "page": _page(rule)})
    return json.dumps({"schema": _SCHEMA, "rules": entries}, indent=2) + "\n"


def _page(rule: RuleInfo) -> str:
    try:
        return rule.page.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{rule.page}: {error.strerror}") from error


def _settings(rule: RuleInfo) -> str:
    level = rule.severity if rule.enabled else f"{rule.severity}, off by default"
    parts = [level, rule.family, f"topic {rule.topic}", f"evidence {rule.grade}"]
    parts += [f"article {rule.article}"] if rule.article else []
    parts += [" and ".join({"pytorch": "PyTorch", "keras": "Keras"}[name] for name in rule.frameworks)]
    parts += [f"{rule.fix} fix"] if rule.fix else []
    return " · ".join(parts)


def _configuration(rule: RuleInfo) -> list[str]:
    head = ["```toml", f"[tool.lstmadvisor.rules.{rule.name}]", f'severity = "{rule.severity}"']
    options = [
        f"{option.name.replace('_', '-')} = {option.default}{f'  # {option.doc}' if option.doc else ''}"
        for option in rule.options_info
    ]
    return [*head, *options, "```", "", f"Silence one place: `# lstmadvisor: ignore[{rule.name}] reason`"]
