"""From a `Report` to text, JSON and other forms; each form is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstmadvisor.model import Report
    from lstmadvisor.report.text import Look

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown")
SHOW_FIXES = ("full", "json", "sarif", "markdown")
"""Those that show what a fix would change."""
FACTS_FORMATS = ("full", "json")


def rendered(report: Report, form: str, look: Look, audit: bool) -> str:
    """The report of a `check`, or of an `audit`, in one of `FORMATS`."""
    if form == "json":
        from lstmadvisor.report.machine import report_json

        return report_json(report)
    if form in ("sarif", "github", "gitlab", "junit", "markdown"):
        writer = import_module(f"lstmadvisor.report.{form}")
        return str(getattr(writer, form)(report))
    from lstmadvisor.report import text

    if form == "concise":
        return text.concise(report, look)
    return text.audited(report, look) if audit else text.full(report, look)


def rendered_facts(report: Report, form: str, look: Look) -> str:
    """The facts of a report in one of `FACTS_FORMATS`."""
    if form == "json":
        from lstmadvisor.report.machine import facts_json

        return facts_json(report)
    from lstmadvisor.report.facts_text import facts_text

    return facts_text(report, look.paint)
