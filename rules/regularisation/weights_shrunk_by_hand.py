"""The weights are multiplied with a factor below 1 after each update."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    RemoveStatement,
    Severity,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)


class Limits(Options):
    """How much of the weights may be taken away in a step."""

    error: float = 0.01
    """an error from this share on"""
    warning: float = 1e-3
    """a warning above this share"""


@rule(
    code="LA206",
    name="weights-shrunk-by-hand",
    summary="The weights are multiplied with a factor below 1 after each update.",
    family="regularisation",
    topic="weight-decay",
    severity="error",
    grade="X",
    article="H5",
    frameworks=("pytorch",),
    needs=("optimizers",),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for shrunk in active(program.regularizers):
        factor = number(shrunk.amount)
        if plain(shrunk.kind) != "shrunk" or factor is None:
            continue
        taken, at = round(1 - factor, 9), where(shrunk)
        if taken > options.warning:
            yield Finding(
                at=at,
                severity=None if taken >= options.error else Severity.WARNING,
                message=f"all weights are multiplied with {factor:g} in every step: "
                f"what is learned is gone after some {1 / taken:.0f} of them",
                label="shrinks the weights",
                help="delete the line, and use AdamW with a weight decay of 0.01",
                fix=unsafe("delete the line", "the weights keep what they have learned", RemoveStatement(at=at)),
                evidence=notes(at, (shrunk.amount, "the factor")),
            )
