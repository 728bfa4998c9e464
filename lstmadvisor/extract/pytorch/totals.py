"""Sums of losses that a program keeps for display: whether they keep the graphs of the losses alive."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Term, Value, options
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT

_FREES = frozenset("item detach detach_ tolist numpy gather gather_for_metrics all_reduce reduce all_gather".split())


def running_total(run: Run, steps: Steps, use: Term, training: Training) -> Fact:
    """Whether a sum of losses over several turns of a loop keeps what each loss was computed from."""
    differentiated = {id(v.at.node) for v in steps.origins.walk(training.loss) if isinstance(v, Term)}
    detached: Fact = ABSENT
    for term, before, operand in _sums(run):
        known = id(term.at.node) in differentiated or not training.around(term)
        if known or not _outlives_step(term, before, training):
            continue
        if any(_is_loss(v, use) and _makes_graph(v) for v in steps.origins.walk(operand, stop=_frees)):
            return inferred("keeps-graph", place(term.at))
        if any(_is_loss(v, use) for v in steps.origins.walk(operand)):
            detached = inferred("detached", place(term.at))
    return detached


def _sums(run: Run) -> Iterator[tuple[Term, Term, Value]]:
    """Additions to a total that an earlier turn of a loop has begun: the addition, the earlier one, what is added."""
    for term in run.trace:
        if term.op != "binop" or term.name not in ("+=", "+") or len(term.args) != 2 or not term.scope.active:
            continue
        for total, operand in (tuple(term.args), tuple(reversed(term.args))):
            for each in options(total):
                if isinstance(each, Term) and each.at.node is term.at.node and _makes_graph(term):
                    yield term, each, operand


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
