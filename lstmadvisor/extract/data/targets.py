"""What the model is trained to give, as its loss and its output say."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Term
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import Lineage
from lstmadvisor.extract.shapes.dims import integer
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.extract.shapes.tables import Shape
from lstmadvisor.facts import Loss, Output, Targets, Unknown, items, plain

_REAL = frozenset(
    "mse mae mape msle huber huberloss logcosh meansquarederror meanabsoluteerror meanabsolutepercentageerror "
    "meansquaredlogarithmicerror mseloss l1loss "
    "smoothl1loss mseloss l1loss gaussiannllloss rmse".split()
)
_IDS = frozenset("crossentropyloss nllloss crossentropy nllloss sparsecategoricalcrossentropy nll".split())
_BINARY = frozenset("bceloss bcewithlogitsloss binarycrossentropy binarycrossentropywithlogits".split())


def targets(run: Run, lineage: Lineage, fits: list[Fit], shapes: Shapes, found: dict[str, Any]) -> Targets:
    """What the model is trained to give."""
    return _of_kind(run, lineage, fits, found).model_copy(update={"shape": _shape(fits, shapes)})


def _shape(fits: list[Fit], shapes: Shapes) -> Fact:
    """The axes of the array of targets, the one of the samples and unknown sizes as None."""
    ends = [fit.act.argument("y", 1) for fit in fits]
    found = {_sizes(shapes.of(end)) for end in ends}
    if len(found) != 1 or (sizes := found.pop()) is None:
        return Unknown(unknown="the shape of the targets is not seen")
    return inferred([None, *sizes[1:]])


def _sizes(shape: Shape | None) -> tuple[int | None, ...] | None:
    return tuple(integer(size) for size in shape) if shape else None


def _of_kind(run: Run, lineage: Lineage, fits: list[Fit], found: dict[str, Any]) -> Targets:
    """The kind of the targets: class-ids, one-hot, multi-hot, real, sequence."""
    output = found.get("output")
    units = plain(output.units) if isinstance(output, Output) else None
    kinds: list[str] = []
    at = None
    for loss in items(found.get("losses", ())):
        if not isinstance(loss, Loss) or not loss.active:
            continue
        kind = _kind(str(plain(loss.name, "")), units)
        if not kind:
            return Targets(kind=Unknown(unknown="a loss that does not tell"))
        kinds.append(kind)
        at = at or loss.at
    if not kinds:
        return Targets(kind=Unknown(unknown="no loss was recognised"))
    if len(set(kinds)) > 1:
        return Targets(kind=Unknown(unknown="several losses", at=at))
    hot = _one_hot(lineage, fits)
    if kinds[0] == "real" and hot is not None:
        return Targets(at=place(hot.at), kind=inferred("one-hot", place(hot.at)))
    return Targets(at=at, kind=inferred(kinds[0], at))


def _kind(name: str, units: object) -> str:
    plain_name = "".join(c for c in name.lower() if c.isalnum())
    if plain_name in _REAL:
        return "real"
    if plain_name in _IDS:
        return "class-ids"
    if plain_name == "categoricalcrossentropy":
        return "one-hot"
    if plain_name in _BINARY:
        return "multi-hot" if isinstance(units, int) and units > 1 else "class-ids" if units == 1 else ""
    return "sequence" if plain_name.startswith("ctc") else ""


def _one_hot(lineage: Lineage, fits: list[Fit]) -> Term | None:
    for fit in fits:
        for value in lineage.upstream(fit.act.argument("y", 1)):
            if isinstance(value, Term) and value.name.rsplit(".", 1)[-1] in (
                "to_categorical",
                "get_dummies",
                "one_hot",
            ):
                return value
    return None
