"""The article, line by line, held against a program.

The judgement rests on facts alone; what the rules found only raises the action of a line to "change".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from lstmadvisor.facts import Program
from lstmadvisor.model import Finding, Outcome, ScorecardLine, Severity
from lstmadvisor.scorecard import activating, dropping, network, sequences, starting, stepping, stopping, study
from lstmadvisor.scorecard.answers import Answer, inapplicable, used
from lstmadvisor.scorecard.article import ARTICLE, ELSEWHERE, Recommendation

JUDGES: Final[dict[str, Callable[[Program], Answer]]] = {
    "A01": study.tuning,
    "A02": study.repeated_runs,
    "H1": network.units_and_layers,
    "H2": network.dense_layers,
    "H3": dropping.dropout,
    "H4": starting.initialisation,
    "H5": dropping.decay_rate,
    "H6": activating.activations,
    "H7": stepping.learning_rate,
    "H8": stepping.momentum,
    "H9": stopping.epochs,
    "H10": sequences.batch_size,
    "T1": stepping.adaptive_optimizer,
    "T2": stepping.clipping,
    "T3": sequences.loss_normalisation,
    "T4": sequences.chunks,
    "T5": network.gru,
    "T6": network.layer_normalisation,
    "T7": network.layers_on_the_input,
    "T8": starting.initial_state,
    "T9/T10": starting.forget_bias,
    "T11": dropping.regularisation,
    "F1": stopping.training_loss,
    "F2": stopping.in_passing,
}
"""Who judges which item."""
_OF_TRAINING = frozenset("A01 A02 H5 H7 H8 H9 H10 T1 T2 T3 T4 T11 F1".split())
_OF_RECURRENCE = frozenset("H1 H4 T4 T5 T6 T7 T8 T9/T10".split())


def scorecard(program: Program, outcomes: Sequence[Outcome], findings: Sequence[Finding]) -> tuple[ScorecardLine, ...]:
    """Every recommendation of the article, in its order, with what `program` does about it."""
    loud = tuple(_loud(program, outcomes, findings))
    return tuple(_line(program, item, loud) for item in ARTICLE)


def _line(program: Program, item: Recommendation, loud: Sequence[Finding]) -> ScorecardLine:
    answer = _answer(program, item.item)
    if answer.verdict == "could not tell" and not answer.next:
        answer = replace(answer, next=item.check)
    answer = _raised(answer, [finding for finding in loud if _belongs(finding, item)])
    return ScorecardLine(
        item=item.item,
        title=item.title,
        says=item.says,
        found=answer.found,
        verdict=answer.verdict,
        action=answer.action,
        grade=item.grade,
        note=" ".join(answer.notes),
        at=answer.at,
        next=answer.next,
        program=program.path,
    )


def _answer(program: Program, item: str) -> Answer:
    if item in _OF_TRAINING and _trains_nothing(program):
        return inapplicable("the file trains nothing")
    if item in _OF_RECURRENCE and used(program.recurrent_layers) == ():
        return inapplicable("no recurrent layer")
    return JUDGES[item](program)


def _trains_nothing(program: Program) -> bool:
    return program.api == "module" and program.optimizers == ()


def _loud(program: Program, outcomes: Sequence[Outcome], findings: Sequence[Finding]) -> Iterator[Finding]:
    """The errors and warnings of this program."""
    failed = {one.rule for one in outcomes if one.program == program.path and one.state == "failed"}
    files = {program.path, *program.files}
    for finding in findings:
        serious = finding.severity in (Severity.ERROR, Severity.WARNING)
        if serious and finding.rule in failed and finding.at.path in files:
            yield finding


def _belongs(finding: Finding, item: Recommendation) -> bool:
    if finding.rule in ELSEWHERE:
        return ELSEWHERE[finding.rule] == item.item
    return finding.topic in item.topics


def _raised(answer: Answer, findings: Sequence[Finding]) -> Answer:
    """The answer in the light of what rules found on its topic."""
    if not findings:
        return answer
    rules = ", ".join(dict.fromkeys(f"{finding.code} {finding.rule}" for finding in findings))
    if answer.action == "change":
        return replace(answer, next=f"{answer.next.rstrip('.')} ({rules}).")
    first = max(findings, key=lambda finding: finding.severity.rank if finding.severity else 0)
    said = (first.help or first.message).rstrip(".")
    return replace(answer, action="change", next=f"{said[:1].upper()}{said[1:]} ({rules}).", at=first.at)
