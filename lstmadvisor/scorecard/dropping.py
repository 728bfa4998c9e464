"""What keeps the network from overfitting: H3, H5, T11."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstmadvisor.facts import UNSEEN, Optimizer, Place, Program, RecurrentLayer, Unknown, Value, known, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import Span, folded, shown, span, unset, worded

_WHERE = {
    "input": "on the input", "between": "between the layers", "pre-output": "before the output layer",
    "head": "in the head", "output": "on the output",
}  # fmt: skip
_COUPLED = {"sgd", "rmsprop", "adagrad", "adamax", "adadelta"}
"""PyTorch's optimizers that always add the decay to the gradient."""
_GENTLE = 1e-3
"""Share of a weight that one update may take away."""


@dataclass(frozen=True)
class _Rate:
    """A dropout rate, where it acts and where it is written."""

    value: Value
    where: str
    at: Place | None
    ends: Span


def dropout(program: Program) -> Answer:
    """H3: dropout with every layer, not on the output, 20 to 50 %."""
    remarks = [notes.DROPOUT_RATES, notes.DROPOUT_EVERYWHERE]
    remarks += [notes.DROPOUT_IN_KERAS] if program.framework in ("keras", "both") else []
    remarks += [notes.DROPOUT_IN_PYTORCH] if program.framework in ("pytorch", "both") else []
    rates = list(_rates(program))
    unread = list(_unread_rates(program))
    idle = [layer for layer in _layers(program) if _idle(program, layer)]
    for rate in rates:
        if answer := _wrong(rate, remarks):
            return answer
    if unread:
        what, fact, at = unread[0]
        return untold(what, fact, at, remarks)
    if rates:
        found = ", ".join(dict.fromkeys(f"{worded(rate.value)} {rate.where}" for rate in rates))
        return follows(found, rates[0].at, notes=remarks)
    if idle:
        found = f"dropout={worded(idle[0].dropout)} of a single layer, which does nothing"
        step = "Put `nn.Dropout` behind the recurrent layer, or take the argument away."
        return departs(found, idle[0].dropout.at or idle[0].at, "change", step, remarks)
    step = "Leave it until the validation loss turns; then begin with 0.2 before the output layer."
    at = next((layer.at for layer in _layers(program)), None)
    return departs("no dropout", at, next=step, notes=remarks)


def decay_rate(program: Program) -> Answer:
    """H5: multiply the weights by 0.97 after each update."""
    optimizers = used(program.optimizers)
    if isinstance(optimizers, Unknown):
        return untold("optimizer", optimizers, notes=[notes.FACTOR_097])
    if not optimizers:
        return inapplicable("no optimizer", notes.FACTOR_097)
    return joined([*_frozen_rates(program), *(_decay(program, optimizer) for optimizer in optimizers)])


def regularisation(program: Program) -> Answer:
    """T11: regularise against overfitting."""
    optimizers, regularizers = used(program.optimizers), used(program.regularizers)
    stops, rates = used(program.early_stopping), [rate for rate in _rates(program) if rate.ends[1] < 1]
    means: list[tuple[str, Place | None]] = [("dropout", rate.at) for rate in rates[:1]]
    for optimizer in () if isinstance(optimizers, Unknown) else optimizers:
        amount = span(optimizer.weight_decay)
        means += [("weight decay", optimizer.weight_decay.at or optimizer.at)] if amount and amount[1] > 0 else []
    means += [("penalties on weights", one.at) for one in (() if isinstance(regularizers, Unknown) else regularizers)]
    means += [("early stopping", stop.at) for stop in (() if isinstance(stops, Unknown) else stops)]
    if means:
        return follows(", ".join(dict(means)), means[0][1], notes=[notes.REGULARISATION])
    lacking = [fact for fact in (optimizers, regularizers, stops) if isinstance(fact, Unknown)]
    lacking += [fact for _, fact, _ in _unread_rates(program) if isinstance(fact, Unknown)]
    lacking += [
        one.weight_decay
        for one in (() if isinstance(optimizers, Unknown) else optimizers)
        if isinstance(one.weight_decay, Unknown)
    ]
    if lacking:
        return untold("regularisation", lacking[0], notes=[notes.REGULARISATION])
    step = "Compare training and validation loss over the epochs; regularise if they part."
    return departs("none: no dropout, decay, penalty or early stopping", next=step, notes=[notes.REGULARISATION])


def _layers(program: Program) -> Sequence[RecurrentLayer]:
    layers = used(program.recurrent_layers)
    return () if isinstance(layers, Unknown) else layers


def _rates(program: Program) -> Iterator[_Rate]:
    """All known rates that have an effect."""
    separate = used(program.dropouts)
    for one in () if isinstance(separate, Unknown) else separate:
        position = plain(one.position)
        ends = span(one.rate)
        if ends and ends != (0, 0) and position != "unused":
            yield _Rate(one.rate, _WHERE.get(str(position), "in the model"), one.rate.at or one.at, ends)
    for layer in _layers(program):
        within = f"in the {plain(layer.kind) or 'recurrent layer'}"
        for value, where in ((layer.dropout, within), (layer.recurrent_dropout, f"on the state {within}")):
            ends = span(value)
            if ends and ends != (0, 0) and not (value is layer.dropout and _idle(program, layer) is not False):
                yield _Rate(value, where, value.at or layer.at, ends)


