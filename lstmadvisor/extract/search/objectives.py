"""What a user's objective function, which a search calls for every trial, is judged by."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.modules import Module
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Function, Spot, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.data.pipelines import ask
from lstmadvisor.facts import Unknown
from lstmadvisor.patterns import regex

_TEST = regex(r"(?<![a-z])test(?!ing|_size|_split)|Test(?!ing)")
_VALIDATION = regex(r"(?<![a-z])val(?![a-tv-z])|valid|(?<![a-z])dev(?!ice)|held_?out|cross_val", re.I)
_UNKNOWN = Unknown(unknown="what the objective returns is not followed")
_MOST = 300
"""Values that are looked at behind a result."""


def judged_by(run: Run, function: Value | None) -> Fact:
    """The data that an objective returns its score of: test, validation or training."""
    if not isinstance(function, (Function, Bound)):
        return _UNKNOWN
    inner = function.function if isinstance(function, Bound) else function
    at = Spot(inner.env.module, inner.node)
    result = ask(run, function, [run.term("param", "trial", None, [], at=at)])
    trained = {
        id(term.base.at.node)
        for term in run.trace
        if term.op == "method" and term.name == "backward" and isinstance(term.base, Term)
    }
    told = [_data_of(each, trained) for each in options(result) if isinstance(each, Term)]
    if len({data for data, _ in told}) != 1:
        return _UNKNOWN
    data, spot = told[0]
    return inferred(data, place(spot)) if data else _UNKNOWN


def _data_of(value: Term, trained: set[int]) -> tuple[str, Spot]:
    """Which data a score was computed on, by the names in the code that computes it, and where; empty if none tells."""
    for each in walk(value, _MOST):
        if not isinstance(each, Term) or each.op not in ("call", "method", "apply", "item", "attr"):
            continue
        test, validation = (
            next((spot for spot, text in _texts(each) if name.search(text)), None) for name in (_TEST, _VALIDATION)
        )
        if test is not None and validation is not None:
            return "", value.at
        if test is not None:
            return "test", test
        if validation is not None:
            return "validation", validation
        if id(each.at.node) in trained:
            return "training", value.at
    return "", value.at


def _texts(term: Term) -> Iterator[tuple[Spot, str]]:
    """The code of a term, of the calls that lead to it and of what the loops around it go through."""
    yield term.at, _code(term.at.module, term.at.node)
    for frame in term.scope.frames[1:]:
        if frame.spot is not None:
            yield frame.spot, _code(frame.spot.module, frame.spot.node)
    for loop, _ in term.scope.loops:
        node = loop.spot.node
        if isinstance(node, cst.For):
            yield loop.spot, _code(loop.spot.module, node.iter)


def _code(module: Module | None, node: cst.CSTNode | None) -> str:
    return module.code(node, 400) if module is not None and node is not None else ""
