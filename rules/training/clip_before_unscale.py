"""Gradients are clipped while the scaler of mixed precision still inflates them."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA504",
    name="clip-before-unscale",
    summary="Gradients of mixed precision are clipped while they are still multiplied by the scale of the loss.",
    family="training",
    topic="clip-misplaced",
    severity="error",
    grade="A",
    article="T2",
    frameworks=("pytorch",),
    needs=("clipping",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    order = items(program.training_step.order)
    for clip in items(program.clipping):
        if plain(clip.placement) != "before-unscale":
            continue
        at, most = where(clip), number(clip.max)
        limit = "" if most is None else f" to {most:g}"
        yield Finding(
            at=at,
            message=f"gradients are clipped{limit} while the scale of the loss still multiplies them{aside(clip)}",
            label="scaled gradients",
            help="call `scaler.unscale_(optimizer)` before the clipping",
            evidence=notes(
                at,
                *((step, "the scaled loss") for step in order if step.kind == "backward"),
                *((step, "unscaled only here") for step in order if step.kind in ("unscale", "step")),
            ),
        )
