"""Where arrays come from: the data that a value was made of, row by row, statistics and lengths left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Instance, Map, Opaque, Seq, Term, Value
from lstmadvisor.extract.shapes.dims import same_key

SCALER_METHODS = frozenset(("fit", "fit_transform", "partial_fit", "adapt"))
_CHANGES = frozenset(("fit_transform", "transform", "inverse_transform"))
STATISTICS = frozenset(
    "mean std var min max median amin amax nanmean nanstd nanmin nanmax ptp quantile percentile average sem mad".split()
)
_NOT_DATA = frozenset(
    "len shape range print isinstance sum norm dot predict evaluate score index columns size name dtype keys count "
    "nunique "
    "unique set Counter get_feature_names info describe idxmin idxmax argmax argmin columns_ item any all ndim".split()
)
"""What is read off data without holding its rows."""
_COMPARES = frozenset(("==", "!=", "<", ">", "<=", ">=", "in", "not in", "is", "is not"))
_JOINS = frozenset("append merge join concat assign insert update combine_first sub add mul div extend".split())
MOST = 6_000


class Lineage:
    """The rows that values were made of, what was stored into arrays included."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stored: dict[int, list[tuple[int, Value]]] = {}
        self._kept: list[Value] = []
        self._origins: dict[tuple[int, int], frozenset[Any]] = {}
        for term in run.trace:
            if (
                term.base is not None
                and term.args
                and (term.op == "setitem" or (term.op == "method" and term.name in ("append", "extend", "copy_")))
            ):
                target = term.base
                if (
                    isinstance(target, Term)
                    and target.op == "attr"
                    and target.name in ("loc", "iloc", "values", "at", "iat")
                    and target.base is not None
                ):
                    target = target.base
                self.stored.setdefault(id(target), []).append((term.serial, term.args[-1]))

    def parents(self, value: Value, before: int | None = None) -> Iterator[Value]:
        """What holds the rows of `value`; of what was stored into it, what came before the event `before`."""
        for serial, stored in self.stored.get(id(value), ()):
            if before is None or serial < before:
                yield stored
        match value:
            case Term():
                yield from _parents_of(value)
            case Seq():
                if value.kind != "slice":
                    yield from value.items
            case Map():
                yield from value.entries.values()
            case Choice():
                yield from value.options
            case Instance():
                yield from (v for v in value.attrs.values() if isinstance(v, (Term, Seq, Choice)))

    def upstream(self, value: Value | None, before: int | None = None, stop: Iterable[int] = ()) -> list[Value]:
        """The value and all that holds its rows, nearest first; `stop` are ids not to look behind."""
        fence = set(stop)
        seen: set[int] = set()
        out: list[Value] = []
        queue = [] if value is None else [value]
        for here in queue:
            if id(here) in seen or len(out) > MOST:
                continue
            seen.add(id(here))
            out.append(here)
            if id(here) not in fence:
                queue.extend(self.parents(here, before))
        return out

    def origins(self, value: Value | None, before: int | None = None) -> frozenset[Any]:
        """Keys of the first values that the rows come from: files read, arrays generated, parameters."""
        if value is None:
            return frozenset()
        key = (id(value), before if before is not None else -1)
        if key not in self._origins:
            self._kept.append(value)
            found = set()
            for each in self.upstream(value, before):
                if is_source(each):
                    found.add(_key_of(each))
            self._origins[key] = frozenset(found)
        return self._origins[key]


_EMPTY = frozenset(
    "zeros ones empty eye arange linspace zeros_like ones_like empty_like deque list dict defaultdict DataFrame "
    "Series OrderedDict full".split()
)


def is_source(value: Value) -> bool:
    """Whether data begins here: a file that is read, a parameter, generated numbers."""
    if isinstance(value, Opaque):
        return True
    return isinstance(value, Term) and next(_parents_of(value), None) is None and holds_data(value)


