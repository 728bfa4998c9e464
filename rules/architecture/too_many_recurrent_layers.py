"""More recurrent layers are stacked than the data repay."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    notes,
    rule,
    stacks,
    where,
)


class Limits(Options):
    """Depths of a stack."""

    advice: int = 3
    """from this depth it is worth a word"""
    warning: int = 4
    """from this depth it is a warning"""


@rule(
    code="LA101",
    name="too-many-recurrent-layers",
    summary="Three or more recurrent layers are stacked without residual connections.",
    family="architecture",
    topic="layers",
    severity="warning",
    grade="B",
    article="H1",
    needs=("recurrent_layers",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    deep = [stack for stack in stacks(program) if stack.depth >= options.advice and not stack.skips]
    if not deep or program.api == "module":
        return
    stack = deep[0]
    first = stack.layers[0]
    at = where(first.num_layers, first) if len(stack.layers) == 1 else where(stack.layers[-1])
    loud = stack.depth >= options.warning
    yield Finding(
        at=at,
        severity=Severity.WARNING if loud else Severity.ADVICE,
        message=f"{stack.depth} recurrent layers are stacked without residual connections",
        label=f"{stack.depth} layers",
        help="try 2 layers on the same data, or add residual connections",
        evidence=notes(at, *((layer, "a layer of the stack") for layer in stack.layers)),
    )
