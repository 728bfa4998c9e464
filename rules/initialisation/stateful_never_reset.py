"""A stateful layer starts each epoch in the state that the last one ended in."""

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
    code="LA315",
    name="stateful-never-reset",
    summary="The state of a stateful layer is never reset, so that an epoch begins where the last one ended.",
    family="initialisation",
    topic="stateful-shuffle",
    severity="warning",
    grade="A",
    article="T4",
    frameworks=("keras",),
    needs=("recurrent_layers", "hidden_state.reset"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    stateful = [layer for layer in active(program.recurrent_layers) if plain(layer.stateful) is True]
    epochs = number(program.epochs)
    if (
        not stateful
        or plain(program.hidden_state.carried) is not True
        or plain(program.hidden_state.reset) is not False
        or epochs is None
        or epochs < 2
    ):
        return
    at = where(stateful[0].stateful, stateful[0])
    yield Finding(
        at=at,
        message=f"nothing resets the state between the {epochs:g} epochs: each begins where the last one ended",
        label="never reset",
        help="call `layer.reset_state()` at the start of each epoch, in a callback",
        evidence=notes(at, (program.epochs, "the epochs")),
    )
