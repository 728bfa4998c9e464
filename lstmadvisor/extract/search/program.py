"""Tuners, command-line options and settings that never take effect."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.search import dead, options, searches
from lstmadvisor.facts import items


def facts(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """Facts by key of `Program`."""
    words = options.Words(run)
    read = options.options(run, words)
    settings = [
        *items(found.get("dead_settings", ())),
        *dead.thrown_away(run),
        *dead.too_late(run),
        *options.never_read(run, words, read),
    ]
    return {"options": read, "dead_settings": tuple(settings), "tuning": searches.tuning(run, found)}
