"""A softmax that has nothing to compare: it is 1 whatever the network says."""

from lstmadvisor.rule import (
    ABSENT,
    Finding,
    Item,
    Iterator,
    NoOptions,
    Program,
    Read,
    Undecided,
    Value,
    active,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
    written,
)

_SOFTMAX = {"softmax", "logsoftmax"}
_LAST = {None, -1, 2}
_SUMMARIES = {"last-step", "first-state", "last-state", "half-state", "states-joined", "pooled"}


@rule(
    code="LA518",
    name="one-unit-softmax",
    summary="A softmax runs over a single unit, or over the samples of a batch.",
    family="training",
    topic="activation-mismatch",
    severity="error",
    grade="A",
    article="H6",
    needs=("dense_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    batch = number(program.batch_size)
    if unclear(program.output.activation):
        yield undecided(program.output.activation, "activation of the output")
    for units, activation, dim, item in _softmaxes(program):
        at, name, axis = where(activation, item, program), plain(activation), plain(dim)
        if axis == 0 and batch is not None and batch > 1:
            yield Finding(
                at=where(dim, at),
                message=f"{name} over axis 0 makes the {batch:g} samples of a batch share one probability{aside(item)}",
                label="compares samples",
                help="take the softmax over the classes: `dim=-1`",
                fix=unsafe("compare the classes", "each sample gets a distribution of its own", written(dim, -1)),
                evidence=notes(where(dim, at), (at, "applied here"), (program.batch_size, "the batch size")),
            )
        elif number(units) == 1 and (axis in _LAST or (axis == 1 and _one_row_a_sample(program))):
            yield Finding(
                at=at,
                message=f"{name} over one unit is {0 if name == 'logsoftmax' else 1} whatever comes in{aside(item)}",
                label="nothing to compare with",
                help="use a sigmoid, with binary cross-entropy as the loss",
                evidence=notes(at, (units, "one unit"), (item, "the output")),
            )
        elif unclear(units):
            yield undecided(units, "units of the output")


def _softmaxes(program: Program) -> Iterator[tuple[Value, Value, Value, Item]]:
    """Units, activation and axis of everything that ends in a softmax, each place once."""
    output = program.output
    found: list[tuple[Value, Value, Value, Item]] = [(output.units, output.activation, output.softmax_axis, output)]
    if program.framework == "keras":
        found += [(layer.units, layer.activation, ABSENT, layer) for layer in items(program.dense_layers)]
    heads = {where(head[1], head[3], program): head for head in found if plain(head[1]) in _SOFTMAX}
    yield from heads.values()


def _one_row_a_sample(program: Program) -> bool:
    """Whether axis 1 is the last one: no step but the final one is read, so that the output is no sequence."""
    layers = active(program.recurrent_layers)
    return bool(layers) and all(
        read.active and plain(read.what) in _SUMMARIES for layer in layers for read in items(layer.reads) or [Read()]
    )
