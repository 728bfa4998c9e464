"""The parameters to be clipped are a generator that has already run dry."""

from lstmadvisor.rule import (
    Clipping,
    Finding,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
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
    code="LA505",
    name="clip-exhausted-generator",
    summary="The clipping goes over a generator of parameters that was used up before.",
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
    for clip in items(program.clipping):
        if plain(clip.placement) != "exhausted":
            continue
        at = where(clip)
        steps = [step for step in items(program.training_step.order) if step.kind == "step"]
        yield Finding(
            at=at,
            message=f"the parameters to clip are a generator that is used up: nothing is clipped{aside(clip)}",
            label="an empty generator",
            help="pass `model.parameters()` to the clipping, or keep `list(model.parameters())`",
            fix=unsafe(
                "clip the parameters themselves", "gradients are really clipped then", _parameters(program, clip)
            ),
            evidence=notes(at, *((step, "applies the gradients unclipped") for step in steps)),
        )


def _parameters(program: Program, clip: Clipping) -> SetArgument | None:
    parameters = plain(program.training_step.parameters)
    if clip.at is None or parameters is None:
        return None
    return SetArgument(at=clip.at, name="parameters", code=parameters, position=0)
