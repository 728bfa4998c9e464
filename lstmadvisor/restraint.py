"""What holds overfitting back, and how much there is to hold back, read off the facts of a program."""

from __future__ import annotations

from lstmadvisor.facts import UNSEEN, Known, Program, RecurrentLayer, Unknown, Value, items, known, plain

_GATES = {"LSTM": 4, "LSTMCell": 4, "CuDNNLSTM": 4, "GRU": 3, "GRUCell": 3, "CuDNNGRU": 3}


def recurrent_parameters(program: Program) -> tuple[int, RecurrentLayer] | None:
    """The least number of recurrent parameters that the largest model has, and its largest layer.

    Biases are not counted, nor is the width of an input that is not known.  None where no layer's size is known.
    """
    models: dict[object, list[tuple[int, RecurrentLayer]]] = {}
    for layer in items(program.recurrent_layers):
        size = _parameters(layer)
        if layer.active and size is not None:
            models.setdefault(plain(layer.model), []).append((size, layer))
    if not models:
        return None
    largest = max(models.values(), key=lambda sizes: sum(size for size, _ in sizes))
    return sum(size for size, _ in largest), max(largest, key=lambda sized: sized[0])[1]


def may_be_restrained(program: Program) -> bool:
    """Whether dropout, decay, a penalty, early stopping or a kept best state may hold overfitting back.

    True as well where one of them could not be read.
    """
    if not all(map(known, (program.dropouts, program.optimizers, program.early_stopping, program.checkpoints))):
        return True
    kept = [one for one in items(program.checkpoints) if one.active and plain(one.on) != "training" and _set(one.on)]
    if program.dropouts or program.early_stopping or kept or items(program.regularizers):
        return True
    rates = [rate for layer in items(program.recurrent_layers) for rate in (layer.dropout, layer.recurrent_dropout)]
    return any(_set(fact) for fact in [*rates, *(one.weight_decay for one in items(program.optimizers))])


def _set(fact: Value) -> bool:
    """Whether a leaf holds something other than 0, or may."""
    if isinstance(fact, Unknown):
        return fact != UNSEEN
    return isinstance(fact, Known) and fact.via != "absent" and bool(fact.value)


def _parameters(layer: RecurrentLayer) -> int | None:
    units, inputs, depth = plain(layer.units), plain(layer.input_size), plain(layer.num_layers, 1)
    gates = _GATES.get(str(plain(layer.kind)), 0 if str(plain(layer.kind)).startswith("Conv") else 1)
    if not isinstance(units, int) or not isinstance(depth, int) or plain(layer.proj_size) or not gates:
        return None
    directions = 2 if plain(layer.bidirectional) is True else 1
    below = (inputs if isinstance(inputs, int) else 0) + units * directions * (depth - 1)
    return gates * directions * units * (units * depth + below)
