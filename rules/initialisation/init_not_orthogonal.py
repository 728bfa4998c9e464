"""Recurrent weights that are not orthogonal."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    of_keras,
    plain,
    rule,
    unclear,
    where,
)


@rule(
    code="LA308",
    name="init-not-orthogonal",
    summary="The recurrent weights of a PyTorch layer keep their small uniform default, far from orthogonal.",
    family="initialisation",
    topic="init-bad",
    severity="advice",
    grade="B",
    article="H4",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "initializations"),
    enabled=False,
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if unclear(program.initializations) or any(
        plain(i.target) == "recurrent-weights" for i in active(program.initializations)
    ):
        return
    layers = [layer for layer in active(program.recurrent_layers) if not of_keras(program, layer)]
    if layers:
        yield Finding(
            at=where(layers[0]),
            message="the recurrent weights keep PyTorch's default, whose spectral radius is about 0.58",
            label="not orthogonal",
            help="make each gate's block orthogonal: `for w in rnn.weight_hh_l0.chunk(4): nn.init.orthogonal_(w)`",
        )
