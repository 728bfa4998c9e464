"""An unbounded activation inside an LSTM or GRU."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Known,
    NoOptions,
    Program,
    RecurrentLayer,
    RemoveArgument,
    Undecided,
    active,
    notes,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)

_GATED = ("LSTM", "GRU", "ConvLSTM")
_UNBOUNDED = ("relu", "selu", "elu", "none", "leaky_relu", "gelu", "swish", "silu", "softplus", "exponential", "mish")
_SPELLED = {"none": "linear"}


@rule(
    code="LA105",
    name="activation-in-gated-cell",
    summary="An LSTM or GRU has an unbounded activation in place of tanh.",
    family="architecture",
    topic="recurrent-activation",
    severity="warning",
    grade="B",
    article="H6",
    frameworks=("keras",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    by_name: dict[str, list[RecurrentLayer]] = {}
    for layer in active(program.recurrent_layers):
        name, gated = plain(layer.activation), str(plain(layer.kind)).startswith(_GATED)
        start = isinstance(layer.activation, Known) and layer.activation.via == "function-default"
        if of_keras(program, layer) and gated and name in _UNBOUNDED and not (start and program.api == "module"):
            by_name.setdefault(name, []).append(layer)
    for name, layers in by_name.items():
        first, at = layers[0], where(layers[0].activation, layers[0])
        more = f" (and {len(layers) - 1} more)" if len(layers) > 1 else ""
        yield Finding(
            at=at,
            message=f"the {plain(first.kind)}{more} has the activation {_SPELLED.get(name, name)}, which has no bound",
            label="not bounded",
            help="leave `activation` at its default, tanh",
            fix=unsafe(
                "use tanh, the default",
                "the state stays between -1 and 1",
                *(RemoveArgument(at=where(layer), name="activation", position=1) for layer in layers),
            ),
            evidence=notes(at, *((layer, "the layer") for layer in layers)),
        )
