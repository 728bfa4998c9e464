"""The initial state is always zero."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    plain,
    rule,
    where,
)


@rule(
    code="LA311",
    name="initial-state-not-learned",
    summary="The initial state is always zero; it could be learned.",
    family="initialisation",
    topic="learned-initial-state",
    severity="advice",
    grade="C",
    article="T8",
    needs=("recurrent_layers", "hidden_state"),
    enabled=False,
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = active(program.recurrent_layers)
    if (
        layers
        and plain(program.hidden_state.carried) is False
        and plain(program.hidden_state.initial) in ("zeros", "none")
    ):
        yield Finding(
            at=where(layers[0]),
            message="every sequence starts from a state of zeros",
            label="starts from zeros",
            help="for short sequences, try a learned state: an `nn.Parameter` expanded to the batch",
        )
