"""An output per time step is trained on one value per sequence."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RemoveArgument,
    Undecided,
    active,
    known,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA110",
    name="sequence-into-single-target",
    summary="The model gives one value per time step, the target has one per sequence.",
    family="architecture",
    topic="return-sequences",
    severity="warning",
    grade="A",
    frameworks=("keras",),
    needs=(
        "recurrent_layers",
        "dense_layers",
    ),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    shape, steps = plain(program.targets.shape), number(program.sequence_length)
    if steps == 1 or unclear(program.graph):
        return
    outputs = {d.at: d for d in active(program.dense_layers) if plain(d.role) == "output" and plain(d.units) == 1}
    passing = {item.at for item in (*active(program.dropouts), *active(program.normalizations))}
    passing = {at for at in passing if len({edge.from_ for edge in active(program.graph) if edge.to == at}) == 1}
    edges = [edge for edge in active(program.graph) if known(edge.via) and plain(edge.via) is None]
    layers = active(program.recurrent_layers)
    for layer in layers:
        alone = sum(other.at == layer.at for other in layers) == 1
        if not alone or not of_keras(program, layer) or plain(layer.return_sequences) is not True:
            continue
        ends = {edge.to for edge in edges if edge.from_ == layer.at}
        ends |= {edge.to for edge in edges if edge.from_ in ends & passing}
        if not ends & set(outputs):
            continue
        if unclear(program.targets.shape):
            yield undecided(program.targets.shape, "targets")
        if not isinstance(shape, (list, tuple)) or not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
            continue
        at = where(layer.return_sequences, layer)
        yield Finding(
            at=at,
            message="the model gives a value for each time step, and the target has one for the sequence: "
            "it is compared with every step",
            label="gives every step",
            help="drop `return_sequences=True` from the last recurrent layer",
            fix=unsafe(
                "return the last step only",
                "the target is compared with one value, not with every step",
                RemoveArgument(at=where(layer), name="return_sequences"),
            ),
            evidence=notes(at, (layer, "the last recurrent layer"), *((outputs[end], "one unit") for end in outputs)),
        )
