"""Parameters of PyTorch layers: their shapes, and which of them an expression means."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Seq, Term, Value, options
from lstmadvisor.extract.pytorch.torch_ops import constant, last, whole

GATES = {"LSTM": ("input", "forget", "cell", "output"), "GRU": ("reset", "update", "new"), "RNN": ("hidden",)}
_LISTS = ("parameters", "named_parameters", "state_dict")
_SAME = ("data", "detach", "clone", "contiguous", "T", "t", "requires_grad_", "to", "cuda", "cpu", "float")


class Target(NamedTuple):
    """A parameter, or a stretch of its first axis, that an expression means."""

    layer: Term | None
    """the constructor call of the layer that it belongs to"""
    name: str
    part: tuple[Fraction, Fraction] | None = None
    """from where to where, in units of the hidden size"""
    known: bool = True
    """False: some stretch of it, which one is not known"""


def kind_of(layer: Term | None) -> str:
    """LSTM, GRU or RNN of a recurrent layer or cell; the class name of any other."""
    return last(layer.name).removesuffix("Cell") if layer is not None else ""


class Parameters:
    """Finds the parameters that expressions mean."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.own = {
            id(value): (instance, name)
            for instance in run.instances
            for name, held in instance.attrs.items()
            for value in options(held)
            if isinstance(value, Term) and value.name == "torch.nn.Parameter"
        }

    def targets(self, value: Value | None, event: Term, depth: int = 0) -> list[Target] | None:
        """The parameters that `value` means at `event`; None where that is not known."""
        if depth > 12:
            return None
        out: list[Target] = []
        for each in options(value):
            found = self._targets(each, event, depth)
            if found is None:
                return None
            out.extend(found)
        return out

    def _targets(self, value: Value, event: Term, depth: int) -> list[Target] | None:
        if not isinstance(value, Term):
            return None
        if value.op == "call" and value.name == "torch.nn.Parameter":
            return [Target(None, self.own[id(value)][1] if id(value) in self.own else "")]
        if value.op == "attr":
            return self._attribute(value, event, depth)
        if value.op == "elem":
            base = value.base
            if isinstance(base, Term) and last(base.name) in ("chunk", "split", "tensor_split"):
                pieces_of = base.base if base.op == "method" else base.args[0] if base.args else None
                return self.targets(pieces_of, event, depth + 1)  # one after the other, all of them
            return self._element(value, event)
        if value.op == "item":
            base = value.base
            if isinstance(base, Term) and base.op == "elem" and whole(value.args[0]) == 1:
                return self._element(base, event)
            if isinstance(base, Term) and last(base.name) in ("chunk", "split", "tensor_split"):
                return self._piece(base, whole(value.args[0]), event, depth)
            found = self.targets(base, event, depth + 1)
            rows = isinstance(base, Term) and base.name in ("view", "reshape")
            return None if found is None else [self.cut(t, value.args[0], rows) for t in found]
        if value.op == "method":
            return self._method(value, event, depth)
        return None

    def _attribute(self, value: Term, event: Term, depth: int) -> list[Target] | None:
        base = value.base.term if isinstance(value.base, Instance) else value.base
        if value.name in _SAME:
            return self.targets(value.base, event, depth + 1)
        if isinstance(base, Term) and base.op == "call" and base.name.startswith("torch.nn."):
            if value.name.startswith(("weight", "bias")):
                return [Target(base, value.name)]
            return None
        if value.name in ("weight", "bias") or value.name.startswith(("weight_", "bias_")):
            return [Target(None, value.name, known=False)]
        return None

    def _method(self, value: Term, event: Term, depth: int) -> list[Target] | None:
        if value.name in _SAME:
            return self.targets(value.base, event, depth + 1)
        if value.name == "narrow" and len(value.args) == 3 and whole(value.args[0]) == 0:
            found = self.targets(value.base, event, depth + 1)
            return None if found is None else [self._narrowed(t, value.args[1], value.args[2]) for t in found]
        if value.name in ("view", "reshape"):
            found = self.targets(value.base, event, depth + 1)
            gates = whole(value.args[0]) if value.args else None
            if (
                found is not None
                and gates is not None
                and all(gates == len(GATES.get(kind_of(t.layer), ())) for t in found)
            ):
                return found
            return None if found is None else [Target(t.layer, t.name, known=False) for t in found]
        return None

    def _element(self, value: Term, event: Term) -> list[Target] | None:
        """An element of `x.parameters()` or `x.named_parameters()` that could not be unrolled."""
        source = value.base
        for _ in range(4):
            if (
                isinstance(source, Term)
                and source.op == "call"
                and source.args
                and last(source.name) in ("list", "enumerate", "iter", "filter", "sorted")
            ):
                source = source.args[-1] if last(source.name) == "filter" else source.args[0]
        if (
            isinstance(source, Term)
            and source.op == "method"
            and source.name in ("items", "values")
            and isinstance(source.base, Term)
        ):
            source = source.base
        if not isinstance(source, Term) or source.op != "method" or source.name not in _LISTS or source.base is None:
            return None
        out: list[Target] = []
        for module in options(source.base):
            pairs, _ = frameworks.parameters(self.run, module)
            for name, parameter in pairs:
                if _excluded(event, name, parameter):
                    continue
                base = parameter.base if isinstance(parameter, Term) else None
                layer = base.term if isinstance(base, Instance) else base
                out.append(Target(layer if isinstance(layer, Term) else None, last(name)))
        return out

    # -- stretches ----------------------------------------------------------------------------------

    def cut(self, target: Target, index: Value, rows: bool = False) -> Target:
        """`target[index]`; `rows`: the target was viewed as one row for each gate."""
        if target.part is not None or not target.known:
            return Target(target.layer, target.name, known=False)
        first = index.items[0] if isinstance(index, Seq) and index.kind == "tuple" and index.items else index
        if isinstance(first, Seq) and first.kind == "slice":
            low, high, step = first.items
            if constant(step) is not None:
                return Target(target.layer, target.name, known=False)
            whole_ = len(GATES.get(kind_of(target.layer), ()))
            start = Fraction(0) if isinstance(low, Const) and low.value is None else self.units(low, target)
            end = Fraction(whole_) if isinstance(high, Const) and high.value is None else self.units(high, target)
            if start is not None and end is not None and whole_:
                start, end = (s + whole_ if s < 0 else s for s in (start, end))
                return Target(target.layer, target.name, (start, end))
        if isinstance(first, Const) and first.value is Ellipsis:
            return target
        if rows and (row := whole(first)) is not None:
            return Target(target.layer, target.name, (Fraction(row), Fraction(row + 1)))
        return Target(target.layer, target.name, known=False)

    def _narrowed(self, target: Target, start: Value, length: Value) -> Target:
        low, count = self.units(start, target), self.units(length, target)
        if low is None or count is None:
            return Target(target.layer, target.name, known=False)
        return Target(target.layer, target.name, (low, low + count))

    def _piece(self, base: Term, index: int | None, event: Term, depth: int) -> list[Target] | None:
        source = base.base if base.op == "method" else base.args[0] if base.args else None
        found = self.targets(source, event, depth + 1)
        if found is None:
            return None
        rest = base.args if base.op == "method" else base.args[1:]
        out: list[Target] = []
        for target in found:
            gates = len(GATES.get(kind_of(target.layer), ()))
            size = self.units(rest[0], target) if last(base.name) == "split" and rest else None
            pieces = whole(rest[0]) if rest and last(base.name) != "split" else None
            if index is not None and gates and (size == 1 or pieces == gates):
                index_ = index if index >= 0 else gates + index
                out.append(Target(target.layer, target.name, (Fraction(index_), Fraction(index_ + 1))))
            else:
                out.append(Target(target.layer, target.name, known=False))
        return out

    def units(self, value: Value, target: Target) -> Fraction | None:
        """A number as a multiple of the hidden size of the layer that `target` belongs to."""
        if target.layer is None:
            return None
        hidden = target.layer.argument("hidden_size", 1)
        if value is hidden:
            return Fraction(1)
        size = whole(hidden)
        if isinstance(value, Const):
            number = constant(value)
            if number == 0:
                return Fraction(0)
            if isinstance(number, (int, float)) and not isinstance(number, bool) and size:
                return Fraction(number) / size
            return None
        if not isinstance(value, Term):
            return None
        if value.op == "binop" and len(value.args) == 2:
            return self._arithmetic(value, target)
        if value.op == "binop" and value.name == "-" and len(value.args) == 1:
            inner = self.units(value.args[0], target)
            return None if inner is None else -inner
        if value.op == "call" and value.name == "builtins.int" and value.args:
            return self.units(value.args[0], target)
        if _is_length(value):
            gates = GATES.get(kind_of(target.layer))
            return Fraction(len(gates)) if gates and target.name.startswith("bias") else None
        if value.op == "attr" and value.name == "hidden_size":
            return Fraction(1)
        return None

    def _arithmetic(self, value: Term, target: Target) -> Fraction | None:
        left, right = value.args
        a, b = self.units(left, target), self.units(right, target)
        number, factor = constant(right), constant(left)
        if value.name in ("+", "-") and a is not None and b is not None:
            return a + b if value.name == "+" else a - b
        if value.name in ("/", "//") and a is not None and isinstance(number, int) and number:
            return a / number
        if value.name == "*":
            if a is not None and isinstance(number, (int, float)) and not isinstance(left, Const):
                return a * Fraction(number)
            if b is not None and isinstance(factor, (int, float)):
                return b * Fraction(factor)
        return None


