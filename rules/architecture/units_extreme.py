"""Hardly any recurrent units, or far more weights than data."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    RecurrentLayer,
    Undecided,
    active,
    known,
    notes,
    number,
    plain,
    rule,
    where,
)


class Limits(Options):
    """What counts as extreme."""

    few: int = 4
    """at most this many units are too few"""
    weights_per_value: float = 10
    """recurrent weights for each number in the training data"""


@rule(
    code="LA102",
    name="units-extreme",
    summary="The recurrent layer has next to no units, or far more weights than there are training values.",
    family="architecture",
    topic="layers",
    severity="advice",
    grade="B",
    article="H1",
    needs=("recurrent_layers",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    layers = [layer for layer in active(program.recurrent_layers) if not str(plain(layer.kind)).startswith("Conv")]
    if program.api == "module" or not known(program.targets.kind) or not layers:
        return
    for layer in layers:
        units = number(layer.units)
        if units is not None and units <= options.few:
            at = where(layer.units, layer)
            yield Finding(
                at=at,
                message=f"{units:g} recurrent units can hold {units:g} numbers of memory",
                label=f"{units:g} units",
                help="try 32 units",
                evidence=notes(at, (layer, "the layer")),
            )
            return
    weights, values = _weights(program, layers), _values(program, layers)
    if weights is not None and values is not None and weights > options.weights_per_value * values:
        at = where(layers[0].units, layers[0])
        yield Finding(
            at=at,
            message=f"{weights:,.0f} recurrent weights for {values:,.0f} training values",
            label="more weights than data",
            help="use fewer units, or regularise and stop early",
            evidence=notes(at, (layers[0], "the layer"), (program.dataset.size, "the training samples")),
        )


def _weights(program: Program, layers: list[RecurrentLayer]) -> float | None:
    whole = 0.0
    for layer in layers:
        width, units, depth = number(layer.input_size), number(layer.units), number(layer.num_layers)
        both = plain(layer.bidirectional)
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}.get(str(plain(layer.kind)).removesuffix("Cell"))
        if width is None or units is None or depth is None or both is None or gates is None:
            return None
        sides = 2 if both else 1
        whole += sides * gates * units * (width + units + (depth - 1) * (sides * units + units))
    return whole


def _values(program: Program, layers: list[RecurrentLayer]) -> float | None:
    size, steps, width = number(program.dataset.size), number(program.sequence_length), number(layers[0].input_size)
    return None if size is None or steps is None or width is None else size * steps * width
