"""A reshaped `h_n` puts states of different samples into one row."""

import re

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Read,
    ReplaceExpression,
    Undecided,
    aside,
    items,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA113",
    name="state-view-mixes-batch",
    summary="The final state is reshaped without a transpose, which puts states of different samples into one row.",
    family="architecture",
    topic="bidirectional-last-step",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in items(program.recurrent_layers):
        viewed = [read for read in items(layer.reads) if plain(read.what) == "viewed-state"]
        depth, both, kind = number(layer.num_layers), plain(layer.bidirectional), plain(layer.kind, "layer")
        if not viewed or of_keras(program, layer) or depth is None or both is None:
            continue
        states = depth * (2 if both else 1)
        if states < 2 or number(program.batch_size) == 1:
            continue
        for read in viewed:
            at = where(read, layer)
            yield Finding(
                at=at,
                message=f"the {states:g} final states of this {kind} are reshaped across the batch: a row mixes samples"
                f"{aside(read)}",
                label="mixes samples",
                help="bring the batch to the front first: `h_n.transpose(0, 1).reshape(batch, -1)`",
                fix=unsafe("bring the batch to the front", "a row holds one sample", _batch_first(read)),
                evidence=notes(at, (layer, f"h_n has the shape ({states:g}, batch, units)")),
            )


def _batch_first(read: Read) -> ReplaceExpression | None:
    """`h.view(n, -1)` as `h.transpose(0, 1).reshape(n, -1)`."""
    found = re.fullmatch(r"(?s)(.+)\.(?:view|reshape)\((.+)\)", str(plain(read.expression, "")))
    if found is None or read.at is None:
        return None
    return ReplaceExpression(at=read.at, was=found[0], code=f"{found[1]}.transpose(0, 1).reshape({found[2]})")