def _is_length(value: Term) -> bool:
    """Whether a number is the length of the first axis of something: `b.size(0)`, `b.shape[0]`, `len(b)`."""
    if (value.op == "method" and value.name in ("numel", "nelement")) or (
        value.op == "call" and value.name == "builtins.len"
    ):
        return True
    if value.op == "method" and value.name == "size":
        return whole(value.args[0] if value.args else None) in (0, -1)
    if value.op == "item" and isinstance(value.base, Term) and value.base.name in ("shape", "size"):
        return whole(value.args[0]) in (0, -1)
    return False


def _excluded(event: Term, name: str, parameter: Value) -> bool:
    """Whether the conditions around an event leave out the parameter called `name`."""
    for condition, side in event.scope.conditions:
        verdict = _holds(condition, name)
        if verdict is not None and verdict != side:
            return True
    return False


def _holds(condition: Value, name: str) -> bool | None:
    """Whether a condition on a parameter's name or rank holds for the parameter called `name`."""
    if isinstance(condition, Const):
        return bool(condition.value)
    if not isinstance(condition, Term):
        return None
    if condition.op == "binop":
        return _compared(condition, name)
    if condition.op == "method" and condition.name in ("startswith", "endswith") and condition.args:
        text = constant(condition.args[0])
        if isinstance(text, str):
            return name.startswith(text) if condition.name == "startswith" else name.endswith(text)
    return None


