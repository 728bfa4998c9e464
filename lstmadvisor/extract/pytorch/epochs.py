"""How often the outer training loop turns, whatever a turn is called and however the loop ends."""

from __future__ import annotations

from lstmadvisor.extract.abstract.conditions import alternatives, turns_until
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Loop, Opaque, Term
from lstmadvisor.extract.common import Fact, fact, place
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.facts import Known, Unknown


def epochs(run: Run, training: Training | None) -> Fact:
    """The turns of the outer training loop that really happen in the default run."""
    if training is None:
        return Unknown(unknown="no training loop was found")
    loop = training.epochs
    if loop is None:
        return Unknown(unknown="the training step is in no loop", at=place(training.backward.at))
    return count(run, loop, training)


def count(run: Run, loop: Loop, training: Training) -> Fact:
    """How often `loop` turns: its own count, or a condition on a counter that ends it sooner."""
    limits = [*_of_while(loop), *_of_exits(run, loop, training)]
    own = loop.count
    if isinstance(own, Const) and isinstance(own.value, int):
        sooner = [limit for limit in limits if limit[0] < own.value]
        if not sooner:
            return fact(own)
        limits = sooner
    if limits:
        turns, limit = min(limits, key=lambda each: each[0])
        return _known(turns, limit)
    if isinstance(own, Opaque):
        return Unknown(unknown=own.why, at=place(own.at) or place(loop.spot))
    return fact(own)


def _known(turns: int, limit: Const) -> Fact:
    for each in (limit, limit.root):
        if each is not None and each.value == turns:
            return fact(each)
    found = fact(limit)
    return Known(value=turns, via="arithmetic", at=found.at)


def _of_while(loop: Loop) -> list[tuple[int, Const]]:
    out: list[tuple[int, Const]] = []
    for turn, condition in enumerate(loop.conditions):
        for compare, side in alternatives(condition, False):
            found = turns_until(compare, side, loop, turn)
            if found is not None:
                out.append(found)
    return out[-1:]


def _of_exits(run: Run, loop: Loop, training: Training) -> list[tuple[int, Const]]:
    """Turns after which a counter that a `break` or `return` hangs on alone ends the loop."""
    out: list[tuple[int, Const]] = []
    for term in exits(run, loop):
        conditions = term.scope.conditions[loop.outside :]
        if len(conditions) != 1:
            continue
        turn = next(t for each, t in term.scope.loops if each is loop)
        after = 1 if term.serial > training.backward.serial else 0
        for compare, side in alternatives(*conditions[0]):
            found = turns_until(compare, side, loop, turn)
            if found is not None:
                out.append((found[0] + after, found[1]))
    return out


def exits(run: Run, loop: Loop) -> list[Term]:
    """The `break`s and `return`s that end `loop`."""
    found: list[Term] = []
    for term in run.trace:
        if term.op not in ("break", "return") or not term.scope.active or not term.scope.loops:
            continue
        if term.op == "break":
            left = term.scope.loops[-1:]
        else:
            left = term.scope.loops[term.scope.frames[-1].loops :] if term.scope.frames else ()
        if any(each is loop for each, _ in left):
            found.append(term)
    return found


__all__ = ["Steps", "count", "epochs", "exits"]


def turns_of_while(loop: Loop) -> Fact | None:
    """How often a `while` loop turns whose condition hangs on a counter; None where that is not known."""
    limits = _of_while(loop)
    return _known(*min(limits, key=lambda each: each[0])) if limits else None
