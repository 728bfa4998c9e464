"""Learning-rate schedules: objects of a library, the user's own classes, and rates that are set by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    Function,
    Instance,
    Map,
    Seq,
    Spot,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, argument, bound_name, default, fact, inferred, nodes_down, place
from lstmadvisor.extract.data.feeds import is_loader
from lstmadvisor.extract.pytorch.makers import extends, is_optimizer, is_schedule, makers, owner
from lstmadvisor.extract.pytorch.optimizers import rate_of
from lstmadvisor.extract.pytorch.spoken import called_beside
from lstmadvisor.extract.pytorch.steps import Steps
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT, Known, Place, Schedule, Unknown

_GAMMA = {  # position of the factor and its default
    "StepLR": ("gamma", 2, 0.1),
    "MultiStepLR": ("gamma", 2, 0.1),
    "ExponentialLR": ("gamma", 1, None),
    "ReduceLROnPlateau": ("factor", 2, 0.1),
    "CyclicLR": ("gamma", 6, 1.0),
    "ConstantLR": ("factor", 1, 1.0 / 3),
}
_LENGTH = {
    "CosineAnnealingLR": ("T_max", 1),
    "CosineAnnealingWarmRestarts": ("T_0", 1),
    "StepLR": ("step_size", 1),
    "LinearLR": ("total_iters", 3),
    "ConstantLR": ("total_iters", 2),
    "PolynomialLR": ("total_iters", 1),
    "OneCycleLR": ("total_steps", 2),
    "get_linear_schedule_with_warmup": ("num_training_steps", 2),
    "get_cosine_schedule_with_warmup": ("num_training_steps", 2),
    "get_polynomial_decay_schedule_with_warmup": ("num_training_steps", 2),
    "get_cosine_with_hard_restarts_schedule_with_warmup": ("num_training_steps", 2),
    "get_scheduler": ("num_training_steps", 3),
}
_STEPS = frozenset(("step", "step_update", "step_batch"))
_SHOWN = frozenset(("print", "type", "isinstance", "id", "str", "repr", "hasattr"))
_JOINED = frozenset(("SequentialLR", "ChainedScheduler"))


def schedules(run: Run, steps: Steps) -> tuple[Schedule, ...]:
    """All schedules of a run; parts of a composed one are not listed by themselves."""
    made: list[Schedule] = []
    terms = [t for t in run.trace if t.op == "call" and is_schedule(t.name)]
    inside = {
        id(v) for t in terms if last(t.name) in _JOINED for a in (*t.args, *t.kwargs.values()) for v in _listed(a)
    }
    for term in terms:
        if id(term) in inside or (not _optimizer_of(run, term) and not term.name.startswith("torch.optim.")):
            continue
        item = _item(run, steps, term)
        if item not in made:
            made.append(item)
    for item in _by_hand(run, steps):
        if not any(item.at == m.at for m in made):
            made.append(item)
    made.extend(_in_vain(run, steps, [m.optimizer for m in made]))
    return tuple(sorted(made, key=lambda s: not s.active))


def _listed(value: Value) -> Iterator[Value]:
    for each in options(value):
        yield from each.items if isinstance(each, Seq) else [each]


def _item(run: Run, steps: Steps, term: Term) -> Schedule:
    mine = owner(run, term)
    at = mine.at if mine is not None and mine.at is not None else term.at
    kind = last(term.name)
    name: Fact = (
        inferred(mine.cls.name, place(at)) if mine is not None else Known(value=kind, via="literal", at=place(at))
    )
    if mine is not None and not extends(
        run, mine.cls, "torch.optim.lr_scheduler._LRScheduler", "torch.optim.lr_scheduler.LRScheduler"
    ):
        name = inferred(kind, place(at))
    stepped, given = _stepped(run, steps, mine if mine is not None else term, kind)
    length = _length(term, kind)
    return Schedule(
        at=place(at),
        active=term.scope.active,
        name=name,
        gamma=_gamma(term, kind),
        stepped=stepped,
        length=length,
        unit=_unit(term, kind),
        metric_given=given,
        optimizer=_optimizer_of(run, term),
        by_hand=inferred(False),
        called=called_beside(steps.main, term),
        mentioned=_mentioned(term),
        mode=argument(term, "mode", 1, "min") if kind == "ReduceLROnPlateau" else ABSENT,
    )


def _mentioned(term: Term) -> Fact:
    """Whether the file holds the name of a schedule anywhere but where the schedule is made."""
    name, module = bound_name(term), term.at.module
    if not name.isidentifier() or module is None:
        return Unknown(unknown="it has no name", at=place(term.at))
    return inferred(len(re.findall(rf"\b{name}\b", module.source.code)) > 1)


def _gamma(term: Term, kind: str) -> Fact:
    if kind in _GAMMA:
        name, position, otherwise = _GAMMA[kind]
        got = term.argument(name, position)
        if got is None:
            return default(otherwise) if otherwise is not None else ABSENT
        return fact(got)
    if kind == "LambdaLR":
        rule = term.argument("lr_lambda", 1)
        for each in options(rule):
            if isinstance(each, Function) and (found := _power(each)) is not None:
                return found
    return ABSENT


def _power(function: Function) -> Fact | None:
    """`0.95` of `lambda epoch: 0.95 ** epoch`."""
    body = function.node.body
    if (
        isinstance(body, cst.BinaryOperation)
        and isinstance(body.operator, cst.Power)
        and isinstance(body.left, cst.Float)
    ):
        spot = Spot(function.env.module, body.left)
        return Known(value=body.left.evaluated_value, via="literal", at=place(spot))
    return None


def _length(term: Term, kind: str) -> Fact:
    if kind == "OneCycleLR" and term.argument("total_steps", 2) is None:
        epochs, each = term.argument("epochs", 3), term.argument("steps_per_epoch", 4)
        if isinstance(epochs, Const) and isinstance(each, Const):
            return Known(value=epochs.value * each.value, via="arithmetic", at=place(epochs.at))
        return Unknown(unknown="epochs times batches of an epoch", at=place(term.at))
    if kind not in _LENGTH:
        return ABSENT
    name, position = _LENGTH[kind]
    return argument(term, name, position, None) if term.argument(name, position) is not None else ABSENT


def _unit(term: Term, kind: str) -> Fact:
    """What a length counts: batches, where the number of batches of an epoch is part of it."""
    if kind not in _LENGTH:
        return ABSENT
    given = term.argument(*_LENGTH[kind])
    if kind == "OneCycleLR" and given is None:
        given = term.argument("steps_per_epoch", 4)
        if isinstance(given, Const) and isinstance(given.value, int) and given.value > 1:
            return inferred("batch")
    if any(isinstance(v, Term) and v.name == "builtins.len" and _of_loader(v) for v in walk(given)):
        return inferred("batch")
    return Unknown(unknown="the code does not say what it counts", at=place(term.at))


def _of_loader(length: Term) -> bool:
    return any(is_loader(v) for a in length.args for v in options(a))


def _optimizer_of(run: Run, term: Term) -> Place | None:
    given: Value | None = term.argument("optimizer", 0)
    for made in makers(given):
        if is_optimizer(made.name) or made.name == "torch.optim.Optimizer":
            mine = owner(run, made)
            return place(mine.at if mine is not None and mine.at is not None else made.at)
    return None


def _stepped(run: Run, steps: Steps, what: Value, kind: str) -> tuple[Fact, Fact]:
    """How often the schedule advances, and whether it is handed a metric."""
    stepping = [t for t in run.trace if t.op == "method" and t.name in _STEPS and _is_of(t.base, what)]
    for term in stepping:
        if term.scope.active:
            often = rhythm_of(steps, term)
            where = place(term.at)
            rhythm = (
                Unknown(unknown="its step stands in no loop", at=where) if often == "never" else inferred(often, where)
            )
            metric = inferred(bool(term.args or term.kwargs), where) if kind == "ReduceLROnPlateau" else ABSENT
            return rhythm, metric
    if stepping:
        why = "it is stepped only where the defaults do not lead"
        return Unknown(unknown=why, at=place(stepping[0].at)), ABSENT
    handed = _handed_over(run, what)
    if handed is None and run.exhausted:
        handed = Unknown(unknown="the program could not be read whole")
    if handed is None and isinstance(what, Term) and any(f.virtual for f in what.scope.frames):
        handed = Unknown(unknown="it is built in a function that nobody in the program calls", at=place(what.at))
    return handed or inferred("never"), ABSENT


def _is_of(value: Value | None, what: Value) -> bool:
    return any(o is what or any(m is what for m in makers(o)) for o in options(value))


def _holds(value: Value, what: Value, depth: int = 0) -> bool:
    """Whether a value is `what`, or a list or a table with `what` in it."""
    if depth > 4:
        return False
    parts = [
        v
        for each in options(value)
        for v in (each.items if isinstance(each, Seq) else each.entries.values() if isinstance(each, Map) else ())
    ]
    return _is_of(value, what) or any(_holds(part, what, depth + 1) for part in parts)


def _handed_over(run: Run, what: Value) -> Fact | None:
    """A schedule that a trainer advances: returned by `configure_optimizers`, or passed to it."""
    for term in run.trace:
        if term.op in ("call", "method") and not is_schedule(term.name):
            for given in (*term.args, *term.kwargs.values()):
                if any(v is what for v in walk(given, 200)):
                    name = term.name
                    if name.startswith(("transformers.", "accelerate.")) or last(name) in (
                        "add_event_handler",
                        "prepare",
                        "Trainer",
                    ):
                        return (
                            inferred("batch")
                            if name.startswith("transformers.")
                            else Unknown(unknown="a trainer advances it")
                        )
                    if last(name) == "configured":
                        return inferred(_interval(given, what))
    taker = _passed_on(run, what)
    return None if taker is None else Unknown(unknown=f"`{last(taker.name)}` may advance it", at=place(taker.at))


def _passed_on(run: Run, what: Value) -> Term | None:
    """The first call of something unknown that gets an object."""
    for term in run.trace:
        if term.op not in ("call", "method") or is_schedule(term.name) or last(term.name) in _SHOWN:
            continue
        if any(_holds(given, what) for given in (*term.args, *term.kwargs.values())):
            return term
    return None


def _interval(configured: Value, what: Value) -> str:
    for each in walk(configured, 200):
        entries: dict[Any, Value] = getattr(each, "entries", None) or {}
        if any(o is what for o in options(entries.get("scheduler"))):
            interval = entries.get("interval")
            if isinstance(interval, Const) and interval.value == "step":
                return "batch"
    return "epoch"


def rhythm_of(steps: Steps, term: Term) -> str:
    """How often a term in the training loop happens: once a batch or once an epoch."""
    around = [loop for loop, _ in term.scope.loops if not loop.unrolled]
    for training in steps.trainings:
        if training.batches is not None and any(loop is training.batches for loop in around):
            return "batch"
    return "epoch" if around else "never"


# -- by hand -----------------------------------------------------------------------------------------------


def _by_hand(run: Run, steps: Steps) -> Iterator[Schedule]:
    rates = [r for a in steps.acts if a.kind == "step" and a.by_hand and (r := rate_of(a.term)) is not None]
    rates += [
        r for t in run.trace if t.op == "call" and is_optimizer(t.name) and (r := t.argument("lr", 1)) is not None
    ]
    counted = {
        (id(o.at.module), id(o.at.node))
        for r in rates
        for o in options(r)
        if _is_changed(o) and isinstance(o, Const) and o.at
    }
    remade = _remade(run, steps)
    seen: set[tuple[int, int]] = set()
    passing = _passing(run)
    for term in run.trace:
        at: Spot | None = None
        if id(term.at.node) in passing or not any(t.around(term) for t in steps.trainings):
            continue
        if term.op == "setitem" and _is_rate(term) and not _in_schedule(run, term):
            at = _place_of(term.args[1], term)
            change: Value = term.args[1]
        elif term.op == "binop" and term.args and isinstance(term.args[0], (Const, Choice)):
            known = remade if term.name in ("*=", "/=") else set()
            for base in options(term.args[0]):
                if not isinstance(base, Const) or base.at is None or not _shrinks(term):
                    continue
                key = (id(base.at.module), id(base.at.node))
                if key in known or (key in counted and _is_changed(base)):
                    at, change = term.at, term
        if at is None or (id(at.module), id(at.node)) in seen:
            continue
        seen.add((id(at.module), id(at.node)))
        yield Schedule(
            at=place(at),
            active=term.scope.active,
            name=ABSENT,
            gamma=_factor(change),
            stepped=inferred(rhythm_of(steps, term), place(term.at)),
            metric_given=ABSENT,
            by_hand=inferred(True, place(at)),
        )


def _remade(run: Run, steps: Steps) -> set[tuple[int, int]]:
    """Where the rates of optimizers are written that the training loop makes anew with another rate."""
    made = [t for t in run.trace if t.op == "call" and is_optimizer(t.name)]
    again = {id(t.at.node) for t in made if any(training.around(t) for training in steps.trainings)}
    rates = [r for t in made if id(t.at.node) in again and (r := t.argument("lr", 1)) is not None]
    return {
        (id(o.at.module), id(o.at.node)) for r in rates for o in options(r) if isinstance(o, Const) and o.at is not None
    }


def _in_vain(run: Run, steps: Steps, scheduled: list[Place | None]) -> Iterator[Schedule]:
    """`lr *= 0.9` in the loop, where the optimizer got its number before the loop and nothing hands it the new one."""
    if any(t.op == "setitem" and _is_rate(t) for t in run.trace):
        return
    given: list[tuple[Term, Const]] = []
    for term in run.trace:
        if term.op == "call" and is_optimizer(term.name):
            if any(t.around(term) for t in steps.trainings):
                return  # built anew with the new rate
            for rate in options(term.argument("lr", 1)):
                known = isinstance(rate, Const) and rate.at is not None and place(term.at) not in scheduled
                if known and isinstance(rate, Const) and _passed_on(run, term) is None:
                    given.append((term, rate))
    seen: set[tuple[int, int]] = set()
    for term in run.trace:
        if term.op != "binop" or term.name not in ("*=", "/=", "*", "/") or len(term.args) != 2:
            continue
        around = any(t.around(term) for t in steps.trainings)
        for old in options(term.args[0]) if around and _sets_itself(term) else ():
            root = old.root if isinstance(old, Const) and _is_changed(old) else None
            for made, rate in given:
                key = (id(term.at.node), id(made.at.node))
                if root is None or root.at is None or rate.at is None or key in seen:
                    continue
                if root.at.node is rate.at.node and made.serial < term.serial:
                    seen.add(key)
                    yield Schedule(
                        at=place(term.at),
                        active=term.scope.active and made.scope.active,
                        name=ABSENT,
                        gamma=_factor(term),
                        stepped=inferred("never"),
                        optimizer=place(made.at),
                        metric_given=ABSENT,
                        by_hand=inferred(True, place(term.at)),
                        variable=inferred(root.name) if root.name else ABSENT,
                        **_taker(made, term),
                    )


def _taker(made: Term, lowered: Term) -> dict[str, Fact]:
    """What an optimizer is called where a rate is lowered, and on which condition it is built."""
    name, module = bound_name(made), made.at.module
    if not name or module is None or made.at.node is None or made.scope.frames != lowered.scope.frames:
        return {}
    if made.scope.active:
        return {"given_to": inferred(name), "given_if": ABSENT}
    sides = [node for node in nodes_down(module.tree, made.at.node) or () if isinstance(node, cst.If)]
    if len(sides) != 1 or nodes_down(sides[0].body, made.at.node) is None:
        return {}
    return {"given_to": inferred(name), "given_if": inferred(module.code(sides[0].test))}


def _sets_itself(term: Term) -> bool:
    """`lr *= 0.9`, or `lr = lr * 0.9`: the rate is what is changed, and not a part of something else."""
    name = term.args[0].name if isinstance(term.args[0], Const) else ""
    for each in options(term.args[0]):
        name = name or (each.name if isinstance(each, Const) else "")
    return term.name.endswith("=") or bool(re.search(r"(^|_)(lr|rate)$|learning_?rate|step_size", name or "", re.I))


def _passing(run: Run) -> set[int]:
    """Places that change the rate for one step and put the old one back: no schedule."""
    rates = [t for t in run.trace if t.op == "setitem" and _is_rate(t)]
    out: set[int] = set()
    for back in rates:
        value = back.args[1]
        if isinstance(value, Term) and value.op == "item" and _is_rate(replace(value, args=[value.args[0], value])):
            out.add(id(back.at.node))
            out |= {id(t.at.node) for t in rates if t.serial < back.serial and t.scope.loops == back.scope.loops}
    return out


def _is_changed(value: Value) -> bool:
    return isinstance(value, Const) and value.via == "widened"


def _is_rate(term: Term) -> bool:
    """`group["lr"] = …` of one of an optimizer's `param_groups`."""
    index = term.args[0]
    if not isinstance(index, Const) or index.value != "lr":
        return False
    return any(isinstance(v, Term) and v.op == "attr" and v.name == "param_groups" for v in walk(term.base, 40))


