"""Which column of a scaler a value is scaled back by, and which column the target of a model is."""

from __future__ import annotations

from dataclasses import dataclass

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value, options
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import Lineage
from lstmadvisor.extract.data.scaling import scaler_of
from lstmadvisor.facts import Place

_SAME = frozenset(
    "reshape flatten ravel squeeze astype copy to_numpy numpy values array asarray float float32 detach cpu".split()
)
_JOINS = frozenset(("concatenate", "hstack", "column_stack", "concat", "append", "c_"))
_MOST_STEPS = 40


@dataclass(eq=False)
class Column:
    """One column of what a scaler has seen."""

    scaler: int
    """the scaler object, by its id"""
    index: int
    act: Term
    """where it was taken, or scaled back"""


class Columns:
    """Columns of the scalers of a run."""

    def __init__(self, run: Run, lineage: Lineage, fits: list[Fit]) -> None:
        self.run = run
        self.lineage = lineage
        self.fits = fits

    def mismatch(self, truth: Value, prediction: Value) -> tuple[Place | None, str] | None:
        """Where, and how, truth and prediction are scaled back by different columns, or not by that of the target."""
        one, other = _scaled_back(truth), _scaled_back(prediction)
        if other is None:
            return None
        if one is not None and one.scaler == other.scaler and _differ(one, other):
            words = f"the truth is scaled back like column {one.index}, the prediction like column {other.index}"
            return place(other.act.at), words
        target = self._target()
        if target is not None and target.scaler == other.scaler and _differ(target, other):
            words = f"the prediction is scaled back like column {other.index}, and the target is column {target.index}"
            return place(other.act.at), words
        return None

    def _target(self) -> Column | None:
        """The column that the model is trained to predict, where all trainings agree."""
        found = [self._of(fit.act.argument("y", 1)) for fit in self.fits]
        first = next(iter(found), None)
        alike = first is not None and all(
            f is not None and (f.scaler, f.index) == (first.scaler, first.index) for f in found
        )
        return first if alike else None

    def _of(self, value: Value | None) -> Column | None:
        """The column of scaled data that a value is."""
        index, here = _picked(value)
        if index is None or not isinstance(here, Term):
            return None
        if here.op == "method" and here.name in ("transform", "fit_transform"):
            scaler = scaler_of(here.base)
            return Column(id(scaler[1]), index, here) if scaler is not None else None
        kept = self._kept(here) if index == -1 else None
        if kept is None:
            return None
        for each in self.lineage.upstream(here):
            if isinstance(each, Term) and each.op == "method" and each.name in ("transform", "fit_transform"):
                scaler = scaler_of(each.base)
                if scaler is not None:
                    return Column(id(scaler[1]), kept, here)
        return None

    def _kept(self, frame: Term) -> int | None:
        """Of a frame of two time steps side by side, the variable of the second step that is kept as the target.

        `frame.drop(frame.columns[[…]], axis=1)` drops all of them but one.
        """
        for term in self.run.trace:
            if term.op == "method" and term.name == "drop" and term.base is frame and term.args:
                dropped = _numbers(term.args[0])
                return _remaining(dropped) if dropped else None
        return None


def _numbers(value: Value) -> list[int]:
    """`frame.columns[[8, 9, 10]]`: the numbers."""
    index = value.args[0] if isinstance(value, Term) and value.op == "item" else None
    listed = index.items if isinstance(index, Seq) and index.kind == "list" else []
    numbers = [i.value for i in listed if isinstance(i, Const) and type(i.value) is int]
    return sorted(numbers) if len(numbers) == len(listed) else []


def _remaining(dropped: list[int]) -> int | None:
    """Which of the columns n to 2n - 1 is not dropped, counted from n; None where n is not plain from the list."""
    low, high = dropped[0], dropped[-1]
    gaps = sorted(set(range(low, high + 1)) - set(dropped))
    if len(gaps) == 1 and high == 2 * low - 1:
        return gaps[0] - low
    if not gaps and high == 2 * low - 3:
        return 0
    if not gaps and high == 2 * low - 2:
        return low - 1
    return None


def _picked(value: Value | None) -> tuple[int | None, Value | None]:
    """The column that is picked out of an array, and the array before rows and columns were picked."""
    index: int | None = None
    here = next(iter(options(value)), None)
    for _ in range(_MOST_STEPS):
        if not isinstance(here, Term):
            break
        if here.op == "item":
            part = here.args[0]
            parts = part.items if isinstance(part, Seq) and part.kind == "tuple" else [part]
            if not parts or not (isinstance(parts[0], Seq) and parts[0].kind == "slice") or len(parts) > 2:
                break
            if len(parts) == 2:
                last = parts[1]
                if isinstance(last, Const) and type(last.value) is int and index is None:
                    index = last.value
                elif not _is_whole(last):
                    break
            here = here.base
        elif here.op in ("method", "attr") and here.name in _SAME:
            here = here.base
        elif here.op == "call" and here.name.rsplit(".", 1)[-1] in _SAME and here.args:
            here = here.args[0]
        else:
            break
        here = next(iter(options(here)), None)
    return index, here


def _is_whole(part: Value) -> bool:
    """A bare `:`."""
    return (
        isinstance(part, Seq) and part.kind == "slice"
        and all(isinstance(bound, Const) and bound.value is None for bound in part.items)
    )  # fmt: skip


def _scaled_back(value: Value) -> Column | None:
    index, here = _picked(value)
    if index is None or not isinstance(here, Term) or here.name != "inverse_transform":
        return None
    scaler = scaler_of(here.base)
    return Column(id(scaler[1]), index, here) if scaler is not None else None


def _differ(one: Column, other: Column) -> bool:
    """Whether two columns are certainly not the same one."""
    if (one.index < 0) == (other.index < 0):
        return one.index != other.index
    several = any(_joined(column.act) for column in (one, other))
    return several and {one.index, other.index} == {0, -1}


def _joined(act: Term) -> bool:
    """Whether what is scaled back was put together from several arrays, so that it has several columns."""
    given = next(iter(options(act.args[0])), None) if act.args else None
    return isinstance(given, Term) and given.op == "call" and given.name.rsplit(".", 1)[-1] in _JOINS
