"""The result of the PyTorch model that is trained: found backwards from the loss."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Instance, Map, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import argument, inferred
from lstmadvisor.extract.pytorch.flow import Flow, sources
from lstmadvisor.extract.pytorch.sizes import Sizes
from lstmadvisor.extract.pytorch.torch_ops import (
    DENSE,
    activation_of,
    applied_module,
    constructor,
    input_of,
    is_recurrent,
    keeps_meaning,
    last,
    module_name,
)
from lstmadvisor.facts import ABSENT, Output, Unknown, plain
from lstmadvisor.facts import Value as Fact

MOST_WAYS = 12


class Outputs:
    """The result of the model that is trained: found backwards from the loss."""

    def __init__(self, run: Run, flow: Flow, sizes: Sizes) -> None:
        self.run = run
        self.flow = flow
        self.sizes = sizes
        self.roots = self._roots()
        """results of the outermost modules that reach the loss, with the calls that gave them"""
        self._last = {id(t): through for value, _ in self.roots for t, through in ways_out(flow, value)}

    def _roots(self) -> list[tuple[Value, Term | None]]:
        outer: dict[int, Term] = {}
        for term in self.run.trace:
            if term.op == "enter" and isinstance(term.base, Instance) and not inside_module(self.run, term):
                for part in _tensors(term.result):
                    outer.setdefault(id(part), term)
            elif term.op == "apply" and term.result is not None and not inside_module(self.run, term):
                outer.setdefault(id(term.result), term)
        found = self._from_losses(outer)
        if found:
            return found
        entered = [
            t
            for t in self.run.trace
            if t.op == "enter" and t.scope.active and not inside_module(self.run, t) and t.result is not None
        ]
        if not entered:
            return []
        mark = entered[-1]
        value = next(iter(_tensors(mark.result)), None)
        return [(value, mark)] if value is not None else []

    def _from_losses(self, outer: dict[int, Term]) -> list[tuple[Value, Term | None]]:
        found: dict[int, tuple[Value, Term | None]] = {}
        for loss in _losses(self.run):
            queue: list[Value] = [loss]
            seen = {id(loss)}
            for here in queue:
                mark = outer.get(id(here))
                if mark is not None and here is not loss and not _is_loss(here) and not _is_criterion(mark):
                    found.setdefault(id(here), (here, mark))
                    continue
                for source in (*sources(here), *self.flow.written(here)):
                    if id(source) not in seen and len(seen) < 1500:
                        seen.add(id(source))
                        queue.append(source)
            if not found:
                found.update(_loss_input(loss))
            if found:
                break
        return sorted(found.values(), key=_place_in_result)

    def is_last(self, term: Term) -> bool:
        """Whether an application gives the model's output, activations aside."""
        return id(term) in self._last

    def activation(self, term: Term) -> str | None:
        """The activation between the application of a last layer and the model's output, or None."""
        return next((name for t in self._last.get(id(term), ()) if (name := activation_of(t)) is not None), None)

    def is_output(self, term: Value) -> bool:
        """Whether a value is the model's output, as far as moving and activations go."""
        roots = {id(v) for v, _ in self.roots}
        queue: list[Value] = [term]
        seen = {id(term)}
        for here in queue:
            if id(here) in roots:
                return True
            for user in self.flow.users(here):
                if isinstance(user, Term) and user.op == "setitem" and user.args[-1] is here and user.base is not None:
                    user = user.base
                elif isinstance(user, Term) and not keeps_meaning(user) and not activation_of(user):
                    continue
                if id(user) not in seen and len(seen) < 200:
                    seen.add(id(user))
                    queue.append(user)
        return False

    def fact(self) -> Output:
        """Units and activation of the output."""
        active = [(v, m) for v, m in self.roots if m is None or m.scope.active] or self.roots
        if not active:
            return Output()
        places: dict[int, list[Value]] = {}
        for found in active:
            places.setdefault(_place_in_result(found), []).append(found[0])
        outputs = [self._of(values) for values in places.values()]
        other = next((o for o in outputs if plain(o.activation, "none") != "none"), None)
        return other if other is not None and plain(outputs[0].activation) == "none" else outputs[0]

    def _of(self, values: list[Value]) -> Output:
        """The output at one place of the result; several values are alternatives."""
        ways = [w for value in values for w in ways_out(self.flow, value)]
        if not ways:
            return Output(
                activation=Unknown(unknown="the last operation of the model is not seen"),
                units=Unknown(unknown="not seen"),
            )
        term = ways[0][0]
        found = [next((a for a in t if activation_of(a)), None) for _, t in ways]
        activation = found[0]
        names = {activation_of(a) if a is not None else "none" for a in found}
        at = place(activation.at if activation is not None else term.at)
        axis = _softmax_axis(activation) if activation is not None else ABSENT
        made = constructor(term.base)
        units: Fact = Unknown(unknown="the last layer is not a linear one")
        if module_name(term.base) in DENSE:
            units = self.sizes.fact(made.argument("out_features", 1))
        elif is_recurrent(term.base):
            units = self.sizes.fact(made.argument("hidden_size", 1))
        if len(names) > 1:
            return Output(units=units, activation=Unknown(unknown="a branch that cannot be decided", at=at), at=at)
        return Output(units=units, activation=inferred(names.pop(), at), softmax_axis=axis, at=at)


