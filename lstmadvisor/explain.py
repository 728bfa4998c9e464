"""`lstmadvisor rule`: quick, since it reads rule files and pages without running any."""

from __future__ import annotations

from pathlib import Path

from lstmadvisor import output, packs, project, selection
from lstmadvisor.report import rules as report
from lstmadvisor.report.terminal import Paint
from lstmadvisor.rule_info import RuleInfo


def explain(name: str | None, form: str, color: str) -> None:
    """Writes the page of the rule `name`, or the list of the rules that the selector `name` covers."""
    chosen = _chosen(name)
    if form == "json":
        output.write(report.rules_json(chosen))
    elif name is None or len(chosen) > 1:
        output.write(report.listed(chosen, Paint(output.colored(color))))
    elif output.colored(color):
        output.write(report.rendered(report.explained(chosen[0]), output.columns()))
    else:
        output.write(report.explained(chosen[0]))


def _chosen(name: str | None) -> list[RuleInfo]:
    sources = packs.packs(project.nearest([Path.cwd()]).packs)
    if name is not None and (rule := packs.find(sources, name)):
        return [rule]
    everything = packs.infos(sources)
    codes = selection.covered(everything, [name or selection.ALL])
    return [rule for rule in everything if rule.code in codes]
