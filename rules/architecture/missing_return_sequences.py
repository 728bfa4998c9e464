"""A recurrent layer is fed by one that gives its last step only."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
    Undecided,
    active,
    known,
    notes,
    of_keras,
    plain,
    rule,
    safe,
    where,
)


@rule(
    code="LA109",
    name="missing-return-sequences",
    summary="A recurrent layer is fed by one that returns its last step only.",
    family="architecture",
    topic="return-sequences",
    severity="error",
    grade="A",
    frameworks=("keras",),
    needs=(
        "recurrent_layers",
        "graph",
    ),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = {layer.at: layer for layer in active(program.recurrent_layers) if of_keras(program, layer)}
    twice = len(layers) != len(active(program.recurrent_layers))
    edges = active(program.graph)
    fed = {end: {edge.from_ for edge in edges if edge.to == end} for end in {edge.to for edge in edges}}
    passing = {item.at for item in (*active(program.dropouts), *active(program.normalizations))}
    for layer in () if twice else layers.values():
        if plain(layer.return_sequences) is not False or str(plain(layer.kind)).startswith("Conv"):
            continue
        reached, seen = {layer.at}, {layer.at}
        while reached:
            ends = [
                edge
                for edge in edges
                if edge.from_ in reached and known(edge.via) and plain(edge.via) is None and len(fed[edge.to]) == 1
            ]
            for behind in (layers[edge.to] for edge in ends if edge.to in layers):
                at = where(layer)
                yield Finding(
                    at=at,
                    message=f"this {plain(layer.kind)} returns its last step only, "
                    f"and the {plain(behind.kind)} behind it needs all steps",
                    label="last step only",
                    help="pass `return_sequences=True`",
                    fix=safe("return all steps", SetArgument(at=at, name="return_sequences", code="True")),
                    evidence=notes(at, (behind, "fed by it"), (layer.return_sequences, "written here")),
                )
            reached = {edge.to for edge in ends if edge.to in passing} - seen
            seen |= reached
