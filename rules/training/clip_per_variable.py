"""Every variable is clipped by itself where the gradient as a whole was meant."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RenameArgument,
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
    code="LA506",
    name="clip-per-variable",
    summary="The gradient of every variable is clipped by itself, which turns the step as a whole.",
    family="training",
    topic="clip-missing",
    severity="advice",
    grade="B",
    article="T2",
    frameworks=("keras",),
    needs=("optimizers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for optimizer in active(program.optimizers):
        most = number(optimizer.clipnorm)
        if most is None or most <= 0 or number(optimizer.global_clipnorm) is not None:
            continue
        at = where(optimizer.clipnorm, optimizer)
        yield Finding(
            at=at,
            message=f"`clipnorm={most:g}` limits each variable to norm {most:g} by itself, not the gradient as a whole",
            label="per variable",
            help=f"pass `global_clipnorm={most:g}` instead",
            fix=unsafe(
                "clip the gradient as a whole",
                "the step keeps its direction",
                RenameArgument(at=where(optimizer), name="clipnorm", to="global_clipnorm"),
            ),
            evidence=notes(at, (optimizer, f"{plain(optimizer.name, 'the optimizer')} clips")),
        )
        return
    for clip in active(program.clipping):
        most = number(clip.max)
        if plain(clip.per_variable) is True and plain(clip.kind) == "norm" and most is not None and most > 0:
            yield Finding(
                at=where(clip),
                message=f"the gradient of each variable is limited to norm {most:g} by itself, not as a whole",
                label="per variable",
                help="clip all gradients together, with `tf.clip_by_global_norm`",
            )
            return
