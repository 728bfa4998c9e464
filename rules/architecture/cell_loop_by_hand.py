"""A cell is stepped in Python where the layer would do."""

from lstmadvisor.rule import (
    Edge,
    Finding,
    Iterator,
    NoOptions,
    Place,
    Program,
    Undecided,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unclear,
    where,
)


@rule(
    code="LA124",
    name="cell-loop-by-hand",
    summary="A recurrent cell is stepped in a Python loop though nothing is fed back.",
    family="architecture",
    topic="layers",
    severity="advice",
    grade="B",
    frameworks=("pytorch",),
    needs=(
        "recurrent_layers",
        "graph",
    ),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    cells = [x for x in active(program.recurrent_layers) if str(plain(x.kind)).endswith("Cell")]
    steps, edges = number(program.sequence_length), active(program.graph)
    cells = [cell for cell in cells if not of_keras(program, cell)]
    if not cells or steps is None or steps < 2 or unclear(program.graph):
        return
    places = {cell.at for cell in cells}
    before = {edge.from_ for edge in edges if edge.to in places} - places
    loops = {edge.from_ for edge in edges if edge.from_ == edge.to} | _fed_by(places, edges)
    if before & loops or any(plain(edge.via) in ("concatenation", "pooling") for edge in edges if edge.to in places):
        return
    first = cells[0]
    at = where(first)
    yield Finding(
        at=at,
        message=f"this {plain(first.kind)} is stepped through {steps:g} steps in Python, and nothing is fed back",
        label="one step at a time",
        help=f"use `nn.{str(plain(first.kind)).removesuffix('Cell')}`, which reads the whole sequence in one call",
        evidence=notes(at, (first.stepped_by_hand, "stepped here"), *((cell, "and this one") for cell in cells[1:])),
    )


def _fed_by(places: set[Place | None], edges: tuple[Edge, ...]) -> set[Place | None]:
    """Everything that the results of the cells reach."""
    found: set[Place | None] = set()
    while new := {edge.to for edge in edges if edge.from_ in places | found} - found:
        found |= new
    return found
