"""An option of the layer rules out the fused GPU kernel."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RecurrentLayer,
    Undecided,
    Value,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    where,
)

_HELP = {"recurrent_dropout": "use `dropout=` or a Dropout layer between the layers instead of `recurrent_dropout`"}


@rule(
    code="LA108",
    name="fast-kernel-lost",
    summary="An argument keeps the layer from the fused kernel of a GPU.",
    family="architecture",
    topic="recurrent-dropout-cudnn",
    severity="advice",
    grade="A",
    article="H3",
    frameworks=("keras",),
    needs=("recurrent_layers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    slow = [(layer, why) for layer in active(program.recurrent_layers) for why in _reasons(layer)]
    if not slow or program.api == "module" or not of_keras(program, slow[0][0]):
        return
    layer, (fact, text) = slow[0]
    at = where(fact, layer)
    yield Finding(
        at=at,
        message=f"{text} keeps this {plain(layer.kind)} from the fused GPU kernel: every step is launched singly",
        label="leaves cuDNN",
        help=_HELP.get(text.partition("=")[0], "leave the argument at its default"),
        evidence=notes(at, (layer, "the layer"), *((other, "and this one") for other, _ in slow[1:])),
    )


def _reasons(layer: RecurrentLayer) -> Iterator[tuple[Value, str]]:
    """The arguments that the fused kernel does not know; activations are another rule's."""
    if plain(layer.kind) not in ("LSTM", "GRU"):
        return
    rate = number(layer.recurrent_dropout)
    if rate is not None and rate > 0:
        yield layer.recurrent_dropout, f"recurrent_dropout={rate:g}"
    if plain(layer.unroll) is True:
        yield layer.unroll, "unroll=True"
    if plain(layer.use_bias) is False:
        yield layer.use_bias, "use_bias=False"
    if plain(layer.kind) == "GRU" and plain(layer.reset_after) is False:
        yield layer.reset_after, "reset_after=False"
    gates = plain(layer.recurrent_activation)
    if isinstance(gates, str) and gates != "sigmoid" and plain(layer.activation) == "tanh":
        yield layer.recurrent_activation, f"recurrent_activation={gates}"
