"""From values of the abstract run to facts, and the questions that several extractors ask of a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.evaluate import finite
from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    External,
    Function,
    Instance,
    Loop,
    Map,
    Object,
    Opaque,
    Range,
    Seq,
    Spot,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.facts import ABSENT, Known, Place, Unknown
from lstmadvisor.facts import Value as Fact
from lstmadvisor.nodes import below
from lstmadvisor.patterns import regex

NAME = regex(r"[A-Za-z_][\w.]*(?:\[\w+\])?")
"""What code calls an object by a plain name, attributes and one index included."""
_TUNER_METHODS = frozenset(("Int", "Float", "Choice", "Boolean", "Fixed"))


def fact(value: Value | None, missing: Fact = ABSENT) -> Fact:
    """The fact that a value is: known with its origin, or unknown with the reason."""
    if value is None:
        return missing
    if isinstance(value, Const):
        if value.via == "widened":
            return Unknown(
                unknown=f"`{value.name}` changes in a loop" if value.name else "changes in a loop", at=place(value.at)
            )
        if not isinstance(value.value, (str, int, float, bool, type(None))) or not finite(value.value):
            return Unknown(unknown="not a plain value", at=place(value.at))
        return Known(value=value.value, via=value.via, at=place(value.at))  # type: ignore[arg-type]
    if isinstance(value, Choice):
        given = [o for o in value.options if not _typed_by_user(o)]
        facts = [fact(o, missing) for o in given or value.options]
        plain = [f.value for f in facts if isinstance(f, Known)]
        if len(plain) == len(facts) and all(p == plain[0] for p in plain):
            return facts[0]
        return Unknown(unknown=value.why, at=next((f.at for f in facts if f.at is not None), None))
    if isinstance(value, Seq) and value.kind != "slice" and not value.open:
        parts = [fact(i) if isinstance(i, Const) else Unknown(unknown="not a plain value") for i in value.items]
        if all(isinstance(p, Known) for p in parts):
            return Known(value=[p.value for p in parts if isinstance(p, Known)], via="literal", at=place(value.at))
    if isinstance(value, Term) and (found := searched(value)) is not None:
        return Known(value=found, via="search", at=place(value.at))
    return Unknown(unknown=why(value), at=spot_of(value))


def _typed_by_user(value: Value) -> bool:
    """Whether a value comes from `sys.argv`, which holds nothing in the default run."""
    return any(isinstance(v, External) and v.name == "sys.argv" for v in walk(value, 30))


def why(value: Value) -> str:
    """Why a value is not known, in one line."""
    match value:
        case Opaque():
            return value.why
        case Term(op="param"):
            return f"`{value.name}` is a parameter that nobody in the program supplies"
        case Term(op="call" | "method" | "attr" | "item" | "binop" | "apply") if (
            value.at.module is not None and value.at.node is not None
        ):
            return f"depends on `{value.at.module.code(value.at.node)}`"
        case Term():
            return "depends on data"
        case Function() | Bound() | Class() | External():
            return "a function or class"
        case _:
            return "not a plain value"


def spot_of(value: Value) -> Place | None:
    """Where a value comes from, if it remembers."""
    at = getattr(value, "at", None)
    return place(at) if isinstance(at, Spot) else None


def searched(term: Term) -> dict[str, Any] | None:
    """The range of a tuner's hyperparameter (`hp.Int(…)`, `trial.suggest_float(…)`), or None."""

    def const(name: str, position: int) -> Any:
        got = term.argument(name, position)
        return got.value if isinstance(got, Const) else None

    last = term.name.rsplit(".", 1)[-1]
    if term.op == "method" and last in _TUNER_METHODS and isinstance(term.base, Term):
        if last == "Choice":
            values = term.argument("values", 1)
            return {"low": None, "high": None, "choices": _constants(values)}
        if last == "Boolean":
            return {"low": None, "high": None, "choices": [True, False]}
        return {"low": const("min_value", 1), "high": const("max_value", 2), "choices": None}
    if term.op == "method" and last.startswith("suggest_"):
        if last == "suggest_categorical":
            return {"low": None, "high": None, "choices": _constants(term.argument("choices", 1))}
        return {"low": const("low", 1), "high": const("high", 2), "choices": None}
    if term.op == "call" and term.name == "sklearn.choice":
        return {"low": None, "high": None, "choices": _constants(term.argument("categories", 0))}
    if (
        term.op == "call"
        and term.name.startswith("ray.tune.")
        and last in ("choice", "uniform", "loguniform", "randint", "quniform", "grid_search")
    ):
        if last in ("choice", "grid_search"):
            return {"low": None, "high": None, "choices": _constants(term.argument("categories", 0))}
        return {"low": const("lower", 0), "high": const("upper", 1), "choices": None}
    return None


def _constants(value: Value | None) -> list[Any] | None:
    if isinstance(value, Seq) and all(isinstance(i, Const) for i in value.items):
        return [i.value for i in value.items if isinstance(i, Const)]
    return None


def default(value: Any) -> Known:
    """The framework's own default."""
    return Known(value=value, via="default")


def inferred(value: Any, at: Place | None = None) -> Known:
    """Concluded from how the code hangs together rather than written down as a value."""
    return Known(value=value, via="inferred", at=at)


