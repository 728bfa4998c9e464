"""Keras training: who is compiled and trained, with which arguments, how often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import libcst as cst

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    Instance,
    Map,
    Opaque,
    Seq,
    Spot,
    Term,
    Value,
    options,
)
from lstmadvisor.extract.common import Fact, first_turns
from lstmadvisor.extract.keras.graph import Graph
from lstmadvisor.extract.keras.kinds import ESTIMATORS, Model
from lstmadvisor.facts import Item, Known, Place, Unknown

ItemT = TypeVar("ItemT", bound=Item)

FIT = ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle")
FIT_GENERATOR = ("generator", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data")
COMPILE = ("optimizer", "loss", "metrics", "loss_weights")
_DATASETS = frozenset(
    "batch prefetch repeat cache map shuffle take skip with_options unbatch padded_batch flow flow_from_directory "
    "flow_from_dataframe as_dataset interleave zip window flat_map concatenate apply bucket_by_sequence_length".split()
)
_MOST_VARIANTS = 3
"""Different builds of one source line that are listed one by one; of more (a search by hand) the last counts."""


@dataclass(eq=False)
class Fit:
    """One act of training: `fit`, `fit_generator`, `search` of a tuner, `train_on_batch`, a tape's step."""

    term: Term
    way: str
    model: Model | None
    given: dict[str, Value] = field(default_factory=dict)

    def argument(self, name: str) -> Value | None:
        """An argument by name or position."""
        if name in self.given:
            return self.given[name]
        names = FIT_GENERATOR if self.way == "fit_generator" else FIT
        return self.term.argument(name, names.index(name) if name in names else None)

    @property
    def line(self) -> int:
        """What models share that one source line builds; of a model that is not known the fit's own line."""
        value = self.model.value if self.model is not None else None
        return id(value.at.node if value is not None and value.at is not None else self.term.at.node)

    @property
    def data(self) -> Value | None:
        """What the model is trained on."""
        if self.way == "fit_generator":
            return self.term.argument("generator", 0)
        return self.argument("x")


class Training:
    """The calls of a run that compile and train, of recurrent models where there are any."""

    def __init__(self, run: Run, graph: Graph) -> None:
        self.run = run
        self.graph = graph
        self.groups = graph.recurrent_groups()
        self.all_compiles = [t for t in run.trace if t.op == "method" and t.name == "compile" and self._is_compile(t)]
        self.compiles = [t for t in self.all_compiles if self.relevant(graph.model(t.base))]
        self.all_fits = list(self._fits())
        self.fits = [f for f in self.all_fits if self.relevant(f.model)]
        self.steps = [
            t
            for t in run.trace
            if t.op == "method" and t.name in ("apply_gradients", "minimize") and t.scope.active and not _is_tf1(t)
        ]

    def relevant(self, model: Model | None) -> bool:
        """Whether a model counts: a recurrent one, any where there is none, one that was not recognised."""
        return not self.groups or model is None or model.group in self.groups

    def _is_compile(self, term: Term) -> bool:
        if self.graph.model(term.base) is not None:
            return True
        return bool({"optimizer", "loss"} & set(term.kwargs)) and not isinstance(term.base, Opaque | None)

    def _fits(self) -> Iterator[Fit]:
        for term in self.run.trace:
            if term.op == "call" and term.name.rsplit(".", 1)[-1] in ESTIMATORS and term.scope.active:
                yield from self._wrapped(term)
            if term.op != "method" or not term.scope.active:
                continue
            if term.name in ("fit", "fit_generator", "train_on_batch") and self._trains(term):
                yield Fit(term, term.name, self.graph.model(term.base))
            elif term.name == "search" and any(_made_by(o, "keras_tuner.") for o in options(term.base)):
                yield Fit(term, "search", None)

    def _wrapped(self, term: Term) -> Iterator[Fit]:
        """The estimator trains with the settings it was made with, or with those that a search tries."""
        names = ("epochs", "nb_epoch", "batch_size", "callbacks", "validation_split", "validation_data", "shuffle")
        given: dict[str, Value] = {}
        for source in (term.kwargs, frameworks.grid_of(self.run, term)):
            for name, value in source.items():
                plain = name.rsplit("__", 1)[-1]
                if plain in names:
                    given[plain] = value
        yield Fit(term, "wrapper", self.graph.model(term), given)

    def _trains(self, term: Term) -> bool:
        if any(
            isinstance(o, Term) and o.op == "call" and o.name.rsplit(".", 1)[-1] in ESTIMATORS
            for o in options(term.base)
        ):
            return False
        return frameworks.is_training(self.run, term)

    def first_fits(self) -> list[Fit]:
        """Fits without the second reading of loops, one per place and model."""
        kept = {id(t) for t in first_turns(f.term for f in self.fits)}
        return [f for f in self.fits if id(f.term) in kept]

    def main_fits(self) -> list[Fit]:
        """The fits that count where a program has one setting: of models built by one line the last that validates."""
        chosen: dict[int, list[Fit]] = {}
        for fit in self.fits:
            if any(turn for loop, turn in fit.term.scope.loops if not loop.unrolled):
                continue
            before = chosen.setdefault(fit.line, [])
            if before and _deeper(fit.term, before[-1].term):
                continue
            same = before and fit.model is not None and before[-1].model is fit.model
            if before and (same or before[-1].term.at.node is fit.term.at.node):
                before.append(fit)
            elif not before or validated(fit) or not validated(before[-1]):
                before[:] = [fit]
        return [f for fits in chosen.values() for f in fits]

    def trained(self, model: Model | None) -> bool:
        """Whether something is fitted on a model (or on one that shares its layers)."""
        return model is not None and any(f.model is not None and f.model.group == model.group for f in self.all_fits)

    def trained_groups(self) -> set[int]:
        """The groups of layers that are fitted."""
        return {f.model.group for f in self.all_fits if f.model is not None}


