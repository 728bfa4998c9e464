"""Whether values are on the scale of a scaler or on the original one."""

from __future__ import annotations

from lstmadvisor.extract.columns import Columns
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.feeds import Feed
from lstmadvisor.extract.fits import Fit
from lstmadvisor.extract.lineage import STATISTICS, Lineage, is_source
from lstmadvisor.extract.run import Run
from lstmadvisor.extract.scaling import scaler_of
from lstmadvisor.extract.values import Term, Value, walk
from lstmadvisor.facts import Place, Unknown


class Scales:
    """Whether a value is on the scale of a scaler or on the original one."""

    def __init__(self, run: Run, lineage: Lineage, fits: list[Fit], feeds: list[Feed]) -> None:
        self.run = run
        self.lineage = lineage
        self.fits = fits
        self.feeds = feeds
        self.columns = Columns(run, lineage, fits)
        self._busy = False

    def agree(self, truth: Value, prediction: Value) -> tuple[Fact, Fact | None]:
        """Whether truth and prediction are on one scale; the place where one of them left it, and why in words."""
        wrong = self.columns.mismatch(truth, prediction)
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
