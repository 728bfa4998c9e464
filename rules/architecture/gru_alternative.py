"""What a GRU in place of an LSTM would save."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RecurrentLayer,
    Undecided,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    where,
)


@rule(
    code="LA120",
    name="gru-alternative",
    summary="A GRU of the same size has three quarters of the parameters.",
    family="architecture",
    topic="gru-alternative",
    severity="advice",
    grade="A",
    article="T5",
    needs=("recurrent_layers",),
    enabled=False,
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = [layer for layer in active(program.recurrent_layers) if str(plain(layer.kind)).startswith("LSTM")]
    sizes = [size for layer in layers if (size := _parameters(program, layer)) is not None]
    if not layers:
        return
    whole = sum(sizes) if len(sizes) == len(layers) else None
    saved = "a quarter of the recurrent parameters" if whole is None else f"{whole // 4:,} of {whole:,} parameters"
    at = where(layers[0])
    yield Finding(
        at=at,
        message=f"a GRU of the same size would save {saved}",
        label="LSTM",
        help="compare both on the validation data before changing",
        evidence=notes(at, *((layer, "an LSTM") for layer in layers[1:])),
    )


def _parameters(program: Program, layer: RecurrentLayer) -> int | None:
    """The parameters of a PyTorch LSTM without projection."""
    width, units, depth = number(layer.input_size), number(layer.units), number(layer.num_layers)
    both = plain(layer.bidirectional)
    if of_keras(program, layer) or width is None or units is None or depth is None or both is None:
        return None
    sides = 2 if both else 1
    first = 4 * units * (width + units + 2)
    return int(sides * (first + (depth - 1) * 4 * units * (sides * units + units + 2)))