def _deeper(one: Term, other: Term) -> bool:
    """Whether a call of a library's function by another of its functions says less than its call by a user."""
    virtual = any(f.virtual for f in one.scope.frames) and one.at.node is other.at.node
    return virtual and len(one.scope.frames) > len(other.scope.frames)


def validated(fit: Fit) -> bool:
    """Whether a fit gets validation data."""
    for name in ("validation_data", "validation_split"):
        value = fit.argument(name)
        if value is not None and not (isinstance(value, Const) and not value.value):
            return True
    return False


def _made_by(value: Value, prefix: str) -> bool:
    if isinstance(value, Instance):
        return value.term is not None and value.term.name.startswith(prefix)
    return isinstance(value, Term) and value.name.startswith(prefix)


def _is_tf1(term: Term) -> bool:
    return term.name == "minimize" and any(
        o.name.startswith("torch.") for o in options(term.base) if isinstance(o, Term)
    )


# -- what it is trained on ---------------------------------------------------------------------------------


def feeds(run: Run, fit: Fit) -> str:
    """arrays, dataset (batches made elsewhere) or unknown: what a fit is given."""
    if fit.way in ("fit_generator", "train_on_batch", "tape"):
        return "dataset"
    target = fit.argument("y")
    if fit.way == "wrapper":
        return "arrays"
    if target is not None and not (isinstance(target, Const) and target.value is None):
        return "arrays" if not isinstance(target, Opaque) else "unknown"
    answers = {_kind_of_data(run, o) for o in options(fit.data)}
    return answers.pop() if len(answers) == 1 else "unknown"


def _kind_of_data(run: Run, value: Value) -> str:
    for each in _spine(value):
        if isinstance(each, Instance):
            return "dataset"
        if isinstance(each, (Seq, Map)):
            return "arrays"
        if not isinstance(each, Term):
            continue
        last = each.name.rsplit(".", 1)[-1]
        if each.name.startswith("tensorflow.data.") or last.endswith(
            ("_dataset_from_array", "_dataset_from_directory", "Generator")
        ):
            return "dataset"
        if (each.op == "method" and last in _DATASETS) or (each.op == "comp" and each.name == "generator"):
            return "dataset"
        if each.name.startswith(("numpy.", "sklearn.", "keras.utils.pad_sequences", "pandas.")):
            return "arrays"
    return "unknown"


