"""Gradients go back through every step of a very long sequence at once."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    RecurrentLayer,
    Severity,
    Undecided,
    active,
    items,
    notes,
    number,
    plain,
    rule,
    where,
)


class Limits(Options):
    """How many time steps are back-propagated through at once."""

    warning: int = 500
    """more time steps than these are a warning"""
    advice: int = 200
    """more than these are advice"""


@rule(
    code="LA512",
    name="full-backpropagation-through-long-sequence",
    summary="Gradients are propagated through all steps of a very long sequence at once.",
    family="training",
    topic="tbptt",
    severity="warning",
    grade="B",
    article="T4",
    needs=("recurrent_layers",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    steps, layers = number(program.sequence_length), active(program.recurrent_layers)
    if steps is None or steps <= options.advice or not layers or program.api == "module":
        return
    if plain(program.padding.packed) is True or any(_made_for_it(layer) for layer in layers):
        return
    if _shortened(program, layers):
        return
    kind, at = plain(layers[0].kind, "recurrent net"), where(program.sequence_length, layers[0])
    yield Finding(
        at=at,
        severity=Severity.ADVICE if steps <= options.warning else None,
        message=f"gradients go back through all {steps:g} time steps of a sequence at once",
        label="the whole length",
        help="train on chunks of 50 to 200 steps and hand the detached state on, or downsample the input",
        evidence=notes(at, (layers[0], f"the {kind} goes through all of them")),
    )


def _made_for_it(layer: RecurrentLayer) -> bool:
    """A plain net that starts as the identity was made to be trained over hundreds of steps."""
    start = str(plain(layer.recurrent_initializer, "")).lower()
    return "identity" in start or ("orthogonal" in start and plain(layer.activation) == "relu")


def _shortened(program: Program, layers: tuple[RecurrentLayer, ...]) -> bool:
    """Whether something other than a dense layer or an embedding stands before the recurrence: it may downsample."""
    plain_layers = {
        layer.at
        for many in (program.dense_layers, program.embeddings, program.recurrent_layers)
        for layer in items(many)
    }
    ends = {layer.at for layer in layers}
    return any(
        edge.to in ends and (edge.from_ not in plain_layers or plain(edge.via) == "pooling")
        for edge in items(program.graph)
    )
