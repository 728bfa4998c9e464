"""The exact text of fixes, each as if it were the only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lstmadvisor.fix.diff import unified
from lstmadvisor.fix.plan import Planner
from lstmadvisor.fix.syntax import Refused
from lstmadvisor.model import Finding, Fix
from lstmadvisor.sources import Library


def shown_fixes(
    findings: Sequence[Finding], library: Library, text_of: Callable[[str, int | None], str]
) -> tuple[Finding, ...]:
    """The findings with the changes and the diff of their fixes, or why a fix cannot be made here."""
    planner = Planner(library)

    def shown(fix: Fix) -> Fix:
        try:
            changes = planner.changes(fix.edits)
        except Refused as error:
            return fix.model_copy(update={"refused": str(error)})
        return fix.model_copy(update={"changes": changes, "diff": unified(changes, text_of)})

    return tuple(
        finding.model_copy(update={"fix": shown(finding.fix)}) if finding.fix and finding.fix.edits else finding
        for finding in findings
    )
