"""What an expression can stand for when a program is read without running it.

The abstract run (`run.py`) evaluates a program to these values.  What it can compute is a
`Const`, a `Seq`, a `Map`, a user's `Function`, `Class` or `Instance`; everything that a
library would compute is a `Term`: what was called, on what, with what, where and under
which circumstances.  Terms form a graph, so that "what did this tensor go through" and
"was this array split before" are walks over `base` and `args`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.modules import Module


class Spot(NamedTuple):
    """Where something is written: a node of a module, or a line of a configuration file."""

    module: Module | None
    node: cst.CSTNode | None
    file: str = ""
    line: int = 0
    column: int = 1


@dataclass(eq=False, repr=False, slots=True)
class Loop:
    """A loop of the program; `count` is how often it turns (a `Const`, or why that is unknown)."""

    spot: Spot
    iterable: Value | None
    count: Value
    is_while: bool = False
    unrolled: bool = False
    breaks: bool = False
    conditions: list[Value] = field(default_factory=list)
    """of a `while` loop: its condition at the start of each turn that was read"""
    outside: int = 0
    """how many undecided conditions surround it"""
    passed: int = 0
    """how many undecided conditions were passed before it"""


@dataclass(eq=False, repr=False, slots=True)
class Frame:
    """A call of a user's function that is under way."""

    function: Function
    spot: Spot | None
    virtual: bool = False
    """nobody in the program calls it: a framework would, or a reader of the module"""
    loops: int = 0
    """how many loops were under way at the call; a `return` leaves those that came later"""
    conditions: int = 0
    """how many undecided conditions surrounded the call"""
    env: Env | None = None
    """its names: while it runs those of the moment, afterwards those at its end"""
    result: Value | None = None
    """what it gave back, once it is over"""


@dataclass(eq=False, repr=False, slots=True)
class Scope:
    """The circumstances of an evaluation; immutable, shared by all terms made under them."""

    frames: tuple[Frame, ...] = ()
    loops: tuple[tuple[Loop, int], ...] = ()
    """each loop around, with the turn under way (0, 1, …)"""
    contexts: tuple[Value, ...] = ()
    """context managers entered (`torch.no_grad()`, `tf.GradientTape()`)"""
    active: bool = True
    """False on a branch that the defaults do not take"""
    maybe: int = 0
    """how many undecided branches surround this"""
    conditions: tuple[tuple[Value, bool], ...] = ()
    """the undecided conditions around, and the side taken"""
    passed: tuple[tuple[Value, bool], ...] = ()
    """the undecided conditions further up whose other side left the turn or the function"""


class Value:
    """Base of everything an expression can stand for."""

    __slots__ = ()


@dataclass(eq=False, repr=False, slots=True)
class Const(Value):
    """A Python constant with its history: how it came about and where it is written."""

    value: Any
    via: str = "literal"
    at: Spot | None = None
    root: Const | None = None
    """of a computed value: the one named value it was computed from"""
    name: str = ""
    """the name it was bound to first"""


@dataclass(eq=False, repr=False, slots=True)
class Seq(Value):
    """A list, tuple or set whose items are known one by one (unless `open` says why not)."""

    items: list[Value]
    kind: str = "list"
    """list, tuple, set, modulelist"""
    open: str | None = None
    at: Spot | None = None


@dataclass(eq=False, repr=False, slots=True)
class Map(Value):
    """A dict with constant keys; `open` says why there may be more entries."""

    entries: dict[Any, Value]
    open: str | None = None
    at: Spot | None = None
    kind: str = "dict"
    rest: list[Value] = field(default_factory=list)
    """values stored under keys that are not known"""


@dataclass(eq=False, repr=False, slots=True)
class Range(Value):
    """`range(start, stop, step)`, turned `count` times."""

    start: Value
    stop: Value
    step: Value
    count: Value
    at: Spot | None = None


@dataclass(eq=False, repr=False, slots=True)
class Object(Value):
    """An object whose attributes are known: a namespace, a configuration, a parser."""

    kind: str
    attrs: dict[str, Value] = field(default_factory=dict)
    open: str | None = None
    """why there may be more attributes"""
    at: Spot | None = None
    data: dict[str, Any] = field(default_factory=dict)
    """bookkeeping of the model that made it"""


@dataclass(eq=False, repr=False, slots=True)
class Env:
    """Names of one scope; `outer` is the enclosing function's, `module` holds the globals."""

    module: Module
    names: dict[str, Value] = field(default_factory=dict)
    outer: Env | None = None
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    is_class: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Named(Value):
    """A name, or an attribute, that a statement inside a loop gave a value."""

    target: cst.Name | cst.Attribute
    value: Value
    scope: Scope
    serial: int


