"""The running total of the loss keeps the graph of every step alive."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Known,
    Loss,
    NoOptions,
    Program,
    ReplaceExpression,
    Undecided,
    active,
    notes,
    plain,
    rule,
    safe,
    where,
)


@rule(
    code="LA510",
    name="loss-keeps-graph",
    summary="Losses are added up as tensors that still carry their graph.",
    family="training",
    topic="loss-item-leak",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("losses",),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for loss in active(program.losses):
        if plain(loss.running_total) != "keeps-graph":
            continue
        at = where(loss.running_total, loss)
        yield Finding(
            at=at,
            message="the total keeps the autograd graph of every loss that is added to it",
            label="holds every graph",
            help="add `loss.item()`, or `loss.detach()`, to the total",
            fix=safe("add the loss without its graph", _detached(loss)),
            evidence=notes(at, (loss, "the loss is made here")),
        )


def _detached(loss: Loss) -> ReplaceExpression | None:
    """`detach()` and not `item()`, since the total may be used as a tensor."""
    if not isinstance(loss.added, Known) or loss.added.at is None:
        return None
    return ReplaceExpression(at=loss.added.at, code="$.detach()")