def _in_schedule(run: Run, term: Term) -> bool:
    return any(
        f.function.owner is not None and extends(run, f.function.owner, "torch.optim.lr_scheduler.")
        for f in term.scope.frames
    )


def _place_of(value: Value, term: Term) -> Spot:
    """Where the new rate is computed, if that is in the loop; else where it is set."""
    for each in options(value):
        if isinstance(each, Term) and each.op == "binop" and each.name in ("*=", "/=") and each.scope.loops:
            return each.at
    return term.at


def _shrinks(term: Term) -> bool:
    return term.name in ("*", "/", "*=", "/=", "**", "-=", "-")


def _factor(value: Value, depth: int = 0) -> Fact:
    """The factor by which a rate changes: 0.25 of `lr /= 4`, 0.1 of `lr0 * 0.1 ** (epoch // 30)`."""
    if depth > 5:
        return ABSENT
    for each in options(value):
        if not isinstance(each, Term):
            continue
        if each.op == "binop" and each.name in ("*", "*=", "/", "/=") and len(each.args) == 2:
            one, other = each.args
            number = _plain(other)
            if number is not None:
                if each.name.startswith("/"):
                    return (
                        Known(value=1 / number.value, via="arithmetic", at=place(number.at)) if number.value else ABSENT
                    )
                return fact(number)
            if each.name == "*":
                for side in (other, one):
                    base = _power_base(side)
                    if base is not None:
                        return fact(base)
                number = _plain(one)
                if number is not None and 0 < number.value < 1:
                    return fact(number)
        if last(each.name) in ("max", "min", "maximum", "minimum") or each.op == "binop":
            for inner in each.args:
                found = _factor(inner, depth + 1)
                if found is not ABSENT:
                    return found
    return ABSENT


def _power_base(value: Value) -> Const | None:
    for each in options(value):
        if isinstance(each, Term) and (each.name == "**" or last(each.name) in ("pow", "power")) and each.args:
            return _plain(each.args[0])
    return None


def _plain(value: Value) -> Const | None:
    if (
        isinstance(value, Const)
        and isinstance(value.value, (int, float))
        and value.via != "widened"
        and not isinstance(value.value, bool)
    ):
        return value
    return None


__all__ = ["Instance", "rhythm_of", "schedules"]
