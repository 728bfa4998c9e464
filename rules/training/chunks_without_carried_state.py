"""Chunks of one stream are read in order, and the state is thrown away between them."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA513",
    name="chunks-without-carried-state",
    summary="Consecutive chunks of one stream are read, each from an empty state.",
    family="training",
    topic="tbptt",
    severity="advice",
    grade="B",
    article="T4",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "hidden_state.carried"),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = active(program.recurrent_layers)
    if plain(program.dataset.kind) != "stream" or plain(program.shuffle) is not False or not layers:
        return
    if plain(program.hidden_state.carried) is not False or any(
        plain(layer.bidirectional) is not False for layer in layers
    ):
        return
    steps = number(program.sequence_length)
    at = where(layers[0])
    yield Finding(
        at=at,
        message="consecutive chunks of one stream are read, each from an empty state"
        + ("" if steps is None else f": nothing is learned beyond {steps:g} steps"),
        label="forgets at every chunk",
        help="pass the last state, detached, to the next chunk",
        evidence=notes(
            at, (program.hidden_state, "the state starts anew"), (program.sequence_length, "length of a chunk")
        ),
    )
