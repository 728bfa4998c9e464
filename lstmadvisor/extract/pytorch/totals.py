"""Sums of losses that a program keeps for display: whether they keep the graphs of the losses alive."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT, Unknown

_FREES = frozenset("item detach detach_ tolist numpy gather gather_for_metrics all_reduce reduce all_gather".split())


def running_total(run: Run, steps: Steps, use: Term, training: Training) -> tuple[Fact, Fact]:
    """Whether a sum of losses over several turns of a loop keeps what each was computed from, and what is added."""
    differentiated = {id(v.at.node) for v in steps.origins.walk(training.loss) if isinstance(v, Term)}
    detached: Fact = ABSENT
    for term, before, operand, right in _sums(run):
        known = id(term.at.node) in differentiated or not training.around(term)
        if known or not _outlives_step(term, before, training):
            continue
        if any(_is_loss(v, use) and _makes_graph(v) for v in steps.origins.walk(operand, stop=_frees)):
            return inferred("keeps-graph", place(term.at)), _written(term, right)
        if any(_is_loss(v, use) for v in steps.origins.walk(operand)):
            detached = inferred("detached", place(term.at))
    return detached, ABSENT


def _written(term: Term, right: bool) -> Fact:
    """The expression that is added, where the code has it."""
    node, module = term.at.node, term.at.module
    if isinstance(node, cst.AugAssign) and right:
        added = node.value
    elif isinstance(node, cst.BinaryOperation):
        added = node.right if right else node.left
    else:
        return Unknown(unknown="no expression that is added")
    assert module is not None
    return inferred(module.tree.code_for_node(added), place(Spot(module, added)))


def _sums(run: Run) -> Iterator[tuple[Term, Term, Value, bool]]:
    """Additions to a total that an earlier turn of a loop has begun: the addition, the earlier one, what is added,
    and whether that stands on the right."""
    for term in run.trace:
        if term.op != "binop" or term.name not in ("+=", "+") or len(term.args) != 2 or not term.scope.active:
            continue
        left, right = term.args
        for total, operand in ((left, right), (right, left)):
            for each in options(total):
                if isinstance(each, Term) and each.at.node is term.at.node and _makes_graph(term):
                    yield term, each, operand, operand is right


def _outlives_step(term: Term, before: Term, training: Training) -> bool:
    """Whether the total goes on from one training step to the next; one over the time steps of a sequence does not."""
    outer = {id(loop) for loop, _ in training.turn}
    turns, earlier = ({id(loop): turn for loop, turn in t.scope.loops} for t in (term, before))
    if not outer <= set(turns):  # an evaluation, between two epochs
        return True
    return any(turns[loop] != earlier.get(loop) for loop in outer)


def _is_loss(value: Value, use: Term) -> bool:
    """Whether a value is a result of the training's loss function, here or in an evaluation."""
    if not isinstance(value, Term) or value.op != use.op:
        return False
    if value.at.node is use.at.node:
        return True
    if value.op == "apply":
        return any(a is b for a in options(value.base) for b in options(use.base))
    return value.op == "call" and value.name == use.name


def _makes_graph(value: Value) -> bool:
    return isinstance(value, Term) and not value.inside("no_grad", "inference_mode")


def _frees(value: Value) -> bool:
    if not isinstance(value, Term):
        return False
    if value.op == "method":
        return value.name in _FREES
    if value.op == "attr":
        return value.name == "data"
    return value.op == "call" and last(value.name) in ("float", "int", *_FREES)


__all__ = ["running_total"]
