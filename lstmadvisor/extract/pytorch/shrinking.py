"""Weights that a program holds small by itself: shrunk after each update, or penalised in the loss."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Term, Value, options, walk
from lstmadvisor.extract.common import fact, first_turns, inferred, place
from lstmadvisor.extract.pytorch.makers import is_optimizer
from lstmadvisor.extract.pytorch.steps import Steps, Training, is_update
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import Regularizer

_OF_PARAMETERS = ("parameters", "named_parameters")
_SIZES = ("norm", "vector_norm", "pow", "square", "abs", "**")


def regularizers(run: Run, steps: Steps) -> tuple[Regularizer, ...]:
    """Penalties on parameters in the loss, and factors that the weights are multiplied with in every step."""
    found = [*_penalties(steps), *_shrunk(run, steps)]
    return tuple(item for place, item in enumerate(found) if item not in found[:place])


def _penalties(steps: Steps) -> Iterator[Regularizer]:
    for training in steps.trainings:
        for value in walk(training.loss):
            if isinstance(value, Term) and last(value.name) in _SIZES:
                measured = value.base if value.op == "method" else next(iter(value.args), None)
                if _element(measured) is not None:
                    yield Regularizer(at=place(value.at), kind=inferred("penalty"), target=inferred("weights"))
                    return


def _shrunk(run: Run, steps: Steps) -> Iterator[Regularizer]:
    """`p.mul_(0.97)` and the like, for the parameters that an optimizer of the program has."""
    trained = _trained(run)
    for term in first_turns(t for t in run.trace if _factor(t) is not None):
        target, factor = _target(term), _factor(term)
        element = _element(target)
        if element is None or factor is None or id(_model_of(element)) not in trained:
            continue
        if any(_in_each_step(term, training) for training in steps.trainings) and not _changed(run, term, element):
            yield Regularizer(
                at=place(term.at), kind=inferred("shrunk"), target=inferred("weights"), amount=fact(factor)
            )


def _trained(run: Run) -> set[int]:
    """The models whose parameters an optimizer was given."""
    made = [t for t in run.trace if t.op == "call" and is_optimizer(t.name)]
    return {
        id(model)
        for optimizer in made
        for value in walk(optimizer.argument("params", 0), 100)
        if isinstance(value, Term) and (model := _owner(value)) is not None
    }


def _in_each_step(term: Term, training: Training) -> bool:
    unconditional = len(term.scope.conditions) <= len(training.backward.scope.conditions)
    return term.scope.active and unconditional and training.holds(term)


def _changed(run: Run, shrunk: Term, element: Value) -> bool:
    """Whether the same parameter gets something else than its gradient added, as a moving average does."""
    for other in run.trace:
        writes = other.op in ("setattr", "binop") and other.name.endswith(("=", "data"))
        writes |= other.op == "method" and other.name.endswith("_") and not other.name.endswith("__")
        if not writes or other is shrunk or other.at.node is shrunk.at.node or is_update(other):
            continue
        target = other.args[0] if other.op == "binop" and other.args else other.base
        if any(each is shrunk for each in options(target)) or _element(target) is element:
            return True
    return False


def _target(term: Term) -> Value | None:
    return term.args[0] if term.op == "binop" else term.base


def _factor(term: Term) -> Const | None:
    """The constant below 1 that a term multiplies its own target with."""
    if term.op == "binop" and term.name == "*=" and len(term.args) == 2:
        return _below_one(term.args[1])
    if term.op == "method" and term.name == "mul_" and len(term.args) == 1:
        return _below_one(term.args[0])
    set_anew = term.name == "copy_" if term.op == "method" else term.op == "setattr" and term.name == "data"
    if set_anew and len(term.args) == 1:
        element = _element(term.base)
        for product in options(term.args[0]):
            if isinstance(product, Term) and product.op == "binop" and product.name == "*" and len(product.args) == 2:
                for one, other in (product.args, product.args[::-1]):
                    if element is not None and _element(one) is element and (factor := _below_one(other)) is not None:
                        return factor
    return None


def _below_one(value: Value) -> Const | None:
    number = value.value if isinstance(value, Const) else None
    known = isinstance(number, float) and 0 < number < 1
    return value if known and isinstance(value, Const) else None


def _element(value: Value | None) -> Value | None:
    """The parameter, one of `model.parameters()`, that a value is, or is the data of."""
    here = value
    for _ in range(6):
        here = next(iter(options(here)), None)
        if not isinstance(here, Term):
            return None
        if here.op in ("elem", "item"):
            return here if _model_of(here) is not None else None
        if not (here.op == "attr" and here.name == "data") and not (here.op == "method" and here.name == "detach"):
            return None
        here = here.base
    return None


def _model_of(element: Value | None) -> Value | None:
    """The model that `p` of `for p in model.parameters()` belongs to."""
    here = element
    for _ in range(6):
        here = next(iter(options(here)), None)
        if not isinstance(here, Term):
            return None
        if (model := _owner(here)) is not None:
            return model
        if here.op not in ("elem", "item"):
            return None
        here = here.base
    return None


def _owner(term: Term) -> Value | None:
    if term.op != "method" or last(term.name) not in _OF_PARAMETERS:
        return None
    return next(iter(options(term.base)), None)
