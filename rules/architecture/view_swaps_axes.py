"""`view` or `reshape` is used to exchange batch and time."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    aside,
    items,
    mixes_batch,
    notes,
    of_keras,
    plain,
    rule,
    where,
)


@rule(
    code="LA116",
    name="view-swaps-axes",
    summary="A reshape is used where the axes of batch and time should be transposed.",
    family="architecture",
    topic="batch-first-mismatch",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=(
        "recurrent_layers",
        "reshapes",
    ),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if mixes_batch(program) is False:
        return  # measured: every sequence is answered by itself
    for reshape in items(program.reshapes):
        if plain(reshape.swaps_batch_and_time) is not True:
            continue
        at = where(reshape)
        layers = [layer for layer in active(program.recurrent_layers) if not of_keras(program, layer)]
        yield Finding(
            at=at,
            message=f"a reshape is to exchange batch and time, which it scrambles: samples are cut up and mixed"
            f"{aside(reshape)}",
            label="does not transpose",
            help="exchange the axes with `transpose(0, 1)`",
            evidence=notes(at, *((layer, "reads the mixture") for layer in layers[:3])),
        )
