"""All that a rule file imports.

A rule is a generator over facts, declared by a decorator:

    @rule(code="LA203", name="clip-after-step", summary="Gradients are clipped after the optimizer used them.",
          family="training", topic="clip-misplaced", severity="error", grade="A",
          frameworks=("pytorch",), needs=("clipping",))
    def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
        for clip in active(program.clipping):
            ...

It is pure: no I/O, no syntax, no state.  Silence means passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lstmadvisor.edits import (
    AddHelper,
    AppendArgument,
    AppendToBody,
    Edit,
    ExtendArgument,
    InsertAtTop,
    InsertItem,
    InsertStatements,
    MoveStatement,
    RemoveArgument,
    RemoveStatement,
    RenameArgument,
    RenameImported,
    ReplaceCallee,
    ReplaceExpression,
    ReplaceStatement,
    SetArgument,
    SetValue,
    UnwrapCall,
    WrapStatements,
)
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Checkpoint,
    Clipping,
    Dataset,
    DeadSetting,
    DenseLayer,
    Draw,
    Dropout,
    EarlyStopping,
    Edge,
    Embedding,
    EpochLoop,
    HiddenState,
    Initialization,
    Item,
    Known,
    Loss,
    Many,
    Metric,
    Normalization,
    Optimizer,
    Option,
    Output,
    Padding,
    Pass,
    Place,
    Program,
    Read,
    RecurrentLayer,
    Regularizer,
    RemovedArgument,
    Reshape,
    Scaling,
    Schedule,
    Seed,
    Split,
    Step,
    Targets,
    TrainingStep,
    Tuning,
    Unknown,
    Unregistered,
    Validation,
    Value,
    items,
    known,
    plain,
)
from lstmadvisor.model import Evidence, Finding, Fix, Severity, Undecided
from lstmadvisor.options import NoOptions, Options
from lstmadvisor.remedies import (
    argument,
    display,
    kept_weights,
    loaded_weights,
    safe,
    unsafe,
    without_activation,
    written,
)
from lstmadvisor.restraint import may_be_restrained, recurrent_parameters
from lstmadvisor.rule_info import Family, FixKind, Framework, GradeName, RuleInfo, SeverityName, Topic
from lstmadvisor.stacks import Stack, stacks

if TYPE_CHECKING:
    from lstmadvisor.measured import Probe

__all__ = [
    "ABSENT",
    "UNSEEN",
    "AddHelper",
    "AppendArgument",
    "AppendToBody",
    "Check",
    "Checkpoint",
    "Clipping",
    "Dataset",
    "DeadSetting",
    "DenseLayer",
    "Draw",
    "Dropout",
    "EarlyStopping",
    "Edge",
    "Edit",
    "Embedding",
    "EpochLoop",
    "Evidence",
    "ExtendArgument",
    "Finding",
    "Fix",
    "HiddenState",
    "Initialization",
    "InsertAtTop",
    "InsertItem",
    "InsertStatements",
    "Item",
    "Iterator",
    "Known",
    "Loss",
    "Many",
    "Metric",
    "MoveStatement",
    "NoOptions",
    "Normalization",
    "Optimizer",
    "Option",
    "Options",
    "Output",
    "Padding",
    "Pass",
    "Place",
    "Program",
    "Read",
    "RecurrentLayer",
    "Regularizer",
    "RemoveArgument",
    "RemoveStatement",
    "RemovedArgument",
    "RenameArgument",
    "RenameImported",
    "ReplaceCallee",
    "ReplaceExpression",
    "ReplaceStatement",
    "Reshape",
    "Rule",
    "Scaling",
    "Schedule",
    "Seed",
    "SetArgument",
    "SetValue",
    "Severity",
    "Split",
    "Stack",
    "Step",
    "Targets",
    "TrainingStep",
    "Tuning",
    "Undecided",
    "Unknown",
    "Unregistered",
    "UnwrapCall",
    "Validation",
    "Value",
    "WrapStatements",
    "active",
    "argument",
    "aside",
    "display",
    "items",
    "kept_weights",
    "known",
    "loaded_weights",
    "may_be_restrained",
    "measured",
    "mixes_batch",
    "notes",
    "number",
    "of_keras",
    "plain",
    "recurrent_parameters",
    "rule",
    "safe",
    "stacks",
    "unclear",
    "undecided",
    "unsafe",
    "where",
    "without_activation",
    "written",
]  # fmt: skip


Check = Callable[[Program, Any], Iterator[Finding | Undecided]]
"""What `@rule` decorates: facts and options in, findings (or what was missing to judge) out."""


@dataclass(frozen=True)
class Rule(RuleInfo):
    """A rule that can be run."""

    options: type[Options] = field(default=NoOptions, compare=False)
    check: Check = field(default=lambda program, options: iter(()), compare=False, repr=False)


def rule(
    *,
    code: str,
    name: str,
    summary: str,
    family: Family,
    topic: Topic,
    severity: SeverityName,
    grade: GradeName,
    article: str | None = None,
    frameworks: tuple[Framework, ...] = ("pytorch", "keras"),
    needs: tuple[str, ...] = (),
    enabled: bool = True,
    fix: FixKind | None = None,
    options: type[Options] = NoOptions,
) -> Callable[[Check], Rule]:
    """Declares the decorated generator as a rule.  Write every argument but `options` as a literal.

    severity: the default; a finding may carry its own.
    needs: dotted paths of facts ("clipping", "training_step.order").  If all of them are empty or
        absent the rule is not applicable; if one is unknown and nothing was found it is undecided.
    enabled: False for rules that run only when selected by name or code.
    """

    def declare(check: Check) -> Rule:
        path = Path(check.__code__.co_filename)
        return Rule(
            code, name, summary, family, topic, severity, grade, article, frameworks, needs, enabled, fix, path,
            options=options, check=check,
        )  # fmt: skip

    return declare


AnyItem = TypeVar("AnyItem", bound=Item)


def active(many: Iterable[AnyItem] | Unknown) -> tuple[AnyItem, ...]:
    """The items that the default run uses; none where the list is unknown."""
    return tuple(item for item in items(many) if item.active)


def number(fact: Value) -> int | float | None:
    """The finite number that a leaf holds; None if it is unknown, absent, a search range or not a number."""
    value = plain(fact)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < inf else None


def measured(program: Program) -> Probe | None:
    """What a probe measured of the program; None if there was no probe, or it came to nothing."""
    return None if isinstance(program.probe, Unknown) else program.probe


def mixes_batch(program: Program) -> bool | None:
    """Whether the answer for one sequence was measured to depend on its neighbours in the batch; None: not measured."""
    probe = measured(program)
    if probe is None or len(probe.checks.mixes) != 2 or probe.checks.first_bad is not None:
        return None
    if all(probe.checks.mixes):
        return True
    axis = probe.statistics.batch_axis
    return None if axis is None else probe.checks.mixes[axis]


def unclear(fact: object) -> bool:
    """Whether the code was asked for `fact` and did not tell.  False where the question does not arise (`UNSEEN`)."""
    return isinstance(fact, Unknown) and fact != UNSEEN


def aside(item: Item) -> str:
    """What a message ends in when it speaks of something that only other settings lead to."""
    return "" if item.active else " (on a path that the defaults do not take)"


def of_keras(program: Program, layer: RecurrentLayer) -> bool:
    """Whether a recurrent layer is one of Keras, in a program that may use both frameworks."""
    return program.framework == "keras" or (program.framework == "both" and known(layer.return_sequences))


def undecided(fact: object, what: str = "") -> Undecided:
    """The judgement fails for want of `fact`; `what` names it, as in `undecided(layer.units, "units")`."""
    reason = fact.unknown if isinstance(fact, Unknown) else "not known"
    return Undecided(missing=f"{what}: {reason}" if what else reason, at=fact.at if isinstance(fact, Unknown) else None)


def where(*candidates: Value | Item | Program | Place | None) -> Place:
    """The first place that the candidates have: `where(layer.dropout, layer)` is where the rate is written,
    or else where the layer is built.  A program stands for the first line of its entry file."""
    for candidate in candidates:
        if isinstance(candidate, Place):
            return candidate
        if isinstance(candidate, Program):
            return Place(path=candidate.path, line=1)
        if candidate is not None and candidate.at is not None:
            return candidate.at
    raise ValueError("none of the facts has a place")


def notes(at: Place, *candidates: tuple[Value | Item | Place | None, str]) -> tuple[Evidence, ...]:
    """Evidence at further places: those of the candidates that have a place other than `at`, each once."""
    texts: dict[Place, str] = {}
    for candidate, text in candidates:
        place = candidate if isinstance(candidate, Place) else candidate.at if candidate is not None else None
        if place is not None and place != at:
            texts.setdefault(place, text)
    return tuple(Evidence(at=place, text=text) for place, text in texts.items())