def holds_data(value: Value) -> bool:
    """Whether a value without parents may be data: a file, a parameter, generated numbers."""
    if isinstance(value, Opaque):
        return True
    if not isinstance(value, Term):
        return False
    last = value.name.rsplit(".", 1)[-1]
    if value.op == "elem":
        return value.name not in ("index",) and value.base is None
    if value.op in ("call", "method", "attr"):
        return last not in STATISTICS and last not in _NOT_DATA and last not in _EMPTY
    return value.op == "param"


def _key_of(value: Value) -> Any:
    """Two readings of one file are the same data."""
    if isinstance(value, Term) and value.op in ("call", "method", "attr"):
        parts = [_key_of_file(a) for a in value.args]
        base = same_key(value.base) if isinstance(value.base, Term) else None
        if value.op == "call" and value.args and all(p[0] != "id" for p in parts if isinstance(p, tuple)):
            return (value.name, *parts)
        if value.op == "attr" and base is not None and base[0] != "id":
            return (value.name, base)
    return id(value)


def _key_of_file(value: Value) -> Any:
    """What is read may be given by name or as a file that was opened before."""
    if isinstance(value, Term) and value.op == "call" and value.name in ("builtins.open", "io.open", "codecs.open"):
        return ("open", same_key(value.args[0])) if value.args else ("id", id(value))
    if isinstance(value, Term) and value.op == "method" and value.name == "open" and value.base is not None:
        return ("open", same_key(value.base))
    return same_key(value)


_READS = frozenset(
    "read_csv read_excel read_table read_parquet read_json read_hdf read_feather read_pickle read_sql read_fwf loadtxt "
    "genfromtxt fromfile loadmat open_dataset".split()
)


def _parents_of(term: Term) -> Iterator[Value]:
    last = term.name.rsplit(".", 1)[-1]
    base = term.base
    match term.op:
        case "item":
            if isinstance(base, Term) and base.op == "call" and base.name.endswith("train_test_split"):
                index = term.args[0]
                if isinstance(index, Const) and isinstance(index.value, int) and index.value // 2 < len(base.args):
                    yield base.args[index.value // 2]
                    return
            if isinstance(base, Term) and base.op == "call" and base.name.endswith(".eye"):
                yield term.args[0]
            elif base is not None:
                yield base
        case "attr":
            if base is not None and last not in _NOT_DATA:
                yield base
        case "binop":
            if term.name not in _COMPARES:
                yield from term.args
        case "elem":
            if base is not None and term.name != "index":
                yield base
            yield from term.args
        case "comp":
            yield from term.args
            if base is not None and term.name != "generator":
                yield base
        case "call":
            if last in STATISTICS or last in _NOT_DATA or last.endswith(("_error", "_score", "_loss")):
                return
            if last in _READS:  # what it is given is the name of a file
                return
            for value in (*term.args, *(v for k, v in term.kwargs.items() if k in _DATA_ARGUMENTS)):
                if not isinstance(value, Const):
                    yield value
        case "method":
            yield from _parents_of_method(term, last)
        case _:
            return


_DATA_ARGUMENTS = frozenset(
    (
        "data",
        "x",
        "X",
        "y",
        "df",
        "objs",
        "arrays",
        "array",
        "a",
        "arr",
        "tensors",
        "dataset",
        "input",
        "object",
        "left",
        "right",
        "text",
        "texts",
    )
)


def _parents_of_method(term: Term, last: str) -> Iterator[Value]:
    if last in _CHANGES or last in SCALER_METHODS:
        yield from term.args[:1] or list(term.kwargs.values())[:1]
        return
    if last in STATISTICS or last in _NOT_DATA:
        return
    base = term.base
    made = (
        isinstance(base, Term)
        and base.op == "call"
        and base.name.rsplit(".", 1)[-1][:1].isupper()
        and not base.name.endswith(("DataFrame", "Series", "Dataset", "Tensor", "Variable"))
    )
    if made and term.args:
        yield from term.args[:1]
    elif base is not None:
        yield base
        if last in _JOINS:
            yield from term.args
            yield from term.kwargs.values()
