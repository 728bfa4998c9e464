"""How many epochs Keras programs really run, loops around `fit` included."""

from __future__ import annotations

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Choice, Const, Loop, Opaque, Range, Seq, Term, Value, options
from lstmadvisor.extract.common import Fact, fact
from lstmadvisor.extract.keras.training import Fit, Training
from lstmadvisor.extract.pytorch.epochs import turns_of_while
from lstmadvisor.facts import Known, Unknown


def epochs(training: Training, fit: Fit) -> Fact:
    """How many epochs a fit really runs, loops around it included."""
    own = _own_epochs(fit)
    loop = _epoch_loop(training, fit)
    if loop is None:
        return own
    turns = turns_of(loop)
    if isinstance(turns, Unknown):
        return Unknown(unknown="`fit` stands in a loop whose turns are not known", at=place(loop.spot))
    if isinstance(own, Unknown):
        return own
    if own.value == 1:
        return turns
    if not isinstance(own.value, int) or not isinstance(turns.value, int):
        return Unknown(unknown="`fit` stands in a loop", at=place(loop.spot))
    return Known(value=own.value * turns.value, via="arithmetic", at=own.at or turns.at)


def in_a_loop(training: Training, fit: Fit) -> bool:
    """Whether a loop around `fit` trains one model again and again."""
    return fit.way not in ("train_on_batch", "tape") and _epoch_loop(training, fit) is not None


def turns_of(loop: Loop) -> Fact:
    """How often a loop turns; a start that a checkpoint may move is taken where it is without one."""
    if loop.is_while:
        return turns_of_while(loop) or Unknown(unknown="a while loop", at=place(loop.spot))
    known = fact(loop.count)
    counted = loop.iterable
    while isinstance(counted, Term) and counted.name == "builtins.enumerate" and counted.args:
        counted = counted.args[0]
    if isinstance(known, Known) or not isinstance(counted, Range):
        return known
    start, stop, step = (_at_first(v) for v in (counted.start, counted.stop, counted.step))
    if start is None or stop is None or step is None or step.value != 1:
        return known
    turns = stop.value - start.value
    for each in (stop, stop.root):
        if each is not None and each.value == turns:
            return fact(each)
    at = place(stop.root.at if stop.root is not None else stop.at)
    return Known(value=turns, via="arithmetic", at=at)


def _at_first(value: Value) -> Const | None:
    """A whole number in a run that finds nothing to resume."""
    if isinstance(value, Choice):
        numbers = [o for o in value.options if _is_integer(o)]
        rest = [o for o in value.options if not _is_integer(o)]
        return numbers[0] if len(numbers) == 1 and rest else None  # type: ignore[return-value]
    if isinstance(value, Term) and value.op == "binop" and value.name in ("+", "-") and len(value.args) == 2:
        left, right = _at_first(value.args[0]), _at_first(value.args[1])
        if left is None or right is None:
            return None
        total = left.value + right.value if value.name == "+" else left.value - right.value
        return Const(total, "arithmetic", left.at, left.root or left)
    return value if _is_integer(value) else None  # type: ignore[return-value]


def _is_integer(value: Value) -> bool:
    plain = isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool)
    return plain and value.via != "widened"  # type: ignore[attr-defined]


def _own_epochs(fit: Fit) -> Fact:
    if fit.way in ("train_on_batch", "tape"):
        return Known(value=1, via="default")
    value = fit.argument("epochs")
    if value is None or isinstance(value, Opaque):
        value = fit.argument("nb_epoch") or value
    if value is None:
        return Known(value=1, via="default")
    got = fact(value)
    start = fit.argument("initial_epoch")
    if (
        isinstance(start, Const)
        and isinstance(start.value, int)
        and start.value
        and isinstance(got, Known)
        and isinstance(got.value, int)
    ):
        return Known(value=got.value - start.value, via="arithmetic", at=got.at)
    if isinstance(start, Term):
        return Unknown(unknown="starts at an epoch that is not known", at=got.at)
    return got


def _epoch_loop(training: Training, fit: Fit) -> Loop | None:
    """The outermost loop that trains one model again and again; loops over data and over new models are no epochs."""
    around = [loop for loop, _ in fit.term.scope.loops if not loop.unrolled]
    made = _made_in(fit)
    around = [loop for loop in around if not any(loop is m for m in made) and not _starts_anew(training, fit, loop)]
    turning = [loop for loop in around if loop.is_while or isinstance(loop.iterable, Range) or _counts(loop.iterable)]
    if turning:
        return turning[0]
    return around[0] if around and fit.way in ("train_on_batch", "tape") else None


def _made_in(fit: Fit) -> list[Loop]:
    value = fit.model.value if fit.model is not None else None
    scope = value.scope if value is not None else None
    if scope is None:
        root: Value | None = fit.term.base
        while isinstance(root, Term) and root.op in ("attr", "item", "method") and root.base is not None:
            root = root.base
        scope = root.scope if isinstance(root, Term) and root.op == "call" else None
    return [loop for loop, _ in scope.loops] if scope is not None else []


def _starts_anew(training: Training, fit: Fit, loop: Loop) -> bool:
    """Whether the loop puts the model's first weights back before it trains."""
    for term in training.run.trace:
        if (
            term.op == "method"
            and term.name in ("set_weights", "load_weights")
            and any(loop is o for o, _ in term.scope.loops)
        ):
            same = any(a is b for a in options(term.base) for b in options(fit.term.base))
            if same and term.serial < fit.term.serial and not term.scope.maybe:
                return True
    return False


def _counts(iterable: Value | None) -> bool:
    """Whether a loop counts turns, rather than going through data."""
    if isinstance(iterable, Range):
        return isinstance(iterable.count, Const)
    if isinstance(iterable, Seq) and iterable.items:
        last = [i.items[-1] if isinstance(i, Seq) and i.items else i for i in iterable.items]
        numbers = [i.value for i in last if isinstance(i, Const) and isinstance(i.value, int)]
        return 1 < len(numbers) == len(last) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    if isinstance(iterable, Term) and iterable.name in ("builtins.enumerate", "builtins.reversed") and iterable.args:
        return _counts(iterable.args[0])
    return False


def tape_loops(step: Term) -> list[Loop]:
    """The loops around a hand-written training step, outermost first."""
    return [loop for loop, _ in step.scope.loops if not loop.unrolled]
