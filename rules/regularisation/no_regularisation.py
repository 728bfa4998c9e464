"""Nothing at all holds overfitting back."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    may_be_restrained,
    notes,
    number,
    plain,
    recurrent_parameters,
    rule,
    where,
)


class Limits(Options):
    """Which runs are long enough to overfit, and which nets large enough."""

    epochs: int = 30
    """shorter runs are left alone"""
    turns: int = 1000
    """a loop that turns more often counts steps rather than epochs"""
    small: int = 10_000
    """nets with fewer recurrent parameters are left alone"""
    large: int = 250_000
    """of nets with more of them dropout-missing speaks"""
    toy: int = 64
    """nothing is said of fewer training samples than these"""


@rule(
    code="LA207",
    name="no-regularisation",
    summary="A long training has neither dropout, weight decay, a penalty, early stopping nor a kept best state.",
    family="regularisation",
    topic="regularisation",
    severity="advice",
    grade="A",
    article="T11",
    needs=("recurrent_layers", "dropouts", "optimizers"),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    epochs, size, samples = number(program.epochs), recurrent_parameters(program), number(program.dataset.size)
    if epochs is None or not options.epochs <= epochs <= options.turns or may_be_restrained(program):
        return
    if size is None or not options.small <= size[0] < options.large or program.api == "module":
        return
    if plain(program.dataset.kind) == "stream" or (samples is not None and not options.toy <= samples < size[0]):
        return
    at = where(size[1])
    yield Finding(
        at=at,
        message=f"nothing holds overfitting back over {epochs:g} epochs: no dropout, weight decay or early stopping",
        label="nothing restrains it",
        help="compare training and validation loss over the epochs; where they part, add dropout of 0.2",
        evidence=notes(at, (program.epochs, "so many epochs")),
    )
