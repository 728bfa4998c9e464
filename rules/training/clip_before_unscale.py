"""Gradients are clipped while the scaler of mixed precision still inflates them."""

from lstmadvisor.rule import (
    Edit,
    Finding,
    InsertStatements,
    Iterator,
    MoveStatement,
    NoOptions,
    Place,
    Program,
    Undecided,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    unsafe,
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
            fix=unsafe("unscale first", "the threshold is held against the true gradient", _unscaled(program, at)),
            evidence=notes(
                at,
                *((step, "the scaled loss") for step in order if step.kind == "backward"),
                *((step, "unscaled only here") for step in order if step.kind in ("unscale", "step")),
            ),
        )


def _unscaled(program: Program, at: Place) -> Edit | None:
    """The gradients unscaled in front of the clipping: the call that comes too late moved, or a call of its own."""
    acts = {act.kind: act for act in items(program.training_step.order)}
    late, step, optimizer = acts.get("unscale"), acts.get("step"), plain(program.training_step.optimizer)
    if late is not None:
        return None if late.at is None else MoveStatement(at=late.at, to=at, side="before")
    if step is None or optimizer is None or plain(step.of) in (None, optimizer):
        return None
    return InsertStatements(at=at, side="before", code=f"{plain(step.of)}.unscale_({optimizer})")
