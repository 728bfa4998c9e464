"""Dropout that the program asks for and never gets."""

from lstmadvisor.rule import (
    Dropout,
    Finding,
    Fix,
    Iterator,
    Known,
    NoOptions,
    Program,
    RecurrentLayer,
    RemoveArgument,
    RemoveStatement,
    Undecided,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    safe,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA202",
    name="dropout-does-nothing",
    summary="Dropout is asked for where nothing is ever dropped.",
    family="regularisation",
    topic="dropout-noop",
    severity="warning",
    grade="A",
    article="H3",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "dropouts"),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        if not of_keras(program, layer) and not _left_to_callers(program, layer):
            yield from _between_layers(layer)
    for drop in active(program.dropouts):
        rate = number(drop.rate)
        if plain(drop.position) == "unused" and rate != 0:
            yield Finding(
                at=where(drop),
                message=f"this dropout{'' if rate is None else f' of {rate:g}'} is built and never called",
                label="never called",
                help="call it in `forward`, or delete it",
                fix=_deleted(drop),
                evidence=notes(where(drop), (drop.rate, "its rate")),
            )
        elif unclear(drop.position):
            yield undecided(drop.position, "where the dropout is applied")
    for dead in active(program.dead_settings):
        if plain(dead.kind) == "zeroed-by-guard" and plain(dead.setting) == "dropout":
            yield Finding(
                at=where(dead),
                message=f"the guard around `{plain(dead.name, 'dropout')}` makes it 0 in every case",
                label="always 0",
                help="turn the comparison round",
            )


def _deleted(drop: Dropout) -> Fix | None:
    """The statement that makes the dropout taken away, if it does nothing else."""
    return safe("delete it", RemoveStatement(at=where(drop)) if plain(drop.called) is not None else None)


def _between_layers(layer: RecurrentLayer) -> Iterator[Finding | Undecided]:
    """PyTorch drops between the layers of a stack: with a single layer there is no such place."""
    rate, layers, at = number(layer.dropout), number(layer.num_layers), where(layer)
    if layers == 1 and rate is not None and rate > 0:
        yield Finding(
            at=at,
            message=f"`dropout={rate:g}` does nothing in a one-layer {plain(layer.kind, 'net')}: "
            "PyTorch drops only between layers",
            label="one layer",
            help=f"put `nn.Dropout({rate:g})` behind the layer instead",
            fix=safe("delete the argument", RemoveArgument(at=at, name="dropout")),
            evidence=notes(at, (layer.dropout, "the rate"), (layer.num_layers, "one layer")),
        )
    elif layers is None and rate != 0 and unclear(layer.num_layers):
        yield undecided(layer.num_layers, "number of layers")
    elif layers == 1 and rate is None and unclear(layer.dropout):
        yield undecided(layer.dropout, "dropout")


def _left_to_callers(program: Program, layer: RecurrentLayer) -> bool:
    """A module that others import has the number of layers as a parameter: one is only what it begins with."""
    layers = layer.num_layers
    return program.api == "module" and isinstance(layers, Known) and layers.via == "function-default"
