"""A callback is built and no training gets it."""

from lstmadvisor.rule import (
    DeadSetting,
    ExtendArgument,
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    items,
    notes,
    plain,
    rule,
    unsafe,
    where,
)

_LOST = {
    "EarlyStopping": "nothing stops the training",
    "ModelCheckpoint": "nothing is saved",
    "ReduceLROnPlateau": "the learning rate stays as it is",
    "LearningRateScheduler": "the learning rate stays as it is",
}
_TOPICS = {"ReduceLROnPlateau": "lr-schedule", "LearningRateScheduler": "lr-schedule"}


@rule(
    code="LA703",
    name="callback-not-passed",
    summary="A callback is built and no `fit` gets it.",
    family="configuration",
    topic="epochs/early-stopping",
    severity="error",
    grade="A",
    article="H9",
    frameworks=("keras",),
    needs=("optimizers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for dead in items(program.dead_settings):
        name = str(plain(dead.name, "callback"))
        if plain(dead.kind) != "callback-not-passed" or not dead.active:
            continue
        at = where(dead)
        yield Finding(
            at=at,
            topic=_TOPICS.get(name),
            message=f"no `fit` gets this `{name}`: {_LOST.get(name, 'it does nothing')}",
            label="not passed",
            help="pass it to `fit` in `callbacks=[...]`",
            fix=unsafe("pass it to `fit`", "the callback acts in the training", _given(dead)),
            evidence=notes(at, (dead.instead, "trained without it"), (program.epochs, "the epochs that all run")),
        )


def _given(dead: DeadSetting) -> ExtendArgument | None:
    name = plain(dead.called)
    if dead.instead is None or name is None:
        return None
    return ExtendArgument(at=dead.instead, name="callbacks", code=name, position=5)
