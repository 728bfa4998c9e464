"""The best weights are kept by reference, so that they follow the training."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    ReplaceExpression,
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
    code="LA523",
    name="best-weights-aliased",
    summary="The best weights are kept by reference and change with every further step.",
    family="training",
    topic="epochs/early-stopping",
    severity="error",
    grade="A",
    article="H9",
    frameworks=("pytorch",),
    needs=("checkpoints",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for kept in items(program.checkpoints):
        if plain(kept.aliased) is not True:
            continue
        at = where(kept)
        steps = [step for step in items(program.training_step.order) if step.kind == "step"]
        yield Finding(
            at=at,
            message="`state_dict()` is kept without a deep copy: every later step changes these weights too"
            f"{aside(kept)}",
            label="not a deep copy",
            help="keep `copy.deepcopy(model.state_dict())`",
            fix=unsafe(
                "keep a copy",
                "the weights loaded are those of the best epoch, not of the last",
                ReplaceExpression(at=at, code="`copy.deepcopy`($)"),
            ),
            evidence=notes(at, (kept.reloaded, "loads the last weights"), *((step, "changes them") for step in steps)),
        )
