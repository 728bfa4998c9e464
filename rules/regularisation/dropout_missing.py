"""A large recurrent net without any dropout."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    may_be_restrained,
    number,
    recurrent_parameters,
    rule,
    where,
)


class Limits(Options):
    """Which nets are large."""

    parameters: int = 250_000
    """recurrent parameters from which on dropout is suggested: about an LSTM of 256 units"""
    epochs: int = 3
    """shorter runs hardly overfit"""


@rule(
    code="LA204",
    name="dropout-missing",
    summary="A large recurrent net is trained without any dropout, and nothing else holds overfitting back.",
    family="regularisation",
    topic="dropout-missing",
    severity="advice",
    grade="B",
    article="H3",
    needs=("recurrent_layers", "dropouts", "optimizers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    epochs, size = number(program.epochs), recurrent_parameters(program)
    if epochs is None or epochs < options.epochs or program.api == "module" or may_be_restrained(program):
        return
    if size is None or size[0] < options.parameters or size[0] <= (number(program.dataset.size) or 0):
        return
    parameters, largest = size
    yield Finding(
        at=where(largest),
        message=f"at least {parameters:,} recurrent parameters are trained without any dropout",
        label="no dropout",
        help="if the validation loss rises while the training loss falls, put dropout of 0.2 behind the layer",
    )
