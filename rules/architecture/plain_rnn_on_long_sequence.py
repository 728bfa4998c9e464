"""A plain recurrent layer has to remember over many steps."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unclear,
    undecided,
    where,
)

_PLAIN = ("RNN", "SimpleRNN", "RNNCell", "SimpleRNNCell")


class Limits(Options):
    """Lengths that a plain recurrent layer bridges."""

    steps: int = 20
    """with the default initialisation of PyTorch"""
    orthogonal_steps: int = 50
    """with an orthogonal recurrent matrix, the default of Keras"""


@rule(
    code="LA119",
    name="plain-rnn-on-long-sequence",
    summary="A plain RNN reads sequences that are longer than it remembers.",
    family="architecture",
    topic="gru-alternative",
    severity="advice",
    grade="A",
    article="T5",
    needs=("recurrent_layers",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    steps = number(program.sequence_length)
    plain_layers = [layer for layer in active(program.recurrent_layers) if plain(layer.kind) in _PLAIN]
    if not plain_layers or steps is None or steps <= options.steps or program.api == "module":
        return
    layer = plain_layers[0]
    starts = {str(plain(layer.recurrent_initializer)).lower()} if of_keras(program, layer) else set()
    if not starts:
        if unclear(program.initializations):
            yield undecided(program.initializations, "how the weights are initialised")
            return
        starts = {str(plain(item.scheme)) for item in active(program.initializations)}
    if starts & {"eye", "identity"} or (plain(layer.activation) == "relu" and "orthogonal" in starts):
        return
    if "orthogonal" in starts and steps <= options.orthogonal_steps:
        return
    at = where(layer)
    yield Finding(
        at=at,
        message=f"a plain {plain(layer.kind)} reads {steps:g} steps, of which it remembers the last few",
        label="no gates",
        help="use an LSTM or GRU",
        evidence=notes(
            at, (program.sequence_length, f"{steps:g} steps"), *((other, "plain too") for other in plain_layers[1:])
        ),
    )
