"""Two dense layers with nothing non-linear between them."""

from lstmadvisor.rule import (
    DenseLayer,
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    known,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA126",
    name="linear-layers-stacked",
    summary="A dense layer follows another without an activation: together they are one linear map.",
    family="architecture",
    topic="dense-units",
    severity="advice",
    grade="A",
    article="H2",
    needs=(
        "recurrent_layers",
        "dense_layers",
    ),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    dense_at = {dense.at: dense for dense in active(program.dense_layers)}
    stacked: list[tuple[DenseLayer, DenseLayer]] = []
    for dense in dense_at.values():
        after = [edge for edge in active(program.graph) if edge.from_ == dense.at]
        if plain(dense.role) != "hidden" or plain(dense.activation) != "none" or len(after) != 1:
            continue
        behind = dense_at.get(after[0].to)
        direct = plain(after[0].via, "direct") in ("direct", "reshape", "time-distributed") and known(after[0].via)
        if behind is not None and direct and plain(after[0].skip) is not True and not _factorises(dense, behind):
            stacked.append((dense, behind))
    if not stacked or program.api == "module":
        return
    first, behind = stacked[0]
    at, units = where(first), number(first.units)
    yield Finding(
        at=at,
        message=f"no activation between this dense layer{'' if units is None else f' of {units:g} units'} and the next:"
        " together they are one linear map",
        label="linear",
        help="give it an activation (relu), or drop it",
        evidence=notes(at, (behind, "the next dense layer"), *((dense, "the same here") for dense, _ in stacked[1:])),
    )


def _factorises(dense: DenseLayer, behind: DenseLayer) -> bool:
    """Whether the pair may be a low-rank factor that saves parameters."""
    width, units, after = number(dense.input_units), number(dense.units), number(behind.units)
    if after == 1:
        return False
    return units is None or after is None or (units < after and (width is None or units < width))
