"""Gradients are clipped after the optimizer has used them."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    MoveStatement,
    NoOptions,
    Place,
    Program,
    Step,
    Undecided,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA502",
    name="clip-after-step",
    summary="Gradients are clipped after the optimizer has used them.",
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
    steps = [step for step in items(program.training_step.order) if step.kind == "step"]
    for clip in items(program.clipping):
        if clip.active and unclear(clip.placement):
            yield undecided(clip.placement, "where the clipping stands in the training step")
        if plain(clip.placement) != "after-step":
            continue
        at, most = where(clip), number(clip.max)
        limit = "" if most is None else f" to {'±' if plain(clip.kind) == 'value' else 'norm '}{most:g}"
        yield Finding(
            at=at,
            message=f"gradients are clipped{limit} after the optimizer has used them{aside(clip)}",
            label="too late",
            help="move the clipping between `backward()` and `step()`",
            fix=unsafe("clip before the step", "gradients are really clipped then", _in_front(at, steps)),
            evidence=notes(at, *((step, "the optimizer uses them here") for step in steps)),
        )


def _in_front(at: Place, steps: list[Step]) -> MoveStatement | None:
    """The clipping moved in front of the one step that there is."""
    if len(steps) != 1 or steps[0].at is None:
        return None
    return MoveStatement(at=at, to=steps[0].at, side="before")
