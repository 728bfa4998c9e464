"""Gradients are clipped before there are any."""

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
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA503",
    name="clip-before-backward",
    summary="Gradients are clipped before `backward()` has computed them.",
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
        if plain(clip.placement) != "before-backward":
            continue
        at = where(clip)
        backward = [(step, "they are computed here") for step in order if step.kind == "backward"]
        used = [(step, "and used, unclipped, here") for step in order if step.kind == "step"]
        yield Finding(
            at=at,
            message=f"gradients are clipped before `backward()` has computed them{aside(clip)}",
            label="nothing to clip yet",
            help="move the clipping between `backward()` and `step()`",
            fix=unsafe("clip after `backward()`", "gradients are really clipped then", _behind(at, order)),
            evidence=notes(at, *backward, *used),
        )


def _behind(at: Place, order: tuple[Step, ...]) -> MoveStatement | None:
    """The clipping moved behind the one backward pass that there is."""
    backward = [step.at for step in order if step.kind == "backward"]
    if len(backward) != 1 or backward[0] is None:
        return None
    return MoveStatement(at=at, to=backward[0], side="after")
