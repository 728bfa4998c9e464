"""`view` or `reshape` is used to exchange batch and time."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    ReplaceExpression,
    Reshape,
    Undecided,
    active,
    aside,
    items,
    mixes_batch,
    notes,
    of_keras,
    plain,
    rule,
    unsafe,
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
            fix=_transposed(reshape),
            evidence=notes(at, *((layer, "reads the mixture") for layer in layers[:3])),
        )


def _transposed(reshape: Reshape) -> Fix | None:
    """The two axes exchanged."""
    of, at = plain(reshape.of), where(reshape)
    swap = None if of is None else ReplaceExpression(at=at, code=f"{of}.transpose(0, 1).contiguous()")
    return unsafe("exchange the axes", "every sequence is read in its own order", swap)