def _spine(value: Value) -> Iterator[Value]:
    """A value and what it is a part or a method's result of, nearest first."""
    here: Value | None = value
    for _ in range(40):
        if here is None:
            return
        yield here
        if isinstance(here, Choice):
            here = here.options[0] if here.options else None
        elif isinstance(here, Term):
            here = here.base if here.base is not None else None
        else:
            return


# -- places and lists ----------------------------------------------------------------------------------------


def written(term: Term, name: str, position: int | None) -> tuple[Place | None, str]:
    """Where an argument of a call is written (the keyword, if any), and its source text."""
    node, module = term.at.node, term.at.module
    if not isinstance(node, cst.Call) or module is None:
        return place(term.at), ""
    plain = [a for a in node.args if a.keyword is None and not a.star]
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return place(Spot(module, arg.keyword)), module.code(arg.value)
    if position is not None and position < len(plain):
        return place(Spot(module, plain[position])), module.code(plain[position].value)
    return place(term.at), ""


def argument_node(term: Term, name: str, position: int | None) -> cst.BaseExpression | None:
    """The expression of an argument."""
    node = term.at.node
    if not isinstance(node, cst.Call):
        return None
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    plain = [a for a in node.args if a.keyword is None and not a.star]
    return plain[position].value if position is not None and position < len(plain) else None


def distinct(pairs: Iterable[tuple[Any, ItemT]]) -> tuple[ItemT, ...]:
    """Items by key in order; of several builds of one source line the different ones."""
    buckets: dict[Any, list[ItemT]] = {}
    builds: dict[Any, int] = {}
    for key, item in pairs:
        bucket = buckets.setdefault(key, [])
        bucket[:] = [old for old in bucket if _without_places(old) != _without_places(item)]
        bucket.append(item)
        builds[key] = builds.get(key, 0) + 1
    out: list[ItemT] = []
    for key, bucket in buckets.items():
        search = len(bucket) > _MOST_VARIANTS or builds[key] > 2 * _MOST_VARIANTS
        out.extend(bucket[-1:] if search else bucket)
    return tuple(out)


def _without_places(item: Item) -> Any:
    def bare(thing: Any) -> Any:
        if isinstance(thing, dict):
            return {k: bare(v) for k, v in thing.items() if k not in ("at", "via", "input_units")}
        return [bare(t) for t in thing] if isinstance(thing, (list, tuple)) else thing

    return bare(item.model_dump())


def agreed(facts: list[Fact], what: str) -> Fact | None:
    """The one value that several facts share, or why there is none."""
    if not facts:
        return None
    first = facts[0]
    if all(isinstance(f, Known) and isinstance(first, Known) and f.value == first.value for f in facts):
        return first
    known = [f for f in facts if isinstance(f, Known)]
    if len(facts) == 1:
        return first
    if len(known) == len(facts):
        return Unknown(unknown=f"{what} differs: {', '.join(str(f.value) for f in known[:4])}", at=known[-1].at)
    return Unknown(
        unknown=f"{what} is not known for every training",
        at=next((f.at for f in facts if isinstance(f, Unknown)), None),
    )


def handed_over(run: Run) -> set[int]:
    """The values that some call of the trace receives."""
    seen: set[int] = set()
    for term in run.trace:
        if term.op == "setattr":
            continue
        queue: list[Value] = [*term.args, *term.kwargs.values()]
        if term.base is not None:
            queue.append(term.base)
        for value in queue:
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, Seq):
                queue.extend(value.items)
            elif isinstance(value, Map):
                queue.extend(value.entries.values())
            elif isinstance(value, Choice):
                queue.extend(value.options)
            elif isinstance(value, Term) and value.op in ("comp", "item", "attr", "binop", "text"):
                queue.extend([*value.args, *([value.base] if value.base is not None else [])])
    return seen
