"""What a shell offers where a rule is to be named."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem


def rules(ctx: click.Context, option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names and codes of rules, families and topics; of several with commas between them, for the last."""
    from lstmadvisor import packs, project
    from lstmadvisor.errors import UserError

    before, comma, begun = typed.rpartition(",")
    try:
        known = packs.infos(packs.packs(project.nearest([Path.cwd()]).packs))
    except UserError:  # a broken configuration is for the command to tell of
        return []
    words = {rule.family: f"rules of the family {rule.family}" for rule in known}
    words |= {rule.topic: f"rules of the topic {rule.topic}" for rule in known}
    words |= {word: rule.summary for rule in known for word in (rule.name, rule.code)}
    fits = sorted(word for word in words if word.casefold().startswith(begun.casefold()))
    return [CompletionItem(before + comma + word, help=words[word]) for word in fits]
