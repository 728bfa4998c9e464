"""Batch normalisation stands between recurrent layers."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Normalization,
    Program,
    ReplaceExpression,
    Severity,
    Undecided,
    active,
    notes,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA121",
    name="batchnorm-on-recurrent-output",
    summary="Batch normalisation between recurrent layers mixes samples and time steps.",
    family="architecture",
    topic="layer-norm",
    severity="advice",
    grade="B",
    article="T6",
    needs=(
        "recurrent_layers",
        "normalizations",
    ),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if any(str(plain(layer.kind)).startswith("Conv") for layer in active(program.recurrent_layers)):
        return
    found = [
        norm
        for norm in active(program.normalizations)
        if plain(norm.kind) == "batch" and plain(norm.position) == "between"
    ]
    if not found:
        return
    at, padded = where(found[0]), plain(program.padding.padded) is True
    padded = padded and plain(program.padding.masked) is not True and plain(program.padding.packed) is not True
    yield Finding(
        at=at,
        severity=Severity.WARNING if padded else Severity.ADVICE,
        message="batch normalisation between recurrent layers takes its statistics over samples and time steps"
        f"{', padding included' if padded else ''}",
        label="over batch and time",
        help="use layer normalisation here",
        fix=_over_units(found) if program.framework == "keras" else None,
        evidence=notes(
            at, *((norm, "and here") for norm in found[1:]), (program.padding if padded else None, "padded here")
        ),
    )


def _over_units(found: list[Normalization]) -> Fix | None:
    """Layer normalisation in the same places.  In PyTorch transpositions around it would have to go as well.

    Nothing that batch normalisation was told is kept: momentum and moving averages have no counterpart.
    """
    edits = [ReplaceExpression(at=where(norm), code="`keras.layers.LayerNormalization`()") for norm in found]
    return unsafe("normalise over the units", "each time step of each sample is normalised by itself", *edits)
