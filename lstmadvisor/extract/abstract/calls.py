"""Calls: arguments meet parameters, user code is followed, libraries leave a term in the trace."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from lstmadvisor.extract.abstract import frameworks, library
from lstmadvisor.extract.abstract.binding import Binding
from lstmadvisor.extract.abstract.evaluate import const_method
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    Env,
    External,
    Frame,
    Function,
    Instance,
    Map,
    Opaque,
    Partial,
    Seq,
    Spot,
    Super,
    Term,
    Value,
)
from lstmadvisor.nodes import below

DEEPEST = 24
"""User calls inside one another."""
DEEPEST_RECURSION = 3
"""Calls of one function inside one another: a list of tuples of states needs three."""
NOBODY = "nobody in the program supplies it"
"""Why `*args` and `**kwargs` of a function that only a reader calls are not known."""


class Calls(Binding):
    """Calls functions, classes, objects and libraries."""

    instances: list[Instance]
    called: set[int]
    yielding: dict[int, bool]
    returns: list[list[Value]]

    def call(self, callee: Value, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        """Call anything with evaluated arguments."""
        match callee:
            case Function():
                return self._call_function(callee, args, kwargs, open_, at, None)
            case Bound(function=Function(name="forward"), this=Instance() as this) if self._is_own_forward(callee):
                return self._call_instance(this, args, kwargs, open_, at)
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
                return self.join(
                    [
                        self.call(o, args, kwargs, open_, at)
                        for o in callee.options
                        if not (isinstance(o, Const) and o.value is None)
                    ],
                    callee.why,
                )
            case Term(op="attr"):
                return self._call_method(callee, args, kwargs, open_, at)
            case Term():
                made = self.term("apply", "()", callee, args, kwargs, at=at, open_=open_, event=True)
                return frameworks.applied(self.run, made)
            case Opaque():
                self._hand_out(args, kwargs, at)
                return self.term("call", "?", callee, args, kwargs, at=at, open_=open_, event=True)
            case _:
                return self.term("call", "?", callee, args, kwargs, at=at, open_=open_, event=True)

    def _call_library(
        self, name: str, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot
    ) -> Value:
        model = library.FUNCTIONS.get(name)
        if model is not None:
            value = model(self.run, library.Arguments(args, kwargs, open_, at, name))
            if value is not None:
                return value
        made = self.term("call", name, None, args, kwargs, at=at, open_=open_, event=True)
        value = frameworks.called(self.run, made)
        if value is not None:
            return value
        if name not in frameworks.KEEPS_FUNCTIONS:
            self._hand_out(args, kwargs, at)
        return made

    def _call_method(
        self, callee: Term, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot
    ) -> Value:
        base, name = callee.base, callee.name
        if isinstance(base, Const) and (value := const_method(base, name, args, kwargs, at)) is not None:
            return value
        value = library.method(self.run, base, name, library.Arguments(args, kwargs, open_, at, name))
        if value is not None:
            return value
        if isinstance(base, Super):
            return self._call_library_base(base, callee, args, kwargs, open_, at)
        if name in ("forward", "__call__") and isinstance(base, Term) and frameworks.is_module(self.run, base):
            return self.call(base, args, kwargs, open_, at)
        made = self.term("method", name, base, args, kwargs, at=at, open_=open_, event=True)
        value = frameworks.method(self.run, made)
        if value is not None:
            return value
        self._hand_out(args, kwargs, at)
        return made

    def _call_library_base(
        self, base: Super, callee: Term, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot
    ) -> Value:
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
            return frameworks.applied(self.run, made)
        made = self.term("method", callee.name, this, args, kwargs, at=at, open_=open_, event=True)
        return frameworks.method(self.run, made) or made

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
        return self._call_function(
            function, args or [], {}, None, at, callee.this if isinstance(callee, Bound) else None, virtual=True
        )

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
        if len(self.scope.frames) >= DEEPEST or depth >= DEEPEST_RECURSION:
            return self.term("call", f"?{function.name}", function, args, kwargs, at=at, open_=open_ or "recursion")
        env = Env(
            function.env.module, outer=function.env if function.env.names is not function.env.module.env.names else None
        )
        if env.outer is not None and env.outer.is_class:
            env.outer = env.outer.outer
        self._parameters(function, args, kwargs, open_, env, at, this, virtual)
        if function.name == "__init__" and isinstance(this, Instance):
            own = ("$this", "$owner", function.node.params.params[0].name.value if function.node.params.params else "")
            this.given.update({name: value for name, value in env.names.items() if name not in own})
        self.called.add(id(function.node))
        scope = self.scope
        frame = Frame(function, at, virtual, len(scope.loops), len(scope.conditions), env)
        self.run.frames.append(frame)
        self.scope = replace(
            scope,
            frames=(*scope.frames, frame),
            contexts=(*scope.contexts, *function.contexts),
        )
        self.returns.append([])
        try:
            node = function.node
            if isinstance(node, cst.Lambda):
                return self.eval(node.body, env)
            generator = self._yields(node)
            given = Map(dict(env.names))
            if generator:
                env.names["$yields"] = Seq([], "list")
            signal = self.suite(node.body, env)
            if generator:
                yielded = env.names["$yields"]
                assert isinstance(yielded, Seq)
                element = self.join(yielded.items[:3], "what a generator yields")
                made = self.term("comp", "generator", function, [element], at=at)
                made.attrs["$parameters"] = given
                return made
            values = self.returns[-1]
            if signal != "return" and values and signal != "raise":
                values = [*values, Const(None)]
            frame.result = self.join(values, "several returns") if values else Const(None)
            return frame.result
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
            env.names[params.star_arg.name.value] = Seq(given, "tuple", open_ or (NOBODY if virtual else None))
        if params.star_kwarg is not None:
            env.names[params.star_kwarg.name.value] = Map(
                {k: _handed_over(k, v) for k, v in left.items()},
                open_ or (NOBODY if virtual else None),
            )

    def _supply(self, env: Env, name: str, value: Value) -> None:
        env.names[name] = _handed_over(name, value)

    def _default(self, env: Env, function: Function, name: str, open_: str | None, at: Spot, virtual: bool) -> None:
        if name in function.extra:
            env.names[name] = function.extra[name]
        elif open_ and not virtual and not (open_ == NOBODY and name in function.defaults):
            env.names[name] = Opaque(open_, at)
        elif name in function.defaults:
            env.names[name] = function.defaults[name]
        else:
            env.names[name] = self.term("param", name, None, [], at=Spot(function.env.module, function.node))

    def instantiate(
        self,
        cls: Class,
        args: list[Value],
        kwargs: dict[str, Value],
        open_: str | None,
        at: Spot,
        virtual: bool = False,
    ) -> Value:
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
            base = next((b for b in bases if frameworks.is_layer(b) or frameworks.is_tool(b)), None)
            if base is not None:
                instance.term = self.term("call", base, None, args, kwargs, at=at, open_=open_, event=True)
            for name, value in kwargs.items():
                if not bases:
                    break
                instance.attrs.setdefault(name, value)
        return frameworks.instantiated(self.run, instance)

    def _fill_fields(
        self, instance: Instance, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot
    ) -> None:
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

    def _call_instance(
        self, instance: Instance, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot
    ) -> Value:
        for name in frameworks.forward_names(self.run, instance):
            method = self.find(instance.cls, name)
            if isinstance(method, Function):
                self.set(instance, "called", True)
                mark = self.term("enter", instance.cls.name, instance, args, kwargs, at=at, event=True)
                value = self._call_function(method, args, kwargs, open_, at, instance)
                mark.result = value
                return frameworks.left(self.run, instance, mark, value)
        made = self.term("apply", "()", instance.term or instance, args, kwargs, at=at, open_=open_, event=True)
        return frameworks.applied(self.run, made)

    def _is_own_forward(self, callee: Bound) -> bool:
        """Whether `model.forward(x)` means what `model(x)` means; `super().forward(x)` does not."""
        this = callee.this
        return (
            isinstance(this, Instance)
            and frameworks.is_module(self.run, this)
            and self.find(this.cls, "forward") is callee.function
        )

    def _yields(self, node: cst.FunctionDef) -> bool:
        if id(node) not in self.yielding:
            found: list[cst.CSTNode] = []
            inner_nodes(node.body, found, (cst.Yield,), (cst.FunctionDef, cst.Lambda, cst.ClassDef))
            self.yielding[id(node)] = bool(found)
        return self.yielding[id(node)]

    def suite(self, suite: cst.BaseSuite, env: Env) -> str | None:
        """Run an indented block."""
        raise NotImplementedError


def _handed_over(name: str, value: Value) -> Value:
    """An argument as the function called sees it."""
    return replace(value, via="call", name=name) if isinstance(value, Const) and value.via == "literal" else value


def inner_nodes(
    node: cst.CSTNode,
    found: list[cst.CSTNode],
    kinds: tuple[type[cst.CSTNode], ...],
    stop: tuple[type[cst.CSTNode], ...],
) -> None:
    """Nodes of `kinds` below `node`, not looking inside `stop`."""
    for child in below(node):
        kind = type(child)
        if kind in kinds:
            found.append(child)
        if kind not in stop:
            inner_nodes(child, found, kinds, stop)
