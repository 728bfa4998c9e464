"""The biases of the gates that initialisations leave in force, both of PyTorch's bias vectors added."""

from __future__ import annotations

from fractions import Fraction

from lstmadvisor.extract.abstract.frameworks import parameter_names
from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Term
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.pytorch.initialisation import Event, Initialisations
from lstmadvisor.extract.pytorch.made import Made
from lstmadvisor.extract.pytorch.parameters import GATES, Parameters, Target, kind_of
from lstmadvisor.facts import ABSENT, Unknown
from lstmadvisor.facts import Value as Fact

Gates = dict[str, dict[str, "float | None"]]
"""by layer and direction (`_l0`, `_l0_reverse`, …): the bias of each gate, None where it is random"""


def gates(found: Initialisations, made: Made) -> Gates | Unknown | None:
    """Bias of each gate by layer and direction (`_l0`, `_l0_reverse`, …), both vectors added; None if untouched."""
    kind = kind_of(made.term)
    names = GATES.get(kind)
    if names is None:
        return None
    ids = {id(t) for t in made.terms()}
    vectors: dict[str, list[float | None]] = {}
    touched: set[str] = set()
    for event in found.events:
        if not event.term.scope.active:
            continue
        for target in event.targets:
            if target.layer is None or id(target.layer) not in ids or not target.name.startswith("bias"):
                continue
            vector = vectors.setdefault(target.name, [None] * len(names))
            if not _apply(found.parameters, event, target, vector):
                return Unknown(unknown="which gates are set is not understood", at=place(event.term.at))
            touched.add(target.name)
    if not touched:
        return None
    return {s: _summed(vectors, s, names) for s in dict.fromkeys(_suffix(n) for n in vectors)}


def _apply(parameters: Parameters, event: Event, target: Target, vector: list[float | None]) -> bool:
    """Write what an event writes into a bias vector, a number for each gate; False where that is not understood."""
    if not target.known or (event.values is None and event.scheme in ("copy", "tied")):
        return False
    values = event.values if event.values is not None else [(None, None)]
    start, end = target.part if target.part is not None else (Fraction(0), Fraction(len(vector)))
    for length, number in values:
        size = end - start if len(values) == 1 else Fraction(1)
        if length is not None and len(values) > 1:
            known = parameters.units(length, target)
            if known is None and len(values) != len(vector):
                return False
            size = known if known is not None else size
        if start.denominator != 1 or size.denominator != 1 or not 0 <= start < start + size <= len(vector):
            return False
        for i in range(int(start), int(start + size)):
            old = vector[i]
            vector[i] = number if not event.adds or number is None else number + (old or 0.0)
        start += size
    return True


def forget_bias(found: list[tuple[Made, Gates | Unknown | None]], unresolved: list[Term]) -> Fact:
    """The forget-gate bias in force, if all LSTM layers agree."""
    values: list[float | None] = []
    for made, gates in found:
        if kind_of(made.term) != "LSTM" or not made.active:
            continue
        if isinstance(gates, Unknown):
            return gates
        values.extend([None] if gates is None else [g.get("forget") for g in gates.values()])
        names = parameter_names(made.term) or []
        if gates is not None and {_suffix(n) for n in names if n.startswith("bias_ih")} - set(gates):
            values.append(None)
    distinct = list(dict.fromkeys(values))
    if unresolved and (not distinct or distinct == [None]):
        return Unknown(unknown="what is initialised is not understood", at=place(unresolved[0].at))
    if not distinct or distinct == [None]:
        return ABSENT
    if len(distinct) > 1:
        return Unknown(unknown="layers or directions differ")
    return inferred(distinct[0])


def gate_biases(gates: Gates | Unknown | None) -> Fact:
    """The gates' biases of one layer as a fact."""
    if gates is None:
        return ABSENT
    if isinstance(gates, Unknown):
        return gates
    if all(value is None for values in gates.values() for value in values.values()):
        return ABSENT
    out = []
    for suffix, values in gates.items():
        layer, _, direction = suffix.removeprefix("_l").partition("_")
        out.append(
            {
                "layer": int(layer) if layer.isdigit() else 0,
                "direction": "backward" if direction else "forward",
                **values,
            }
        )
    return inferred(out)


def _suffix(name: str) -> str:
    """`_l0_reverse` of `bias_ih_l0_reverse`."""
    return name.removeprefix("bias_ih").removeprefix("bias_hh")


def _summed(vectors: dict[str, list[float | None]], suffix: str, gates: tuple[str, ...]) -> dict[str, float | None]:
    out: dict[str, float | None] = {}
    for i, gate in enumerate(gates):
        parts = [vectors[name][i] for name in (f"bias_ih{suffix}", f"bias_hh{suffix}") if name in vectors]
        known = [p for p in parts if p is not None]
        out[gate] = float(sum(known)) if known else None
    return out
