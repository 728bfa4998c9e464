"""Puts what was measured in the place of what the code did not tell, or told otherwise.

A measured value is `Known` with `via="probe"`, and keeps the place where the code speaks of it.  A value that the code
writes down, and that the run did not have, is noted as a `Disagreement`; one that a command line or a configuration may
change is replaced without a word.
"""

from __future__ import annotations

import math
from typing import Any

from lstmadvisor.facts import (
    Clipping,
    Dataset,
    Disagreement,
    HiddenState,
    Known,
    Padding,
    Program,
    RecurrentLayer,
    Unknown,
    Value,
    items,
)
from lstmadvisor.measured import MeasuredClipping, MeasuredLayer, Probe

_WRITTEN = frozenset({"literal", "constant", "arithmetic"})
_ATTRIBUTES = ("kind", "units", "input_size", "num_layers", "bidirectional", "batch_first", "dropout")
_SCALED = (0.01, 10.0)
_COUNTED = 0.02
"""share of the targets: sequences may end with what looks like padding"""


def joined(program: Program, probe: Probe) -> Program:
    """The program with what was measured of it."""
    if not probe.steps:
        return program.model_copy(update={"probe": probe})
    join = _Join(probe)
    changed: dict[str, Any] = {
        "probe": probe,
        "recurrent_layers": join.layers(program),
        "optimizers": join.optimizers(program),
        "clipping": join.clipping(program),
        "batch_size": join.batch_size(program),
        "sequence_length": join.sequence_length(program),
        "hidden_state": join.state(program.hidden_state),
        "padding": join.padding(program.padding),
        "dataset": join.dataset(program.dataset),
        "shuffle": join.filled(program.shuffle, join.loader("shuffled")),
    }
    return program.model_copy(update={**changed, "disagreements": tuple(join.disagreements)})


