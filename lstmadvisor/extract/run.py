"""The abstract run: a program is followed statement by statement without being executed.

Branches that constants decide are taken (the other side is read too, as inactive), undecided
ones are both read and their outcomes joined.  Loops over known lists are unrolled; a loop that
trains is read twice, so that what one turn hands to the next (a hidden state, a sum of losses)
becomes visible.  Calls of the user's functions and classes are followed with their arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libcst as cst

from lstmadvisor.extract import frameworks, library
from lstmadvisor.extract.evaluate import MISSING, Evaluator, Exhausted, Stop, const_method
from lstmadvisor.extract.modules import Finder, Module
from lstmadvisor.extract.names import canonical
from lstmadvisor.extract.operators import BINARY
from lstmadvisor.extract.settings import CommandOption
from lstmadvisor.extract.values import (
    Bound,
    Choice,
    Class,
    Const,
    Env,
    External,
    Frame,
    Function,
    Instance,
    Loop,
    Map,
    Object,
    Opaque,
    Package,
    Partial,
    Range,
    Scope,
    Seq,
    Spot,
    Super,
    Term,
    Value,
)

if TYPE_CHECKING:
    from lstmadvisor.sources import Library

DEEPEST = 24  # user calls inside one another
MOST_MODULES = 80
MOST_TURNS = 64  # of an unrolled loop


class _Trains(Exception):
    """Raised inside a loop that is being unrolled when it turns out to train: it is read as a loop instead."""


class Run(Evaluator):
    """One abstract run of a program.  `trace` holds every call of a library in order."""

    def __init__(self, library_: Library, entry: Path, root: Path) -> None:
        super().__init__()
        self.library = library_
        self.finder = Finder(library_, entry, root)
        self.modules: dict[Path, Module] = {}
        self.entry: Module | None = None
        self.instances: list[Instance] = []
        self.classes: list[Class] = []
        self.functions: list[Function] = []
        self.called: set[int] = set()
        self.loops_that_train: set[int] = set()
        self.unrolling: list[Loop] = []
        self.exhausted = False
        self.returns: list[list[Value]] = []
        self.dead_reads: dict[int, int] = {}
        self.options: list[CommandOption] = []
        self.flags = Object("namespace")
        self.files_read: set[Path] = set()
        self.changed: dict[int, list[str]] = {}
        self.yielding: dict[int, bool] = {}

    # -- modules ---------------------------------------------------------------------------------

    def program(self, path: Path) -> Module:
        """Run the file at `path` as the main program."""
        module = self.load(path, "__main__")
        assert module is not None
        self.entry = module
        try:
            self.execute(module)
        except Exhausted:
            self.exhausted = True
        return module

    def uses(self, path: Path) -> bool:
        """Whether something that the file at `path` defines is really used: called, or a constant of it imported."""
        module = self.modules.get(path)
        if module is None:
            return False
        own = [id(d.node) for d in (*self.functions, *self.classes) if (d.env.module if isinstance(d, Function) else d.module) is module]
        return not own or any(d in self.called for d in own)

    def complete(self, trained: bool) -> None:
        """Read what the program defines and nobody calls: models never fed, and, of a module that trains nothing, its functions."""
        assert self.entry is not None
        try:
            for instance in list(self.instances):
                self._feed(instance)
            if not trained:
                for cls in [c for c in self.classes if c.module is self.entry and id(c.node) not in self.called]:
                    self._alone(cls)
                for function in [f for f in self.functions if f.env.module is self.entry and id(f.node) not in self.called]:
                    if function.owner is None and function.env.names is self.entry.env.names:
                        self.virtual(function, Spot(self.entry, function.node))
        except (Exhausted, Stop):
            self.exhausted = True

    def _alone(self, cls: Class) -> None:
        """Read a class that nobody in the program uses: make one, feed it, call its methods."""
        made = self.instantiate(cls, [], {}, None, Spot(cls.module, cls.node), virtual=True)
        if not isinstance(made, Instance):
            return
        self._feed(made)
        for name, value in list(cls.names.items()):
            if isinstance(value, Function) and value.kind == "method" and not name.startswith("__") and id(value.node) not in self.called:
                self.virtual(Bound(value, made), Spot(cls.module, value.node))

    def _feed(self, instance: Instance) -> None:
        """Call a model's forward that nobody calls."""
        if not (frameworks.is_module(self, instance) or frameworks.is_keras_model(self, instance)):
            return
        for name in (*frameworks.forward_names(self, instance), "training_step", "train_step", "configure_optimizers"):
            found = self.find(instance.cls, name)
            if isinstance(found, Function) and id(found.node) not in self.called:
                at = Spot(found.env.module, found.node)
                mark = self.term("enter", instance.cls.name, instance, [], at=at, event=True)
                mark.result = self.virtual(Bound(found, instance), at)

    def frameworks(self) -> set[str]:
        """pytorch, keras: what the program's calls belong to."""
        out: set[str] = set()
        for term in self.trace:
            if term.op == "call":
                if term.name.startswith(("torch.nn.", "torch.optim.")):
                    out.add("pytorch")
                elif term.name.startswith("keras."):
                    out.add("keras")
        for cls in self.classes:
            for base in self.library_bases(cls):
                if base.startswith(("torch.nn.", "lightning.")):
                    out.add("pytorch")
                elif base.startswith("keras."):
                    out.add("keras")
        return out

    def load(self, path: Path, name: str) -> Module | None:
        """The parsed module at `path`; None where it cannot be read."""
        path = path.resolve()
        if path in self.modules:
            return self.modules[path]
        if len(self.modules) >= MOST_MODULES:
            return None
        source, tree = self.library.source(path), self.library.tree(path)
        if source is None or tree is None:
            return None
        self.modules[path] = module = Module(source, tree, name)
        return module

    def execute(self, module: Module) -> None:
        """Run a module's top level once."""
        if module.done:
            return
        module.done = True
        scope, self.scope = self.scope, Scope(active=self.scope.active)
        try:
            self.block(module.tree.body, module.env)
        except Stop:
            pass
        finally:
            self.scope = scope

    def _path(self, module: Module) -> Path:
        return module.source.file or Path(module.source.path)

    def imported(self, dotted: str, importer: Module, level: int = 0) -> Value:
        """What `import dotted` binds: a first-party module, or a library."""
        file = self.finder.file(dotted, self._path(importer), level)
        if file is not None and file.resolve() != self._path(importer).resolve():
            module = self.load(file, dotted.rsplit(".", 1)[-1] or dotted)
            if module is not None:
                journal, self.journal = self.journal, None
                self.execute(module)
                self.journal = journal
                return Package(module)
            return Opaque(f"`{dotted}` could not be read")
        if level or self.finder.is_namespace(dotted, self._path(importer), level):
            return Object("folder", data={"dotted": dotted, "importer": importer, "level": level})
        return External(canonical(dotted))

    def member(self, package: Package, name: str, at: Spot) -> Value:
        """A name of a first-party module, or a submodule of a package."""
        module = package.module
        if name in module.env.names:
            return module.env.names[name]
        path = self._path(module)
        if path.name == "__init__.py":
            file = self.finder.file(name, path, 1)
            if file is not None:
                return self.imported(name, module, 1)
        value = self.lookup(name, module.env)
        if isinstance(value, Opaque):
            return Opaque(f"`{name}` is not defined in {module.source.path}", at)
        return value

    def _import(self, node: cst.Import, env: Env) -> None:
        for alias in node.names:
            dotted = _dotted(alias.name)
            value = self.imported(dotted, env.module)
            if alias.asname is not None:
                self.bind(alias.asname.name, value, env)
                continue
            head = dotted.split(".", 1)[0]
            if head == dotted:
                self.put(env.names, head, value)
            elif isinstance(value, External):
                self.put(env.names, head, External(canonical(head)))
            else:
                self.put(env.names, head, self.imported(head, env.module))

    def _import_from(self, node: cst.ImportFrom, env: Env) -> None:
        dotted = _dotted(node.module) if node.module is not None else ""
        level = len(node.relative)
        source = self.imported(dotted, env.module, level) if dotted or level else External("")
        if isinstance(node.names, cst.ImportStar):
            if isinstance(source, Package):
                for name, value in list(source.module.env.names.items()):
                    if not name.startswith("_"):
                        self.put(env.names, name, value)
                env.module.stars.extend(source.module.stars)
            elif isinstance(source, External):
                env.module.stars.append(dotted)
            return
        for alias in node.names:
            name = _dotted(alias.name)
            at = Spot(env.module, alias)
            value: Value
            if isinstance(source, Package):
                value = self.member(source, name, at)
                if isinstance(value, Opaque) and source.module is env.module:
                    value = Opaque(f"`{name}` is imported in a circle", at)
            elif isinstance(source, External):
                value = External(canonical(f"{dotted}.{name}"))
            elif isinstance(source, Object):
                inner = f"{dotted}.{name}" if dotted else name
                value = self.imported(inner, env.module, level)
                if isinstance(value, External) and (home := self.finder.defining(dotted, name, self._path(env.module), level)):
                    module = self.load(home, home.stem)
                    if module is not None:
                        self.execute(module)
                        value = self.member(Package(module), name, at)
            else:
                value = source
            if alias.asname is not None:
                self.bind(alias.asname.name, value, env)
            else:
                self.put(env.names, name, value)

    # -- statements ------------------------------------------------------------------------------

    def block(self, body: Sequence[cst.BaseStatement | cst.BaseSmallStatement], env: Env) -> str | None:
        """Run statements in order; the result says how they ended (None, return, break, continue, raise)."""
        for statement in body:
            signal = self.statement(statement, env)
            if signal is not None:
                return signal
        return None

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
                self.eval(node.value, env)
            case cst.Assign():
                value = self.eval(node.value, env)
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
                value = Const(None) if node.value is None else self.eval(node.value, env)
                if self.returns:
                    self.returns[-1].append(value)
                return "return"
            case cst.Import():
                self._import(node, env)
            case cst.ImportFrom():
                self._import_from(node, env)
            case cst.Break():
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
                self._write(target.value, value, env)
            case cst.Attribute():
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
        if isinstance(value, Const):
            if value.via == "literal":
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
        key = index.value if isinstance(index, Const) and isinstance(index.value, (str, int, float, bool, type(None))) else MISSING
        if isinstance(base, Map):
            if key is MISSING:
                self.set(base, "open", "a key that is not known")
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
                self.set(current, "open", "grows by something unknown")
            return
        value = self.binary(name, function, current, operand, at)
        if isinstance(value, Term) or isinstance(current, Term) or isinstance(operand, (Term, Choice)):
            value = self.term("binop", f"{name}=", None, [current, operand], at=at, event=True)
        if isinstance(node.target, cst.Subscript):
            self.set_item(self.eval(node.target.value, env), self._index(node.target, env), value, at)
        elif isinstance(node.target, cst.Attribute):
            base = self.eval(node.target.value, env)
            if not isinstance(base, Term):
                self.set_attribute(base, node.target.attr.value, value, at)
        else:
            self.bind(node.target, value, env)

    # -- branches --------------------------------------------------------------------------------

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
        self.journal = mine = []
        self.budget = min(budget, 20_000)
        spent = self.budget
        depth = len(self.returns)
        unrolling, self.unrolling = self.unrolling, []
        called = set(self.called)
        try:
            self.returns.append([])
            self._side(side, env)
        except (Exhausted, Stop, _Trains):
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
            self.journal = mine = []
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
                    self.put(thing, field, self.join(there, why))
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

    # -- loops -----------------------------------------------------------------------------------

    def _for(self, node: cst.For, env: Env) -> str | None:
        iterable = self.eval(node.iter, env)
        at = Spot(env.module, node)
        items = self.elements(iterable)
        if items is not None and len(items) <= MOST_TURNS and id(node) not in self.loops_that_train:
            ended = self._unrolled(node, items, iterable, env)
            if ended is not _RETRY:
                return ended
        loop = Loop(at, iterable, library.count(self, iterable), breaks=_has_break(node.body))
        self._widen(node.body, env)

        def turn() -> str | None:
            element = self.element_of(self._iterated(iterable, Spot(env.module, node.iter)), Spot(env.module, node.iter))
            self.bind(node.target, element, env)
            return self.suite(node.body, env)

        return self._turns(loop, turn, node.orelse, env)

    def _iterated(self, iterable: Value, at: Spot) -> Value:
        if isinstance(iterable, Instance) and isinstance(method := self.find(iterable.cls, "__iter__"), Function):
            return self.call(Bound(method, iterable), [], {}, None, at)
        return frameworks.iterated(self, iterable, at)

    def _while(self, node: cst.While, env: Env) -> str | None:
        loop = Loop(Spot(env.module, node), None, Opaque("a while loop"), is_while=True, breaks=_has_break(node.body))
        condition = self.eval(node.test, env)
        if self.truth(condition) is False:
            self.inactive(node.body, env)
            return None
        self._widen(node.body, env)
        loop.iterable = condition

        def turn() -> str | None:
            self.eval(node.test, env)
            return self.suite(node.body, env)

        return self._turns(loop, turn, node.orelse, env)

    def _turns(self, loop: Loop, turn: Any, orelse: cst.Else | None, env: Env) -> str | None:
        """Read a loop's body twice; what is true of any turn is joined with what was before."""
        scope = self.scope
        signal: str | None = None
        known = len(self.trace)
        try:
            for number in (0, 1):
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

    def _unrolled(self, node: cst.For, items: list[Value], iterable: Value, env: Env) -> Any:
        scope, outer, serial, known = self.scope, self.journal, self.serial, len(self.trace)
        loop = Loop(Spot(env.module, node), iterable, Const(len(items), "constant"), unrolled=True)
        self.journal = mine = []
        self.unrolling.append(loop)
        returned = [len(r) for r in self.returns]
        signal: str | None = None
        try:
            for number, item in enumerate(items):
                self.scope = replace(scope, loops=(*scope.loops, (loop, number)))
                self.bind(node.target, item, env)
                signal = self.suite(node.body, env)
                if signal in ("return", "break", "raise"):
                    break
        except _Trains:
            self.undo(mine)
            del self.trace[known:]
            del self.returns[len(returned) :]
            for r, n in zip(self.returns, returned, strict=True):
                del r[n:]
            self.serial = serial
            self.journal, self.scope = outer, scope
            self.unrolling.remove(loop)
            self.loops_that_train.add(id(node))
            if self.unrolling:
                raise
            return _RETRY
        except BaseException:
            self.journal, self.scope = outer, scope
            if outer is not None:
                outer.extend(mine)
            if loop in self.unrolling:
                self.unrolling.remove(loop)
            raise
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
            raise _Trains

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
                    self.put(names, name, Const(value.value, "widened", value.at, name=name))

    def _changed(self, body: cst.BaseSuite) -> list[str]:
        """Names that the statements of a loop assign."""
        if id(body) not in self.changed:
            found: list[cst.CSTNode] = []
            _inner(body, found, (cst.Assign, cst.AugAssign, cst.AnnAssign), (cst.FunctionDef, cst.ClassDef, cst.Lambda))
            names: list[str] = []
            for node in found:
                targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]  # type: ignore[attr-defined]
                for target in targets:
                    elements = [e.value for e in target.elements] if isinstance(target, (cst.Tuple, cst.List)) else [target]
                    names.extend(e.value for e in elements if isinstance(e, cst.Name))
            self.changed[id(body)] = list(dict.fromkeys(names))
        return self.changed[id(body)]

    def _yields(self, node: cst.FunctionDef) -> bool:
        if id(node) not in self.yielding:
            found: list[cst.CSTNode] = []
            _inner(node.body, found, (cst.Yield,), (cst.FunctionDef, cst.Lambda, cst.ClassDef))
            self.yielding[id(node)] = bool(found)
        return self.yielding[id(node)]

    def shown(self, path: Path) -> str:
        """A path as people are shown it: relative to where we are."""
        from lstmadvisor.sources import shown

        return shown(path)

    @staticmethod
    def shown_of(at: Spot) -> str:
        """The file that a spot is in."""
        return at.module.source.path if at.module is not None else at.file

    # -- definitions -----------------------------------------------------------------------------

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
                function.contexts = (*function.contexts, self.term("call", made.name, None, [], at=Spot(env.module, decorator)))
        elif isinstance(made, Term):
            if made.name.rsplit(".", 1)[-1] in ("no_grad", "inference_mode", "autocast"):
                function.contexts = (*function.contexts, made)
        library.decorated(self, function, made, Spot(env.module, decorator))
        return value

    def _class(self, node: cst.ClassDef, env: Env) -> None:
        bases = [self.eval(a.value, env) for a in node.bases if not a.star]
        cls = Class(node.name.value, node, env.module, bases, {})
        inner = Env(env.module, cls.names, env if env.outer is not None or env.is_class or env.names is not env.module.env.names else None, is_class=True)
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
                            value = value.kwargs.get("default") or (self.call(factory, [], {}, None, value.at) if factory else value)
                            cls.names[name] = value
                        cls.fields[name] = value
        for decorator in node.decorators:
            made = self.eval(decorator.decorator, env)
            name = made.name if isinstance(made, (External, Term)) else ""
            if isinstance(made, (Function, Bound, Instance)):
                self.call(made, [cls], {}, None, Spot(env.module, decorator))
            if name.rsplit(".", 1)[-1] in ("dataclass", "define", "s", "attrs", "frozen", "mutable"):
                cls.is_dataclass = True
        if any(b.rsplit(".", 1)[-1] in ("NamedTuple", "BaseModel", "BaseSettings", "Tap") for b in self.library_bases(cls)):
            cls.is_dataclass = True
        if any(isinstance(c, Class) and c.is_dataclass for c in self.lineage(cls)[1:]):
            cls.is_dataclass = True
        self.classes.append(cls)
        self.put(env.names, cls.name, cls)

    # -- calls -----------------------------------------------------------------------------------

    def call(self, callee: Value, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        """Call anything with evaluated arguments."""
        match callee:
            case Function():
                return self._call_function(callee, args, kwargs, open_, at, None)
            case Bound():
                return self._call_function(callee.function, args, kwargs, open_, at, callee.this)
            case Class():
                return self.instantiate(callee, args, kwargs, open_, at)
            case Partial():
                return self.call(callee.function, [*callee.args, *args], {**callee.kwargs, **kwargs}, open_, at)
            case External():
                return self._call_library(callee.name, args, kwargs, open_, at)
            case Instance():
                return self._call_instance(callee, args, kwargs, open_, at)
            case Choice():
                return self.join([self.call(o, args, kwargs, open_, at) for o in callee.options if not (isinstance(o, Const) and o.value is None)], callee.why)
            case Term(op="attr"):
                return self._call_method(callee, args, kwargs, open_, at)
            case Term():
                made = self.term("apply", "()", callee, args, kwargs, at=at, open_=open_, event=True)
                return frameworks.applied(self, made)
            case Opaque():
                self._hand_out(args, kwargs, at)
                return self.term("call", "?", callee, args, kwargs, at=at, open_=open_, event=True)
            case _:
                return self.term("call", "?", callee, args, kwargs, at=at, open_=open_, event=True)

    def _call_library(self, name: str, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        model = library.FUNCTIONS.get(name)
        if model is not None:
            value = model(self, library.Arguments(args, kwargs, open_, at, name))
            if value is not None:
                return value
        made = self.term("call", name, None, args, kwargs, at=at, open_=open_, event=True)
        value = frameworks.called(self, made)
        if value is not None:
            return value
        if name not in frameworks.KEEPS_FUNCTIONS:
            self._hand_out(args, kwargs, at)
        return made

    def _call_method(self, callee: Term, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        base, name = callee.base, callee.name
        if isinstance(base, Const) and (value := const_method(base, name, args, kwargs, at)) is not None:
            return value
        value = library.method(self, base, name, library.Arguments(args, kwargs, open_, at, name))
        if value is not None:
            return value
        if isinstance(base, Super):
            return self._call_library_base(base, callee, args, kwargs, open_, at)
        made = self.term("method", name, base, args, kwargs, at=at, open_=open_, event=True)
        value = frameworks.method(self, made)
        if value is not None:
            return value
        self._hand_out(args, kwargs, at)
        return made

    def _call_library_base(self, base: Super, callee: Term, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        """`super().__init__(…)` of a class that extends a library's: the library object inside is made here."""
        external = next((a for a in callee.args if isinstance(a, External)), None)
        this = base.this
        if external is None or not isinstance(this, Instance):
            return Const(None)
        if callee.name in ("__init__", "__new__"):
            made = self.term("call", external.name, None, args, kwargs, at=at, open_=open_, event=True)
            if this.term is None or not this.term.args:
                self.set(this, "term", made)
            return Const(None)
        if callee.name in ("forward", "__call__", "call"):
            made = self.term("apply", "()", this.term or this, args, kwargs, at=at, open_=open_, event=True)
            return frameworks.applied(self, made)
        made = self.term("method", callee.name, this, args, kwargs, at=at, open_=open_, event=True)
        return frameworks.method(self, made) or made

    def _hand_out(self, args: list[Value], kwargs: dict[str, Value], at: Spot) -> None:
        """A function handed to a library is called by it, with arguments that nobody here knows."""
        for value in (*args, *kwargs.values()):
            for each in [*value.items, value] if isinstance(value, Seq) and len(value.items) < 20 else [value]:
                if isinstance(each, (Function, Bound)):
                    self.virtual(each, at)

    def virtual(self, callee: Value, at: Spot, args: list[Value] | None = None, again: bool = False) -> Value:
        """Call a user's function as a framework would: missing arguments are unknown."""
        function = callee.function if isinstance(callee, Bound) else callee
        if not isinstance(function, Function) or (id(function.node) in self.called and not again):
            return Opaque("called elsewhere")
        return self._call_function(function, args or [], {}, None, at, callee.this if isinstance(callee, Bound) else None, virtual=True)

    def _call_function(
        self,
        function: Function,
        args: list[Value],
        kwargs: dict[str, Value],
        open_: str | None,
        at: Spot,
        this: Value | None,
        virtual: bool = False,
    ) -> Value:
        depth = sum(1 for f in self.scope.frames if f.function.node is function.node)
        if len(self.scope.frames) >= DEEPEST or depth >= 2:
            return self.term("call", f"?{function.name}", function, args, kwargs, at=at, open_=open_ or "recursion")
        env = Env(function.env.module, outer=function.env if function.env.names is not function.env.module.env.names else None)
        if env.outer is not None and env.outer.is_class:
            env.outer = env.outer.outer
        self._parameters(function, args, kwargs, open_, env, at, this, virtual)
        self.called.add(id(function.node))
        scope = self.scope
        self.scope = replace(
            scope, frames=(*scope.frames, Frame(function, at, virtual)), contexts=(*scope.contexts, *function.contexts)
        )
        self.returns.append([])
        try:
            node = function.node
            if isinstance(node, cst.Lambda):
                return self.eval(node.body, env)
            generator = self._yields(node)
            if generator:
                env.names["$yields"] = Seq([], "list")
            signal = self.suite(node.body, env)
            if generator:
                yielded = env.names["$yields"]
                assert isinstance(yielded, Seq)
                return self.term("comp", "generator", function, [self.join(yielded.items[:3], "what a generator yields")], at=at)
            values = self.returns[-1]
            if signal != "return" and values and signal != "raise":
                values = [*values, Const(None)]
            return self.join(values, "several returns") if values else Const(None)
        finally:
            self.returns.pop()
            self.scope = scope

    def _parameters(
        self,
        function: Function,
        args: list[Value],
        kwargs: dict[str, Value],
        open_: str | None,
        env: Env,
        at: Spot,
        this: Value | None,
        virtual: bool,
    ) -> None:
        params = function.node.params
        given = list(args)
        if this is not None and function.kind != "static":
            given.insert(0, this)
            env.names["$this"] = this
        if function.owner is not None:
            env.names["$owner"] = function.owner
        left = dict(kwargs)
        names = [p.name.value for p in (*params.posonly_params, *params.params)]
        for name in names:
            if given:
                self._supply(env, name, given.pop(0))
            elif name in left:
                self._supply(env, name, left.pop(name))
            else:
                self._default(env, function, name, open_, at, virtual)
        for p in params.kwonly_params:
            name = p.name.value
            if name in left:
                self._supply(env, name, left.pop(name))
            else:
                self._default(env, function, name, open_, at, virtual)
        if isinstance(params.star_arg, cst.Param):
            env.names[params.star_arg.name.value] = Seq(given, "tuple", open_ or ("nobody in the program supplies it" if virtual else None))
        if params.star_kwarg is not None:
            env.names[params.star_kwarg.name.value] = Map({k: _handed_over(k, v) for k, v in left.items()}, open_ or ("nobody in the program supplies it" if virtual else None))

    def _supply(self, env: Env, name: str, value: Value) -> None:
        env.names[name] = _handed_over(name, value)

    def _default(self, env: Env, function: Function, name: str, open_: str | None, at: Spot, virtual: bool) -> None:
        if name in function.extra:
            env.names[name] = function.extra[name]
        elif open_ and not virtual:
            env.names[name] = Opaque(open_, at)
        elif name in function.defaults:
            env.names[name] = function.defaults[name]
        else:
            env.names[name] = self.term("param", name, None, [], at=Spot(function.env.module, function.node))

    def instantiate(self, cls: Class, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot, virtual: bool = False) -> Value:
        """An object of a user's class."""
        bases = self.library_bases(cls)
        if any(b in ("enum.Enum", "enum.IntEnum", "enum.StrEnum") for b in bases) and args:
            return args[0]
        instance = Instance(cls, at=at, scope=self.scope)
        self.instances.append(instance)
        self.called.add(id(cls.node))
        method = self.find(cls, "__init__")
        if isinstance(method, Function):
            self._call_function(method, args, kwargs, open_, at, instance, virtual)
        elif cls.is_dataclass:
            self._fill_fields(instance, args, kwargs, open_, at)
        else:
            base = next((b for b in bases if frameworks.is_layer(b)), None)
            if base is not None:
                instance.term = self.term("call", base, None, args, kwargs, at=at, open_=open_, event=True)
            for name, value in kwargs.items():
                if not bases:
                    break
                instance.attrs.setdefault(name, value)
        return frameworks.instantiated(self, instance)

    def _fill_fields(self, instance: Instance, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> None:
        fields: dict[str, Value | None] = {}
        for c in reversed(self.lineage(instance.cls)):
            if isinstance(c, Class):
                fields.update(c.fields)
        given = list(args)
        for name, default in fields.items():
            if given:
                value: Value | None = given.pop(0)
            elif name in kwargs:
                value = kwargs[name]
            elif open_:
                value = Opaque(open_, at)
            else:
                value = instance.cls.names.get(name, default)
            if isinstance(value, Const) and value.via == "literal":
                value = replace(value, via="call", name=name)
            instance.attrs[name] = value if value is not None else Opaque(f"`{name}` has no value here", at)
        after = self.find(instance.cls, "__post_init__")
        if isinstance(after, Function):
            self.call(Bound(after, instance), [], {}, None, at)

    def _call_instance(self, instance: Instance, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        for name in frameworks.forward_names(self, instance):
            method = self.find(instance.cls, name)
            if isinstance(method, Function):
                self.set(instance, "called", True)
                mark = self.term("enter", instance.cls.name, instance, args, kwargs, at=at, event=True)
                value = self.call(Bound(method, instance), args, kwargs, open_, at)
                mark.result = value
                return frameworks.left(self, instance, mark, value)
        made = self.term("apply", "()", instance.term or instance, args, kwargs, at=at, open_=open_, event=True)
        return frameworks.applied(self, made)


def _handed_over(name: str, value: Value) -> Value:
    """An argument as the function called sees it."""
    return replace(value, via="call", name=name) if isinstance(value, Const) and value.via == "literal" else value


_RETRY = object()


def _dotted(node: cst.BaseExpression | cst.AsName | None) -> str:
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return ""


def _asks_for_main(test: cst.BaseExpression) -> bool:
    return isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and test.left.value == "__name__"


def _inner(node: cst.CSTNode, found: list[cst.CSTNode], kinds: tuple[type[cst.CSTNode], ...], stop: tuple[type[cst.CSTNode], ...]) -> None:
    """Nodes of `kinds` below `node`, not looking inside `stop`."""
    for child in node.children:
        if isinstance(child, kinds):
            found.append(child)
        if not isinstance(child, stop):
            _inner(child, found, kinds, stop)


def _has_break(body: cst.BaseSuite) -> bool:
    found: list[cst.CSTNode] = []
    _inner(body, found, (cst.Break,), (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.For, cst.While))
    return bool(found)


__all__ = ["Object", "Range", "Run"]
