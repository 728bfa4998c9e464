"""An optimizer is built with care, and `compile` gets another one."""

from lstmadvisor.rule import (
    DeadSetting,
    Finding,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
    Undecided,
    active,
    notes,
    plain,
    rule,
    unsafe,
    where,
)

_LOST = {"clip": ", and its clipping with it", "learning-rate": ", and its learning rate with it"}


@rule(
    code="LA702",
    name="optimizer-discarded",
    summary="An optimizer is built and thrown away: `compile` gets another one.",
    family="configuration",
    topic="optimizer",
    severity="error",
    grade="A",
    frameworks=("keras",),
    needs=("optimizers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for dead in active(program.dead_settings):
        if plain(dead.kind) != "optimizer-discarded":
            continue
        at = where(dead)
        yield Finding(
            at=at,
            message=f"this {plain(dead.name, 'optimizer')} is never used{_LOST.get(str(plain(dead.setting)), '')}: "
            + str(plain(dead.why, "it is built and thrown away")).split("; ")[-1],
            label="thrown away",
            help="give this object to `compile` as `optimizer=`, or delete it",
            fix=unsafe("compile with this optimizer", "another optimizer trains than before", _given(dead)),
            evidence=notes(at, (dead.instead, "what the model is compiled with")),
        )


def _given(dead: DeadSetting) -> SetArgument | None:
    name = plain(dead.called)
    if dead.instead is None or name is None:
        return None
    return SetArgument(at=dead.instead, name="optimizer", code=name, position=0)
