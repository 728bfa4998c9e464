"""Partial evaluation: an expression → the value it stands for, with its origin."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.access import Access, hashable
from lstmadvisor.extract.abstract.names import star_member
from lstmadvisor.extract.abstract.operators import BINARY, COMPARE, STR_METHODS, UNARY, NotComputable, compute
from lstmadvisor.extract.abstract.state import MOST_OPTIONS, Exhausted
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
    Object,
    Opaque,
    Package,
    Range,
    Seq,
    Spot,
    Super,
    Term,
    Value,
)

MOST_ITEMS = 400
"""Items of one list that are kept."""
BUILTINS = frozenset(
    "len range int float str bool list tuple dict set frozenset sorted reversed enumerate zip map filter "
    "min max sum abs round print open isinstance issubclass getattr setattr hasattr type super object "
    "iter next any all id vars input format repr callable pow divmod hash slice ord chr exit quit "
    "property staticmethod classmethod __import__ globals locals eval".split()
)


SAME_ELEMENTS = frozenset(f"builtins.{n}" for n in ("sorted", "list", "tuple", "reversed", "set", "frozenset"))
"""Functions whose result holds the elements of their argument."""


class Evaluator(Access):
    """Evaluates expressions."""

    def eval(self, node: cst.BaseExpression, env: Env) -> Value:
        """The value of an expression."""
        self.budget -= 1
        if self.budget <= 0:
            raise Exhausted
        handler = _EXPRESSIONS.get(type(node))
        if handler is None:
            return Opaque(f"`{env.module.code(node)}` is not understood", Spot(env.module, node))
        return handler(self, node, env)

    def _name(self, node: cst.Name, env: Env) -> Value:
        return self.lookup(node.value, env, node)

    def lookup(self, name: str, env: Env, node: cst.CSTNode | None = None) -> Value:
        """What a name stands for here."""
        here: Env | None = env
        first = True
        while here is not None:
            if (first or not here.is_class) and name in here.names:
                return here.names[name]
            here, first = here.outer, False
        module = env.module
        if name in module.env.names:
            return module.env.names[name]
        if name == "True":
            return Const(True, at=Spot(module, node))
        if name == "False":
            return Const(False, at=Spot(module, node))
        if name == "None":
            return Const(None, at=Spot(module, node))
        if (found := star_member(module.stars, name)) is not None:
            return External(found)
        if name in BUILTINS:
            return External(f"builtins.{name}")
        if name == "__name__":
            return Const(module.name)
        if name == "__file__":
            return Const(str(module.source.file or module.source.path))
        return Opaque(f"`{name}` is not defined in what was read", Spot(module, node))

    def _integer(self, node: cst.Integer, env: Env) -> Value:
        if len(node.value) > 300:
            return Opaque("a number too long to read", Spot(env.module, node))
        value = int(node.value) if node.value.isdecimal() else node.evaluated_value
        return Const(value, at=Spot(env.module, node))

    def _float(self, node: cst.Float, env: Env) -> Value:
        return Const(float(node.value), at=Spot(env.module, node))

    def _string(self, node: cst.SimpleString | cst.ConcatenatedString, env: Env) -> Value:
        if isinstance(node, cst.ConcatenatedString):
            parts = [self.eval(node.left, env), self.eval(node.right, env)]
            if all(isinstance(p, Const) for p in parts):
                try:
                    return Const(parts[0].value + parts[1].value, at=Spot(env.module, node))  # type: ignore[attr-defined]
                except TypeError:
                    pass
            return self.term("text", "", None, parts, at=Spot(env.module, node))
        try:
            return Const(_text(node.value), at=Spot(env.module, node))
        except (SyntaxError, ValueError):  # an escape that Python refuses
            return Opaque("a text that Python cannot read", Spot(env.module, node))

    def _fstring(self, node: cst.FormattedString, env: Env) -> Value:
        parts: list[Value] = []
        plain = True
        text = ""
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                text += part.value.replace("{{", "{").replace("}}", "}")
                continue
            assert isinstance(part, cst.FormattedStringExpression)
            value = self.eval(part.expression, env)
            parts.append(value)
            if isinstance(value, Const) and value.via == "widened":
                plain = False
            elif isinstance(value, Const) and part.conversion is None and not part.format_spec:
                text += str(value.value)
            elif (
                isinstance(value, Const)
                and part.format_spec
                and all(isinstance(s, cst.FormattedStringText) for s in part.format_spec)
            ):
                spec = "".join(s.value for s in part.format_spec if isinstance(s, cst.FormattedStringText))
                try:
                    text += compute("format", format, value.value, spec) if len(spec) < 12 else "?"
                except NotComputable:
                    plain = False
            else:
                plain = False
        if plain and len(text) < 10_000:
            return Const(text, "arithmetic" if parts else "literal", Spot(env.module, node))
        return self.term("text", text, None, parts, at=Spot(env.module, node))

    def _ellipsis(self, node: cst.Ellipsis, env: Env) -> Value:
        return Const(Ellipsis, at=Spot(env.module, node))

    def _sequence(self, node: cst.Tuple | cst.List | cst.Set, env: Env) -> Value:
        kind = {cst.Tuple: "tuple", cst.List: "list", cst.Set: "set"}[type(node)]
        out = Seq([], kind, at=Spot(env.module, node))
        for element in node.elements[: MOST_ITEMS + 1]:
            value = self.eval(element.value, env)
            if isinstance(element, cst.StarredElement):
                items = self.elements(value)
                if items is None:
                    out.open = "a starred list that is not known"
                    out.items.append(self.element_of(value, Spot(env.module, element.value)))
                else:
                    out.items.extend(items)
            else:
                out.items.append(value)
        if len(node.elements) > MOST_ITEMS:
            out.open = "a very long list"
        return out

    def _dict(self, node: cst.Dict, env: Env) -> Value:
        out = Map({}, at=Spot(env.module, node))
        for element in node.elements[:MOST_ITEMS]:
            if isinstance(element, cst.StarredDictElement):
                value = self.eval(element.value, env)
                if isinstance(value, Map):
                    out.entries.update(value.entries)
                    out.open = out.open or value.open
                elif isinstance(value, Object):
                    out.entries.update(value.attrs)
                    out.open = out.open or value.open
                else:
                    out.open = f"`**{env.module.code(element.value)}`"
                continue
            assert isinstance(element, cst.DictElement)
            key, value = self.eval(element.key, env), self.eval(element.value, env)
            if isinstance(key, Const) and hashable(key.value):
                if isinstance(value, Const) and value.via == "literal":
                    value = replace(value, via="config", name=str(key.value))
                out.entries[key.value] = value
            else:
                out.open = "a key that is not known"
        return out

    def _attribute(self, node: cst.Attribute, env: Env) -> Value:
        return self.attribute(self.eval(node.value, env), node.attr.value, Spot(env.module, node))

    def _subscript(self, node: cst.Subscript, env: Env) -> Value:
        base = self.eval(node.value, env)
        return self.item(base, self._index(node, env), Spot(env.module, node))

    def _index(self, node: cst.Subscript, env: Env) -> Value:
        parts: list[Value] = []
        for element in node.slice:
            s = element.slice
            if isinstance(s, cst.Slice):
                bounds = [Const(None) if b is None else self.eval(b, env) for b in (s.lower, s.upper, s.step)]
                parts.append(Seq(bounds, "slice"))
            else:
                assert isinstance(s, cst.Index)
                parts.append(self.eval(s.value, env))
        if len(parts) == 1 and isinstance(node.slice[0].comma, cst.MaybeSentinel):
            return parts[0]
        return Seq(parts, "tuple")

    def _binary(self, node: cst.BinaryOperation, env: Env) -> Value:
        left, right = self.eval(node.left, env), self.eval(node.right, env)
        name, function = BINARY[type(node.operator)]
        return self.binary(name, function, left, right, Spot(env.module, node))

    def binary(self, name: str, function: Callable[[Any, Any], Any], left: Value, right: Value, at: Spot) -> Value:
        """`left name right`, computed where both are known."""
        if isinstance(left, Choice) or isinstance(right, Choice):
            lefts = left.options if isinstance(left, Choice) else [left]
            rights = right.options if isinstance(right, Choice) else [right]
            if len(lefts) * len(rights) <= MOST_OPTIONS and not any(isinstance(v, Term) for v in (*lefts, *rights)):
                return self.join([self.binary(name, function, a, b, at) for a in lefts for b in rights])
        if name == "+" and self.repeats and any(getattr(v, "at", None) is self.repeats[-1] for v in (left, right)):
            self.repeats[-1] = at
        if isinstance(left, Const) and isinstance(right, Const):
            if name == "/" and isinstance(left.value, str) and isinstance(right.value, str):
                return Const(f"{left.value.rstrip('/')}/{right.value}", "arithmetic", at)
            if left.via == "widened" or right.via == "widened":
                return self.term("binop", name, None, [left, right], at=at)
            try:
                value = compute(name, function, left.value, right.value)
            except NotComputable:
                return Opaque(f"`{name}` of these values cannot be computed", at)
            if name == "*" and isinstance(left.value, str) and right.via == "arithmetic":
                self.repeats.append(at)
            named = [c for c in (left, right) if c.via != "literal"]
            root = named[0] if len(named) == 1 else None
            via = "search" if any(c.via == "search" for c in named) else "arithmetic"
            return Const(value, via, at, (root.root or root) if root else None)
        if isinstance(left, Seq) and isinstance(right, Seq) and name == "+":
            items = [*left.items, *right.items]
            open_ = left.open or right.open or ("a very long list" if len(items) > MOST_ITEMS else None)
            return Seq(items[:MOST_ITEMS], left.kind, open_, at)
        if isinstance(left, Seq) and isinstance(right, Const) and name == "*" and isinstance(right.value, int):
            if right.via == "arithmetic":
                self.repeats.append(at)
            if len(left.items) * max(right.value, 0) <= MOST_ITEMS:
                return Seq(left.items * right.value, left.kind, left.open, at)
        if isinstance(left, Map) and isinstance(right, Map) and name == "|":
            return Map({**left.entries, **right.entries}, left.open or right.open, at)
        if isinstance(left, Const) and isinstance(left.value, str) and name == "%":
            flat = [right] if isinstance(right, Const) else right.items if isinstance(right, Seq) else []
            if flat and all(isinstance(f, Const) for f in flat):
                values = tuple(f.value for f in flat if isinstance(f, Const))
                try:
                    return Const(compute(name, function, left.value, values), "arithmetic", at)
                except NotComputable:
                    pass
        return self.term("binop", name, None, [left, right], at=at)

    def _unary(self, node: cst.UnaryOperation, env: Env) -> Value:
        value = self.eval(node.expression, env)
        name, function = UNARY[type(node.operator)]
        if name == "not":
            truth = self.truth(value)
            if truth is not None:
                return Const(not truth, "arithmetic", Spot(env.module, node))
        elif isinstance(value, Const) and value.via != "widened":
            try:
                result = compute(name, function, value.value)
            except NotComputable:
                return Opaque("cannot be computed", Spot(env.module, node))
            literal = value.via == "literal"
            return Const(
                result,
                "literal" if literal else "arithmetic",
                Spot(env.module, node),
                None if literal else value.root or value,
            )
        return self.term("binop", name, None, [value], at=Spot(env.module, node))

    def _boolean(self, node: cst.BooleanOperation, env: Env) -> Value:
        left = self.eval(node.left, env)
        is_or = isinstance(node.operator, cst.Or)
        truth = self.truth(left)
        if truth is not None:
            return left if truth == is_or else self.eval(node.right, env)
        right = self.eval(node.right, env)
        right_truth = self.truth(right)
        if (not is_or and right_truth is False) or (is_or and right_truth is True):
            return right
        return self.term("binop", "or" if is_or else "and", None, [left, right], at=Spot(env.module, node))

    def _comparison(self, node: cst.Comparison, env: Env) -> Value:
        left = self.eval(node.left, env)
        at = Spot(env.module, node)
        result: Value = Const(True, "arithmetic", at)
        for target in node.comparisons:
            right = self.eval(target.comparator, env)
            name, function = COMPARE[type(target.operator)]
            one = self.compare(name, function, left, right, at)
            if isinstance(one, Const) and one.value is False:
                return one
            if not isinstance(one, Const):
                result = one
            left = right
        return result

    def compare(self, name: str, function: Callable[[Any, Any], Any], left: Value, right: Value, at: Spot) -> Value:
        """A comparison, decided where both sides are known (or surely not None)."""
        if name in ("<", "<=", ">", ">="):
            for limit, length in ((left, right), (right, left)):
                if isinstance(limit, Const) and isinstance(length, Term) and length.name == "builtins.len":
                    self.limits.append(limit)
        if isinstance(left, Choice) or isinstance(right, Choice):
            lefts = left.options if isinstance(left, Choice) else [left]
            rights = right.options if isinstance(right, Choice) else [right]
            answers = [self.compare(name, function, a, b, at) for a in lefts for b in rights]
            if (
                all(isinstance(a, Const) for a in answers)
                and len({a.value for a in answers if isinstance(a, Const)}) == 1
            ):
                return answers[0]
            return self.term("binop", name, None, [left, right], at=at)
        if (
            isinstance(left, Const)
            and isinstance(right, Const)
            and (name in ("is", "is not") or "widened" not in (left.via, right.via))
        ):
            try:
                return Const(bool(compute(name, function, left.value, right.value)), "arithmetic", at)
            except NotComputable:
                pass
        if name in ("in", "not in") and isinstance(left, Const):
            keys: list[Any] | None = None
            if isinstance(right, Seq) and not right.open and all(isinstance(i, Const) for i in right.items):
                keys = [i.value for i in right.items if isinstance(i, Const)]
            elif isinstance(right, Map) and not right.open:
                keys = list(right.entries)
            elif isinstance(right, Object) and not right.open:
                keys = list(right.attrs)
            if keys is not None:
                return Const((left.value in keys) == (name == "in"), "arithmetic", at)
        if name in ("==", "!=", "is", "is not"):
            same = self._identical(left, right)
            if same is not None:
                return Const(same == (name in ("==", "is")), "arithmetic", at)
        return self.term("binop", name, None, [left, right], at=at)

    @staticmethod
    def _identical(left: Value, right: Value) -> bool | None:
        if left is right and not isinstance(left, (Opaque, Term)):
            return True
        if isinstance(left, External) and isinstance(right, External):
            return left.name == right.name
        if isinstance(left, (Class, Function, External)) and isinstance(right, (Class, Function, External)):
            return left is right
        none, other = (left, right) if isinstance(left, Const) and left.value is None else (right, left)
        if isinstance(none, Const) and none.value is None:
            if isinstance(other, Const):
                return other.value is None
            if isinstance(other, (Seq, Map, Range, Object, Function, Class, Instance, External, Bound, Package)):
                return False
            if isinstance(other, Term) and other.op in ("call", "apply", "binop", "method", "item", "elem"):
                return (
                    None
                    if other.name.rsplit(".", 1)[-1] in ("get", "getenv", "environ", "load", "search", "match", "pop")
                    or (other.op == "item" and not _is_part_of_output(other))
                    else False
                )
        return None

    def truth(self, value: Value) -> bool | None:
        """Whether a value counts as true; None where that is not known."""
        if isinstance(value, Const):
            return None if value.via == "widened" else bool(value.value)
        if isinstance(value, Seq):
            return True if value.items else None if value.open else False
        if isinstance(value, Map):
            return True if value.entries else None if value.open else False
        if isinstance(value, (Function, Class, Instance, Package, Bound)):
            return True
        if isinstance(value, Choice):
            answers = {self.truth(o) for o in value.options}
            return answers.pop() if len(answers) == 1 else None
        if isinstance(value, Term) and value.op == "call" and value.name[:6] in ("torch.", "keras."):
            last = value.name.rsplit(".", 1)[-1]
            if last[:1].isupper():
                return True
        return None

    def _conditional(self, node: cst.IfExp, env: Env) -> Value:
        condition = self.eval(node.test, env)
        truth = self.truth(condition)
        if truth is True:
            return self.eval(node.body, env)
        if truth is False:
            return self.eval(node.orelse, env)
        left = self.eval(node.body, env)
        values = [left, self.eval(node.orelse, env)]
        return self.join_under(values, condition, f"`{env.module.code(node.test)}` cannot be decided")

    def _lambda(self, node: cst.Lambda, env: Env) -> Value:
        defaults = self.defaults(node.params, env)
        return Function("<lambda>", node, env, defaults)

    def defaults(self, params: cst.Parameters, env: Env) -> dict[str, Value]:
        """The defaults of a function's parameters, evaluated where it is defined."""
        out: dict[str, Value] = {}
        for p in (*params.posonly_params, *params.params, *params.kwonly_params):
            if p.default is not None:
                value = self.eval(p.default, env)
                if isinstance(value, Const) and value.via == "literal":
                    value = replace(value, via="function-default", name=p.name.value)
                out[p.name.value] = value
        return out

    def _comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, env: Env) -> Value:
        inner = Env(env.module, outer=env if env.outer is not None or env.names is not env.module.env.names else None)
        if inner.outer is None:
            inner = Env(env.module)
        collected: list[Any] = []
        complete = self._clauses(node.for_in, inner, node, collected)
        kind = {cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "list"}.get(type(node), "dict")
        at = Spot(env.module, node)
        if isinstance(node, cst.DictComp):
            out = Map({}, None if complete else "a comprehension over something unknown", at)
            for key, value in collected:
                if isinstance(key, Const) and hashable(key.value):
                    out.entries[key.value] = value
                else:
                    out.open = "a key that is not known"
                    out.rest.append(value)
            return out
        if complete:
            if kind == "set":
                unique = {v.value if isinstance(v, Const) and hashable(v.value) else id(v): v for v in collected}
                collected = list(unique.values())
            return Seq(collected[:MOST_ITEMS], kind, None if len(collected) <= MOST_ITEMS else "a very long list", at)
        source = self.eval(node.for_in.iter, env)
        return self.term("comp", kind, source, collected[:1], at=at)

    def _clauses(self, clause: cst.CompFor, env: Env, node: cst.BaseComp, out: list[Any]) -> bool:
        source = self.eval(clause.iter, env)
        items = self.elements(source)
        complete = items is not None and len(items) <= MOST_ITEMS
        if items is None or not complete:
            items = [self.element_of(source, Spot(env.module, clause.iter))]
        for item in items:
            self.assign(clause.target, item, env)
            verdict = [self.truth(self.eval(i.test, env)) for i in clause.ifs]
            if False in verdict:
                continue
            if None in verdict:
                complete = False
            if clause.inner_for_in is not None:
                complete = self._clauses(clause.inner_for_in, env, node, out) and complete
            elif isinstance(node, cst.DictComp):
                out.append((self.eval(node.key, env), self.eval(node.value, env)))
            else:
                assert isinstance(node, (cst.ListComp, cst.SetComp, cst.GeneratorExp))
                out.append(self.eval(node.elt, env))
            if len(out) > MOST_ITEMS:
                return False
        return complete

    def _await(self, node: cst.Await, env: Env) -> Value:
        return self.eval(node.expression, env)

    def _walrus(self, node: cst.NamedExpr, env: Env) -> Value:
        value = self.eval(node.value, env)
        self.assign(node.target, value, env)
        return value

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of an iterable one by one, or None where they are not known."""
        if isinstance(value, Seq):
            return None if value.open or value.kind == "slice" else list(value.items)
        if isinstance(value, Map):
            return None if value.open else [Const(k, "constant", value.at) for k in value.entries]
        if isinstance(value, Const) and isinstance(value.value, (str, tuple, list)) and len(value.value) <= MOST_ITEMS:
            return [Const(c, value.via, value.at) for c in value.value]
        if isinstance(value, Range):
            count = value.count
            if isinstance(count, Const) and isinstance(count.value, int) and count.value <= 128:
                start, step = value.start, value.step
                if (
                    isinstance(start, Const)
                    and isinstance(step, Const)
                    and all(isinstance(x.value, int) for x in (start, step))
                ):
                    return [Const(start.value + i * step.value, "constant", value.at) for i in range(count.value)]
        return None

    def element_of(self, value: Value, at: Spot) -> Value:
        """What stands for any one element of an iterable."""
        if isinstance(value, Choice):
            there = [o for o in value.options if not (isinstance(o, Const) and o.value is None)]
            return self.join([self.element_of(o, at) for o in there], value.why) if there else Opaque(value.why, at)
        if isinstance(value, Seq) and value.items and value.kind != "slice":
            return self.join(value.items[:MOST_OPTIONS], "an element of a list")
        if isinstance(value, Term):
            if value.op == "comp" and value.args:
                return value.args[0]
            if value.op == "call" and value.result is not None and value.name.endswith("oader"):
                return value.result  # what the loader's dataset and collate function give
            if value.op == "call" and value.name in SAME_ELEMENTS and value.args:
                return self.element_of(value.args[0], at)
            inner = (
                [self.element_of(a, at) for a in value.args]
                if value.name in ("builtins.enumerate", "builtins.zip")
                else []
            )
            if value.name == "builtins.enumerate" and inner:
                return Seq([self.term("elem", "index", value, [], at=at), inner[0]], "tuple")
            if value.name == "builtins.zip" and inner:
                return Seq(inner, "tuple")
            if value.op == "method" and value.name == "items" and isinstance(value.base, Map) and value.base.entries:
                return Seq([Opaque("a key", at), self.join(list(value.base.entries.values()))], "tuple")
        return self.term("elem", "element", value, [], at=at)

    def assign(self, target: cst.BaseExpression, value: Value, env: Env) -> None:
        """Bind a target."""
        raise NotImplementedError

    def _call(self, node: cst.Call, env: Env) -> Value:
        callee = self.eval(node.func, env)
        if isinstance(callee, External) and callee.name == "builtins.super":
            return self._super(node, env)
        args: list[Value] = []
        kwargs: dict[str, Value] = {}
        open_: str | None = None
        spread: Value | None = None
        for arg in node.args:
            value = self.eval(arg.value, env)
            if arg.star == "*":
                items = self.elements(value)
                if items is None:
                    columns = self._columns(callee, node, value)
                    if columns is not None:
                        return columns
                    open_, spread = f"`*{env.module.code(arg.value)}`", value
                    if isinstance(value, Term) and value.op == "comp":
                        args.extend(value.args)
                else:
                    args.extend(items)
            elif arg.star == "**":
                open_ = self._spread(value, kwargs) or open_
                if open_ == "?":
                    open_ = f"`**{env.module.code(arg.value)}`"
            elif arg.keyword is not None:
                kwargs[arg.keyword.value] = value
            else:
                args.append(value)
        made = self.call(callee, args, kwargs, open_, Spot(env.module, node))
        if spread is not None and isinstance(made, Term) and made.op == "call":
            self.put(made.attrs, "*", spread)
        return made

    def _columns(self, callee: Value, node: cst.Call, rows: Value) -> Value | None:
        """`zip(*rows)`: one list per column."""
        if not isinstance(callee, External) or callee.name != "builtins.zip" or len(node.args) != 1:
            return None
        if isinstance(rows, Seq):
            inner = [r for r in rows.items if isinstance(r, Seq) and not r.open]
            if inner and len(inner) == len(rows.items) and len({len(r.items) for r in inner}) == 1:
                columns = range(len(inner[0].items))
                return Seq([Seq([r.items[i] for r in inner], "tuple", rows.open) for i in columns], "list", at=rows.at)
            return None
        if not isinstance(rows, Term):
            return None
        element = self.element_of(rows, rows.at)
        if not isinstance(element, Seq) or element.open:
            return None
        return Seq([self.term("comp", "tuple", rows, [item], at=rows.at) for item in element.items], "list", at=rows.at)

    @staticmethod
    def _spread(value: Value, kwargs: dict[str, Value]) -> str | None:
        if isinstance(value, Map):
            kwargs.update({str(k): v for k, v in value.entries.items()})
            return value.open
        if isinstance(value, Object):
            kwargs.update(value.attrs)
            return value.open
        return "?"

    def _super(self, node: cst.Call, env: Env) -> Value:
        here: Env | None = env
        this: Value | None = None
        owner: Value | None = None
        if len(node.args) == 2:
            owner, this = self.eval(node.args[0].value, env), self.eval(node.args[1].value, env)
        else:
            while here is not None:
                if "$owner" in here.names:
                    owner, this = here.names["$owner"], here.names.get("$this")
                    break
                here = here.outer
        if isinstance(owner, Class) and this is not None:
            return Super(this, owner)
        return Opaque("super() outside a class that was read", Spot(env.module, node))

    def _yield(self, node: cst.Yield, env: Env) -> Value:
        if node.value is None:
            value: Value = Const(None)
        elif isinstance(node.value, cst.From):
            source = self.eval(node.value.item, env)
            items = self.elements(source)
            value = items[0] if items else self.element_of(source, Spot(env.module, node))
        else:
            value = self.eval(node.value, env)
        here: Env | None = env
        while here is not None and "$yields" not in here.names:
            here = here.outer
        if here is not None:
            collected = here.names["$yields"]
            assert isinstance(collected, Seq)
            if len(collected.items) < MOST_ITEMS:
                collected.items.append(value)
        return Const(None)


def _is_part_of_output(value: Term) -> bool:
    """Whether an item is one of the tensors that a layer gives: never None."""
    here: Value | None = value
    while isinstance(here, Term) and here.op == "item":
        here = here.base
    made = here.base if isinstance(here, Term) and here.op == "apply" else None
    return isinstance(made, Term) and made.name.startswith("torch.nn.")


def const_method(base: Const, name: str, args: list[Value], kwargs: dict[str, Value], at: Spot) -> Value | None:
    """A method of a string or number, where it can be computed."""
    if (kwargs and name != "format") or base.via == "widened":
        return None
    values: list[Any] = []
    for arg in args:
        if isinstance(arg, Const) and arg.via != "widened":
            values.append(arg.value)
        elif isinstance(arg, Seq) and not arg.open and all(isinstance(i, Const) for i in arg.items):
            values.append([i.value for i in arg.items if isinstance(i, Const)])
        else:
            return None
    if not all(isinstance(v, Const) for v in kwargs.values()):
        return None
    if isinstance(base.value, str) and name in STR_METHODS:
        if (name in ("zfill", "format") and any(isinstance(v, int) and v > 1000 for v in values)) or (
            name == "format" and ":" in base.value
        ):
            return None
        try:
            result = (
                compute(name, getattr(base.value, name), *values, **{})
                if not kwargs
                else getattr(base.value, name)(
                    *values, **{k: v.value for k, v in kwargs.items() if isinstance(v, Const)}
                )
            )
        except (NotComputable, Exception):
            return None
    elif isinstance(base.value, (int, float)) and name in ("bit_length", "is_integer"):
        result = getattr(base.value, name)()
    else:
        return None
    if isinstance(result, (list, tuple)):
        return Seq(
            [Const(r, "arithmetic", at) for r in result[:MOST_ITEMS]], "tuple" if isinstance(result, tuple) else "list"
        )
    return Const(result, "arithmetic", at, base)


def finite(value: Any) -> bool:
    """Whether a number can be written as JSON."""
    return not isinstance(value, float) or math.isfinite(value)


_EXPRESSIONS: dict[type[cst.CSTNode], Callable[..., Value]] = {
    cst.Name: Evaluator._name,
    cst.Integer: Evaluator._integer,
    cst.Float: Evaluator._float,
    cst.SimpleString: Evaluator._string,
    cst.ConcatenatedString: Evaluator._string,
    cst.FormattedString: Evaluator._fstring,
    cst.Ellipsis: Evaluator._ellipsis,
    cst.Tuple: Evaluator._sequence,
    cst.List: Evaluator._sequence,
    cst.Set: Evaluator._sequence,
    cst.Dict: Evaluator._dict,
    cst.Attribute: Evaluator._attribute,
    cst.Subscript: Evaluator._subscript,
    cst.BinaryOperation: Evaluator._binary,
    cst.UnaryOperation: Evaluator._unary,
    cst.BooleanOperation: Evaluator._boolean,
    cst.Comparison: Evaluator._comparison,
    cst.IfExp: Evaluator._conditional,
    cst.Lambda: Evaluator._lambda,
    cst.ListComp: Evaluator._comprehension,
    cst.SetComp: Evaluator._comprehension,
    cst.GeneratorExp: Evaluator._comprehension,
    cst.DictComp: Evaluator._comprehension,
    cst.Call: Evaluator._call,
    cst.Await: Evaluator._await,
    cst.NamedExpr: Evaluator._walrus,
    cst.Yield: Evaluator._yield,
}


@lru_cache(maxsize=4096)
def _text(literal: str) -> str | bytes:
    """What a literal in quotes stands for."""
    if literal[0] in "'\"" and "\\" not in literal:  # `literal_eval` compiles it, and leaves garbage in circles
        quotes = 3 if literal[:3] in ("'''", '"""') else 1
        return literal[quotes:-quotes]
    value: str | bytes = ast.literal_eval(literal)
    return value
