"""What the standard library's functions mean to an abstract run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import libcst as cst

from lstmadvisor.extract.abstract import layer_values, settings, widgets
from lstmadvisor.extract.abstract.evaluate import MOST_ITEMS
from lstmadvisor.extract.abstract.operators import NotComputable, compute
from lstmadvisor.extract.abstract.state import Stop
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    External,
    Function,
    Instance,
    Map,
    Object,
    Opaque,
    Package,
    Partial,
    Range,
    Seq,
    Spot,
    Term,
    Value,
)

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run

NAMELESS = "(nameless)"
"""Where an instance keeps what `setattr` gave it under names that are not known."""


class Arguments(NamedTuple):
    """The evaluated arguments of one call."""

    args: list[Value]
    kwargs: dict[str, Value]
    open: str | None
    at: Spot
    name: str

    def get(self, name: str, position: int | None = None) -> Value | None:
        """The argument called `name`, or at `position`; None where it was not passed."""
        if name in self.kwargs:
            return self.kwargs[name]
        if position is not None and position < len(self.args):
            return self.args[position]
        return None

    def constants(self) -> list[Any] | None:
        """The plain values of all positional arguments, or None where one is not constant."""
        if self.kwargs or self.open or not all(isinstance(a, Const) and a.via != "widened" for a in self.args):
            return None
        return [a.value for a in self.args if isinstance(a, Const)]


Model = Callable[["Run", Arguments], "Value | None"]
FUNCTIONS: dict[str, Model] = {}


def model(*names: str) -> Callable[[Model], Model]:
    """Register what the library functions `names` mean; a model that returns None leaves the call as a term."""

    def register(function: Model) -> Model:
        for name in names:
            FUNCTIONS[name] = function
        return function

    return register


def _root(args: list[Value]) -> Const | None:
    named = [a for a in args if isinstance(a, Const) and a.via != "literal"]
    return (named[0].root or named[0]) if len(named) == 1 else None


def _computed(function: Callable[..., Any]) -> Model:
    def apply(run: Run, a: Arguments) -> Value | None:
        values = a.constants()
        if values is None or not values:
            return None
        try:
            return Const(compute("call", function, *values), "arithmetic", a.at, _root(a.args))
        except NotComputable:
            return None

    return apply


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "builtins.abs": abs, "builtins.round": round, "builtins.ord": ord, "builtins.chr": chr, "builtins.pow": lambda a, b: a**b if abs(b) < 64 else None,
    "builtins.divmod": divmod, "math.ceil": math.ceil, "math.floor": math.floor, "math.sqrt": math.sqrt, "math.log": math.log,
    "math.log2": math.log2, "math.log10": math.log10, "math.exp": math.exp, "math.pow": math.pow, "math.prod": math.prod,
    "numpy.ceil": math.ceil, "numpy.floor": math.floor, "numpy.sqrt": math.sqrt, "numpy.log": math.log, "numpy.exp": math.exp,
    "numpy.log2": math.log2, "numpy.log10": math.log10, "numpy.int32": int, "numpy.int64": int, "numpy.float32": float, "numpy.float64": float,
}  # fmt: skip
for _name, _function in _ARITHMETIC.items():
    FUNCTIONS[_name] = _computed(_function)


@model("builtins.int", "builtins.float", "builtins.str", "builtins.bool")
def _convert(run: Run, a: Arguments) -> Value | None:
    if len(a.args) != 1:
        return (
            Const({"int": 0, "float": 0.0, "str": "", "bool": False}[a.name[9:]], "literal", a.at)
            if not a.args
            else None
        )
    value = a.args[0]
    if isinstance(value, Choice) and all(isinstance(o, Const) for o in value.options):
        return run.join(
            [
                _convert(run, Arguments([o], {}, None, a.at, a.name)) or Opaque("not a number", a.at)
                for o in value.options
            ],
            value.why,
        )
    if isinstance(value, Const):
        try:
            made = {"int": int, "float": float, "str": str, "bool": bool}[a.name[9:]](value.value)
        except (TypeError, ValueError, OverflowError):
            return Opaque(f"{value.value!r} is not a number", a.at)
        return value if made == value.value and type(made) is type(value.value) else replace(value, value=made)
    return None


@model("builtins.len")
def _len(run: Run, a: Arguments) -> Value | None:
    thing = a.args[0] if a.args else None
    if isinstance(thing, Choice):
        return None
    if isinstance(thing, Const) and isinstance(thing.value, (str, tuple, list, bytes)) and thing.via != "widened":
        return Const(len(thing.value), "arithmetic", a.at, thing.root or thing)
    if isinstance(thing, Seq) and not thing.open:
        return Const(len(thing.items), "arithmetic", a.at)
    if isinstance(thing, Map) and not thing.open:
        return Const(len(thing.entries), "arithmetic", a.at)
    if isinstance(thing, Range):
        return thing.count
    if isinstance(thing, Instance) and isinstance(method := run.find(thing.cls, "__len__"), Function):
        return run.call(Bound(method, thing), [], {}, None, a.at)
    return None


@model("builtins.min", "builtins.max", "builtins.sum", "numpy.prod", "builtins.any", "builtins.all")
def _fold(run: Run, a: Arguments) -> Value | None:
    values = a.args
    if len(values) == 1:
        items = run.elements(values[0])
        if items is None:
            return None
        values = items
    if not values or not all(isinstance(v, Const) and v.via != "widened" for v in values) or a.kwargs:
        return None
    plain = [v.value for v in values if isinstance(v, Const)]
    folds: dict[str, Callable[[Any], Any]] = {
        "min": min,
        "max": max,
        "sum": sum,
        "prod": math.prod,
        "any": any,
        "all": all,
    }
    function = folds[a.name.rsplit(".", 1)[-1]]
    try:
        result = compute("call", function, plain)
    except NotComputable:
        return None
    chosen = next((v for v in values if isinstance(v, Const) and v.value == result and v.via != "literal"), None)
    return Const(result, "arithmetic", a.at, chosen) if chosen is None else chosen


@model("builtins.range", "tqdm.trange", "torch.arange", "numpy.arange", "builtins.xrange")
def _range(run: Run, a: Arguments) -> Value | None:
    if not a.args or (
        a.name.endswith("arange") and not all(isinstance(v, Const) and isinstance(v.value, int) for v in a.args)
    ):
        return None
    start: Value = Const(0)
    step: Value = Const(1)
    if len(a.args) == 1:
        stop = a.args[0]
    else:
        start, stop = a.args[0], a.args[1]
        step = a.args[2] if len(a.args) > 2 else step
    return Range(start, stop, step, _turns(start, stop, step, a.at), a.at)


def _turns(start: Value, stop: Value, step: Value, at: Spot) -> Value:
    if isinstance(stop, Choice):
        return Opaque(stop.why, at)
    if not all(
        isinstance(v, Const) and isinstance(v.value, (int, float)) and v.via != "widened" for v in (start, stop, step)
    ):
        return Opaque("a range whose bounds are not known", at)
    assert isinstance(start, Const)
    assert isinstance(stop, Const)
    assert isinstance(step, Const)
    if not all(float(v.value).is_integer() for v in (start, stop, step)) or step.value == 0:
        return Opaque("not a whole number of turns", at)
    turns = max(0, -(-(int(stop.value) - int(start.value)) // int(step.value)))
    if start.value == 0 and step.value == 1:
        return stop
    if step.value == 1 and stop.root is not None and stop.root.value == turns:
        return stop.root
    return Const(turns, "arithmetic", stop.at, stop.root or (stop if stop.via != "literal" else None))


_SAME = (
    "tqdm.tqdm", "tqdm.tqdm_notebook", "tqdm.rrange", "tqdm.tqdm_gui", "rich.progress.track", "fastprogress.master_bar", "fastprogress.progress_bar",
    "builtins.iter", "copy.copy", "builtins.print_progress", "progressbar.progressbar", "alive_progress.alive_it",
    "torch.compile", "torch.jit.script", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm", "typing.cast", "functools.lru_cache", "functools.wraps", "numpy.array", "numpy.asarray", "builtins.repr",
    "builtins.frozenset", "os.path.expanduser", "os.path.abspath", "os.path.realpath", "os.fspath", "os.path.normpath",
    "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "types.MappingProxyType", "collections.OrderedDict",
)  # fmt: skip


def _passes(run: Run, a: Arguments) -> Value | None:
    if not a.args:
        if a.name == "collections.OrderedDict":
            return Map(dict(a.kwargs), a.open, a.at)
        return a.kwargs.get("iterable") or a.kwargs.get("gen") or a.kwargs.get("mb")
    if a.name.startswith("pathlib") and len(a.args) > 1:
        return _join_path(run, a)
    if (
        a.name == "fastprogress.progress_bar"
        or a.name.startswith(("tqdm", "fastprogress"))
        or isinstance(a.args[0], (Seq, Map, Const, Range, Instance))
    ):
        if a.name == "collections.OrderedDict" and isinstance(a.args[0], Seq):
            return _dict(run, a)
        if a.name in (
            "torch.compile",
            "torch.jit.script",
            "torch.nn.DataParallel",
            "torch.nn.parallel.DistributedDataParallel",
        ):
            run.term("call", a.name, None, a.args, a.kwargs, at=a.at, event=True)
        return a.args[0]
    if a.name.startswith("torch"):
        made = run.term("call", a.name, None, a.args, a.kwargs, at=a.at, event=True)
        return a.args[0] if isinstance(a.args[0], (Term, Choice)) else made
    return None


for _name in _SAME:
    FUNCTIONS[_name] = _passes
FUNCTIONS["copy.deepcopy"] = lambda run, a: (
    a.args[0] if a.args and (isinstance(a.args[0], (Const, Seq, Map, Object)) or _is_library_layer(a.args[0])) else None
)


def _is_library_layer(value: Value) -> bool:
    """Whether a copy of a value is as good as the value: N copies of one layer are that layer N times."""
    return isinstance(value, Term) and value.op == "call" and value.name.startswith("torch.nn.")


@model("builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.reversed")
def _listed(run: Run, a: Arguments) -> Value | None:
    kind = {"builtins.tuple": "tuple", "builtins.set": "set"}.get(a.name, "list")
    if not a.args:
        return Seq([], kind, at=a.at)
    items = run.elements(a.args[0])
    if items is None:
        return a.args[0] if isinstance(a.args[0], Range) else None
    if a.name in ("builtins.set", "builtins.sorted") and not all(isinstance(i, Const) for i in items):
        return None if a.name == "builtins.set" else Seq(items, kind, "sorted by something unknown", a.at)
    if a.name == "builtins.set":
        unique: dict[Any, Value] = {}
        for i in items:
            assert isinstance(i, Const)
            try:
                unique.setdefault(i.value, i)
            except TypeError:
                return None
        return Seq(list(unique.values()), kind, at=a.at)
    if a.name == "builtins.sorted":
        if a.kwargs:
            return Seq(items, kind, None if set(a.kwargs) == {"reverse"} else "sorted by something unknown", a.at)
        try:
            items = sorted(items, key=lambda i: i.value if isinstance(i, Const) else 0)
        except TypeError:
            return None
    return Seq(items[::-1] if a.name == "builtins.reversed" else items, kind, at=a.at)


def _unknown_pairs(source: Value) -> list[Value]:
    """The one pair that stands for all those of `dict((token, i) for i, token in enumerate(tokens))`."""
    if isinstance(source, Term) and source.op == "comp" and source.args and isinstance(source.args[0], Seq):
        return [source.args[0]]
    return [MISSING_PAIR]


@model("builtins.dict")
def _dict(run: Run, a: Arguments) -> Value | None:
    out = Map({}, a.open, a.at)
    if a.args:
        source = a.args[0]
        if isinstance(source, Map):
            out.entries.update(source.entries)
            out.open = out.open or source.open
        elif isinstance(source, Object):
            out.entries.update(source.attrs)
            out.open = out.open or source.open
        else:
            for pair in run.elements(source) or _unknown_pairs(source):
                if isinstance(pair, Seq) and len(pair.items) == 2 and isinstance(pair.items[0], Const):
                    out.entries[pair.items[0].value] = pair.items[1]
                else:
                    out.open = "entries that are not known"
                    if isinstance(pair, Seq) and len(pair.items) == 2:
                        out.rest.append(pair.items[1])
    for name, value in a.kwargs.items():
        if isinstance(value, Const) and value.via == "literal":
            value = replace(value, via="config", name=name)
        out.entries[name] = value
    return out


MISSING_PAIR: Value = Opaque("not a pair")


@model("builtins.enumerate")
def _enumerate(run: Run, a: Arguments) -> Value | None:
    items = run.elements(a.args[0]) if a.args else None
    if items is None:
        return None
    start = a.get("start", 1)
    first = start.value if isinstance(start, Const) and isinstance(start.value, int) else 0
    return Seq(
        [Seq([Const(first + i, "constant", a.at), item], "tuple") for i, item in enumerate(items)], "list", at=a.at
    )


@model("builtins.zip")
def _zip(run: Run, a: Arguments) -> Value | None:
    columns = [run.elements(v) for v in a.args]
    if not columns or any(c is None for c in columns):
        return None
    return Seq(
        [Seq(list(row), "tuple") for row in zip(*[c for c in columns if c is not None], strict=False)], "list", at=a.at
    )


@model("builtins.map", "builtins.filter")
def _map(run: Run, a: Arguments) -> Value | None:
    if len(a.args) < 2:
        return None
    items = run.elements(a.args[1])
    if items is None or len(a.args) > 2:
        element = run.call(a.args[0], [run.element_of(v, a.at) for v in a.args[1:]], {}, None, a.at)
        return run.term(
            "comp",
            "list",
            a.args[1],
            [element if a.name == "builtins.map" else run.element_of(a.args[1], a.at)],
            at=a.at,
        )
    made = [run.call(a.args[0], [item], {}, None, a.at) for item in items[:64]]
    if a.name == "builtins.map":
        return Seq(made, "list", None if len(items) <= 64 else "a very long list", a.at)
    verdicts = [run.truth(m) for m in made]
    kept = [item for item, verdict in zip(items, verdicts, strict=False) if verdict is not False]
    return Seq(kept, "list", "a filter that is not known" if None in verdicts else None, a.at)


@model("functools.reduce")
def _reduce(run: Run, a: Arguments) -> Value | None:
    items = run.elements(a.args[1]) if len(a.args) > 1 else None
    if items is None or len(items) > 32:
        return None
    total: Value | None = a.args[2] if len(a.args) > 2 else None
    for item in items:
        total = item if total is None else run.call(a.args[0], [total, item], {}, None, a.at)
    return total


@model("builtins.next")
def _next(run: Run, a: Arguments) -> Value | None:
    return (
        run.element_of(a.args[0], a.at)
        if a.args and not isinstance(a.args[0], Seq)
        else (a.args[0].items[0] if a.args and isinstance(a.args[0], Seq) and a.args[0].items else None)
    )


@model("builtins.isinstance")
def _isinstance(run: Run, a: Arguments) -> Value | None:
    if len(a.args) != 2:
        return None
    verdict = is_a(run, a.args[0], a.args[1])
    return None if verdict is None else Const(verdict, "arithmetic", a.at)


@model("torch.is_tensor")
def _is_tensor(run: Run, a: Arguments) -> Value | None:
    verdict = is_a(run, a.args[0], External("torch.Tensor")) if len(a.args) == 1 else None
    return None if verdict is None else Const(verdict, "arithmetic", a.at)


def is_a(run: Run, thing: Value, cls: Value) -> bool | None:
    """Whether `thing` is an instance of `cls` (or of one of a tuple); None where that is not known."""
    if isinstance(cls, Seq):
        verdicts = [is_a(run, thing, c) for c in cls.items]
        return True if True in verdicts else None if None in verdicts else False
    if isinstance(thing, Choice):
        answers = {is_a(run, o, cls) for o in thing.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(thing, Instance):
        if isinstance(cls, Class):
            return any(c is cls for c in run.lineage(thing.cls))
        if isinstance(cls, External):
            bases = run.library_bases(thing.cls)
            if cls.name in bases:
                return True
            return cls.name == "torch.nn.Module" and any(b.startswith("torch.nn.") for b in bases)
    name = cls.name if isinstance(cls, External) else ""
    python = {"builtins.str": str, "builtins.int": int, "builtins.float": float, "builtins.bool": bool}.get(name)
    if isinstance(thing, Const) and thing.via != "widened":
        if python is not None:
            return isinstance(thing.value, python)
        return False if name.startswith(("builtins.", "torch.", "numpy.")) else None
    if isinstance(thing, Seq):
        return (
            name == f"builtins.{thing.kind}"
            if name.startswith("builtins.")
            else name in ("collections.abc.Sequence", "typing.Sequence")
            or (False if name.startswith("torch.") else None)
        )
    if isinstance(thing, Map):
        return (
            True
            if name in ("builtins.dict", "collections.OrderedDict", "collections.abc.Mapping")
            else False
            if name.startswith("builtins.")
            else None
        )
    if isinstance(thing, Term):
        if (
            thing.op == "call"
            and name.startswith(("torch.nn.", "keras."))
            and thing.name.startswith(("torch.nn.", "keras."))
        ):
            if name in ("torch.nn.Module", "keras.Layer"):
                return True
            if name == "torch.nn.RNNBase":
                return thing.name in ("torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN")
            return thing.name == name
        tensor = name in ("torch.Tensor", "torch.autograd.Variable", "torch.FloatTensor")
        if (certain := layer_values.is_tensor(thing)) is not None and (
            tensor or name in ("builtins.tuple", "builtins.list")
        ):
            return certain if tensor else not certain and name == "builtins.tuple"
        if tensor and (
            thing.op in ("apply", "binop")
            or (thing.op in ("call", "method") and thing.name.rsplit(".", 1)[-1] in _MAKES_TENSORS)
        ):
            return True
        if (
            name.startswith("builtins.")
            and thing.op in ("apply", "binop", "method", "call")
            and (thing.name in _MAKES_TENSORS or thing.name.startswith("torch.zeros"))
        ):
            return False
    return None


_MAKES_TENSORS = frozenset(
    "zeros ones randn rand new_zeros detach to cuda cpu Variable tensor from_numpy FloatTensor LongTensor clone view reshape".split()
)


@model("builtins.getattr")
def _getattr(run: Run, a: Arguments) -> Value | None:
    if len(a.args) < 2 or not isinstance(a.args[1], Const) or not isinstance(a.args[1].value, str):
        if (
            len(a.args) > 1
            and isinstance(a.args[1], Choice)
            and all(isinstance(o, Const) and isinstance(o.value, str) for o in a.args[1].options)
        ):
            return run.join(
                [run.attribute(a.args[0], o.value, a.at) for o in a.args[1].options if isinstance(o, Const)],
                a.args[1].why,
            )
        return None
    name = a.args[1].value
    if isinstance(a.args[0], (Object, Instance, Class)) and len(a.args) > 2:
        value = run.attribute(a.args[0], name, a.at)
        missing = isinstance(value, Opaque) or (isinstance(value, Term) and value.op == "attr")
        if missing and not getattr(a.args[0], "open", None):
            default = a.args[2]
            return (
                replace(default, via="function-default")
                if isinstance(default, Const) and default.via == "literal"
                else default
            )
        return value
    return run.attribute(a.args[0], name, a.at)


@model("builtins.setattr")
def _setattr(run: Run, a: Arguments) -> Value | None:
    if len(a.args) == 3 and isinstance(a.args[1], Const) and isinstance(a.args[1].value, str):
        run.set_attribute(a.args[0], a.args[1].value, a.args[2], a.at)
        return Const(None)
    if len(a.args) == 3 and isinstance(a.args[0], (Instance, Object)):
        run.set(a.args[0], "open", "setattr with a name that is not known")
        if isinstance(a.args[0], Instance):
            before = a.args[0].attrs.get(NAMELESS)
            items = before.items if isinstance(before, Seq) else []
            run.put(a.args[0].attrs, NAMELESS, Seq([*items, a.args[2]], "modulelist"))
    return None


@model("builtins.hasattr")
def _hasattr(run: Run, a: Arguments) -> Value | None:
    if len(a.args) == 2 and isinstance(a.args[1], Const) and isinstance(a.args[1].value, str):
        thing, name = a.args[0], a.args[1].value
        if isinstance(thing, Instance) and (name in thing.attrs or run.find(thing.cls, name) is not None):
            return Const(True, "arithmetic", a.at)
        if isinstance(thing, Object) and name in thing.attrs:
            return Const(True, "arithmetic", a.at)
        if isinstance(thing, Object) and thing.kind == "namespace" and not thing.open:
            return Const(False, "arithmetic", a.at)
    return None


@model("builtins.vars")
def _vars(run: Run, a: Arguments) -> Value | None:
    if a.args and isinstance(a.args[0], (Object, Instance)):
        return Map(a.args[0].attrs, a.args[0].open, a.at)
    return None


@model("builtins.globals", "builtins.locals")
def _globals(run: Run, a: Arguments) -> Value | None:
    module = a.at.module
    return Map(dict(module.env.names), None, a.at) if module is not None and a.name == "builtins.globals" else None


@model("builtins.type")
def _type(run: Run, a: Arguments) -> Value | None:
    thing = a.args[0] if len(a.args) == 1 else None
    if isinstance(thing, Instance):
        return thing.cls
    if isinstance(thing, Term) and thing.op == "call":
        return External(thing.name)
    if isinstance(thing, Const):
        return External(f"builtins.{type(thing.value).__name__}")
    if isinstance(thing, Seq):
        return External(f"builtins.{thing.kind}")
    return None


@model("builtins.print", "logging.info", "warnings.warn", "warnings.filterwarnings", "gc.collect")
def _quiet(run: Run, a: Arguments) -> Value | None:
    run.term("call", a.name, None, a.args, a.kwargs, at=a.at, event=True)
    return Const(None)


@model("builtins.exit", "builtins.quit", "sys.exit", "os._exit")
def _exit(run: Run, a: Arguments) -> Value | None:
    raise Stop


@model("functools.partial")
def _partial(run: Run, a: Arguments) -> Value | None:
    return Partial(a.args[0], a.args[1:], dict(a.kwargs)) if a.args else None


@model("os.path.join", "os.path.dirname", "os.path.basename", "posixpath.join")
def _join_path(run: Run, a: Arguments) -> Value | None:
    values = a.constants()
    if not values or not all(isinstance(v, str) for v in values):
        return None
    if a.name.endswith("dirname"):
        return Const(values[0].rpartition("/")[0] or ".", "arithmetic", a.at)
    if a.name.endswith("basename"):
        return Const(values[0].rpartition("/")[2], "arithmetic", a.at)
    out = values[0]
    for v in values[1:]:
        out = v if v.startswith("/") else f"{out.rstrip('/')}/{v}" if out else v
    return Const(out, "arithmetic", a.at)


@model("os.getenv", "os.environ.get")
def _environment(run: Run, a: Arguments) -> Value | None:
    default = a.get("default", 1)
    if isinstance(default, Const):
        return replace(default, via="config") if default.via == "literal" else default
    return Opaque("an environment variable", a.at)


@model("os.getcwd")
def _cwd(run: Run, a: Arguments) -> Value | None:
    return Const(".", "arithmetic", a.at)


@model("collections.namedtuple")
def _namedtuple(run: Run, a: Arguments) -> Value | None:
    fields = a.get("field_names", 1)
    names: list[str] = []
    if isinstance(fields, Const) and isinstance(fields.value, str):
        names = fields.value.replace(",", " ").split()
    elif isinstance(fields, Seq) and not fields.open:
        names = [i.value for i in fields.items if isinstance(i, Const)]
    if not names or a.at.module is None:
        return None
    node = cst.ClassDef(name=cst.Name("Tuple"), body=cst.IndentedBlock(body=[]))
    return Class("namedtuple", node, a.at.module, [External("typing.NamedTuple")], {}, dict.fromkeys(names), True)


@model("builtins.eval")
def _eval(run: Run, a: Arguments) -> Value | None:
    """`eval("nn." + name)`: an expression of names that the module knows."""
    text = a.args[0].value if a.args and isinstance(a.args[0], Const) else None
    if not isinstance(text, str) or len(text) > 200 or a.at.module is None:
        return None
    try:
        node = cst.parse_expression(text.strip())
    except Exception:
        return None
    return run.eval(node, a.at.module.env)


@model("importlib.import_module", "builtins.__import__")
def _import_module(run: Run, a: Arguments) -> Value | None:
    if a.args and isinstance(a.args[0], Const) and isinstance(a.args[0].value, str) and a.at.module is not None:
        dotted = a.args[0].value
        level = len(dotted) - len(dotted.lstrip("."))
        return run.imported(dotted.lstrip("."), a.at.module, level)
    return None


@model("collections.defaultdict")
def _defaultdict(run: Run, a: Arguments) -> Value | None:
    return Map({}, "a dict with defaults", a.at)


FUNCTIONS["argparse.ArgumentParser"] = settings.parser
for _name in (
    "configargparse.ArgumentParser",
    "configargparse.ArgParser",
    "jsonargparse.ArgumentParser",
    "lightning.utilities.argparse.ArgumentParser",
):
    FUNCTIONS[_name] = settings.parser
for _name in ("json.load", "json.loads", "yaml.load", "omegaconf.OmegaConf.load", "toml.load", "tomllib.load", "tomli.load", "toml.loads", "tomllib.loads",
              "commentjson.load", "json5.load", "simplejson.load", "ujson.load", "anyconfig.load"):  # fmt: skip
    FUNCTIONS[_name] = settings.load_config
for _name in ("types.SimpleNamespace", "argparse.Namespace", "easydict.EasyDict", "omegaconf.OmegaConf.create", "omegaconf.DictConfig", "munch.Munch",
              "box.Box", "addict.Dict", "ml_collections.ConfigDict", "ml_collections.config_dict.ConfigDict", "yacs.config.CfgNode", "munch.munchify",
              "attrdict.AttrDict", "dotmap.DotMap", "omegaconf.OmegaConf.structured", "transformers.PretrainedConfig", "munch.DefaultMunch.fromDict"):  # fmt: skip
    FUNCTIONS[_name] = settings.make_namespace
FUNCTIONS["omegaconf.OmegaConf.merge"] = settings.merge_configs
for _name in ("string", "integer", "float", "bool", "boolean", "enum", "list", "multi_integer"):
    for _module in ("absl.flags", "tensorflow.app.flags", "tensorflow.flags", "gflags"):
        FUNCTIONS[f"{_module}.DEFINE_{_name}"] = settings.define_flag
for _name in ("typer.Option", "typer.Argument"):
    FUNCTIONS[_name] = settings.typer_default
for _name in widgets.NAMES:
    for _module in ("streamlit", "streamlit.sidebar"):
        FUNCTIONS[f"{_module}.{_name}"] = widgets.default_of
FUNCTIONS["wandb.init"] = settings.wandb_init
FUNCTIONS["configparser.ConfigParser"] = lambda run, a: Object("configparser", at=a.at)
FUNCTIONS["configparser.SafeConfigParser"] = FUNCTIONS["configparser.ConfigParser"]


def count(run: Run, iterable: Value) -> Value:
    """How often a loop over `iterable` turns."""
    if isinstance(iterable, Range):
        return iterable.count
    items = run.elements(iterable)
    if items is not None:
        return Const(len(items), "constant", iterable.at if isinstance(iterable, (Seq, Map)) else None)
    if isinstance(iterable, Term) and iterable.name == "builtins.enumerate" and iterable.args:
        return count(run, iterable.args[0])
    if isinstance(iterable, Term) and iterable.name == "itertools.count":
        return Opaque("an endless loop", iterable.at)
    return Opaque("a loop over data", iterable.at if isinstance(iterable, Term) else None)


# -- methods of known containers ---------------------------------------------------------------------


def method(run: Run, base: Value | None, name: str, a: Arguments) -> Value | None:
    """What a method of a list, dict or configuration gives; None where it is not one of these."""
    match base:
        case Seq():
            return _seq_method(run, base, name, a)
        case Map():
            return _map_method(run, base, name, a)
        case Object():
            return settings.method(run, base, name, a)
        case Range():
            return None
        case Class() if name == "__init__":
            if a.args and isinstance(a.args[0], Instance):
                external = next((b for b in run.lineage(base) if isinstance(b, External)), None)
                if (
                    external is not None
                    and a.args[0].term is None
                    and external.name not in ("torch.nn.Module", "builtins.object")
                ):
                    a.args[0].term = run.term(
                        "call", external.name, None, a.args[1:], a.kwargs, at=a.at, open_=a.open, event=True
                    )
            return Const(None)
        case Const(value=str()) if name in (
            "open",
            "read_text",
            "joinpath",
            "exists",
            "resolve",
            "absolute",
            "expanduser",
            "as_posix",
            "with_suffix",
            "with_name",
        ):
            if name in ("with_name", "with_suffix"):
                return _renamed(base, name, a)
            if name in ("resolve", "absolute", "expanduser", "as_posix"):
                return base
            if name == "joinpath":
                return _join_path(run, Arguments([base, *a.args], {}, None, a.at, "os.path.join"))
            if name == "open":
                return run.term("call", "builtins.open", None, [base, *a.args], a.kwargs, at=a.at, event=True)
            return None
        case _:
            return None


def _renamed(base: Const, name: str, a: Arguments) -> Value | None:
    """`path.with_name("data.csv")`, `path.with_suffix(".csv")`."""
    values = a.constants()
    if not values or not isinstance(values[0], str):
        return None
    folder, slash, last = str(base.value).rpartition("/")
    new = values[0] if name == "with_name" else last.rpartition(".")[0] + values[0]
    return Const(f"{folder}{slash}{new}", "arithmetic", a.at, base)


def _seq_method(run: Run, base: Seq, name: str, a: Arguments) -> Value | None:
    if name in ("append", "add", "push", "appendleft") and len(a.args) == 1 and base.kind != "tuple":
        if len(base.items) < MOST_ITEMS:
            run.set(base, "items", [*base.items, a.args[0]] if name != "appendleft" else [a.args[0], *base.items])
            if _in_open_loop(run, base):
                run.set(base, "open", "grows in a loop")
        else:
            run.set(base, "open", "a very long list")
        return Const(None)
    if name in ("extend", "update") and len(a.args) == 1:
        items = run.elements(a.args[0])
        if items is None:
            if name == "extend" and len(base.items) < MOST_ITEMS:
                run.set(base, "items", [*base.items, run.element_of(a.args[0], a.at)])
            run.set(base, "open", "grows by something unknown")
        else:
            run.set(base, "items", [*base.items, *items][:MOST_ITEMS])
        return Const(None)
    if name == "insert" and len(a.args) == 2 and isinstance(a.args[0], Const) and isinstance(a.args[0].value, int):
        items = list(base.items)
        items.insert(a.args[0].value, a.args[1])
        run.set(base, "items", items)
        return Const(None)
    if name == "pop" and base.items and not base.open:
        index = a.args[0].value if a.args and isinstance(a.args[0], Const) and isinstance(a.args[0].value, int) else -1
        if -len(base.items) <= index < len(base.items):
            items = list(base.items)
            value = items.pop(index)
            run.set(base, "items", items)
            return value
    if name == "copy":
        return Seq(list(base.items), base.kind, base.open, base.at)
    if name == "index" and len(a.args) == 1 and not base.open and isinstance(a.args[0], Const):
        for i, item in enumerate(base.items):
            if isinstance(item, Const) and item.value == a.args[0].value:
                return Const(i, "arithmetic", a.at)
    if name in ("sort", "reverse"):
        if name == "reverse":
            run.set(base, "items", base.items[::-1])
        return Const(None)
    if base.kind == "modulelist" and name in ("to", "cuda", "train", "eval", "double", "float", "apply"):
        return base
    return None


def _in_open_loop(run: Run, base: Seq) -> bool:
    """Whether the list grows inside a loop whose turns are not followed one by one."""
    loops = run.scope.loops
    return bool(loops) and not loops[-1][0].unrolled


def _map_method(run: Run, base: Map, name: str, a: Arguments) -> Value | None:
    key = (
        a.args[0].value
        if a.args and isinstance(a.args[0], Const) and isinstance(a.args[0].value, (str, int, float, bool, type(None)))
        else None
    )
    if name == "get" and a.args:
        if isinstance(a.args[0], Const):
            if key in base.entries:
                return base.entries[key]
            if base.open:
                return Opaque(base.open, a.at)
            default = a.args[1] if len(a.args) > 1 else Const(None)
            return (
                replace(default, via="config") if isinstance(default, Const) and default.via == "literal" else default
            )
        return run.item(base, a.args[0], a.at)
    if name in ("setdefault", "pop") and isinstance(a.args[0] if a.args else None, Const):
        if key in base.entries:
            value = base.entries[key]
            if name == "pop":
                entries = dict(base.entries)
                entries.pop(key)
                run.set(base, "entries", entries)
            return value
        default = a.args[1] if len(a.args) > 1 else Const(None)
        if name == "setdefault":
            run.put(base.entries, key, default)
        return Opaque(base.open, a.at) if base.open else default
    if name == "items":
        if base.open:
            return None
        return Seq([Seq([Const(k, "constant", base.at), v], "tuple") for k, v in base.entries.items()], "list", at=a.at)
    if name == "keys":
        return Seq([Const(k, "constant", base.at) for k in base.entries], "list", base.open, a.at)
    if name == "values":
        return Seq(list(base.entries.values()), "list", base.open, a.at)
    if name == "update":
        other = a.args[0] if a.args else None
        if isinstance(other, Object):
            other = Map(other.attrs, other.open)
        if isinstance(other, Map):
            for k, v in other.entries.items():
                run.put(base.entries, k, v)
            if other.open:
                run.set(base, "open", other.open)
        elif other is not None:
            run.set(base, "open", "updated by something unknown")
        for k, v in a.kwargs.items():
            run.put(base.entries, k, replace(v, via="config") if isinstance(v, Const) and v.via == "literal" else v)
        return Const(None)
    if name == "copy":
        return Map(dict(base.entries), base.open, base.at, base.kind)
    return None


def decorated(run: Run, function: Function, decorator: Value, at: Spot) -> None:
    """What a decorator adds to a function: options of a command line, a configuration."""
    settings.decorated(run, function, decorator, at)


__all__ = ["FUNCTIONS", "Arguments", "Package", "count", "decorated", "is_a", "method", "model"]
