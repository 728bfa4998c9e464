"""The acts of training in a trace, and how they follow each other within one turn of the training loop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Function,
    Instance,
    Loop,
    Map,
    Seq,
    Term,
    Value,
    options,
)
from lstmadvisor.extract.common import real_loops, turns
from lstmadvisor.extract.pytorch.makers import extends, is_optimizer, is_scaler, is_schedule, made_as, said
from lstmadvisor.extract.pytorch.origins import Forward, Origins
from lstmadvisor.extract.pytorch.torch_ops import RECURRENT, last
from lstmadvisor.patterns import regex

Kind = Literal["zero_grad", "forward", "backward", "unscale", "clip", "step", "scheduler"]
CLIPS_NORM = frozenset(
    (
        "clip_grad_norm_",
        "clip_grad_norm",
        "clip_grads_with_norm_",
        "clip_gradients",
        "clip_grad_norm_fp32",
        "clip_master_grads",
    )
)
CLIPS_VALUE = frozenset(("clip_grad_value_", "clip_grad_value"))
_UPDATES = frozenset(("add_", "sub_", "addcmul_", "addcdiv_", "copy_"))
_STEPPED = regex(r"opt|scaler|solver|trainer|updater", re.I)
_SCHEDULED = regex(r"sched|(^|[._])lr([._]|$)|anneal|warmup|plateau", re.I)
RETURNS_CLOSED = (Function, Bound)


@dataclass(eq=False, slots=True)
class Act:
    """One act of training, where and when."""

    kind: Kind
    term: Term
    by_hand: bool = False


@dataclass(eq=False)
class Training:
    """One place where the program trains: a call of `backward` and the turn of the loop that it belongs to."""

    backward: Term
    loss: Value
    turn: tuple[tuple[Loop, int], ...]
    """the loops that one turn of training happens in, with their turns"""
    acts: list[Act] = field(default_factory=list)
    """what happens in that one turn, in order"""
    loops: tuple[Loop, ...] = ()
    """the loops that are not followed turn by turn, outermost first, less those in which the model is made anew"""
    recurrent: bool = False

    @property
    def epochs(self) -> Loop | None:
        """The outer training loop."""
        return self.loops[0] if self.loops else None

    @property
    def batches(self) -> Loop | None:
        """The innermost loop whose turn is one step of the optimizer."""
        return next((loop for loop, _ in reversed(self.turn) if not loop.unrolled), None)

    def holds(self, term: Term) -> bool:
        """Whether a term belongs to this very turn."""
        return within(term, self.turn) and (bool(self.turn) or not self._apart(term))

    def _apart(self, term: Term) -> bool:
        """Whether a term stands in another function that nobody calls; outside of loops nothing else tells."""
        here, there = self.backward.scope.frames[:1], term.scope.frames[:1]
        return here != there and any(frame.virtual for frame in (*here, *there))

    def around(self, term: Term) -> bool:
        """Whether a term happens somewhere inside the training loop, whichever the turn."""
        return self.epochs is not None and any(loop is self.epochs for loop, _ in term.scope.loops)


class Steps:
    """All acts of training of a run, and the places where it trains."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.origins = Origins(run)
        self.forwards = {id(f.term): f for f in self.origins.forwards}
        self.acts: list[Act] = []
        self.clips: list[Act] = []
        for term in run.trace:
            kind, by_hand = self._kind(term)
            if kind is not None:
                self.acts.append(Act(kind, term, by_hand))
        self.trainings = list(self._trainings())

    @property
    def main(self) -> Training | None:
        """The training that single values are taken from: the last one of a recurrent model, else the last one."""
        found = [t for t in self.trainings if t.recurrent] or self.trainings
        return found[-1] if found else None

    def active(self, *kinds: Kind) -> Iterator[Act]:
        """Acts of some kinds on the way that the defaults take."""
        return (a for a in self.acts if a.kind in kinds and a.term.scope.active)

    # -- single acts -----------------------------------------------------------------------------

    def _kind(self, term: Term) -> tuple[Kind | None, bool]:
        if id(term) in self.forwards:
            return "forward", False
        if term.op == "method":
            return self._method(term)
        if term.op == "setattr":
            if term.name == "grad" and isinstance(term.args[0], Const) and term.args[0].value is None:
                return "zero_grad", True
            if term.name == "data" and is_update(term):
                return "step", not self._in_optimizer(term)
            if term.name in ("grad", "data") and clamps_gradient(term.args[0]):
                return "clip", True
        elif term.op == "call":
            name = last(term.name)
            if name in CLIPS_NORM or name in CLIPS_VALUE:
                return "clip", False
            if term.name in ("torch.autograd.backward", "torch.autograd.grad"):
                return ("backward" if name == "backward" else None), False
        elif term.op == "binop" and term.name in ("-=", "+=") and is_update(term):
            return "step", not self._in_optimizer(term)
        elif term.op in ("binop", "setitem") and scales_gradient(term):
            return "clip", True
        return None, False

    def _method(self, term: Term) -> tuple[Kind | None, bool]:
        name = term.name
        if name == "zero_grad":
            return "zero_grad", False
        if name in ("backward", "manual_backward"):
            return "backward", False
        if name == "unscale_":
            return "unscale", False
        if name in CLIPS_NORM or name in CLIPS_VALUE:
            return "clip", False
        if name in ("zero_", "fill_", "mul_", "clamp_", "clip_", "div_") and of_gradient(term.base):
            return ("zero_grad" if name in ("zero_", "fill_") else "clip"), True
        if name in _UPDATES and is_update(term):
            return "step", not self._in_optimizer(term)
        if name in ("step", "step_update", "step_batch", "optimizer_step", "step_and_update_lr"):
            return self._stepped(term), False
        return None, False

    def _in_optimizer(self, term: Term) -> bool:
        """Whether a term is part of an optimizer that the user wrote as a class of PyTorch's kind."""
        owners = (f.function.owner for f in term.scope.frames)
        return any(o is not None and extends(self.run, o, "torch.optim.") for o in owners)

    def _stepped(self, term: Term) -> Kind | None:
        made = made_as(term.base)
        if is_schedule(made):
            return "scheduler"
        if is_optimizer(made) or is_scaler(made) or made == "torch.optim.Optimizer":
            return "step"
        for each in options(term.base):
            if isinstance(each, Instance):
                if extends(self.run, each.cls, "torch.optim.lr_scheduler."):
                    return "scheduler"
                if extends(self.run, each.cls, "torch.optim."):
                    return "step"
        text = said(term)
        if _SCHEDULED.search(text):
            return "scheduler"
        return "step" if _STEPPED.search(text) or (term.args and isinstance(term.args[0], RETURNS_CLOSED)) else None

    # -- places where it trains --------------------------------------------------------------------

    def _trainings(self) -> Iterator[Training]:
        backwards = [a.term for a in self.active("backward")]
        steps = [a for a in self.acts if a.kind == "step" and a.term.scope.active]
        for term in first_readings(backwards):
            loss = self.loss_of(term)
            step = max(steps, key=lambda a: _closeness(a.term, term), default=None)
            turn = term.scope.loops if step is None else common(term.scope.loops, step.term.scope.loops)
            made = Training(term, loss, turn)
            made.acts = self._ordered([a for a in self.acts if a.term.scope.active and made.holds(a.term)])
            made.loops = self._loops(made)
            made.recurrent = any(
                isinstance(v, Term) and v.op == "apply" and _is_recurrent(v) for v in self.origins.walk(loss)
            )
            yield made

    def loss_of(self, backward: Term) -> Value:
        """What is differentiated: the receiver of `backward`, or its argument where the receiver is a trainer."""
        base, given = backward.base, backward.args[0] if backward.args else None
        if given is not None and (
            base is None
            or backward.name == "manual_backward"
            or (not self.origins.given_by(base) and self.origins.given_by(given))
        ):
            return given
        return base if base is not None else given if given is not None else backward

    def _ordered(self, acts: list[Act]) -> list[Act]:
        """Acts by time; a step that calls a closure comes after what the closure does."""

        def moment(act: Act) -> tuple[int, int]:
            if act.kind == "step" and act.term.args and isinstance(act.term.args[0], RETURNS_CLOSED):
                inside = [a.term.serial for a in acts if any(f.spot is act.term.at for f in a.term.scope.frames)]
                return max(inside, default=act.term.serial), 1
            return act.term.serial, 0

        return sorted(acts, key=moment)

    def _loops(self, training: Training) -> tuple[Loop, ...]:
        """The training loops around; a loop that makes the model anew in each turn repeats the whole training."""
        loops = real_loops(training.backward)
        born: set[int] = set()
        for act in training.acts:
            if act.kind == "forward":
                born |= {id(loop) for loop in _birth(self.forwards[id(act.term)])}
        while loops and id(loops[0]) in born:
            loops = loops[1:]
        return loops


