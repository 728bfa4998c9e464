"""Whether values are on the scale of a scaler or on the original one."""

from __future__ import annotations

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Term, Value, options, walk
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.data.columns import Columns
from lstmadvisor.extract.data.feeds import Feed
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import STATISTICS, Lineage, is_source
from lstmadvisor.extract.data.scaling import scaler_of
from lstmadvisor.facts import Place, Unknown

_MODELS = frozenset(("predict", "predict_on_batch", "inverse_transform"))
_MOST_PARTS = 30


class Scales:
    """Whether a value is on the scale of a scaler or on the original one."""

    def __init__(self, run: Run, lineage: Lineage, fits: list[Fit], feeds: list[Feed]) -> None:
        self.run = run
        self.lineage = lineage
        self.fits = fits
        self.feeds = feeds
        self.columns = Columns(run, lineage, fits)
        self._busy = False

    def agree(self, truth: Value, prediction: Value, relative: bool = False) -> tuple[Fact, Fact | None]:
        """Whether truth and prediction are on one scale; the place where one of them left it, and why in words.

        relative: the metric (R²) is the same on any scale that both share, a wrong one included.
        """
        wrong = self.columns.mismatch(truth, prediction) or self._other_inverse(prediction)
        if wrong is not None and relative:
            return Unknown(unknown="whether both share the wrong scale is not followed", at=wrong[0]), None
        if wrong is not None:
            return inferred(False, wrong[0]), inferred(wrong[1])
        a, b = self.of(truth), self.of(prediction)
        if a is None or b is None:
            return Unknown(unknown="the scale of the values is not followed"), None
        if a[0] == b[0]:
            return inferred(True), None
        back, still = ("truth", "prediction") if a[0] == "original" else ("prediction", "truth")
        at = (a if a[0] == "original" else b)[1] or (a if a[0] == "scaled" else b)[1]
        return inferred(False, at), inferred(f"the {back} is on the original scale, and the {still} is still scaled")

    def _other_inverse(self, prediction: Value) -> tuple[Place | None, str] | None:
        """Where a prediction is scaled back by other statistics than the targets were scaled by."""
        by_hand = _scaled_back_by(prediction)
        kinds = {kind for fit in self.fits for kind in self._scalers_of(fit.act.argument("y", 1))}
        if by_hand is None or len(kinds) != 1:
            return None
        act, statistic = by_hand
        scaler = kinds.pop()
        if (scaler, statistic) in (("MinMaxScaler", "deviation"), ("StandardScaler", "range")):
            by = "the mean and deviation" if statistic == "deviation" else "the range"
            return place(act.at), f"the targets are scaled by {scaler}, and the prediction is scaled back by {by}"
        return None

    def _scalers_of(self, value: Value | None) -> set[str]:
        """The kinds of scaler objects that the rows of a value went through last."""
        found: set[str] = set()
        seen: set[int] = set()
        queue = [] if value is None else [value]
        for here in queue:
            if id(here) in seen or len(seen) > 3000:
                continue
            seen.add(id(here))
            scaler = None
            if isinstance(here, Term) and here.op == "method" and here.name in ("transform", "fit_transform"):
                scaler = scaler_of(here.base)
            if scaler is not None:
                found.add(scaler[0])
            else:
                queue.extend(self.lineage.parents(here))
        return found

    def of(self, value: Value | None, depth: int = 0) -> tuple[str, Place | None] | None:
        """scaled or original, and where it became so; None where that is not known."""
        found: dict[str, Place | None] = {}
        seen: set[int] = set()
        queue = [] if value is None else [value]
        while queue:
            here = queue.pop(0)
            if id(here) in seen or len(seen) > 3000:
                continue
            seen.add(id(here))
            state = self._state(here, depth)
            if state is not None:
                if state[0] == "unknown":
                    return None
                found.setdefault(state[0], state[1])
                continue
            queue.extend(self.lineage.parents(here))
            if isinstance(here, Term) and here.op in ("apply",):
                return None
            if is_source(here):
                if isinstance(here, Term) and here.op != "param":
                    found.setdefault("original", None)
                else:
                    return None
        if len(found) == 1:
            ((kind, at),) = found.items()
            return kind, at
        return None

    def _state(self, value: Value, depth: int) -> tuple[str, Place | None] | None:
        if not isinstance(value, Term):
            return None
        last = value.name.rsplit(".", 1)[-1]
        if value.op == "method" and last == "inverse_transform":
            return "original", place(value.at)
        if value.op == "method" and last in ("transform", "fit_transform") and scaler_of(value.base) is not None:
            return "scaled", place(value.at)
        if value.op == "method" and last in ("predict", "predict_on_batch", "predict_generator"):
            return self._predicted(depth)
        if value.op == "binop" and value.name in ("*", "+") and any(_undoes(a) for a in value.args):
            return "original", place(value.at)
        if value.op == "binop" and value.name in ("/", "/=") and len(value.args) == 2 and _undoes(value.args[1]):
            return "scaled", place(value.at)
        return None

    def _predicted(self, depth: int) -> tuple[str, Place | None]:
        """A model predicts on the scale of the targets that it was fitted to."""
        if depth > 1:
            return "unknown", None
        states = set()
        for fit in self.fits:
            given = fit.act.argument("y", 1)
            state = self.of(given, depth + 1) if given is not None else None
            if state is None:
                return "unknown", None
            states.add(state[0])
        return (states.pop(), None) if len(states) == 1 else ("unknown", None)


def _scaled_back_by(value: Value) -> tuple[Term, str] | None:
    """The product that `prediction * std + mean` is, and what it scales back by: deviation or range."""
    queue = [value]
    for here in queue:
        for each in options(here) if len(queue) < _MOST_PARTS else ():
            if not isinstance(each, Term):
                continue
            if each.op == "binop" and each.name in ("*", "+") and len(each.args) == 2:
                for factor in each.args if each.name == "*" else ():
                    statistic = _statistic_of(factor)
                    if statistic:
                        return each, statistic
                queue.extend(each.args)
            elif each.op in ("method", "item") and each.base is not None and each.name not in _MODELS:
                queue.append(each.base)
    return None


def _statistic_of(factor: Value) -> str:
    """deviation of `x.std()`, range of `x.max() - x.min()`."""
    names = {v.name.rsplit(".", 1)[-1] for v in walk(factor, 12) if isinstance(v, Term) and v.op in ("call", "method")}
    if names & {"std", "nanstd"}:
        return "deviation"
    return "range" if {"max", "min"} <= names or "ptp" in names else ""


def _undoes(value: Value) -> bool:
    """Whether a factor or summand is a statistic: `x * std + mean`."""
    for each in walk(value, 12):
        if (
            isinstance(each, Term)
            and each.op in ("call", "method")
            and each.name.rsplit(".", 1)[-1] in STATISTICS
            and not each.name.startswith("builtins.")
        ):
            return True
        if (
            isinstance(each, Term)
            and each.op == "attr"
            and each.name in ("scale_", "min_", "data_min_", "data_max_", "data_range_", "mean_", "var_")
        ):
            return True
    return False
