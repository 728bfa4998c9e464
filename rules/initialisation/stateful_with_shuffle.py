"""A stateful layer is fed in random order."""

from lstmadvisor.rule import (
    Edit,
    Finding,
    Iterator,
    Known,
    NoOptions,
    Program,
    Undecided,
    active,
    argument,
    notes,
    plain,
    rule,
    unsafe,
    where,
    written,
)


@rule(
    code="LA314",
    name="stateful-with-shuffle",
    summary="`stateful=True` carries the state from batch to batch, and `fit` shuffles the samples.",
    family="initialisation",
    topic="stateful-shuffle",
    severity="error",
    grade="A",
    article="T4",
    frameworks=("keras",),
    needs=("recurrent_layers", "hidden_state"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    stateful = [layer for layer in active(program.recurrent_layers) if plain(layer.stateful) is True]
    if not stateful or plain(program.hidden_state.carried) is not True or plain(program.shuffle) is not True:
        return
    at = where(program.shuffle, stateful[0].stateful, stateful[0])
    how = " by default" if isinstance(program.shuffle, Known) and program.shuffle.via == "default" else ""
    yield Finding(
        at=at,
        message=f"`fit` shuffles the samples{how}, and the stateful {plain(stateful[0].kind, 'layer')} hands its state "
        "to whatever comes next",
        label="carries the state",
        help="pass `shuffle=False` to `fit`",
        fix=unsafe("keep the order", "each sample goes on where the one before it ended", _in_order(program)),
        evidence=notes(at, (stateful[0].stateful, "stateful"), (stateful[0], "the layer")),
    )


def _in_order(program: Program) -> Edit | None:
    fit = program.training_step.at
    return written(program.shuffle, False) if fit is None else argument(program.shuffle, fit, "shuffle", False)