def _birth(forward: Forward) -> Iterator[Loop]:
    for each in options(forward.module):
        scope = each.scope if isinstance(each, (Instance, Term)) else None
        if scope is not None:
            yield from (loop for loop, _ in scope.loops)


def _is_recurrent(term: Term) -> bool:
    base = term.base.term if isinstance(term.base, Instance) else term.base
    return isinstance(base, Term) and base.name in RECURRENT


def within(term: Term, turn: tuple[tuple[Loop, int], ...]) -> bool:
    """Whether a term happens in the given turns of the given loops."""
    return common(term.scope.loops, turn) == turn


def common(one: tuple[tuple[Loop, int], ...], other: tuple[tuple[Loop, int], ...]) -> tuple[tuple[Loop, int], ...]:
    """The turns of loops that two stacks share, from the outermost in."""
    shared = 0
    for (loop, turn), (loop_, turn_) in zip(one, other, strict=False):
        if loop is not loop_ or turn != turn_:
            break
        shared += 1
    return one[:shared]


def _closeness(step: Term, backward: Term) -> tuple[int, bool, int]:
    """How near a step is to a call of `backward`: in the same loops, after it, soon."""
    return (
        len(common(step.scope.loops, backward.scope.loops)),
        step.serial > backward.serial or bool(step.args),
        -abs(step.serial - backward.serial),
    )