@dataclass(eq=False, repr=False, slots=True)
class Function(Value):
    """A user's function, lambda or method; `defaults` are evaluated where it is defined."""

    name: str
    node: cst.FunctionDef | cst.Lambda
    env: Env
    defaults: dict[str, Value]
    owner: Class | None = None
    kind: str = "function"
    """function, method, static, classmethod, property"""
    contexts: tuple[Value, ...] = ()
    extra: dict[str, Value] = field(default_factory=dict)
    """parameters that a decorator supplies (click options, hydra's cfg)"""
    decorators: tuple[Value, ...] = ()


@dataclass(eq=False, repr=False, slots=True)
class Bound(Value):
    """A function with its first argument."""

    function: Function
    this: Value


@dataclass(eq=False, repr=False, slots=True)
class Class(Value):
    """A user's class."""

    name: str
    node: cst.ClassDef
    module: Module
    bases: list[Value]
    names: dict[str, Value]
    fields: dict[str, Value | None] = field(default_factory=dict)
    """annotated fields in order, with their defaults"""
    is_dataclass: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Instance(Value):
    """An object of a user's class."""

    cls: Class
    attrs: dict[str, Value] = field(default_factory=dict)
    at: Spot | None = None
    scope: Scope | None = None
    term: Term | None = None
    """of a class that extends a library's: the library object inside"""
    called: bool = False
    open: str | None = None
    given: dict[str, Value] = field(default_factory=dict)
    """what its `__init__` was given, defaults included"""


@dataclass(eq=False, repr=False, slots=True)
class Super(Value):
    """`super()` inside a method."""

    this: Value
    cls: Class


@dataclass(eq=False, repr=False, slots=True)
class Package(Value):
    """A first-party module as a value."""

    module: Module


@dataclass(eq=False, repr=False, slots=True)
class External(Value):
    """A name of a library, by its canonical dotted name: `torch.nn.LSTM`."""

    name: str


@dataclass(eq=False, repr=False, slots=True)
class Opaque(Value):
    """Nothing is known, and why."""

    why: str
    at: Spot | None = None


@dataclass(eq=False, repr=False, slots=True)
class Choice(Value):
    """One of several values: branches that cannot be decided."""

    options: list[Value]
    why: str = "a branch that cannot be decided"
    under: tuple[Value, ...] = ()
    """the undecided conditions that choose"""


@dataclass(eq=False, repr=False, slots=True)
class Partial(Value):
    """`functools.partial`."""

    function: Value
    args: list[Value]
    kwargs: dict[str, Value]


@dataclass(eq=False, repr=False, slots=True)
class Term(Value):
    """What a library computes.

    op      call    `name(*args, **kwargs)`, name a canonical library name
            method  `base.name(*args, **kwargs)`
            apply   `base(*args, **kwargs)`: an object made by a library is called
            attr    `base.name`
            item    `base[args[0]]`
            binop   `args[0] name args[1]`; unary operators have one argument
            elem    an element met when iterating over `base`
            param   a parameter that nobody in the program supplies
            comp    a comprehension over `base`; args[0] is its element
    text    an f-string with unknown parts
    break, return   a loop or function is left here; only inside loops
    """

    op: str
    name: str
    base: Value | None
    args: list[Value]
    kwargs: dict[str, Value]
    at: Spot
    scope: Scope
    serial: int = 0
    open: str | None = None
    """why there may be more arguments (`**kwargs`)"""
    attrs: dict[str, Value] = field(default_factory=dict)
    """attributes set on it later"""
    result: Value | None = None
    """what calling user code through it gave (a Sequential's output, a collate function's batch)"""

    def argument(self, name: str, position: int | None = None, default: Value | None = None) -> Value | None:
        """The argument `name` (or at `position`); `default` where it was not passed."""
        if name in self.kwargs:
            return self.kwargs[name]
        if position is not None and position < len(self.args):
            return self.args[position]
        if self.open:
            return Opaque(self.open, self.at)
        return default

    def inside(self, *names: str) -> bool:
        """Whether this happened inside a context manager called one of `names` (last parts)."""
        return any(isinstance(c, Term) and c.name.rsplit(".", 1)[-1] in names for c in self.scope.contexts)


def options(value: Value | None) -> Iterator[Value]:
    """The value, or each of its alternatives."""
    if isinstance(value, Choice):
        for each in value.options:
            yield from options(each)
    elif value is not None:
        yield value


def walk(value: Value | None, limit: int = 4000) -> Iterator[Value]:
    """Everything that `value` was computed from, itself included, nearest first."""
    seen: set[int] = set()
    queue: list[Value] = [] if value is None else [value]
    for here in queue:
        if id(here) in seen or len(seen) > limit:
            continue
        seen.add(id(here))
        yield here
        if isinstance(here, Term):
            if here.base is not None:
                queue.append(here.base)
            queue.extend(here.args)
            queue.extend(here.kwargs.values())
            if here.result is not None:
                queue.append(here.result)
        elif isinstance(here, Seq):
            queue.extend(here.items)
        elif isinstance(here, Map):
            queue.extend(here.entries.values())
            queue.extend(here.rest)
        elif isinstance(here, Choice):
            queue.extend(here.options)
        elif isinstance(here, Range):
            queue.extend((here.start, here.stop))
