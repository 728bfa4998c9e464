"""Loops: unrolled where the turns are known, read twice where they train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract import frameworks, library
from lstmadvisor.extract.abstract.calls import Calls, inner_nodes
from lstmadvisor.extract.abstract.state import Journal
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Env,
    Function,
    Instance,
    Loop,
    Opaque,
    Spot,
    Value,
)

MOST_TURNS = 64
"""Turns of a loop that is followed turn by turn."""
MOST_EVENTS = 1_000
"""Events of a loop that is followed turn by turn, all turns together."""


class Trains(Exception):
    """Raised inside a loop that is being unrolled when it turns out to train: it is read as a loop instead."""


class _Heavy(Trains):
    """Raised where following a loop turn by turn would cost too much."""


class Turns(Calls):
    """Reads loops."""

    unrolling: list[Loop]
    loops_that_train: set[int]
    changed: dict[int, list[str]]
    breaking: dict[int, bool]
    dead_reads: dict[int, int]

    def _for(self, node: cst.For, env: Env) -> str | None:
        iterable = self.eval(node.iter, env)
        at = Spot(env.module, node)
        items = self.elements(iterable)
        if items is not None and len(items) <= MOST_TURNS and id(node) not in self.loops_that_train:
            ended = self._unrolled(node, items, iterable, env)
            if ended != _RETRY:
                return ended
        loop = Loop(
            at,
            iterable,
            library.count(self.run, iterable),
            breaks=self._has_break(node.body),
            outside=len(self.scope.conditions),
            passed=len(self.scope.passed),
        )
        self._widen(node.body, env)

        def turn() -> str | None:
            element = self.element_of(
                self._iterated(iterable, Spot(env.module, node.iter)), Spot(env.module, node.iter)
            )
            self.bind(node.target, element, env)
            return self.suite(node.body, env)

        return self._turns(loop, turn, node.orelse, env)

    def _iterated(self, iterable: Value, at: Spot) -> Value:
        if isinstance(iterable, Instance) and isinstance(method := self.find(iterable.cls, "__iter__"), Function):
            return self.call(Bound(method, iterable), [], {}, None, at)
        return frameworks.iterated(self.run, iterable, at)

    def _while(self, node: cst.While, env: Env) -> str | None:
        loop = Loop(
            Spot(env.module, node),
            None,
            Opaque("a while loop"),
            is_while=True,
            breaks=self._has_break(node.body),
            outside=len(self.scope.conditions),
            passed=len(self.scope.passed),
        )
        condition = self.eval(node.test, env)
        if self.truth(condition) is False:
            self.inactive(node.body, env)
            return None
        self._widen(node.body, env)

        def turn() -> str | None:
            loop.conditions.append(self.eval(node.test, env))
            return self.suite(node.body, env)

        return self._turns(loop, turn, node.orelse, env)

    def _turns(self, loop: Loop, turn: Any, orelse: cst.Else | None, env: Env) -> str | None:
        """Read a loop's body twice; what is true of any turn is joined with what was before.

        Inside the second reading of another loop once is enough: what turns hand on was seen in its first.
        """
        scope = self.scope
        again = any(turn for each, turn in scope.loops if not each.unrolled)
        signal: str | None = None
        known = len(self.trace)
        try:
            for number in (0,) if again else (0, 1):
                self.scope = replace(scope, loops=(*scope.loops, (loop, number)))
                signal = turn()
                if signal in ("return", "raise", "break"):
                    break
                if number == 0 and len(self.trace) == known:
                    break
        finally:
            self.scope = scope
        if signal == "return":
            return "return"
        if orelse is not None:
            return self.suite(orelse.body, env)
        return None

    def _unrolled(self, node: cst.For, items: list[Value], iterable: Value, env: Env) -> str | None:
        scope, outer, serial, known = self.scope, self.journal, self.serial, len(self.trace)
        named = len(self.named)
        loop = Loop(Spot(env.module, node), iterable, Const(len(items), "constant"), unrolled=True)
        mine: Journal = []
        self.journal = mine
        phases = _are_phases(items)
        if not phases:
            self.unrolling.append(loop)
        returned = [len(r) for r in self.returns]
        dead_reads = dict(self.dead_reads)
        signal: str | None = None
        try:
            for number, item in enumerate(items):
                self.scope = replace(scope, loops=(*scope.loops, (loop, number)))
                self.bind(node.target, item, env)
                signal = self.suite(node.body, env)
                if signal in ("return", "break", "raise"):
                    break
                if number == 1 and not phases and (len(self.trace) - known) * len(items) > 2 * MOST_EVENTS:
                    raise _Heavy
        except Trains as reason:
            self.undo(mine)
            del self.trace[known:]
            del self.named[named:]
            del self.returns[len(returned) :]
            for r, n in zip(self.returns, returned, strict=True):
                del r[n:]
            self.serial = serial
            self.dead_reads = dead_reads
            self.journal, self.scope = outer, scope
            if phases:
                raise
            self.unrolling.remove(loop)
            self.loops_that_train.add(id(node))
            if self.unrolling and not isinstance(reason, _Heavy):
                raise
            return _RETRY
        except BaseException:
            self.journal, self.scope = outer, scope
            if outer is not None:
                outer.extend(mine)
            if loop in self.unrolling:
                self.unrolling.remove(loop)
            raise
        if not phases:
            self.unrolling.remove(loop)
        self.scope, self.journal = scope, outer
        if outer is not None:
            outer.extend(mine)
        if signal in ("return", "raise"):
            return signal
        if node.orelse is not None:
            return self.suite(node.orelse.body, env)
        return None

    def trains(self) -> None:
        """Told by the framework tables when an act of training happens; loops around it are not unrolled."""
        if self.unrolling and self.scope.active:
            raise Trains

    def _widen(self, body: cst.BaseSuite, env: Env) -> None:
        """Numbers that a loop changes are not known inside and after it."""
        for name in self._changed(body):
            here: Env | None = env
            while here is not None and name not in here.names:
                here = here.outer
            names = here.names if here is not None else env.module.env.names
            value = names.get(name)
            if isinstance(value, Const) and isinstance(value.value, (int, float, bool, str, type(None))):
                if value.value is None:
                    self.put(names, name, Choice([value, Opaque("set in a loop", value.at)]))
                else:
                    before = value.root if value.via == "widened" else value
                    self.put(names, name, Const(value.value, "widened", value.at, before, name))

    def _changed(self, body: cst.BaseSuite) -> list[str]:
        """Names that the statements of a loop assign."""
        if id(body) not in self.changed:
            found: list[cst.CSTNode] = []
            inner_nodes(
                body, found, (cst.Assign, cst.AugAssign, cst.AnnAssign), (cst.FunctionDef, cst.ClassDef, cst.Lambda)
            )
            names: list[str] = []
            for node in found:
                targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]  # type: ignore[attr-defined]
                for target in targets:
                    elements = (
                        [e.value for e in target.elements] if isinstance(target, (cst.Tuple, cst.List)) else [target]
                    )
                    names.extend(e.value for e in elements if isinstance(e, cst.Name))
            self.changed[id(body)] = list(dict.fromkeys(names))
        return self.changed[id(body)]

    def _has_break(self, body: cst.BaseSuite) -> bool:
        if id(body) not in self.breaking:
            found: list[cst.CSTNode] = []
            stop = (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.For, cst.While)
            inner_nodes(body, found, (cst.Break,), stop)
            self.breaking[id(body)] = bool(found)
        return self.breaking[id(body)]

    def inactive(self, side: cst.BaseSuite | cst.If | None, env: Env) -> None:
        """Read a branch that the defaults do not take."""
        raise NotImplementedError


_RETRY = "read it as a loop"
MOST_PHASES = 4
"""Things that a loop takes one after the other to train on or with: `for phase in ("train", "val")`."""


def _are_phases(items: list[Value]) -> bool:
    """Whether a loop goes through a few different things rather than counting: its turns stay apart."""
    return len(items) <= MOST_PHASES and not any(isinstance(i, Const) and not isinstance(i.value, str) for i in items)
