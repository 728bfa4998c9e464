"""A deep stack of recurrent layers has no layer normalisation."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    active,
    notes,
    rule,
    stacks,
    unclear,
    undecided,
    where,
)


class Limits(Options):
    """When layer normalisation is worth trying."""

    layers: int = 3
    """stacked recurrent layers from which it is advised"""


@rule(
    code="LA122",
    name="no-layer-norm",
    summary="Three or more stacked recurrent layers have no normalisation between them.",
    family="architecture",
    topic="layer-norm",
    severity="advice",
    grade="B",
    article="T6",
    needs=("recurrent_layers",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    deep = [stack for stack in stacks(program) if stack.depth >= options.layers and not stack.skips]
    if not deep or program.api == "module":
        return
    if unclear(program.normalizations):
        yield undecided(program.normalizations, "normalisation")
    if program.normalizations != () and (unclear(program.normalizations) or active(program.normalizations)):
        return
    layers = deep[0].layers
    at = where(layers[0])
    yield Finding(
        at=at,
        message=f"{deep[0].depth} stacked recurrent layers without layer normalisation",
        label="no normalisation",
        help="if you keep this depth, put layer normalisation between the layers",
        evidence=notes(at, *((layer, "a layer of the stack") for layer in layers[1:])),
    )
