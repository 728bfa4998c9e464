"""A stateful layer starts each epoch in the state that the last one ended in."""

from lstmadvisor.rule import (
    AddHelper,
    ExtendArgument,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
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
        fix=_reset(program),
        evidence=notes(at, (program.epochs, "the epochs")),
    )


_HELPER = '''
def reset_states(model):
    """Let every stateful layer start from zeros."""
    for layer in model.layers:
        if hasattr(layer, "reset_state"):
            layer.reset_state()
'''


def _reset(program: Program) -> Fix | None:
    """A callback at the start of each epoch, where one call of `fit` trains the one model."""
    fit, models = program.epoch_loop.at, plain(program.epoch_loop.models)
    if fit is None or models is None or len(models) != 1:
        return None
    call = f"`keras.callbacks.LambdaCallback`(on_epoch_begin=lambda epoch, logs: reset_states({models[0]}))"
    return unsafe(
        "reset the state at the start of each epoch",
        "an epoch no longer begins where the last one ended",
        AddHelper(at=fit, name="reset_states", code=_HELPER),
        ExtendArgument(at=fit, name="callbacks", code=call, position=5),
    )