def _compared(condition: Term, name: str) -> bool | None:
    if condition.name == "not" and len(condition.args) == 1:
        inner = _holds(condition.args[0], name)
        return None if inner is None else not inner
    left, right = condition.args[0], condition.args[-1]
    if condition.name in ("and", "or"):
        verdicts = [_holds(left, name), _holds(right, name)]
        decisive = condition.name == "or"
        return decisive if decisive in verdicts else None if None in verdicts else not decisive
    text = constant(left)
    if condition.name in ("in", "not in") and isinstance(text, str) and not isinstance(right, Const):
        return (text in name) == (condition.name == "in")
    bound = whole(right)
    if bound is not None and isinstance(left, Term) and _is_rank(left):
        rank = 1 if "bias" in name else 2
        return {
            ">": rank > bound,
            ">=": rank >= bound,
            "<": rank < bound,
            "<=": rank <= bound,
            "==": rank == bound,
            "!=": rank != bound,
        }.get(condition.name)
    return None


def _is_rank(value: Term) -> bool:
    if (value.op == "method" and value.name in ("dim", "ndimension")) or (value.op == "attr" and value.name == "ndim"):
        return True
    inner = value.args[0] if value.op == "call" and value.name == "builtins.len" and value.args else None
    return isinstance(inner, Term) and (inner.name == "shape" or inner.name == "size")


__all__ = ["GATES", "Parameters", "Target", "kind_of"]
