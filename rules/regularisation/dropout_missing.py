"""A large recurrent net without any dropout."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    Options,
    Program,
    RecurrentLayer,
    ReplaceExpression,
    SetArgument,
    Undecided,
    items,
    may_be_restrained,
    number,
    of_keras,
    plain,
    recurrent_parameters,
    rule,
    unsafe,
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
        fix=_fix(program, largest),
        help="if the validation loss rises while the training loss falls, put dropout of 0.2 behind the layer",
    )


def _fix(program: Program, layer: RecurrentLayer) -> Fix | None:
    """Dropout as an argument of the layer, where that does something, or else in front of what reads it."""
    of_one_layer = not of_keras(program, layer) and (number(layer.num_layers) or 1) < 2
    if layer.at is None or plain(program.training_step.eval_mode) is False:
        return None
    why = "the layer learns from fewer values at a time"
    if not of_one_layer:
        title = "drop a fifth of " + ("its inputs" if of_keras(program, layer) else "the values between its layers")
        return unsafe(title, why, SetArgument(at=layer.at, name="dropout", code="0.2"))
    heads = [ReplaceExpression(at=where(head), code="self.dropout($)") for head in items(layer.heads)]
    if not heads:
        return None
    made = InsertStatements(at=layer.at, side="after", code="self.dropout = `torch.nn.Dropout`(0.2)")
    return unsafe("drop a fifth of what it gives", "what reads it learns from fewer values at a time", made, *heads)