def _softmax_axis(term: Term) -> Fact:
    if activation_of(term) not in ("softmax", "logsoftmax"):
        return ABSENT
    if term.op == "apply":
        return argument(constructor(term.base), "dim", 0, None)
    return argument(term, "dim", 0 if term.op == "method" else 1, None)


Ways = list[tuple[Term, tuple[Term, ...]]]


def ways_out(flow: Flow, value: Value) -> Ways:
    """The applications that an output comes from, each with what it went through since (last first).

    There are several where branches cannot be decided, and where results are added or stored piece by piece.
    """
    return _Ways(flow).of(value)


class _Ways:
    """Looks for the ways of values, of each once: values are shared by many."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._found: dict[int, Ways] = {}

    def of(self, value: Value | None, depth: int = 0) -> Ways:
        if value is None or depth > 60:
            return []
        if id(value) not in self._found:
            self._found[id(value)] = []  # where it comes from itself
            self._found[id(value)] = self._look(value, depth + 1)
        return self._found[id(value)]

    def _look(self, value: Value, depth: int) -> Ways:
        if isinstance(value, Choice):
            return [w for o in value.options for w in self.of(o, depth)][:MOST_WAYS]
        if isinstance(value, (Seq, Map)):
            return self._first(value.items if isinstance(value, Seq) else list(value.entries.values()), depth)
        if not isinstance(value, Term):
            return []
        if written := self._flow.written(value):
            return self._first(written, depth)
        if value.op == "apply" and value.result is not None:
            return self.of(value.result, depth)
        if value.op == "apply" and module_name(value.base) and not activation_of(value) and not keeps_meaning(value):
            return [(value, ())]
        if value.op == "binop":
            return self._first(value.args, depth)
        if value.op in ("elem", "comp"):
            return self._first([*value.args, *([value.base] if value.base is not None else [])], depth)
        return [(term, (value, *through)) for term, through in self.of(input_of(value), depth)]

    def _first(self, values: list[Value], depth: int) -> Ways:
        """The ways of the first value that has any."""
        return next((found for v in values[:8] if (found := self.of(v, depth))), [])


def _place_in_result(found: tuple[Value, Term | None]) -> int:
    """Which item of the tuple that a model gives back a value is; alternatives of one item share its place."""
    value, mark = found
    for result in options(mark.result if mark is not None else None):
        held = (
            result.items
            if isinstance(result, Seq)
            else list(result.entries.values())
            if isinstance(result, Map)
            else []
        )
        for i, item in enumerate(held):
            if any(t is value for t in _tensors(item)):
                return i
    return 0


def _tensors(value: Value | None) -> Iterator[Value]:
    """A model's result, or the results in a tuple or dict."""
    for each in options(value):
        if isinstance(each, Seq):
            for item in each.items[:8]:
                yield from _tensors(item)
        elif isinstance(each, Map):
            for entry in list(each.entries.values())[:8]:
                yield from _tensors(entry)
        elif isinstance(each, Term):
            yield each


def inside_module(run: Run, term: Term) -> bool:
    """Whether a call happens inside the forward of a user's module."""
    return any(
        f.function.owner is not None
        and f.function.name in ("forward", "__call__")
        and any(b.startswith(("torch.nn.", "lightning.")) for b in run.library_bases(f.function.owner))
        for f in term.scope.frames
    )


def _losses(run: Run) -> Iterator[Value]:
    """What training minimises: what `backward()` is called on, else results of loss functions."""
    for term in run.trace:
        if term.op == "method" and term.name in ("backward", "manual_backward") and term.scope.active:
            if (
                term.name == "manual_backward"
                or not isinstance(term.base, Term)
                or (term.args and term.base.name.endswith(("Accelerator", "Fabric")))
            ):
                yield from term.args[:1]
            elif term.base.op == "method" and term.base.name == "scale" and term.base.args:
                yield term.base.args[0]
            else:
                yield term.base
    for term in reversed(run.trace):
        if term.scope.active and _is_loss(term) and not _inside_validation(term):
            yield term


def _inside_validation(term: Term) -> bool:
    return any(
        f.function.name in ("validation_step", "test_step", "evaluate", "validate", "test") for f in term.scope.frames
    )


def _is_loss(value: Value) -> bool:
    if not isinstance(value, Term):
        return False
    name = (
        applied_module(value)
        if value.op == "apply"
        else last(value.name)
        if value.op == "call" and value.name.startswith("torch.nn.functional.")
        else ""
    )
    return name.endswith(("Loss", "_loss")) or name in (
        "cross_entropy",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "kl_div",
    )


def _is_criterion(mark: Term) -> bool:
    """Whether a user's module that was called is a loss."""
    name = mark.base.cls.name.lower() if isinstance(mark.base, Instance) else ""
    return name.endswith("loss") or "criterion" in name or "entropy" in name


def _loss_input(loss: Value) -> dict[int, tuple[Value, Term | None]]:
    """What a loss function was given, where no model's call was met."""
    for value in walk(loss, 400):
        if isinstance(value, Term) and _is_loss(value) and (given := input_of(value)) is not None:
            return {id(given): (given, None)}
    return {}
