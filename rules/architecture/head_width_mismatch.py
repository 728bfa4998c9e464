"""The linear layer expects another width than the recurrent layer gives."""

from collections import Counter

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RecurrentLayer,
    Undecided,
    active,
    items,
    known,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
    written,
)

_UNCHANGED = ("direct", "selection", "dropout", "activation")
"""What leaves the number of features as it is."""


@rule(
    code="LA114",
    name="head-width-mismatch",
    summary="The linear layer behind a recurrent layer expects another number of features than it gives.",
    family="architecture",
    topic="other",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=(
        "recurrent_layers",
        "dense_layers",
        "graph",
    ),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers, dense_layers = active(program.recurrent_layers), active(program.dense_layers)
    dense_at = {dense.at: dense for dense in dense_layers}
    times = Counter(each.at for each in (*layers, *dense_layers))
    for layer in layers:
        gives = _width(layer)
        if gives is None or of_keras(program, layer) or times[layer.at] > 1:  # built in several sizes by one line
            continue
        for edge in active(program.graph):
            dense = dense_at.get(edge.to) if edge.from_ == layer.at else None
            if dense is None or times[dense.at] > 1 or plain(edge.via) not in _UNCHANGED:
                continue
            into = [other for other in active(program.graph) if other.to == dense.at]
            expects = number(dense.input_units)
            if expects is None or expects == gives or len(into) != 1 or plain(edge.skip) is True:
                continue
            at = where(dense.input_units, dense)
            yield Finding(
                at=at,
                message=f"this linear layer expects {expects:g} features, and the {plain(layer.kind)} gives {gives:g}",
                label=f"expects {expects:g}",
                help=f"give it {gives:g} input features",
                fix=unsafe(f"expect {gives:g}", "the layers fit together", written(dense.input_units, int(gives))),
                evidence=notes(at, (dense, "the linear layer"), (layer, f"gives {gives:g}")),
            )


def _width(layer: RecurrentLayer) -> int | float | None:
    """The features of each step that a layer gives; None where it is not known, or anything but its steps is read."""
    units, projected, both = number(layer.units), number(layer.proj_size), plain(layer.bidirectional)
    reads = {plain(read.what) for read in items(layer.reads)}
    if not known(layer.reads) or not reads or not reads <= {"all-steps", "last-step"} or units is None or both is None:
        return None
    if plain(layer.kind) == "LSTM" and projected is None:
        return None
    return (projected or units) * (2 if both else 1)
