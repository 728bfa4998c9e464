"""A state carried over optimizer steps keeps the graph of all steps before."""

from lstmadvisor.rule import (
    AddHelper,
    Finding,
    Fix,
    HiddenState,
    Iterator,
    Known,
    NoOptions,
    Program,
    ReplaceExpression,
    Undecided,
    active,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
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
        fix=_cut(state),
        evidence=notes(at, (state.detached, "the carried state is used here"), (state, "its layer")),
    )


_HELPER = '''
def detached(state):
    """Cut a state, or a tuple of states, from the graph that it was computed in."""
    if state is None:
        return None
    return state.detach() if `torch.is_tensor`(state) else tuple(detached(each) for each in state)
'''


def _cut(state: HiddenState) -> Fix | None:
    """The state detached where it is handed to its layer."""
    if not isinstance(state.passed, Known) or state.passed.at is None:
        return None
    return unsafe(
        "detach the state where it is passed",
        "each batch learns from its own steps only",
        AddHelper(at=state.passed.at, name="detached", code=_HELPER),
        ReplaceExpression(at=state.passed.at, code="detached($)"),
    )