class _Join:
    """One program and one run."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.disagreements: list[Disagreement] = []

    def filled(self, fact: Value, value: Any) -> Value:
        """The fact, or what was measured where it is unknown."""
        return Known(value=value, via="probe", at=fact.at) if isinstance(fact, Unknown) and value is not None else fact

    def told(self, what: str, fact: Value, value: Any) -> Value:
        """The fact, corrected by what was measured; notes where the two disagree."""
        if value is None or not isinstance(fact, Known):
            return self.filled(fact, value)
        if fact.via == "search" or _same(fact.value, value):
            return fact
        if fact.via in _WRITTEN and fact.at is not None:
            self.disagreements.append(
                Disagreement(at=fact.at, what=_known(what), read=_known(fact.value), measured=_known(value))
            )
        return Known(value=value, via="probe", at=fact.at)

    def layers(self, program: Program) -> Any:
        """Each layer with the arguments that it was built with; the measured ones where the code shows none."""
        found = program.recurrent_layers
        if not items(found):
            own = [one for one in self._probe.layers if one.at is not None and one.at.path in program.files]
            return tuple(map(_layer, own)) or found
        return tuple(self._layer(layer) for layer in items(found))

    def _layer(self, layer: RecurrentLayer) -> RecurrentLayer:
        measured = next((one for one in self._probe.layers if _stands_at(one, layer)), None)
        if measured is None:
            return layer
        facts = {name: self.filled(getattr(layer, name), getattr(measured, name)) for name in _ATTRIBUTES}
        return layer.model_copy(update=facts)

    def optimizers(self, program: Program) -> Any:
        """The one optimizer with the rate that it ran at, if that did not change."""
        chosen = [one for one in items(program.optimizers) if one.active]
        if len(chosen) != 1 or len(self._probe.optimizers) != 1:
            return program.optimizers
        measured = self._probe.optimizers[0]
        name = measured.name if measured.name != "by hand" else None
        changed = chosen[0].model_copy(
            update={
                "name": self.filled(chosen[0].name, name),
                "learning_rate": self.told("learning rate", chosen[0].learning_rate, self._rate()),
            }
        )
        return tuple(changed if one is chosen[0] else one for one in items(program.optimizers))

    def _rate(self) -> float | None:
        """The learning rate, if it was the same in every step and for all parameters."""
        rates = {rate for optimizer in self._probe.optimizers for rate in optimizer.rates}
        for series in self._probe.series:
            if series.name == "learning-rate":
                rates |= {value for value in series.values if value is not None}
        return rates.pop() if len(rates) == 1 else None

    def clipping(self, program: Program) -> Any:
        """The calls that clipped, where the code does not tell; with their limit, where it does not tell that."""
        found, measured = program.clipping, self._probe.clipping
        if isinstance(found, Unknown):
            return tuple(map(_clipping, measured)) or found
        if len(found) != 1 or len(measured) != 1:
            return found
        limit = self.told("limit of the gradient", found[0].max, measured[0].max)
        return (found[0].model_copy(update={"max": limit}),)

    def batch_size(self, program: Program) -> Value:
        """By the one loader that was trained from."""
        return self.told("batch size", program.batch_size, self.loader("batch_size"))

    def loader(self, what: str) -> Any:
        """What the loaders that were trained from have in common."""
        values = {getattr(loader, what) for loader in self._probe.loaders if loader.trained}
        return values.pop() if len(values) == 1 else None

    def dataset(self, dataset: Dataset) -> Dataset:
        """How large it is, and whether the network gets it at about unit scale."""
        return dataset.model_copy(
            update={
                "size": self.filled(dataset.size, self.loader("size")),
                "input_scaled": self.filled(dataset.input_scaled, self._scaled()),
            }
        )

    def sequence_length(self, program: Program) -> Value:
        """The longest sequence that a layer ran over."""
        lengths = [one.sequence_length for one in self._probe.layers if not one.kind.endswith("Cell")]
        return self.filled(program.sequence_length, max((n for n in lengths if n), default=None))

    def state(self, state: HiddenState) -> HiddenState:
        """What the layers started from."""
        states = {layer.state for layer in self._probe.layers if layer.state}
        if not states:
            return state
        carried = "carried" in states
        kept = any(layer.carried_graph for layer in self._probe.layers)
        initial = {"none": "none", "zero": "zeros", "learned": "learned"}.get(next(iter(states)))
        return state.model_copy(
            update={
                "carried": self.filled(state.carried, carried),
                "detached": self.filled(state.detached, not kept if carried else None),
                "initial": self.filled(state.initial, initial if len(states) == 1 else None),
            }
        )

    def padding(self, padding: Padding) -> Padding:
        """Whether the layers got packed sequences, and whether targets of padded steps count in the loss."""
        packed = {layer.packed for layer in self._probe.layers}
        shares = [loss.padded for loss in self._probe.losses if loss.padded is not None]
        return padding.model_copy(
            update={
                "packed": self.filled(padding.packed, packed.pop() if len(packed) == 1 else None),
                "in_loss": self.filled(padding.in_loss, max(shares) > _COUNTED if shares else None),
            }
        )

    def _scaled(self) -> bool | None:
        mean, deviation = self._probe.statistics.input_mean, self._probe.statistics.input_deviation
        if mean is None or deviation is None:
            return None
        return _SCALED[0] <= deviation <= _SCALED[1] and abs(mean) <= 10 * deviation


def _same(read: object, measured: object) -> bool:
    if isinstance(read, (int, float)) and isinstance(measured, (int, float)):
        return math.isclose(read, measured, rel_tol=1e-6)
    return read == measured


def _known(value: Any) -> Known:
    return Known(value=value, via="probe")


def _stands_at(measured: MeasuredLayer, layer: RecurrentLayer) -> bool:
    """Whether both were built on the same line."""
    here, there = measured.at, layer.at
    if here is None or there is None or here.cell != there.cell:
        return False
    last = there.end_line if there.end_line is not None else there.line
    return here.path.split("/")[-1] == there.path.split("/")[-1] and there.line <= here.line <= last


def _layer(measured: MeasuredLayer) -> RecurrentLayer:
    facts = {name: getattr(measured, name) for name in _ATTRIBUTES}
    known = {name: _known(value) for name, value in facts.items() if value is not None}
    return RecurrentLayer(at=measured.at).model_copy(update=known)


def _clipping(measured: MeasuredClipping) -> Clipping:
    return Clipping(
        kind=_known(measured.kind),
        max=Unknown(unknown="not measured") if measured.max is None else _known(measured.max),
        placement=_known("ok" if measured.before_step else "after-step"),
    )
