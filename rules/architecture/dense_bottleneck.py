"""A hidden dense layer is narrower than what it connects."""

from lstmadvisor.rule import (
    DenseLayer,
    Edge,
    Finding,
    Iterator,
    Options,
    Place,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    where,
)


class Limits(Options):
    """When a hidden layer counts as a bottleneck."""

    classes: int = 11
    """fewer classes than these need no width"""


@rule(
    code="LA103",
    name="dense-bottleneck",
    summary="A hidden dense layer is narrower than half of its input and half of the classes.",
    family="architecture",
    topic="dense-units",
    severity="warning",
    grade="B",
    article="H2",
    needs=(
        "recurrent_layers",
        "dense_layers",
    ),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    outputs = [dense for dense in active(program.dense_layers) if plain(dense.role) == "output"]
    edges = active(program.graph)
    if len(outputs) != 1 or not _classifies(program):
        return
    classes = number(outputs[0].units)
    into = {edge.from_ for edge in edges if edge.to == outputs[0].at}
    for dense in active(program.dense_layers):
        units, width = number(dense.units), number(dense.input_units)
        if plain(dense.role) not in ("hidden", "bottleneck") or plain(dense.activation, "none") == "none":
            continue
        if classes is None or units is None or width is None or classes < options.classes:
            continue
        if units * 2 >= min(width, classes) or not _all_through(dense, into, edges, program):
            continue
        at = where(dense.units, dense)
        yield Finding(
            at=at,
            message=f"{units:g} units stand between {width:g} features and {classes:g} classes",
            label="the narrowest place",
            help=f"drop this layer, or make it {_round(min(width, classes))} units wide",
            evidence=notes(at, (dense, "the hidden layer"), (outputs[0], f"{classes:g} classes")),
        )


def _classifies(program: Program) -> bool:
    return plain(program.targets.kind) in ("class-ids", "one-hot") and number(program.output.units) != 1


def _all_through(dense: DenseLayer, into: set[Place | None], edges: tuple[Edge, ...], program: Program) -> bool:
    """Whether the output reads nothing but this layer, past dropout, activations and normalisation."""
    passing = {item.at for item in (*active(program.dropouts), *active(program.normalizations))}
    for _ in range(4):
        if into == {dense.at}:
            return True
        if len(into) != 1 or not into <= passing:
            return False
        into = {edge.from_ for edge in edges if edge.to in into}
    return False


def _round(width: float) -> int:
    return max(8, int(width) // 8 * 8)
