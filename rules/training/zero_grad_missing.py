"""Gradients are never cleared, so that each step follows the sum of all earlier ones."""

from lstmadvisor.rule import (
    Finding,
    InsertStatements,
    Iterator,
    NoOptions,
    Place,
    Program,
    Undecided,
    active,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA508",
    name="zero-grad-missing",
    summary="Nothing clears the gradients between two steps of the optimizer.",
    family="training",
    topic="zero-grad",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("training_step.order",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    step = program.training_step
    order = items(step.order)
    backward = next((act for act in order if act.kind == "backward"), None)
    update = next((act for act in order if act.kind == "step"), None)
    if backward is None or update is None:
        return
    if unclear(step.zero_grad):
        yield undecided(step.zero_grad, "whether gradients are cleared")
    if plain(step.zero_grad) is not False or any(act.kind == "zero_grad" for act in order):
        return
    at = where(backward)
    yield Finding(
        at=at,
        message="`backward()` adds to the gradients of all earlier steps: nothing clears them in this loop",
        label="adds up for ever",
        help="call `optimizer.zero_grad()` before `backward()`",
        fix=unsafe(
            "clear the gradients first",
            "each step follows the gradient of its own batch only",
            _cleared(at, plain(step.optimizer)),
        ),
        evidence=notes(
            at,
            (update, "follows the sum"),
            *((optimizer, "the optimizer") for optimizer in active(program.optimizers)),
        ),
    )


def _cleared(at: Place, optimizer: str | None) -> InsertStatements | None:
    if optimizer is None:
        return None
    return InsertStatements(at=at, side="before", code=f"{optimizer}.zero_grad()")