def first_readings(terms: list[Term]) -> list[Term]:
    """Of each place the readings in the earliest turns: a loop's body is read twice."""
    earliest: dict[int, int] = {}
    for term in terms:
        key = id(term.at.node)
        earliest[key] = min(earliest.get(key, 99), sum(turns(term)))
    return [t for t in terms if sum(turns(t)) == earliest[id(t.at.node)]]


def of_gradient(value: Value | None) -> bool:
    """Whether a value is a parameter's gradient (`p.grad`, `p.grad.data`, a part of it)."""
    for each in options(value):
        here: Value | None = each
        while isinstance(here, Term) and here.op in ("attr", "item"):
            if here.op == "attr" and here.name == "grad":
                return True
            here = next(iter(options(here.base)), None)
    return False


def gradient_in(value: Value | None, depth: int = 0) -> bool:
    """Whether a value is arithmetic on a gradient."""
    if depth > 6:
        return False
    if of_gradient(value):
        return True
    return any(
        isinstance(each, Term)
        and each.op in ("binop", "method", "call")
        and any(
            gradient_in(v, depth + 1) for v in (*each.args, *each.kwargs.values(), *([each.base] if each.base else []))
        )
        for each in options(value)
    )


def is_update(term: Term) -> bool:
    """Whether a term changes a parameter by its gradient."""
    binary = term.op == "binop"
    target = term.args[0] if binary else term.base
    change = term.args[1:] if binary else [*term.args, *term.kwargs.values()]
    if target is None or of_gradient(target):
        return False
    return any(gradient_in(v) for v in change)


def clamps_gradient(value: Value) -> bool:
    """Whether a value is a gradient cut to a range: `p.grad.clamp(-1, 1)`."""
    return any(
        isinstance(each, Term)
        and last(each.name) in ("clamp", "clip", "clamp_", "clip_")
        and of_gradient(each.base if each.op == "method" else each.args[0] if each.args else None)
        for each in options(value)
    )


def scales_gradient(term: Term) -> bool:
    """Whether a term makes a gradient smaller: `p.grad *= theta / norm`, `p.grad[:] = …`."""
    if term.op == "binop":
        return term.name in ("*=", "/=") and of_gradient(term.args[0])
    return False


__all__ = ["Act", "Choice", "Kind", "Map", "Seq", "Steps", "Training", "common", "first_readings", "within"]
