"""What the tests over all rules share: the rules, the examples on their pages, and running the one on the other."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path

import pytest

from lstmadvisor import config, engine, packs, pages, review, sources
from lstmadvisor.facts import Program
from lstmadvisor.measured import Probe
from lstmadvisor.model import Finding
from lstmadvisor.pages import Example, File, Page
from lstmadvisor.project import Project
from lstmadvisor.rule import Rule
from lstmadvisor.selection import Layer
from lstmadvisor.silencer import UNUSED

RULES = packs.rules(packs.packs())


@functools.cache
def page_of(rule: Rule) -> Page:
    return pages.read(rule.page)


def each_rule() -> list[object]:
    return [pytest.param(rule, id=rule.name) for rule in RULES]


def each_example(*sections: str) -> list[object]:
    """A parameter (rule, example) for every example in the sections; a broken page is test_rule_contract's business."""
    found: list[object] = []
    for rule in RULES:
        with contextlib.suppress(pages.PageError):
            for example in page_of(rule).examples:
                if example.section in sections:
                    kind = example.section.lower().replace(" ", "-")
                    name = f"{rule.name}:{kind}:{example.framework}:{example.line}"
                    found.append(pytest.param(rule, example, id=name))
    return found


_understood: dict[Example, tuple[Program, ...]] = {}


def understood(example: Example, folder: Path, rule: Rule) -> tuple[Program, ...]:
    """The programs of an example, laid out in `folder`, which must be the working directory.

    Where the rule judges what a probe measured, they are probed.
    """
    if example not in _understood:
        _understood[example] = _understand(example, folder)
    if rule.family == "probe":
        from lstmadvisor.probe.joining import joined

        probe = _probe(example.files, folder / example.script)
        return tuple(joined(one, probe) for one in _understood[example])
    return _understood[example]


_probes: dict[tuple[File, ...], Probe] = {}


def _probe(files: tuple[File, ...], script: Path) -> Probe:
    from probing import probed

    if files not in _probes:
        _probes[files] = probed(script)
    return _probes[files]


def _understand(example: Example, folder: Path) -> tuple[Program, ...]:
    from lstmadvisor.extract import programs

    library = sources.Library()
    scripts = [path for path in example.write(folder) if path.suffix == ".py"]
    found = programs.understand(scripts, library)
    assert not library.messages
    assert found, "no program was recognised in this example"
    return found


def judged(programs: Sequence[Program], rules: Sequence[Rule]) -> engine.Judgement:
    """What the rules say, with their default options."""
    result = engine.judge(programs, rules, config.settings(config.Config(), rules))
    assert not [outcome for outcome in result.outcomes if outcome.state == "error"]
    return result


def found(rule: Rule, example: Example, folder: Path) -> list[Finding]:
    """What one rule finds in an example, laid out in `folder`, which must be the working directory."""
    programs = understood(example, folder, rule)
    if rule.name != UNUSED:
        return list(judged(programs, [rule]).findings)
    # The one rule that is judged by what all others have found.
    example.write(folder)
    report = review.audit(review.Request((Path(example.script),), Project(folder), config.Config()))
    return [finding for finding in report.findings if finding.rule == rule.name]


def fixed(rule: Rule, example: Example, folder: Path) -> dict[str, str] | None:
    """The files of an example after the fixes of one rule, laid out in `folder`; None where they change nothing."""
    example.write(folder)
    with contextlib.chdir(folder):
        request = review.Request((Path(example.script),), Project(folder), config.Config(), Layer(None, (rule.code,)))
        result = review.fix_audit(request, lambda finding: finding.code == rule.code and _makes(finding))
    files = {file.name: file.text for file in example.files}
    after = {name: data.decode("utf-8") for name, (_, data) in result.contents.items()}
    return files | after if after else None


def _makes(finding: Finding) -> bool:
    return finding.fix is not None and bool(finding.fix.edits) and finding.fix.applicability != "display"
