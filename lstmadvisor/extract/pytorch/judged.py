"""The number that each epoch is judged by on validation data: what the code calls it, and where it is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Frame, Loop, Map, Named, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import inferred, nodes_down, place
from lstmadvisor.extract.pytorch.evaluation import Evaluation
from lstmadvisor.extract.pytorch.origins import Forward, is_loss
from lstmadvisor.extract.pytorch.spoken import around, depth_of, text_of
from lstmadvisor.extract.pytorch.steps import Training
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import EpochLoop, Place, Unknown
from lstmadvisor.nodes import below
from lstmadvisor.patterns import regex

_LOSS = regex(r"loss|err(or)?s?(?![a-z])|mse|mae|mape|perplex|ppl|nll|cost|criterion|entropy", re.I)
_SCORE = regex(r"acc|f1|f_?score|score|bleu|auc|correct|precision|recall|(?<![a-z])r2", re.I)
_VALIDATION = regex(r"(?<![a-z])val(?!ue)|valid|(?<![a-z])dev(?!ice)|(?<![a-z])eval", re.I)
_OF_EARLIER = regex(r"^_+$|best|min_|_min|max_|_max|lowest|highest|prev|last|old|history", re.I)
_REDUCES = frozenset(("mean", "sum", "item", "average", "nanmean", "median", "norm"))
_EQUAL = frozenset(("==", "eq", "equal"))


def judged(run: Run, training: Training | None, evaluation: Evaluation, loop: EpochLoop) -> EpochLoop:
    """The loop over the epochs with what it holds, after an evaluation on validation data, to judge the epoch by."""
    epochs = None if training is None else training.epochs
    if training is None or epochs is None or loop.at is None or getattr(epochs.spot.node, "orelse", None) is not None:
        return loop  # what stands in its `else` would not be reached any more
    judge = _Judge(run, training, epochs, evaluation)
    found = judge.measure() or judge.gathered() or judge.taken_by_nobody() or judge.told_to_nobody()
    if not found:
        why = "no number of an evaluation on validation data has a name in it"
        return loop.model_copy(update={"measure": Unknown(unknown=why, at=loop.at)})
    return loop.model_copy(update={**found, "improved": judge.improved()})


class _Judge:
    """Looks for the numbers that come from evaluations within one turn of the loop over the epochs."""

    def __init__(self, run: Run, training: Training, loop: Loop, evaluation: Evaluation) -> None:
        self._loop = loop
        self._origins = evaluation.origins
        self._frames = around(training, loop)
        depth = depth_of(training, loop)
        self._batches = {id(each.spot.node) for each in training.loops if each is not loop}
        here = [
            each
            for each in run.named
            if each.scope.frames[: len(self._frames)] == self._frames
            and len(each.scope.loops) > depth
            and each.scope.loops[depth] == (loop, 0)
        ]
        self._turn = [each for each in here if each.serial > training.backward.serial]
        self._lists = [each for each in here if isinstance(each.value, Seq) and each.scope.frames == self._frames]
        inside = [f for f, _ in evaluation.inside() if (loop, 0) in f.term.scope.loops]
        kinds = {forward.key: evaluation.named_after(forward.term) for forward in inside}
        self._forwards = {forward.key: forward for forward in inside}
        self._validating = {key for key, kind in kinds.items() if kind == "validation"}
        self._nameless = {key for key, kind in kinds.items() if not kind}

    def measure(self) -> dict[str, Any]:
        """What has a name in the function with the loop."""
        mine = [each for each in self._turn if each.scope.frames == self._frames and _is_one(each.value)]
        for named, lower in self._ranked(mine):
            block = self._block(named.target)
            if block is not None and not self._may_be_none(named.value):
                return self._told(text_of(named), lower, block)
        return {}

    def gathered(self) -> dict[str, Any]:
        """The mean of a list with the losses of all batches."""
        for named, lower in self._ranked(self._lists):
            last = self._block(named.target)
            inside = [f for f in self._forwards.values() if f.key in self._origins.given_by(named.value)]
            block = None if last is None or not inside else self._block(inside[0].term.at.node)
            if isinstance(named.target, cst.Name) and block is not None and block is last:
                name = named.target.value
                return self._told(f"sum({name}) / len({name})", lower, block)
        return {}

    def taken_by_nobody(self) -> dict[str, Any]:
        """What a function gives back to an expression in the loop that only shows it."""
        depth, module = len(self._frames), self._loop.spot.module
        frames = {
            id(f.term.scope.frames[depth]): f.term.scope.frames[depth]
            for f in self._forwards.values()
            if len(f.term.scope.frames) > depth and f.term.scope.frames[:depth] == self._frames
        }
        for frame in frames.values():
            call = None if frame.spot is None else frame.spot.node
            if frame.result is None or frame.spot is None or not isinstance(call, cst.Call) or module is None:
                continue
            if not _is_one(frame.result):
                continue
            lower = self._direction(frame.function.name, frame.result, self._validating)
            block = self._block(call)
            if lower is None or block is None or self._may_be_none(frame.result):
                continue
            return self._told(module.code(call), lower, block) | {"measured_by": place(frame.spot)}
        return {}

    def told_to_nobody(self) -> dict[str, Any]:
        """What has a name in a function that the loop calls as a statement, and that gives nothing back."""
        depth = len(self._frames)
        inner = [each for each in self._turn if len(each.scope.frames) == depth + 1 and _is_one(each.value)]
        for named, lower in self._ranked(inner):
            frame = named.scope.frames[-1]
            call, function = frame.spot.node if frame.spot is not None else None, frame.function.node
            if not isinstance(call, cst.Call) or not isinstance(function, cst.FunctionDef):
                continue
            block = self._block(call)
            silent = next(_nodes(function.body, cst.Return), None) is None
            if block is None or not silent or not _is_statement(self._loop.spot.node, call):
                continue
            if isinstance(named.target, cst.Name) and _block(function, named.target, set()) is function:
                told = self._told(text_of(named), lower, block)
                at, of = place(Spot(self._loop.spot.module, call)), Spot(frame.function.env.module, function)
                return told | {"measured_by": at, "measured_at": place(of)}
        return {}

    def improved(self) -> Place | None:
        """Where the best number so far is noted."""
        for each in self._turn:
            conditions = each.scope.conditions[self._loop.outside :]
            noted = each.scope.frames == self._frames and conditions and _OF_EARLIER.search(text_of(each))
            if noted and self._given(each.value, self._validating | self._nameless):
                return place(Spot(self._loop.spot.module, each.target))
        return None

    def _told(self, text: str, lower: bool, block: cst.CSTNode) -> dict[str, Any]:
        counts = isinstance(block, cst.If) and next(_nodes(block.test, cst.Modulo), None) is not None
        around = [n for n in nodes_down(self._loop.spot.node, block) or () if id(n) in self._batches]  # type: ignore[arg-type]
        return {
            "measure": inferred(text),
            "falls": inferred(lower),
            "measured": inferred("within-turns" if around else "some-turns" if counts else "every-turn"),
            "measured_in": place(Spot(self._loop.spot.module, block)),
        }

    def _block(self, target: cst.CSTNode | None) -> cst.CSTNode | None:
        block = None if target is None else _block(self._loop.spot.node, target, self._batches)
        return None if id(block) in self._batches else block

    def _ranked(self, candidates: list[Named]) -> list[tuple[Named, bool]]:
        """The last value of each name in the turn, with whether less is better: losses, then the last of the scores."""
        latest = {
            (text_of(each), id(each.scope.frames[-1]) if each.scope.frames else 0): each
            for each in candidates
            if not _OF_EARLIER.search(text_of(each))
        }
        found = [(each, lower) for each in latest.values() if (lower := self._lower(each)) is not None]
        losses, scores = ([one for one in found if one[1] is lower] for lower in (True, False))
        return sorted([*losses, *scores[::-1]], key=lambda one: (not one[1], not _VALIDATION.search(text_of(one[0]))))

    def _lower(self, named: Named) -> bool | None:
        """As `_direction`; a name that says validation may stand for data that have no telling name."""
        name = text_of(named)
        return self._direction(
            name, named.value, self._validating | (self._nameless if _VALIDATION.search(name) else set())
        )

    def _direction(self, name: str, value: Value, allowed: set[int]) -> bool | None:
        """True for a number that is the better the lower it is, False for the higher, None for what judges nothing."""
        given = self._given(value, allowed)
        if not given or not all(self._over_all(value, self._forwards[key]) for key in given):
            return None
        return self._better_lower(name, value)

    def _given(self, value: Value, allowed: set[int]) -> frozenset[int]:
        """The evaluations that a value comes from, if it comes from none but the allowed ones."""
        given = self._origins.given_by(value)
        return given if given <= allowed else frozenset()

    def _over_all(self, value: Value, forward: Forward) -> bool:
        """Whether a value takes in all batches of an evaluation, rather than only the last one."""
        batches = [each for each, _ in forward.term.scope.loops if not each.unrolled]
        batches = batches[next(n for n, each in enumerate(batches) if each is self._loop) + 1 :]
        return not batches or any(_gathers(each, batches[-1]) for each in self._behind(value))

    def _better_lower(self, name: str, number: Value) -> bool | None:
        """By its name and by what it is computed with; None where the two do not agree, or a sign is turned."""
        losses = scores = reduced = False
        for value in self._behind(number):
            if not isinstance(value, Term):
                continue
            if value.op == "binop" and value.name == "-" and (len(value.args) == 1 or isinstance(value.args[0], Const)):
                return None
            losses = losses or _computes_loss(value)
            reduced = reduced or value.name == "+=" or last(value.name) in _REDUCES
            scores = scores or value.name in _EQUAL or bool(value.op == "call" and _SCORE.search(last(value.name)))
        says_loss, says_score = bool(_LOSS.search(name)), bool(_SCORE.search(name))
        if (losses or (says_loss and reduced)) and not scores and not says_score:
            return True
        return False if says_score and (scores or reduced) and not says_loss and not losses else None

    def _behind(self, value: Value) -> Iterator[Value]:
        """What was made of the model's outputs on the way to a number, themselves left out."""

        def ends(each: Value) -> bool:
            inside = isinstance(each, Term) and any(id(f.spot) in self._forwards for f in each.scope.frames)
            output = inside or (isinstance(each, Term) and id(each.at) in self._forwards)
            return output or not self._origins.given_by(each)

        return (each for each in self._origins.walk(value, ends) if not ends(each))

    def _may_be_none(self, value: Value) -> bool:
        """Whether a function that an evaluation is in may give back nothing in another run."""
        given = self._origins.given_by(value)
        frames: list[Frame] = [f for key in given for f in self._forwards[key].term.scope.frames]
        functions = {id(f.function.node): f.function.node for f in frames[len(self._frames) :]}
        return any(
            each.value is None or (isinstance(each.value, cst.Name) and each.value.value == "None")
            for function in functions.values()
            for each in _nodes(function.body, cst.Return)
        )


