"""Assignments: names, attributes, items, unpacking."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from lstmadvisor.extract.abstract.evaluate import Evaluator
from lstmadvisor.extract.abstract.operators import BINARY
from lstmadvisor.extract.abstract.state import MISSING, MOST_OPTIONS
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    Env,
    External,
    Function,
    Instance,
    Map,
    Named,
    Object,
    Opaque,
    Package,
    Seq,
    Spot,
    Term,
    Value,
    options,
)


class Binding(Evaluator):
    """Binds targets to values."""

    def assign(self, target: cst.BaseExpression, value: Value, env: Env) -> None:
        """Bind a target: a name, an attribute, an item, or several."""
        self.bind(target, value, env)

    def bind(self, target: cst.BaseExpression, value: Value, env: Env) -> None:
        """Bind a target to a value."""
        match target:
            case cst.Name():
                if isinstance(value, Const):
                    if value.via == "literal":
                        value = replace(value, via="config" if env.is_class else "constant", name=target.value)
                    elif not value.name:
                        value = replace(value, name=target.value)
                self._note(target, value)
                self._write(target.value, value, env)
            case cst.Attribute():
                self._note(target, value)
                base = self.eval(target.value, env)
                for each in base.options if isinstance(base, Choice) else [base]:
                    self.set_attribute(each, target.attr.value, value, Spot(env.module, target))
            case cst.Subscript():
                base = self.eval(target.value, env)
                index = self._index(target, env)
                self.set_item(base, index, value, Spot(env.module, target))
            case cst.Tuple() | cst.List():
                self._unpack(target, value, env)
            case cst.StarredElement():
                self.bind(target.value, value, env)
            case _:
                pass

    def _note(self, target: cst.Name | cst.Attribute, value: Value) -> None:
        if self.scope.loops and self.scope.active:
            self.named.append(Named(target, value, self.scope, self.serial))

    def _write(self, name: str, value: Value, env: Env) -> None:
        if name in env.globals:
            self.put(env.module.env.names, name, value)
            return
        if name in env.nonlocals:
            here = env.outer
            while here is not None:
                if name in here.names:
                    self.put(here.names, name, value)
                    return
                here = here.outer
        self.put(env.names, name, value)

    def _unpack(self, target: cst.Tuple | cst.List, value: Value, env: Env) -> None:
        elements = target.elements
        at = Spot(env.module, target)
        star = next((i for i, e in enumerate(elements) if isinstance(e, cst.StarredElement)), None)
        values: list[Value] | None = self.elements(value)
        if isinstance(value, Choice):
            parts = [self.elements(o) for o in value.options]
            full = [p for p in parts if p is not None and len(p) == len(elements)]
            if full and len(full) == len(parts):
                values = [self.join([p[i] for p in full], value.why) for i in range(len(elements))]
        if star is None and values is not None and len(values) == len(elements):
            for element, one in zip(elements, values, strict=True):
                self.bind(element.value, one, env)
            return
        if star is not None and values is not None and len(values) >= len(elements) - 1:
            rest = len(values) - (len(elements) - 1)
            for i, element in enumerate(elements):
                if i < star:
                    self.bind(element.value, values[i], env)
                elif i == star:
                    self.bind(element.value, Seq(values[i : i + rest], "list", at=at), env)
                else:
                    self.bind(element.value, values[i + rest - 1], env)
            return
        for i, element in enumerate(elements):
            if isinstance(element, cst.StarredElement):
                self.bind(element.value, Opaque("the rest of an unpacking", at), env)
            else:
                index = i if star is None or i < star else i - len(elements)
                self.bind(element.value, self.item(value, Const(index), Spot(env.module, element.value)), env)

    def set_attribute(self, base: Value, name: str, value: Value, at: Spot) -> None:
        """`base.name = value`."""
        if isinstance(value, Const) and value.via == "literal":
            value = replace(value, via="config" if isinstance(base, Object) else "constant", name=name)
        match base:
            case Instance():
                setter = self.find(base.cls, f"{name}.setter")
                if isinstance(setter, Function):
                    self.call(Bound(setter, base), [value], {}, None, at)
                    return
                self.put(base.attrs, name, value)
            case Object():
                self.put(base.attrs, name, value)
            case Class():
                self.put(base.names, name, value)
            case Package():
                self.put(base.module.env.names, name, value)
            case Term():
                self.term("setattr", name, base, [value], at=at, event=True)
                self.put(base.attrs, name, value)
            case Map():
                self.put(base.entries, name, value)
            case External():
                self.term("setattr", name, base, [value], at=at, event=True)
            case _:
                pass

    def set_item(self, base: Value, index: Value, value: Value, at: Spot) -> None:
        """`base[index] = value`."""
        if isinstance(base, Choice):
            for each in base.options:
                self.set_item(each, index, value, at)
            return
        key = (
            index.value
            if isinstance(index, Const) and isinstance(index.value, (str, int, float, bool, type(None)))
            else MISSING
        )
        if isinstance(base, Map):
            if key is MISSING:
                self.set(base, "open", "a key that is not known")
                self.set(base, "rest", [*base.rest, value][:MOST_OPTIONS])
            else:
                if isinstance(value, Const) and value.via == "literal":
                    value = replace(value, via="config", name=str(key))
                self.put(base.entries, key, value)
        elif isinstance(base, Object) and isinstance(key, str):
            self.set_attribute(base, key, value, at)
        elif isinstance(base, Seq) and isinstance(key, int) and -len(base.items) <= key < len(base.items):
            items = list(base.items)
            items[key] = value
            self.set(base, "items", items)
        elif isinstance(base, Instance):
            method = self.find(base.cls, "__setitem__")
            if isinstance(method, Function):
                self.call(Bound(method, base), [index, value], {}, None, at)
        elif isinstance(base, (Term, External)):
            self.term("setitem", "[]=", base, [index, value], at=at, event=True)
            if isinstance(base, Term) and key is not MISSING:
                self.put(base.attrs, f"[{key!r}]", value)

    def _outlives_turn(self, target: cst.BaseExpression, env: Env) -> bool:
        """Whether what a target holds is handed from one turn of a loop to the next, unseen by the loop's own body."""
        around = [loop for loop, _ in self.scope.loops if not loop.unrolled]
        if not around:
            return False
        if isinstance(target, cst.Name):
            return target.value in env.globals or target.value in env.nonlocals
        if not isinstance(target, (cst.Attribute, cst.Subscript)):
            return False
        base = self.eval(target.value, env)
        if isinstance(base, Instance) and base.scope is not None:
            born = [loop for loop, _ in base.scope.loops]
            return any(not any(loop is b for b in born) for loop in around)
        return not isinstance(base, Term)

    def _recounted(self, node: cst.Assign, env: Env) -> Value:
        """The value of an assignment; `x.n = x.n + 1` counts like `x.n += 1`."""
        value = self.eval(node.value, env)
        target, right = node.targets[0].target, node.value
        if not isinstance(right, cst.BinaryOperation) or len(node.targets) > 1:
            return value
        if isinstance(target, cst.Name):
            if isinstance(value, Term) and _mentions(right, target.value) and _counts_on(value):
                self.trace.append(value)
        elif isinstance(value, Const) and not isinstance(value.value, str) and right.left.deep_equals(target):
            if not self._outlives_turn(target, env):
                return value
            name, _ = BINARY[type(right.operator)]
            operands = [self.eval(right.left, env), self.eval(right.right, env)]
            return self.term("binop", f"{name}=", None, operands, at=Spot(env.module, node), event=True)
        return value

    def _augmented(self, node: cst.AugAssign, env: Env) -> None:
        current = self.eval(node.target, env)
        operand = self.eval(node.value, env)
        name, function = BINARY[type(node.operator)]
        at = Spot(env.module, node)
        if isinstance(current, Seq) and name == "+":
            items = self.elements(operand)
            if items is not None:
                self.set(current, "items", [*current.items, *items])
            else:
                self.set(current, "items", [*current.items, self.element_of(operand, at)])
                self.set(current, "open", "grows by something unknown")
            return
        value = self.binary(name, function, current, operand, at)
        if (
            (isinstance(value, Const) and not isinstance(value.value, str) and self._outlives_turn(node.target, env))
            or isinstance(value, Term)
            or isinstance(current, Term)
            or isinstance(operand, (Term, Choice))
        ):
            value = self.term("binop", f"{name}=", None, [current, operand], at=at, event=True)
        if isinstance(node.target, cst.Subscript):
            self.set_item(self.eval(node.target.value, env), self._index(node.target, env), value, at)
        elif isinstance(node.target, cst.Attribute):
            base = self.eval(node.target.value, env)
            self._note(node.target, value)
            if not isinstance(base, Term):
                self.set_attribute(base, node.target.attr.value, value, at)
        else:
            self.bind(node.target, value, env)


def _counts_on(value: Term) -> bool:
    """Whether arithmetic goes on with a number that changes in a loop, or with its own result of the turn before."""
    return any(
        _widened(a) or any(isinstance(o, Term) and o.at.node is value.at.node for o in options(a)) for a in value.args
    )


def _mentions(node: cst.BinaryOperation, name: str) -> bool:
    return any(isinstance(side, cst.Name) and side.value == name for side in (node.left, node.right))


def _widened(value: Value) -> bool:
    return any(isinstance(o, Const) and o.via == "widened" for o in options(value))
