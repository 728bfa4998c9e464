"""A state carried over optimizer steps keeps the graph of all steps before."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA312",
    name="state-not-detached",
    summary="A hidden state is carried from batch to batch without being detached from the earlier graph.",
    family="initialisation",
    topic="hidden-not-detached",
    severity="error",
    grade="A",
    article="T4",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "hidden_state"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    state = program.hidden_state
    if plain(state.carried) is not True:
        return
    if unclear(state.detached):
        yield undecided(state.detached, "whether the state is detached")
    if plain(state.detached) is not False:
        return
    backward = next((step for step in items(program.training_step.order) if step.kind == "backward"), None)
    at = where(backward, state, *active(program.recurrent_layers)[:1])
    yield Finding(
        at=at,
        message="the state carried from batch to batch is not detached: `backward()` reaches back into all batches",
        label="back through all batches",
        help="detach it before each batch: `h = h.detach()`, of an LSTM `tuple(s.detach() for s in h)`",
        evidence=notes(at, (state.detached, "the carried state is used here"), (state, "its layer")),
    )
