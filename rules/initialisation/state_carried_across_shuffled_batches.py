"""A state is handed on between batches that do not follow one another."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    plain,
    rule,
    unsafe,
    where,
    written,
)


@rule(
    code="LA313",
    name="state-carried-across-shuffled-batches",
    summary="A hidden state is carried from batch to batch although the samples are shuffled.",
    family="initialisation",
    topic="shuffle-state",
    severity="error",
    grade="A",
    article="T4",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "hidden_state"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    state = program.hidden_state
    if plain(state.carried) is not True or plain(state.reset) == "sequence" or plain(program.shuffle) is not True:
        return
    layers = active(program.recurrent_layers)
    at = where(program.shuffle, state, *layers[:1])
    yield Finding(
        at=at,
        message="each batch starts from the state of an unrelated one: the samples are shuffled",
        label="breaks the order",
        help="pass no state, or read contiguous streams in order with `shuffle=False`",
        fix=unsafe(
            "read the samples in order", "each batch goes on where the last one ended", written(program.shuffle, False)
        ),
        evidence=notes(at, (state.carried, "the state is handed on"), (state, "its layer")),
    )