def _unread_rates(program: Program) -> Iterator[tuple[str, object, Place | None]]:
    """Facts without which it is open whether there is dropout: what, the fact, and where."""
    separate = used(program.dropouts)
    if isinstance(separate, Unknown):
        yield "dropout", separate, None
    else:
        for one in separate:
            if span(one.rate) is None and plain(one.position) != "unused":
                yield "dropout rate", one.rate, one.at
    if isinstance(program.recurrent_layers, Unknown):
        yield "dropout of the recurrent layers", program.recurrent_layers, None
    for layer in _layers(program):
        cell = str(plain(layer.kind)).endswith("Cell")
        if isinstance(layer.dropout, Unknown) and not cell:
            yield "dropout of the recurrent layer", layer.dropout, layer.at
        elif _idle(program, layer) is None:
            yield "whether dropout acts: number of layers", layer.num_layers, layer.at
        if isinstance(layer.recurrent_dropout, Unknown) and layer.recurrent_dropout is not UNSEEN:
            yield "dropout on the state", layer.recurrent_dropout, layer.at


def _idle(program: Program, layer: RecurrentLayer) -> bool | None:
    """Whether PyTorch ignores the layer's dropout, for want of a second layer; None if that is not known."""
    rate = span(layer.dropout)
    if not rate or rate == (0, 0) or program.framework == "keras":
        return False
    if program.framework != "pytorch" and known(layer.return_sequences):
        return False
    layers = span(layer.num_layers)
    return None if layers is None else layers[1] == 1


def _wrong(rate: _Rate, remarks: list[str]) -> Answer | None:
    low, high = rate.ends
    found = f"{worded(rate.value)} {rate.where}"
    searched = low != high
    if low < 0 or high >= 1:
        return departs(found, rate.at, "change", "A rate is a share from 0 to below 1: begin with 0.2.", remarks)
    if rate.where == _WHERE["output"]:
        remarks = [notes.DROPOUT_AT_OUTPUT, *remarks]
        return departs(found, rate.at, "change", "Move the dropout before the last layer.", remarks)
    if high > 0.5 and (searched or rate.where == _WHERE["input"]):
        return departs(found, rate.at, notes=remarks)
    if high > 0.5:
        return departs(found, rate.at, "change", "Lower the rate to 0.5 or less; begin with 0.2.", remarks)
    return None


def _decay(program: Program, optimizer: Optimizer) -> Answer:
    name, amount = plain(optimizer.name) or "the optimizer", span(optimizer.weight_decay)
    at = optimizer.weight_decay.at or optimizer.at
    remarks = [notes.FACTOR_097, notes.DECAY_IN_USE]
    if isinstance(optimizer.weight_decay, Unknown):
        return untold("weight decay", optimizer.weight_decay, at, remarks)
    if unset(optimizer.weight_decay):
        return departs("no weight decay", optimizer.at, "keep", notes=remarks)
    if amount is None:
        return untold("weight decay", optimizer.weight_decay, at, remarks)
    coupled, rate = _coupled(program, optimizer), span(optimizer.learning_rate)
    found = f"weight_decay {worded(optimizer.weight_decay)} in {name}"
    strong = amount[1] >= 0.1 and coupled is True
    if coupled is False and rate:
        found += f": a factor of {shown(float(f'{1 - rate[1] * amount[1]:.6g}'))} per update"
        strong = rate[1] * amount[1] > _GENTLE
    meant = follows if 0.9 <= amount[1] < 1 else departs
    if strong:
        return meant(found, at, "change", "Use AdamW with a weight_decay from 1e-4 to 1e-2.", remarks)
    if amount[1] >= 0.1:
        step = "Bring weight_decay below 0.1 unless it is decoupled and the learning rate small."
        return meant(found, at, "your call", step, remarks)
    return departs(found, at, "keep", notes=remarks)


def _coupled(program: Program, optimizer: Optimizer) -> bool | None:
    """Whether the decay goes through the gradient, where the optimizer rescales it."""
    if known(optimizer.decoupled):
        return plain(optimizer.decoupled) is not True
    if program.framework == "keras" or folded(plain(optimizer.name)) == "adamw":
        return False
    return True if program.framework == "pytorch" and folded(plain(optimizer.name)) in _COUPLED else None


def _frozen_rates(program: Program) -> Iterator[Answer]:
    """Factors like 0.97 on the learning rate, applied after each batch."""
    schedules = used(program.schedules)
    for one in () if isinstance(schedules, Unknown) else schedules:
        factor = span(one.gamma)
        if plain(one.name) == "ExponentialLR" and plain(one.stepped) == "batch" and factor and 0 < factor[0] < 0.999:
            found = f"learning rate times {worded(one.gamma)} after each batch"
            step = "Step the schedule once an epoch."
            yield departs(found, one.gamma.at or one.at, "change", step, [notes.FACTOR_097])
