"""Scalers and statistics: what they were fitted on, and whether that was split afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Function,
    Instance,
    Opaque,
    Seq,
    Spot,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, first_turns, inferred, place
from lstmadvisor.extract.data.lineage import SCALER_METHODS, STATISTICS, Lineage
from lstmadvisor.extract.data.pipelines import ask
from lstmadvisor.extract.data.splits import Splits, moves
from lstmadvisor.facts import Known, Scaling, Unknown

_SCALERS = frozenset(
    "MinMaxScaler StandardScaler RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer Normalizer "
    "KBinsDiscretizer Normalization".split()
)
_AT_ONCE = {
    "scale": "StandardScaler",
    "minmax_scale": "MinMaxScaler",
    "robust_scale": "RobustScaler",
    "maxabs_scale": "MaxAbsScaler",
    "zscore": "StandardScaler",
}
_PER_SAMPLE = frozenset(("__getitem__", "collate", "collate_fn", "collate_batch"))
"""Functions that are given one sample or one batch."""
_SPREADS = frozenset(("std", "var", "nanstd", "max", "amax", "nanmax", "ptp", "quantile", "percentile", "sem", "mad"))


@dataclass(eq=False)
class Fitted:
    """One act of measuring data in order to scale it."""

    scaler: str
    act: Term
    data: Value | None
    user: Value | None = None
    """the scaler object"""


def scaling(
    run: Run, lineage: Lineage, splits: Splits, values: list[Value], trained: int | None
) -> tuple[Scaling, ...]:
    """All scalers, in the order of the program; `trained` is the number of the last act of training."""
    found = [*_objects(run), *_at_once(run), *_by_hand(run, lineage, values)]
    out: list[tuple[int, Scaling]] = []
    places: dict[object, int] = {}
    for each in found:
        before = _before_split(run, lineage, splits, each)
        if trained is not None and each.act.serial > trained:
            before = inferred(False, place(each.act.at))  # no training comes after it
        made = Scaling(
            at=place(each.act.at),
            active=each.act.scope.active,
            scaler=Known(value=each.scaler, via="inferred" if each.scaler.startswith("by-hand") else "literal"),
            fit_on=_fit_on(splits, each),
            fit_before_split=before,
            target_included=_target_included(run, lineage, each, values),
        )
        key = id(each.act.at.node)
        if key in places:
            # one line that several calls reach: the worst of what it does counts
            position = places[key]
            if isinstance(before, Known) and before.value is True and out[position][1].fit_before_split != before:
                out[position] = (out[position][0], made)
            continue
        places[key] = len(out)
        out.append((each.act.serial, made))
    return tuple(s for _, s in sorted(out, key=lambda p: p[0]))


# -- what measures data ------------------------------------------------------------------------------


def scaler_of(value: Value | None, depth: int = 0) -> tuple[str, Value] | None:
    """The kind of scaler that a value is, and the object."""
    for each in options(value):
        if not isinstance(each, Term) or depth > 6:
            continue
        last = each.name.rsplit(".", 1)[-1]
        if each.op == "call":
            if last in _SCALERS or (last.endswith("Scaler") and "Grad" not in last and "Loss" not in last):
                return last, each
            if last in ("Pipeline", "make_pipeline", "ColumnTransformer", "make_column_transformer"):
                inner = [
                    v
                    for v in walk(each, 200)
                    if isinstance(v, Term) and v is not each and (v.name.rsplit(".", 1)[-1] in _SCALERS)
                ]
                if inner:
                    return inner[0].name.rsplit(".", 1)[-1], each
        if each.op == "method" and last in ("fit", "partial_fit", "set_output"):
            return scaler_of(each.base, depth + 1)
    return None


def _objects(run: Run) -> Iterator[Fitted]:
    events = [t for t in run.trace if t.op == "method" and t.name in SCALER_METHODS]
    for term in first_turns(events):
        found = scaler_of(term.base)
        if found is not None and (term.args or term.kwargs):
            yield Fitted(found[0], term, term.args[0] if term.args else next(iter(term.kwargs.values())), found[1])


def _at_once(run: Run) -> Iterator[Fitted]:
    for term in first_turns(t for t in run.trace if t.op == "call"):
        last = term.name.rsplit(".", 1)[-1]
        if last in _AT_ONCE and term.args and term.name.startswith(("sklearn.preprocessing.", "scipy.stats.")):
            axis = term.kwargs.get("axis")
            if not (isinstance(axis, Const) and axis.value == 1):
                yield Fitted(_AT_ONCE[last], term, term.args[0])


def _by_hand(run: Run, lineage: Lineage, values: list[Value]) -> Iterator[Fitted]:
    """`(x - x.mean()) / x.std()` and the like."""
    seen: set[int] = set()
    for value in sorted((v for v in values if isinstance(v, Term)), key=lambda t: t.serial):
        for divided, measure in _divisions(value):
            if _in_a_model(run, value):
                continue
            data = _measured(measure)
            if data is None or not lineage.origins(data) & lineage.origins(divided) or _shrunk(divided):
                continue
            if id(measure) not in seen:
                seen.add(id(measure))
                name = "by-hand-standard" if _is_deviation(measure) else "by-hand-range"
                yield Fitted(name, value, data)
    for term in first_turns(t for t in run.trace if t.op == "method" and t.name in ("apply", "transform") and t.args):
        function = term.args[0]
        if isinstance(function, (Function, Bound)) and term.base is not None:
            for each in walk(ask(run, function, [term.base]), 200):
                if isinstance(each, Term) and any(True for _ in _divisions(each)):
                    yield Fitted("by-hand-standard", term, term.base)
                    break


def _in_a_model(run: Run, term: Term) -> bool:
    return any(f.function.owner is not None and _is_module(run, f.function.owner) for f in term.scope.frames)


def _is_module(run: Run, owner: Value) -> bool:
    return any(b.startswith(("torch.nn.", "keras.", "lightning.")) for b in run.library_bases(owner))  # type: ignore[arg-type]


def _divisions(term: Term) -> Iterator[tuple[Value, Term]]:
    """What is divided, and the statistic that it is divided by."""
    if term.op == "binop" and term.name in ("/", "/=") and len(term.args) == 2:
        over, under = term.args
    elif (
        term.op == "method"
        and term.name in ("div", "div_", "divide", "true_divide")
        and term.args
        and term.base is not None
    ):
        over, under = term.base, term.args[0]
    elif term.op == "call" and term.name.rsplit(".", 1)[-1] in ("divide", "true_divide", "div") and len(term.args) > 1:
        over, under = term.args[:2]
    else:
        return
    measure = _statistic(under)
    if measure is not None:
        yield over, measure


def _statistic(value: Value, depth: int = 0) -> Term | None:
    """The measure of spread (or the largest value) that an expression is, casts and small additions looked through."""
    for each in options(value):
        if not isinstance(each, Term) or depth > 6:
            continue
        last = each.name.rsplit(".", 1)[-1]
        if each.op in ("call", "method") and last in _SPREADS and not each.name.startswith("builtins."):
            return each
        if each.op == "binop" and len(each.args) == 2 and each.name in ("+", "-", "*"):
            sides = [_any_statistic(a, depth + 1) for a in each.args]
            if each.name == "-" and all(s is not None for s in sides):
                return sides[0]
            if each.name in ("+", "*"):
                plain = [a for a in each.args if isinstance(a, Const)]
                if len(plain) == 1:
                    return _statistic(each.args[1] if each.args[0] is plain[0] else each.args[0], depth + 1)
        if each.op in ("call", "method") and last in (
            "sqrt",
            "float",
            "array",
            "asarray",
            "maximum",
            "clip",
            "where",
            "to_numpy",
            "float32",
            "tensor",
            "reshape",
            "abs",
            "item",
            "replace",
            "astype",
            "from_numpy",
            "squeeze",
            "unsqueeze",
            "FloatTensor",
        ):
            inner = each.base if each.op == "method" else each.args[0] if each.args else None
            if inner is not None and (found := _statistic(inner, depth + 1)) is not None:
                return found
        if (
            each.op in ("item", "attr")
            and each.base is not None
            and (found := _statistic(each.base, depth + 1)) is not None
        ):
            return found
    return None


def _any_statistic(value: Value, depth: int) -> Term | None:
    for each in options(value):
        if isinstance(each, Term):
            if each.op in ("call", "method") and each.name.rsplit(".", 1)[-1] in STATISTICS:
                return each if not each.name.startswith("builtins.") else None
            if each.op in ("item", "attr") and each.base is not None and depth < 6:
                return _any_statistic(each.base, depth + 1)
    return None


def _is_deviation(measure: Term) -> bool:
    return measure.name.rsplit(".", 1)[-1] in ("std", "var", "nanstd", "sem", "mad")


def _measured(measure: Term) -> Value | None:
    """The data that a statistic was taken of; None where it was taken per sample."""
    axis = measure.kwargs.get("axis") or measure.kwargs.get("dim")
    given = measure.args if measure.op == "method" else measure.args[1:]
    if axis is None and given and measure.name.rsplit(".", 1)[-1] not in ("quantile", "percentile"):
        axis = given[0]
    if isinstance(axis, Const) and axis.value not in (None, 0, "index"):
        return None
    if isinstance(axis, Seq) and not any(isinstance(i, Const) and i.value == 0 for i in axis.items):
        return None
    return measure.base if measure.op == "method" else measure.args[0] if measure.args else None


def _shrunk(value: Value) -> bool:
    """Whether what is divided is an error or a score rather than data."""
    for each in walk(value, 40):
        if isinstance(each, Term) and each.op in ("call", "method", "apply"):
            last = each.name.rsplit(".", 1)[-1]
            if (
                each.op == "apply"
                or last.endswith(("_error", "_score", "_loss"))
                or last in ("predict", "evaluate", "rmse", "mse")
            ):
                return True
    return False


# -- judging -----------------------------------------------------------------------------------------


def _fit_on(splits: Splits, fitted: Fitted) -> Fact:
    if _windowed(fitted.data):
        return inferred("window")
    sides = splits.of(fitted.data, fitted.act.serial)
    if sides == {"train"} or sides == {"train", "whole"}:
        return inferred("training")
    if sides == {"test"}:
        return inferred("test")
    if "whole" in sides or {"train", "test"} <= sides:
        return inferred("all")
    return Unknown(unknown="where the data comes from is not known")


def _windowed(value: Value | None) -> bool:
    """Whether the data is one window or one batch."""
    here = next(iter(options(value)), None)
    for _ in range(30):
        if not isinstance(here, Term):
            return False
        if here.op == "item":
            index = here.args[0]
            first = index.items[0] if isinstance(index, Seq) and index.kind == "tuple" and index.items else index
            if isinstance(first, Seq) and first.kind == "slice" and any(moves(b) for b in first.items):
                return True
        if here.op == "elem" and here.name in ("batch", "sample"):
            return True
        here = (
            here.base
            if here.op in ("item", "attr", "method")
            else here.args[0]
            if here.op == "call" and here.args
            else None
        )
    return False


def _piece(value: Value | None) -> bool:
    """Whether the data is one of many pieces that a loop goes through: a file, a group, a recording."""
    here = next(iter(options(value)), None)
    for _ in range(30):
        if not isinstance(here, Term):
            return False
        if here.op == "elem" and here.name == "element":
            return True
        first = here.args[0] if here.args and not isinstance(here.args[0], Const) else None
        here = here.base if here.op in ("item", "attr", "method") else first if here.op == "call" else None
    return False


def _before_split(run: Run, lineage: Lineage, splits: Splits, fitted: Fitted) -> Fact:
    """Whether the data that was measured was split afterwards (or holds both sides of a split)."""
    at = place(fitted.act.at)
    if _windowed(fitted.data) or any(f.function.name in _PER_SAMPLE for f in fitted.act.scope.frames):
        return inferred(False, at)
    serial = fitted.act.serial
    sides = splits.of(fitted.data, serial)
    if {"train", "test"} <= sides:
        return inferred(True, at)
    if "train" in sides or "test" in sides:
        return inferred(False, at)
    if fitted.user is None and fitted.act.op == "call" and _only_shown(lineage, splits, fitted):
        return Unknown(unknown="what is scaled is not seen to reach the training", at=at)
    if splits.splitting(fitted.data, serial) is not None:
        return Unknown(unknown="each piece is scaled by itself", at=at) if _piece(fitted.data) else inferred(True, at)
    if _transforms_other(run, lineage, fitted):
        return inferred(False, at)
    if splits.held_out(fitted.data, serial) is not None:
        return inferred(True, at)
    return Unknown(unknown="the data is not seen to be split", at=at)


def _target_included(run: Run, lineage: Lineage, fitted: Fitted, values: list[Value]) -> Fact:
    """Whether a window is scaled by statistics that hold its target: both are cut from the scaled window."""
    if not _windowed(fitted.data) or _ends_early(fitted.data):
        return inferred(False)
    scaled = fitted.act
    ends: set[int] = set()
    rests: list[tuple[int, Term]] = []
    for value in values:
        if not isinstance(value, Term) or value.op != "item" or not isinstance(value.base, Term):
            continue
        if _in_a_model(run, value):
            continue  # what the model reads of its input is no target
        last = _is_last(value.args[0])
        end, start = _cut(value.args[0])
        if not (last or end or start) or not any(v is scaled for v in lineage.upstream(value.base)[:200]):
            continue
        if last:
            return inferred(True, place(value.at))
        ends.add(end)
        if start:
            rests.append((start, value))
    for start, value in rests:
        if start in ends:
            return inferred(True, place(value.at))
    return Unknown(unknown="where the target of a window comes from is not followed")


def _ends_early(data: Value | None) -> bool:
    """Whether only the first part of a window was measured: `window[:-1].mean()`."""
    if not isinstance(data, Term) or data.op != "item" or not _windowed(data.base):
        return False
    return bool(_cut(data.args[0])[0]) or any(
        isinstance(part, Seq) and part.kind == "slice" and isinstance(u := part.items[1], Const) and u.value is not None
        for part in _parts(data.args[0])
    )


def _cut(index: Value) -> tuple[int, int]:
    """Where a window is cut: the end of `window[:k]`, the start of `window[k:]` or `window[k]`; 0 where it is not."""
    for part in _parts(index):
        if isinstance(part, Const) and type(part.value) is int and part.value > 0:
            return 0, part.value
        if isinstance(part, Seq) and part.kind == "slice":
            lower, upper = (b.value if isinstance(b, Const) and type(b.value) is int else 0 for b in part.items[:2])
            if (lower > 0) != (upper > 0):
                return max(upper, 0), max(lower, 0)
    return 0, 0


def _parts(index: Value) -> list[Value]:
    return (index.items if isinstance(index, Seq) and index.kind == "tuple" else [index])[:2]


def _is_last(index: Value) -> bool:
    """`window[-1]`, `windows[:, -1]`, `window[-k:]`"""
    for part in (index.items if isinstance(index, Seq) and index.kind == "tuple" else [index])[:2]:
        if isinstance(part, Const) and isinstance(part.value, int) and part.value == -1:
            return True
        if isinstance(part, Seq) and part.kind == "slice" and isinstance(part.items[0], Const):
            lower = part.items[0].value
            if isinstance(lower, int) and lower < 0:
                return True
    return False


def _transforms_other(run: Run, lineage: Lineage, fitted: Fitted) -> bool:
    """Whether the scaler also transforms data that it was not fitted on: what it was fitted on is the training file."""
    if fitted.user is None:
        return False
    mine = lineage.origins(fitted.data, fitted.act.serial)
    for term in run.trace:
        if term.op == "method" and term.name == "transform" and term.args:
            found = scaler_of(term.base)
            if found is not None and found[1] is fitted.user:
                others = lineage.origins(term.args[0], term.serial)
                if others and mine and not others <= mine:
                    return True
                here, there = _ready_parts(lineage, fitted.data), _ready_parts(lineage, term.args[0])
                if here and there and not here & there:
                    return True
    return False


def _only_shown(lineage: Lineage, splits: Splits, fitted: Fitted) -> bool:
    """Whether data are scaled by `minmax_scale(x)` that no `fit` of the program gets: for a plot, say."""
    given = [fit.data for fit in splits.fits if fit.data is not None]
    return bool(given) and not any(each is fitted.act for data in given for each in lineage.upstream(data))


def _ready_parts(lineage: Lineage, value: Value | None) -> set[object]:
    """Which parts of a data set that comes split were read: `(x_train, y_train), (x_test, y_test) = load_data()`."""
    return {
        each.args[0].value
        for each in lineage.upstream(value)
        if isinstance(each, Term)
        and each.op == "item"
        and isinstance(each.base, Term)
        and each.base.op == "call"
        and each.base.name.startswith("keras.datasets.")
        and isinstance(each.args[0], Const)
    }


__all__ = ["Choice", "Instance", "Opaque", "Spot", "scaling"]
