"""A recurrent layer takes the batch for time, or time for the batch."""

from lstmadvisor.rule import (
    Edit,
    Finding,
    Iterator,
    NoOptions,
    Program,
    RemoveArgument,
    SetArgument,
    Undecided,
    aside,
    items,
    mixes_batch,
    notes,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA115",
    name="batch-first-mismatch",
    summary="The layout of the input is not the one that the layer was built for.",
    family="architecture",
    topic="batch-first-mismatch",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if mixes_batch(program) is False:
        return  # measured: every sequence is answered by itself
    for layer in items(program.recurrent_layers):
        layout, first, kind = plain(layer.input_layout), plain(layer.batch_first), plain(layer.kind, "layer")
        if of_keras(program, layer) or not isinstance(first, bool):
            continue
        if layout == "batch-major" and not first:
            told, step = "is fed batch-major data without `batch_first`", "pass `batch_first=True`"
            edit: Edit = SetArgument(at=where(layer), name="batch_first", code="True")
        elif layout == "time-major" and first:
            told, step = "is fed time-major data with `batch_first=True`", "drop `batch_first=True`"
            edit = RemoveArgument(at=where(layer), name="batch_first")
        else:
            continue
        at = where(layer.batch_first, layer)
        yield Finding(
            at=at,
            message=f"this {kind} {told}: it runs over the samples, not over time{aside(layer)}",
            label="time and batch exchanged",
            help=step,
            fix=unsafe(step, "the layer runs over time, not over the samples", edit),
            evidence=notes(at, (layer, "the layer"), (layer.input_layout, f"{layout} here")),
        )
