"""The abstract run: a program is followed statement by statement without being executed.

Branches that constants decide are taken (the other side is read too, as inactive), undecided
ones are both read and their outcomes joined.  Loops over known lists are unrolled; a loop that
trains is read twice, so that what one turn hands to the next (a hidden state, a sum of losses)
becomes visible.  Calls of the user's functions and classes are followed with their arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst

from lstmadvisor.extract.abstract import emulated, frameworks
from lstmadvisor.extract.abstract.access import library_name
from lstmadvisor.extract.abstract.calls import inner_nodes
from lstmadvisor.extract.abstract.modules import Finder, Module
from lstmadvisor.extract.abstract.names import canonical
from lstmadvisor.extract.abstract.settings import CommandOption
from lstmadvisor.extract.abstract.state import Exhausted, Stop
from lstmadvisor.extract.abstract.statements import Statements
from lstmadvisor.extract.imports import Imports
from lstmadvisor.sources import STDIN

if TYPE_CHECKING:
    from lstmadvisor.sources import Library

from lstmadvisor.extract.abstract.values import (
    Bound,
    Class,
    Env,
    External,
    Frame,
    Function,
    Instance,
    Loop,
    Object,
    Opaque,
    Package,
    Scope,
    Spot,
    Value,
)

MOST_MODULES = 80
"""First-party files that one run follows."""
MOST_UNCALLED = 25_000
"""Expressions and statements that are read of what nobody calls."""
MOST_TEXT = 600_000
"""Characters of first-party files that one run follows; of the public programs that we know none has 40,000."""


class Run(Statements):
    """One abstract run of a program.  `trace` holds every call of a library in order."""

    def __init__(self, library_: Library, entry: Path, root: Path) -> None:
        super().__init__()
        self.library = library_
        self.finder = Finder(library_, entry, root)
        self.imports = Imports(library_)
        self.modules: dict[Path, Module] = {}
        self.text = 0
        self.entry: Module | None = None
        self.instances: list[Instance] = []
        self.classes: list[Class] = []
        self.functions: list[Function] = []
        self.frames: list[Frame] = []
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
        self.breaking: dict[int, bool] = {}

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

    def forget(self) -> None:
        """Take apart what was made: values that name each other would wait, with all syntax, for a search for garbage.

        Nothing can be asked of the run afterwards.
        """
        for frame in self.frames:
            if frame.env is not None:
                frame.env.names.clear()
            frame.env = frame.result = None
        for function in self.functions:
            function.env.names.clear()
            function.owner = None
        for cls in self.classes:
            cls.names.clear()
        for instance in self.instances:
            instance.attrs.clear()
            instance.given.clear()
            instance.scope = instance.term = None
        for module in self.modules.values():
            module.env.names.clear()
            vars(module).clear()
        for term in self.trace:
            term.attrs.clear()
            term.result = None
        vars(self).clear()

    def uses(self, path: Path) -> bool:
        """Whether something that the file at `path` defines is really used: called, or a constant of it imported."""
        module = self.modules.get(path)
        if module is None:
            return False
        own = [id(f.node) for f in self.functions if f.env.module is module]
        own += [id(c.node) for c in self.classes if c.module is module]
        return not own or any(d in self.called for d in own)

    def complete(self, trained: bool) -> None:
        """Read what nobody calls: models never fed and, where nothing is trained, the module's functions."""
        assert self.entry is not None
        try:
            frameworks.build_estimators(self)
            for instance in list(self.instances):
                self._feed(instance)
            if not trained:
                self.budget = min(self.budget, MOST_UNCALLED)
                for cls in [c for c in self.classes if c.module is self.entry and id(c.node) not in self.called]:
                    self._alone(cls)
                alone = [f for f in self.functions if f.owner is None and f.env.names is self.entry.env.names]
                for function in _callers_first(alone):
                    self.virtual(function, Spot(self.entry, function.node))
        except (Exhausted, Stop):
            self.exhausted = True

    def _alone(self, cls: Class) -> None:
        """Read a class that nobody in the program uses: make one, feed it, call its methods."""
        made = self.instantiate(cls, [], {}, None, Spot(cls.module, cls.node), virtual=True)
        if not isinstance(made, Instance):
            return
        self._feed(made)
        methods: dict[str, Function] = {}
        for each in reversed(self.lineage(cls)):
            for name, value in each.names.items() if isinstance(each, Class) else ():
                if isinstance(value, Function) and value.kind in ("method", "static") and not name.startswith("__"):
                    methods[name] = value
        for method in _callers_first(list(methods.values())):
            callee = method if method.kind == "static" else Bound(method, made)
            self.virtual(callee, Spot(method.env.module, method.node))

    def _feed(self, instance: Instance) -> None:
        """Call a model's forward that nobody calls."""
        if not (frameworks.is_module(self, instance) or frameworks.is_keras_model(self, instance)):
            return
        for name in ("configure_optimizers", "training_step", "train_step", *frameworks.forward_names(self, instance)):
            found = self.find(instance.cls, name)
            if not isinstance(found, Function) or id(found.node) in self.called:
                continue
            at = Spot(found.env.module, found.node)
            if name in frameworks.forward_names(self, instance):
                mark = self.term("enter", instance.cls.name, instance, [], at=at, event=True)
                mark.result = self.virtual(Bound(found, instance), at)
                continue
            result = self.virtual(Bound(found, instance), at)
            if name == "training_step" and any(b.startswith("lightning.") for b in self.library_bases(instance.cls)):
                emulated.lonely_step(self, instance, result, at)

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
        if path not in self.modules and str(path) != STDIN:
            path = path.resolve()
        if path in self.modules:
            return self.modules[path]
        source = self.library.source(path) if len(self.modules) < MOST_MODULES else None
        if source is None or (self.modules and self.text + len(source.code) > MOST_TEXT):
            return None
        parsed = self.library.parsed(path)
        if parsed is None:
            return None
        self.text += len(source.code)
        self.modules[path] = module = Module(source, parsed, name)
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
        if file is not None and self.modules.get(file) is not importer:
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
            dotted = dotted_name(alias.name)
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
        dotted = dotted_name(node.module) if node.module is not None else ""
        level = len(node.relative)
        source = self.imported(dotted, env.module, level) if dotted or level else External("")
        if isinstance(node.names, cst.ImportStar):
            if isinstance(source, Package):
                for name, each in list(source.module.env.names.items()):
                    if not name.startswith("_"):
                        self.put(env.names, name, each)
                env.module.stars.extend(source.module.stars)
            elif isinstance(source, External):
                env.module.stars.append(dotted)
            return
        for alias in node.names:
            name = dotted_name(alias.name)
            at = Spot(env.module, alias)
            value: Value
            if isinstance(source, Package):
                value = self.member(source, name, at)
                if isinstance(value, Opaque) and source.module is env.module:
                    value = Opaque(f"`{name}` is imported in a circle", at)
            elif isinstance(source, External):
                value = library_name(f"{dotted}.{name}")
            elif isinstance(source, Object):
                inner = f"{dotted}.{name}" if dotted else name
                value = self.imported(inner, env.module, level)
                if isinstance(value, External) and (
                    home := self.finder.defining(dotted, name, self._path(env.module), level)
                ):
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

    def shown(self, path: Path) -> str:
        """A path as people are shown it: relative to where we are."""
        from lstmadvisor.sources import shown

        return shown(path)

    @staticmethod
    def shown_of(at: Spot) -> str:
        """The file that a spot is in."""
        return at.module.source.path if at.module is not None else at.file


def _callers_first(functions: list[Function]) -> list[Function]:
    """Functions that none of the others mentions come first: they call the others as a reader would see it."""
    mentioned: set[str] = set()
    for function in functions:
        found: list[cst.CSTNode] = []
        inner_nodes(function.node.body, found, (cst.Name,), ())
        mentioned.update(n.value for n in found if isinstance(n, cst.Name) and n.value != function.name)
    return sorted(functions, key=lambda f: f.name in mentioned)


def dotted_name(node: cst.BaseExpression | cst.AsName | None) -> str:
    """`a.b.c` of names and attributes; the empty text of anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{dotted_name(node.value)}.{node.attr.value}"
    return ""