def _is_one(value: Value) -> bool:
    """Whether a value is surely no collection."""
    return not any(isinstance(each, (Seq, Map)) for each in options(value))


def _computes_loss(term: Term) -> bool:
    if term.op in ("apply", "enter"):
        return is_loss(term.base)
    return term.op in ("call", "method") and bool(_LOSS.search(last(term.name)))


def _gathers(value: Value, batches: Loop) -> bool:
    """Whether a value grows from one turn of a loop to the next: a sum, or a list that began empty."""
    if isinstance(value, Term):
        inside = any(loop is batches for loop, _ in value.scope.loops)
        grows = value.op == "binop" and value.name in ("+", "+=") and any(_grows(a, value) for a in value.args)
        return inside and grows
    at = value.at if isinstance(value, Seq) and value.kind == "list" else None
    return at is not None and isinstance(at.node, cst.List) and not at.node.elements


def _grows(part: Value, total: Term) -> bool:
    """Whether one side of a sum is a number that changes in a loop, or the sum of the turn before."""
    return any(
        (isinstance(each, Const) and each.via in ("widened", "constant", "literal"))
        or (isinstance(each, Term) and each.at.node is total.at.node)
        for each in options(part)
    )


def _block(outer: cst.CSTNode | None, target: cst.CSTNode, batches: set[int]) -> cst.CSTNode | None:
    """The compound statement at whose end a target has its value; None where that is not sure.

    `outer`, a loop within it that trains, or an `if` in these; batches: ids of the loops that train.
    """
    path = nodes_down(outer.body, target) if isinstance(outer, (cst.For, cst.While, cst.FunctionDef)) else None
    block = outer if path is not None else None
    for n, node in enumerate(path or ()):
        if isinstance(node, cst.If):
            if path is None or path[n + 1] is not node.body:
                return None
            block = node
        elif id(node) in batches:
            block = node
        elif isinstance(node, (cst.For, cst.While)):
            inner = path[n + 1 :] if path is not None else []
            return None if any(isinstance(each, (cst.If, cst.Try)) for each in inner) else block
        elif isinstance(node, (cst.Try, cst.TryStar, cst.Match, cst.FunctionDef, cst.Lambda)):
            return None
    return block


def _is_statement(outer: cst.CSTNode | None, call: cst.Call) -> bool:
    """Whether a call is a statement by itself."""
    return outer is not None and any(each.value is call for each in _nodes(outer, cst.Expr))


def _nodes(node: cst.CSTNode, kind: type[Any]) -> Iterator[Any]:
    """All nodes of a kind below one, functions within left out."""
    if isinstance(node, kind):
        yield node
    for child in below(node):
        if not isinstance(child, (cst.FunctionDef, cst.Lambda)):
            yield from _nodes(child, kind)