def argument(term: Term, name: str, position: int | None, otherwise: Any) -> Fact:
    """An argument of a library call as a fact; where it was not passed, the framework's default `otherwise`."""
    got = term.argument(name, position)
    return default(otherwise) if got is None else fact(got)


def bound_name(term: Term) -> str:
    """The name that the statement gives what a call makes: `opt` of `opt = Adam(…)`; empty if it has none."""
    module, call = term.at.module, term.at.node
    if module is None or not isinstance(call, cst.Call):
        return ""
    statement = module.assigned.get(call)
    target = None if statement is None else statement.targets[-1].target
    return module.tree.code_for_node(target) if isinstance(target, (cst.Name, cst.Attribute)) else ""


def stands_alone(term: Term) -> bool:
    """Whether the statement that holds a layer's call only adds it to a model or replaces a value by its result."""
    module, call = term.at.module, term.at.node
    if module is None or not isinstance(call, cst.Call):
        return False
    path = nodes_down(module.tree, call) or []
    line = next((node for node in reversed(path) if isinstance(node, cst.SimpleStatementLine)), None)
    match list(line.body) if line is not None else []:
        case [cst.Expr(value=cst.Call(func=cst.Attribute(attr=cst.Name("add")), args=[cst.Arg(value=added)]))]:
            return added is call
        case [
            cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(name))],
                value=cst.Call(func=function, args=[cst.Arg(value=cst.Name(given)), *_]) as applied,
            )
        ]:
            return name == given and call in (function, applied)
    return False


def receiver(term: Term) -> str:
    """What a method is called on or, where an object is called, the object: `self.opt` of `self.opt.step()`."""
    call = term.at.node
    if term.at.module is None or not isinstance(call, cst.Call):
        return ""
    node: cst.BaseExpression | None = call.func
    if term.op == "method":
        node = node.value if isinstance(node, cst.Attribute) else None
    text = "" if node is None else term.at.module.tree.code_for_node(node)
    return text if NAME.fullmatch(text) else ""


def nodes_down(node: cst.CSTNode, target: cst.CSTNode) -> list[cst.CSTNode] | None:
    """The nodes from below one down to another, which may be the last; None where it is not below."""
    for child in below(node):
        if child is target:
            return [child]
        path = nodes_down(child, target)
        if path is not None:
            return [child, *path]
    return None


# -- questions to the trace ---------------------------------------------------------------------------


def calls(run: Run, *names: str, active: bool | None = True) -> Iterator[Term]:
    """Calls of library functions by canonical name, in order; `torch.optim.` (with the dot) means all below it."""
    prefixes = tuple(n for n in names if n.endswith("."))
    exact = frozenset(names)
    for term in run.trace:
        wanted = term.op == "call" and (term.name in exact or bool(prefixes and term.name.startswith(prefixes)))
        if wanted and (active is None or term.scope.active == active):
            yield term


def methods(run: Run, *names: str, active: bool | None = True) -> Iterator[Term]:
    """Method calls on library objects by method name, in order."""
    exact = frozenset(names)
    for term in run.trace:
        if term.op == "method" and term.name in exact and (active is None or term.scope.active == active):
            yield term


def made_by(value: Value | None, test: Callable[[Term], bool], limit: int = 4000) -> Term | None:
    """The nearest term that `value` was computed from and that passes `test`."""
    for each in walk(value, limit):
        if isinstance(each, Term) and test(each):
            return each
    return None


def clips_unseen(run: Run) -> Unknown | None:
    """Why it is not known whether gradients are clipped: a function that could not be read is called so."""
    for term in run.trace:
        name = term.name.rsplit(".", 1)[-1].lower() if term.op in ("call", "method") else ""
        if "clip" in name and "grad" in name and term.scope.active:
            return Unknown(unknown=f"`{term.name}` was not read", at=place(term.at))
    return None


def first(values: Iterable[Value]) -> Value | None:
    """The first of some values."""
    return next(iter(values), None)


def real_loops(term: Term) -> tuple[Loop, ...]:
    """The loops around a term that were not followed turn by turn, outermost first."""
    return tuple(loop for loop, _ in term.scope.loops if not loop.unrolled)


def turns(term: Term) -> tuple[int, ...]:
    """The turn of each of `real_loops(term)`: a trace holds each such loop's body twice (turns 0 and 1)."""
    return tuple(turn for loop, turn in term.scope.loops if not loop.unrolled)


def first_turns(terms: Iterable[Term]) -> Iterator[Term]:
    """Terms without the second reading of loop bodies, one per place and unrolled turn: what a reader counts."""
    seen: set[Any] = set()
    for term in terms:
        if any(turns(term)):
            continue
        key = (id(term.at.node), tuple((id(loop), turn) for loop, turn in term.scope.loops if loop.unrolled))
        if key not in seen:
            seen.add(key)
            yield term


__all__ = [
    "NAME",
    "Fact",
    "Instance",
    "Map",
    "Object",
    "Range",
    "argument",
    "bound_name",
    "calls",
    "clips_unseen",
    "default",
    "fact",
    "first",
    "first_turns",
    "inferred",
    "made_by",
    "methods",
    "nodes_down",
    "options",
    "place",
    "real_loops",
    "receiver",
    "turns",
    "walk",
    "why",
]
