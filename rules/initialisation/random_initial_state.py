"""A new random state for every batch is noise."""

from lstmadvisor.rule import (
    Draw,
    Edit,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    ReplaceCallee,
    Undecided,
    active,
    items,
    notes,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA309",
    name="random-initial-state",
    summary="The initial state is drawn anew at random in every forward pass: noise to be unlearned.",
    family="initialisation",
    topic="init-bad",
    severity="warning",
    grade="B",
    article="T8",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "hidden_state"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if plain(program.hidden_state.initial) != "random" or len(active(program.optimizers)) > 1:
        return
    drawn = [i for i in active(program.initializations) if plain(i.target) == "state"]
    layers = active(program.recurrent_layers)
    at = where(*drawn[:1], program.hidden_state.initial, *layers[:1])
    yield Finding(
        at=at,
        message="the initial state is random noise, drawn anew in every forward pass",
        label="noise",
        help="start from zeros: pass no state at all",
        fix=_zeros(items(program.hidden_state.drawn)),
        evidence=notes(at, *((i, "and here") for i in drawn[1:]), *((layer, "its layer") for layer in layers[:1])),
    )


def _zeros(drawn: tuple[Draw, ...]) -> Fix | None:
    edits = [_zeroed(draw) for draw in drawn]
    return unsafe("start from zeros", "the net no longer has to learn to ignore the noise", *edits)


def _zeroed(draw: Draw) -> Edit | None:
    name = str(plain(draw.function, ""))
    if not name:
        return None
    code = "nn.init.zeros_" if name.endswith("_") else "zeros_like" if name.endswith("_like") else "zeros"
    return ReplaceCallee(at=where(draw), was=name, code=f"`torch.{code}`")
