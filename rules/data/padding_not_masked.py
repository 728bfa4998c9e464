"""Keras: padded sequences reach a recurrent layer without a mask."""

from lstmadvisor.rule import (
    Embedding,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
    Severity,
    Undecided,
    active,
    notes,
    of_keras,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA608",
    name="padding-not-masked",
    summary="Padded sequences go into a recurrent layer without a mask.",
    family="data",
    topic="masking-missing",
    severity="warning",
    grade="A",
    frameworks=("keras",),
    needs=("padding.padded", "recurrent_layers"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    padding = program.padding
    layers = [layer for layer in active(program.recurrent_layers) if of_keras(program, layer)]
    if plain(padding.padded) is not True or not layers or isinstance(plain(padding.value), str):
        return  # a filler that is written as text is a symbol like the others
    if unclear(padding.masked):
        yield undecided(padding.masked, "whether a mask reaches the recurrent layers")
    if plain(padding.masked) is not False:
        return
    keras = program.framework == "keras"  # else PyTorch's embeddings, whose padding is no flag, may be among them
    embeddings = [
        e for e in active(program.embeddings) if plain(e.padding) is False or (keras and plain(e.padding) is not True)
    ]
    left, right = (plain(padding.side) in sides for sides in (("left", "pre"), ("right", "post")))
    backward = any(plain(layer.bidirectional) is True for layer in layers)
    every = plain(layers[-1].return_sequences) is True
    at = where(*embeddings[:1], layers[0])
    direction = "in front of" if left else "behind" if right else "of"
    reader = next((layer for layer in layers if plain(layer.bidirectional) is True), layers[0])
    if left or (right and every):
        spoilt = f", where the backward layer {'ends' if left else 'begins'}," if backward else ""
    else:
        spoilt = ", where the last state is taken," if right else ""
    yield Finding(
        at=at,
        severity=None if backward or every or right else Severity.ADVICE,
        message=f"the padding {direction} the shorter sequences{spoilt} is read like data: nothing masks it",
        label="no mask",
        help="pass `mask_zero=True` to the Embedding" if embeddings else "put a `Masking` layer in front",
        fix=_masked(program, embeddings),
        evidence=notes(
            at,
            (padding.padded, "padded here"),
            (padding, "padded here"),
            (reader, "reads the padding, too"),
        ),
    )


def _masked(program: Program, embeddings: list[Embedding]) -> Fix | None:
    """A mask of the zeros, where these are the padding."""
    if not embeddings or plain(program.padding.value) != 0:
        return None
    edits = (SetArgument(at=where(each), name="mask_zero", code="True") for each in embeddings)
    return unsafe("mask the zeros", "the layers behind step over the padding", *edits)
