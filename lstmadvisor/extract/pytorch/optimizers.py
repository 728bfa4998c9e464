"""Optimizers of PyTorch programs: objects of any library or of the user's own classes, and updates by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Map, Seq, Spot, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, default, fact, inferred, place, real_loops
from lstmadvisor.extract.pytorch.makers import is_optimizer, makers, owner
from lstmadvisor.extract.pytorch.steps import Act, Steps, gradient_in, of_gradient
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT, Known, Optimizer, Unknown


class _Signature(NamedTuple):
    """Position of an argument and its default; None where the optimizer has no such argument."""

    learning_rate: tuple[int | None, Any] = (1, 1e-3)
    weight_decay: tuple[int | None, Any] | None = (None, 0)
    momentum: tuple[int | None, Any] | None = None


_SIGNATURES = {
    "Adam": _Signature((1, 1e-3), (4, 0)),
    "AdamW": _Signature((1, 1e-3), (4, 1e-2)),
    "SGD": _Signature((1, 1e-3), (4, 0), (2, 0)),
    "RMSprop": _Signature((1, 1e-2), (4, 0), (5, 0)),
    "Adagrad": _Signature((1, 1e-2), (3, 0)),
    "Adadelta": _Signature((1, 1.0), (4, 0)),
    "Adamax": _Signature((1, 2e-3), (4, 0)),
    "NAdam": _Signature((1, 2e-3), (4, 0)),
    "RAdam": _Signature((1, 1e-3), (4, 0)),
    "ASGD": _Signature((1, 1e-2), (5, 0)),
    "Rprop": _Signature((1, 1e-2), None),
    "LBFGS": _Signature((1, 1), None),
    "SparseAdam": _Signature((1, 1e-3), None),
    "Adafactor": _Signature((1, 1e-2), (None, 0)),
}
_TRANSFORMERS = {"AdamW": _Signature((1, 1e-3), (4, 0.0)), "Adafactor": _Signature((1, None), (None, 0.0))}
_DECOUPLED = frozenset(("AdamW", "SGDW", "Lion", "AdamP", "AdamW8bit", "PagedAdamW", "AdamWScheduleFree", "AdaBoundW"))


def optimizers(run: Run, steps: Steps) -> tuple[Optimizer, ...]:
    """All optimizers of a run, those that the defaults do not build included as inactive."""
    made: list[Optimizer] = []
    used = _used(steps)
    for term in run.trace:
        if term.op == "call" and (is_optimizer(term.name) or term.name == "torch.optim.Optimizer" or _is_chosen(term)):
            item = _item(run, steps, term)
            if item is not None and item.active and used and id(term) not in used and not _in_training(steps, term):
                item = item.model_copy(update={"active": False})
            if item is not None and item not in made:
                made.append(item)
    for act in steps.acts:
        if act.kind == "step" and act.by_hand:
            item = _by_hand(act)
            if item is not None and not any(item.at == m.at for m in made):
                made.append(item)
    active = [m for m in made if m.active]
    return (*active, *(m for m in made if not m.active and not any(m.at == a.at for a in active)))


def _in_training(steps: Steps, term: Term) -> bool:
    """Whether an optimizer is made while the training goes on: later turns use it."""
    return any(t.around(term) for t in steps.trainings)


def _used(steps: Steps) -> set[int]:
    """The optimizers that take steps, by what made them; empty where a step is not traced to one."""
    out: set[int] = set()
    for act in steps.active("step"):
        if act.by_hand or act.term.op != "method":
            continue
        found = [*makers(act.term.base), *(m for a in act.term.args for m in makers(a))]
        inner = [
            v for m in found for v in walk(m, 300) if isinstance(v, Term) and v.op == "call" and is_optimizer(v.name)
        ]
        if not inner and not any(m.name == "torch.optim.Optimizer" for m in found):
            return set()
        out |= {id(v) for v in (*found, *inner)}
    return out


def _is_chosen(term: Term) -> bool:
    """`getattr(torch.optim, name)(…)` with a name that is not known."""
    base = term.base
    if term.name != "?" or not isinstance(base, Term) or base.name != "builtins.getattr" or not base.args:
        return False
    return getattr(base.args[0], "name", "") == "torch.optim"


def _item(run: Run, steps: Steps, term: Term) -> Optimizer | None:
    mine = owner(run, term)
    at = mine.at if mine is not None and mine.at is not None else term.at
    name: Fact = inferred(last(term.name), place(at))
    if term.name == "torch.optim.Optimizer":
        return None if mine is None else _of_class(mine, term, at)
    signature = _SIGNATURES.get(last(term.name), _Signature())
    if term.name.startswith("transformers."):
        signature = _TRANSFORMERS.get(last(term.name), signature)
    elif not term.name.startswith("torch.optim."):
        signature = _Signature((1, None), (None, None), (None, None) if "SGD" in term.name else None)
    if term.name == "?":
        name = Unknown(unknown="an optimizer whose name is not known", at=place(at))
        signature = _Signature((1, None), (None, None))
    elif not (mine is not None and mine.at is not None):
        name = Known(value=last(term.name), via="literal", at=place(at))
    groups = _groups(term)
    return Optimizer(
        at=place(at),
        active=term.scope.active,
        name=name,
        learning_rate=_argument(term, "lr", signature.learning_rate, groups),
        weight_decay=ABSENT
        if signature.weight_decay is None
        else _argument(term, "weight_decay", signature.weight_decay, groups),
        momentum=ABSENT if signature.momentum is None else _argument(term, "momentum", signature.momentum, groups),
        decoupled=_decoupled(term),
        by_hand=inferred(False),
        rebuilt_in_loop=inferred(_rebuilt(steps, term)),
    )


def _decoupled(term: Term) -> Fact:
    """Whether weight decay bypasses the gradient: by its kind, or as Adam and its kin are asked to."""
    asked = term.kwargs.get("decoupled_weight_decay")
    return fact(asked) if asked is not None else inferred(last(term.name) in _DECOUPLED)


def _of_class(mine: Instance, term: Term, at: Spot) -> Optimizer:
    """An optimizer that the user wrote: `super().__init__(params, dict(lr=lr, …))`."""
    given = term.argument("defaults", 1)
    entries = given.entries if isinstance(given, Map) else {}

    def entry(name: str) -> Fact:
        return fact(entries[name]) if name in entries else ABSENT

    return Optimizer(
        at=place(at), active=term.scope.active, name=inferred(mine.cls.name, place(at)), learning_rate=entry("lr"),
        weight_decay=entry("weight_decay"), momentum=entry("momentum"), by_hand=inferred(False),
    )  # fmt: skip


def _groups(term: Term) -> list[Map]:
    """Parameter groups: `[{"params": …, "lr": …}, …]`."""
    params = term.argument("params", 0)
    found = [g for p in options(params) if isinstance(p, Seq) for g in p.items]
    return [g for g in found if isinstance(g, Map) and "params" in g.entries]


def _argument(term: Term, name: str, where: tuple[int | None, Any], groups: list[Map]) -> Fact:
    position, otherwise = where
    got = term.argument(name, position)
    own = [g.entries[name] for g in groups if name in g.entries]
    if own and (got is None or name == "weight_decay"):
        found = [fact(o) for o in own if not (isinstance(o, Const) and o.value == 0 and name == "weight_decay")]
        if found and all(
            isinstance(f, Known) and isinstance(found[0], Known) and f.value == found[0].value for f in found
        ):
            return found[0]
        if found and (name == "weight_decay" or len(own) == len(groups)):
            return Unknown(unknown=f"parameter groups with different values of `{name}`", at=place(term.at))
    if got is None:
        return (
            default(otherwise) if otherwise is not None else Unknown(unknown="the library's default", at=place(term.at))
        )
    return fact(at_start(got))


def at_start(value: Value) -> Value:
    """A value that a loop changes, as it is before the first turn."""
    if isinstance(value, Const) and value.via == "widened" and value.root is not None:
        return value.root
    first = next(iter(options(value)), value)
    if first is not value and isinstance(first, Const) and first.via == "widened" and first.root is not None:
        return first.root
    return value


def _rebuilt(steps: Steps, term: Term) -> bool:
    """Whether each turn of the training loop makes the optimizer anew."""
    around = real_loops(term)
    return any(
        t.epochs is not None
        and any(loop is t.epochs for loop in around)
        and len(term.scope.conditions) == t.epochs.outside
        for t in steps.trainings
    )


# -- updates by hand --------------------------------------------------------------------------------------


def _by_hand(act: Act) -> Optimizer | None:
    rate = rate_of(act.term)
    return Optimizer(
        at=place(act.term.at),
        active=act.term.scope.active,
        name=inferred("SGD", place(act.term.at)),
        learning_rate=Unknown(unknown="an update by hand", at=place(act.term.at))
        if rate is None
        else fact(at_start(rate)),
        momentum=inferred(0),
        weight_decay=inferred(0),
        decoupled=inferred(False),
        by_hand=inferred(True, place(act.term.at)),
    )


def rate_of(term: Term) -> Value | None:
    """The learning rate of an update by hand: `p.data.add_(p.grad, alpha=-lr)`, `p -= lr * p.grad` …"""
    if term.op == "method" and term.name != "copy_":
        alpha = term.kwargs.get("alpha", term.kwargs.get("value"))
        if alpha is not None:
            return _positive(alpha)
        if len(term.args) == 2 and any(of_gradient(a) for a in term.args):
            return _positive(next(a for a in term.args if not of_gradient(a)))
    change = term.args[1:] if term.op == "binop" else term.args
    return next((rate for value in change for rate in _factors(value)), None)


def _factors(value: Value, depth: int = 0) -> Iterator[Value]:
    """What a gradient is multiplied with in an expression."""
    if depth > 6:
        return
    for each in options(value):
        if not isinstance(each, Term):
            continue
        sides = [*([each.base] if each.op == "method" and each.base is not None else []), *each.args]
        if _multiplies(each) and len(sides) == 2:
            for one, other in (sides, sides[::-1]):
                if gradient_in(one) and not gradient_in(other):
                    yield _positive(other)
                    return
        for side in sides:
            if gradient_in(side):
                yield from _factors(side, depth + 1)


def _multiplies(term: Term) -> bool:
    return (term.op == "binop" and term.name == "*") or last(term.name) in ("mul", "mul_", "multiply")


def _positive(value: Value) -> Value:
    """`lr` of `-lr`."""
    if isinstance(value, Term) and value.op == "binop" and value.name == "-" and len(value.args) == 1:
        return value.args[0]
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and value.value < 0:
        if value.root is not None and value.root.value == -value.value:
            return value.root
        return Const(-value.value, value.via, value.at, value.root)
    return value
