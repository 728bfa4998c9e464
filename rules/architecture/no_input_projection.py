"""A wide input goes straight into the recurrence."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unclear,
    where,
)


class Limits(Options):
    """What counts as wide."""

    width: int = 256
    """features of one time step"""


@rule(
    code="LA123",
    name="no-input-projection",
    summary="A very wide input goes straight into the recurrent layer.",
    family="architecture",
    topic="input-projection",
    severity="advice",
    grade="C",
    article="T7",
    needs=("recurrent_layers",),
    enabled=False,
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        units = number(layer.units)
        width = number(layer.input_size)
        into = [edge for edge in active(program.graph) if edge.to == layer.at and edge.from_ != layer.at]
        if width is None or units is None or into or unclear(program.graph):
            continue
        if width < options.width or width <= units:
            continue
        at = where(layer.input_size, layer)
        yield Finding(
            at=at,
            message=f"{width:g} features go straight into the {plain(layer.kind)} of {units:g} units",
            label=f"{width:g} features",
            help=f"put a dense layer of about {units:g} units with an activation before it",
            evidence=notes(at, (layer, "the layer")),
        )
