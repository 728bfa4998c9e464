"""Statements: branches, definitions, with and try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract import library
from lstmadvisor.extract.abstract.state import MISSING, Exhausted, Journal, Stop
from lstmadvisor.extract.abstract.turns import Trains, Turns
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    Env,
    External,
    Function,
    Instance,
    Scope,
    Spot,
    Term,
    Value,
)


class Statements(Turns):
    """Runs statements."""

    functions: list[Function]
    classes: list[Class]
    dead_reads: dict[int, int]
    passing: tuple[Value, bool] | None = None
    """the condition that what follows in a block hangs on, because its other side left"""

    def block(self, body: Sequence[cst.BaseStatement | cst.BaseSmallStatement], env: Env) -> str | None:
        """Run statements in order; the result says how they ended (None, return, break, continue, raise)."""
        passed = self.scope.passed
        try:
            for statement in body:
                self.passing = None
                signal = self.statement(statement, env)
                if signal is not None:
                    return signal
                if self.passing is not None:
                    self.scope = self._scope(passed=(*self.scope.passed, self.passing))
            return None
        finally:
            self.passing = None
            if self.scope.passed is not passed:
                self.scope = self._scope(passed=passed)

    def suite(self, suite: cst.BaseSuite, env: Env) -> str | None:
        """Run an indented block, or the statements after a colon."""
        return self.block(suite.body, env)

    def statement(self, node: cst.BaseStatement | cst.BaseSmallStatement, env: Env) -> str | None:
        """Run one statement."""
        self.budget -= 1
        if self.budget <= 0:
            raise Exhausted
        match node:
            case cst.SimpleStatementLine():
                return self.block(node.body, env)
            case cst.Expr():
                self.dropped.add(id(node.value))
                self.eval(node.value, env)
            case cst.Assign():
                value = self._recounted(node, env)
                for target in node.targets:
                    self.assign(target.target, value, env)
            case cst.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.eval(node.value, env), env)
            case cst.AugAssign():
                self._augmented(node, env)
            case cst.If():
                return self._if(node, env)
            case cst.For():
                return self._for(node, env)
            case cst.While():
                return self._while(node, env)
            case cst.With():
                return self._with(node, env)
            case cst.Try() | cst.TryStar():
                return self._try(node, env)
            case cst.FunctionDef():
                self._define(node, env)
            case cst.ClassDef():
                self._class(node, env)
            case cst.Return():
                self._return(Const(None) if node.value is None else self.eval(node.value, env), Spot(env.module, node))
                return "return"
            case cst.Import():
                self._import(node, env)
            case cst.ImportFrom():
                self._import_from(node, env)
            case cst.Break():
                self.term("break", "", None, [], at=Spot(env.module, node), event=True)
                return "break"
            case cst.Continue():
                return "continue"
            case cst.Raise():
                return "raise"
            case cst.Global():
                env.globals.update(n.name.value for n in node.names)
            case cst.Nonlocal():
                env.nonlocals.update(n.name.value for n in node.names)
            case cst.Assert():
                self.eval(node.test, env)
            case cst.Match():
                return self._match(node, env)
            case _:
                pass
        return None

    def _return(self, value: Value, at: Spot) -> None:
        frame = self.scope.frames[-1] if self.scope.frames else None
        if frame is not None and len(self.scope.loops) > frame.loops:
            self.term("return", "", None, [value], at=at, event=True)
        under = tuple(c for c, _ in self.scope.conditions[frame.conditions if frame is not None else 0 :])
        if under and isinstance(value, Const):
            value = Choice([value], "several returns", under)
        if self.returns:
            self.returns[-1].append(value)

    def _if(self, node: cst.If, env: Env) -> str | None:
        condition = self.eval(node.test, env)
        truth = self.truth(condition)
        orelse: cst.BaseSuite | cst.If | None = node.orelse.body if isinstance(node.orelse, cst.Else) else node.orelse
        if truth is not None:
            taken, other = (node.body, orelse) if truth else (orelse, node.body)
            if not _asks_for_main(node.test):
                self.inactive(other, env)
            return self._side(taken, env)
        return self.both([node.body, orelse], env, condition)

    def _side(self, side: cst.BaseSuite | cst.If | None, env: Env) -> str | None:
        if side is None:
            return None
        return self._if(side, env) if isinstance(side, cst.If) else self.suite(side, env)

    def inactive(self, side: cst.BaseSuite | cst.If | None, env: Env) -> None:
        """Read a branch that the defaults do not take: what it makes is kept as inactive, what it writes is undone."""
        if side is None or not self.scope.active or self.dead_reads.get(id(side), 0) >= 1:
            return
        self.dead_reads[id(side)] = self.dead_reads.get(id(side), 0) + 1
        scope, journal, budget = self.scope, self.journal, self.budget
        self.scope = self._scope(active=False)
        mine: Journal = []
        self.journal = mine
        self.budget = min(budget, 20_000)
        spent = self.budget
        depth = len(self.returns)
        unrolling, self.unrolling = self.unrolling, []
        called = set(self.called)
        try:
            self.returns.append([])
            self._side(side, env)
        except (Exhausted, Stop, Trains):
            pass
        finally:
            del self.returns[depth:]
            self.undo(mine)
            self.scope, self.journal = scope, journal
            self.budget = budget - (spent - self.budget)
            self.unrolling = unrolling
            self.called = called

    def both(self, sides: list[Any], env: Env, condition: Value) -> str | None:
        """Read both sides of an undecided branch and join what they write."""
        why = "a branch that cannot be decided"
        outer, scope = self.journal, self.scope
        endings: list[str | None] = []
        writes: list[dict[tuple[int, Any], tuple[Any, Any, Any]]] = []
        for number, side in enumerate(sides):
            mine: Journal = []
            self.journal = mine
            self.scope = self._scope(maybe=scope.maybe + 1, conditions=(*scope.conditions, (condition, number == 0)))
            before = len(self.returns[-1]) if self.returns else 0
            try:
                ending = self._side(side, env)
            except Stop:
                ending = "raise"
            except BaseException:
                self.undo(mine)
                self.journal, self.scope = outer, scope
                raise
            if ending == "raise" and self.returns:
                del self.returns[-1][before:]
            endings.append(ending)
            after: dict[tuple[int, Any], tuple[Any, Any, Any]] = {}
            for thing, key, _ in mine:
                now = thing.get(key, MISSING) if isinstance(thing, dict) else getattr(thing, key)
                after[(id(thing), key)] = (thing, key, now)
            writes.append(after)
            self.undo(mine)
        self.journal, self.scope = outer, scope
        alive = [i for i, e in enumerate(endings) if e is None]
        self.passing = None
        if len(alive) == 1 and len(endings) == 2 and endings[1 - alive[0]] in ("continue", "return"):
            self.passing = (condition, alive[0] == 0)
        if not alive:
            alive = [i for i, e in enumerate(endings) if e != "raise"] or [0]
            result = endings[alive[0]]
        else:
            result = None
        kept = [writes[i] for i in alive]
        for key in dict.fromkeys(k for w in kept for k in w):
            values = []
            for w in kept:
                if key in w:
                    thing, field, now = w[key]
                else:
                    thing, field, _ = next(o[key] for o in kept if key in o)
                    now = thing.get(field, MISSING) if isinstance(thing, dict) else getattr(thing, field)
                values.append(now)
            thing, field, _ = next(o[key] for o in kept if key in o)
            if isinstance(thing, dict):
                there = [v for v in values if v is not MISSING]
                if there:
                    self.put(thing, field, self.join_under(there, condition, why))
            else:
                self.set(thing, field, values[0] if values[0] is not None else values[-1])
        return result

    def _scope(self, **changes: Any) -> Scope:
        return replace(self.scope, **changes)

    def _match(self, node: cst.Match, env: Env) -> str | None:
        subject = self.eval(node.subject, env)
        sides: list[cst.BaseSuite] = []
        for case in node.cases:
            pattern = case.pattern
            if isinstance(pattern, cst.MatchValue) and isinstance(subject, Const):
                value = self.eval(pattern.value, env)
                if isinstance(value, Const):
                    if value.value == subject.value:
                        for earlier in sides:
                            self.inactive(earlier, env)
                        return self.suite(case.body, env)
                    self.inactive(case.body, env)
                    continue
            sides.append(case.body)
        if len(sides) == 1:
            return self.suite(sides[0], env)
        return self.both(sides, env, subject) if sides else None

    def _try(self, node: cst.Try | cst.TryStar, env: Env) -> str | None:
        signal = self.suite(node.body, env)
        if signal == "raise":
            signal = self.suite(node.handlers[0].body, env) if node.handlers else None
        elif node.orelse is not None and signal is None:
            signal = self.suite(node.orelse.body, env)
        if node.finalbody is not None:
            signal = self.suite(node.finalbody.body, env) or signal
        return signal

    def _with(self, node: cst.With, env: Env) -> str | None:
        scope = self.scope
        entered: list[Value] = []
        for item in node.items:
            value = self.eval(item.item, env)
            entered.append(value)
            if item.asname is not None:
                bound = value
                if isinstance(value, Instance) and isinstance(method := self.find(value.cls, "__enter__"), Function):
                    bound = self.call(Bound(method, value), [], {}, None, Spot(env.module, item.item))
                self.bind(item.asname.name, bound, env)
        self.scope = self._scope(contexts=(*scope.contexts, *entered))
        try:
            return self.suite(node.body, env)
        finally:
            self.scope = scope

    def _define(self, node: cst.FunctionDef, env: Env) -> None:
        function = Function(node.name.value, node, env, self.defaults(node.params, env))
        owner = env.names.get("$class")
        if isinstance(owner, Class) and env.is_class:
            function.owner, function.kind = owner, "method"
            if function.name in ("__new__", "__init_subclass__", "__class_getitem__"):
                function.kind = "classmethod"
        self.functions.append(function)
        value: Value = function
        for decorator in reversed(node.decorators):
            value = self._decorated(value, function, decorator, env)
        self.put(env.names, function.name if function.kind != "setter" else f"{function.name}.setter", value)

    def _decorated(self, value: Value, function: Function, decorator: cst.Decorator, env: Env) -> Value:
        match decorator.decorator:
            case cst.Attribute(attr=cst.Name(value="setter" | "getter" | "deleter")):
                function.kind = "setter"
                return value
            case _:
                pass
        made = self.eval(decorator.decorator, env)
        function.decorators = (*function.decorators, made)
        if isinstance(made, (Function, Bound, Instance)):
            self.call(made, [function], {}, None, Spot(env.module, decorator))
        if isinstance(made, External):
            last = made.name.rsplit(".", 1)[-1]
            if last in ("staticmethod", "classmethod", "property", "cached_property"):
                function.kind = {"staticmethod": "static", "cached_property": "property"}.get(last, last)
            if last in ("no_grad", "inference_mode"):
                function.contexts = (
                    *function.contexts,
                    self.term("call", made.name, None, [], at=Spot(env.module, decorator)),
                )
        elif isinstance(made, Term) and made.name.rsplit(".", 1)[-1] in ("no_grad", "inference_mode", "autocast"):
            function.contexts = (*function.contexts, made)
        library.decorated(self.run, function, made, Spot(env.module, decorator))
        return value

    def _class(self, node: cst.ClassDef, env: Env) -> None:
        bases = [self.eval(a.value, env) for a in node.bases if not a.star]
        cls = Class(node.name.value, node, env.module, bases, {})
        inner = Env(
            env.module,
            cls.names,
            env if env.outer is not None or env.is_class or env.names is not env.module.env.names else None,
            is_class=True,
        )
        cls.names["$class"] = cls
        for statement in node.body.body:
            self.statement(statement, inner)
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                        name = small.target.value
                        value = cls.names.get(name) if small.value is not None else None
                        if isinstance(value, Term) and value.name == "dataclasses.field":
                            factory = value.kwargs.get("default_factory")
                            value = value.kwargs.get("default") or (
                                self.call(factory, [], {}, None, value.at) if factory else value
                            )
                            cls.names[name] = value
                        cls.fields[name] = value
        for decorator in node.decorators:
            made = self.eval(decorator.decorator, env)
            name = made.name if isinstance(made, (External, Term)) else ""
            if isinstance(made, (Function, Bound, Instance)):
                self.call(made, [cls], {}, None, Spot(env.module, decorator))
            if name.rsplit(".", 1)[-1] in ("dataclass", "define", "s", "attrs", "frozen", "mutable"):
                cls.is_dataclass = True
        if any(
            b.rsplit(".", 1)[-1] in ("NamedTuple", "BaseModel", "BaseSettings", "Tap") for b in self.library_bases(cls)
        ):
            cls.is_dataclass = True
        if any(isinstance(c, Class) and c.is_dataclass for c in self.lineage(cls)[1:]):
            cls.is_dataclass = True
        self.classes.append(cls)
        self.put(env.names, cls.name, cls)

    def _import(self, node: cst.Import, env: Env) -> None:
        raise NotImplementedError

    def _import_from(self, node: cst.ImportFrom, env: Env) -> None:
        raise NotImplementedError


def _asks_for_main(test: cst.BaseExpression) -> bool:
    return isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and test.left.value == "__name__"
