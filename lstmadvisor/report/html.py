"""One review as one HTML file: no network, no foreign script, legible without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lstmadvisor import pages
from lstmadvisor._where import shipped
from lstmadvisor.errors import UserError
from lstmadvisor.facts import Place, Unknown
from lstmadvisor.model import Evidence, Finding, Outcome, Report, Severity, source_key
from lstmadvisor.report.excerpt import Span
from lstmadvisor.report.facts_table import facts_table
from lstmadvisor.report.highlight import diff_html, spelt
from lstmadvisor.report.listing import Badge, Excerpt, Sources
from lstmadvisor.report.prose import markdown, sentence
from lstmadvisor.report.summary import by_action, finding_severity, verdict
from lstmadvisor.report.terminal import safe
from lstmadvisor.report.text import cost
from lstmadvisor.reproduction import Reproduction
from lstmadvisor.rule_info import FAMILIES, RuleInfo

if TYPE_CHECKING:
    from lstmadvisor.report.probe_card import Card as ProbeCard

_UNFIT = re.compile(r"[^\w.-]+", re.ASCII)
_STATES = ("undecided", "error", "passed", "not-applicable")


@dataclass(frozen=True)
class Card:
    """A finding, ready to be shown."""

    id: str
    finding: Finding
    severity: str
    family: str
    excerpts: tuple[Excerpt, ...]
    notes: tuple[Evidence, ...]
    """evidence without a source at hand"""
    why: Markup
    """from the rule's page, for the first finding of a rule only"""
    why_at: str
    """the anchor of that"""


@dataclass(frozen=True)
class Judged:
    """Rules that came to the same outcome for the same reason, in these programs."""

    rule: str
    code: str
    summary: str
    reason: str
    programs: tuple[str, ...]


def report_html(report: Report, about: Reproduction, rules: Mapping[str, RuleInfo]) -> str:
    """The whole file.  `rules` are those of the review, by code."""
    sources = Sources(report.sources, _places(report.findings))
    cards = list(_cards(report, sources, rules))
    style, script = _asset("report.css"), _asset("report.js")
    probes = _probes(report)
    environment = _environment()
    environment.filters.update(href=sources.href, linked=_linker(cards))
    return environment.get_template("report.html.j2").render(
        report=report,
        about=about,
        verdict=verdict(report),
        title=report.programs[0].path if len(report.programs) == 1 else _files(report),
        scorecards=by_action(report.scorecard),
        probes=probes,
        shown=probes[0].shown if probes else {},
        measured=[card for card in cards if card.family == "probe"],
        groups={severity.value: [c for c in cards if c.severity == severity.value] for severity in Severity},
        whys={card.why_at for card in cards if card.why},
        families=[family for family in FAMILIES if any(card.family == family for card in cards)],
        paths=sorted({card.finding.at.path for card in cards}),
        outcomes={state: _judged(report.outcomes, state, rules) for state in _STATES},
        facts=[(program, facts_table(program)) for program in report.programs] if report.scorecard else [],
        files=list(sources.files(_badges(cards))),
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped("reports")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    environment.filters.update(sentence=sentence, capital=_capital, plain=safe, diff=diff_html)
    return environment


def _shown(value: Any) -> Any:
    """What `{{ value }}` becomes: text is escaped by `spelt`, so that no character of it can mislead the eye."""
    return spelt(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _linker(cards: Sequence[Card]) -> Callable[[Markup], Markup]:
    """What turns the codes in a sentence into links to the first finding of that code."""
    ids: dict[str, str] = {}
    for card in cards:
        ids.setdefault(card.finding.code, card.id)
    codes = re.compile("|".join(rf"\b{re.escape(code)}\b" for code in ids) or "(?!)")
    link = Markup('<a href="#{}">{}</a>')
    return lambda text: Markup(codes.sub(lambda match: link.format(ids[match[0]], match[0]), text))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _asset(name: str) -> str:
    return (Path(shipped("reports")) / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """A content security policy that allows this file's own style and script, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _files(report: Report) -> str:
    return f"{len(report.programs)} programs" if report.programs else "no recurrent network"


def _places(findings: Sequence[Finding]) -> Iterator[Place]:
    for finding in findings:
        yield finding.at
        yield from (evidence.at for evidence in finding.evidence if evidence.at)


def _probes(report: Report) -> list[ProbeCard]:
    """The card of each program that was run; of the first the charts have the ids that findings link to."""
    measured = [(program, program.probe) for program in report.programs if not isinstance(program.probe, Unknown)]
    if not measured:
        return []
    from lstmadvisor.report.probe_card import probe_card

    return [
        probe_card(program, probe, "chart" if number == 1 else f"chart{number}")
        for number, (program, probe) in enumerate(measured, 1)
    ]


def _cards(report: Report, sources: Sources, rules: Mapping[str, RuleInfo]) -> Iterator[Card]:
    ids: Counter[str] = Counter()
    why_at: dict[str, str] = {}
    for finding in sorted(report.findings, key=cost):
        name = _UNFIT.sub("-", f"{finding.code}-{finding.at.path}-{_cell(finding.at)}{finding.at.line}")
        ids[name] += 1
        id = name if ids[name] == 1 else f"{name}-{ids[name]}"
        first = finding.code not in why_at
        info = rules.get(finding.code)
        yield Card(
            id=id,
            finding=finding,
            severity=finding_severity(finding),
            family=info.family if info else next((f for f, codes in FAMILIES.items() if codes == finding.code[:3]), ""),
            excerpts=tuple(_excerpts(finding, sources)),
            notes=tuple(e for e in finding.evidence if not (e.at and sources.has_line(e.at))),
            why=_why(info) if first and info else Markup(),
            why_at=why_at.setdefault(finding.code, f"why-{id}"),
        )


def _cell(at: Place) -> str:
    return "" if at.cell is None else f"cell{at.cell}-"


def _excerpts(finding: Finding, sources: Sources) -> Iterator[Excerpt]:
    spans = [Span(finding.at, finding.label, "p"), *(Span(e.at, e.text, "q") for e in finding.evidence if e.at)]
    texts: dict[str, list[Span]] = {}
    for span in spans:
        if sources.has_line(span.at):
            texts.setdefault(source_key(span.at), []).append(span)
    return map(sources.excerpt, texts.values())


def _why(info: RuleInfo) -> Markup:
    try:
        return markdown(pages.read(info.page).sections["Why it matters"])
    except UserError:  # a rule of one's own may lack its page
        return Markup()


def _judged(outcomes: Sequence[Outcome], state: str, rules: Mapping[str, RuleInfo]) -> list[Judged]:
    programs: dict[tuple[str, str, str], list[str]] = {}
    for outcome in outcomes:
        if outcome.state == state:
            programs.setdefault((outcome.code, outcome.rule, outcome.reason), []).append(outcome.program)
    return [
        Judged(rule, code, rules[code].summary if code in rules else "", reason, tuple(where))
        for (code, rule, reason), where in sorted(programs.items())
    ]


def _badges(cards: Sequence[Card]) -> dict[tuple[str, int], list[Badge]]:
    badges: dict[tuple[str, int], list[Badge]] = {}
    for card in cards:
        at = card.finding.at
        badge = Badge(f"#{card.id}", card.finding.code, card.severity)
        badges.setdefault((source_key(at), at.line), []).append(badge)
    return badges
