"""The last step of a bidirectional layer is read as if it summed the sequence up."""

import re

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Read,
    RecurrentLayer,
    ReplaceExpression,
    Undecided,
    aside,
    items,
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
    code="LA111",
    name="bidirectional-last-step",
    summary="The last step of a bidirectional layer is read, where its backward half has seen one step only.",
    family="architecture",
    topic="bidirectional-last-step",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if number(program.sequence_length) == 1:
        return
    for layer in items(program.recurrent_layers):
        last = [read for read in items(layer.reads) if plain(read.what) == "last-step"]
        if of_keras(program, layer) or plain(layer.bidirectional) is False:
            continue
        if last and unclear(layer.bidirectional):
            yield undecided(layer.bidirectional, "bidirectional")
        if plain(layer.bidirectional) is not True:
            continue
        if unclear(layer.reads):
            yield undecided(layer.reads, "how the output is read")
        for read in last:
            at, kind = where(read, layer), plain(layer.kind, "layer")
            yield Finding(
                at=at,
                message=f"the backward half of this bidirectional {kind} has read one time step only where "
                f"{_quoted(plain(read.expression))} is taken{aside(read)}",
                label="the backward pass begins here",
                help="join the final states of both directions: `torch.cat([h_n[-2], h_n[-1]], dim=-1)`",
                fix=unsafe(
                    "take the backward half at the first step",
                    "the net sees the whole sequence in both directions",
                    _both_ends(program, layer, read),
                ),
                evidence=notes(at, (layer, "bidirectional"), (layer.bidirectional, "made bidirectional here")),
            )


def _quoted(expression: object) -> str:
    return f"`{expression}`" if isinstance(expression, str) else "its last step"


def _both_ends(program: Program, layer: RecurrentLayer, read: Read) -> ReplaceExpression | None:
    """The forward half at the last step and the backward half at the first, where no padding follows the last."""
    found = re.fullmatch(r"([\w.]+)\[(:, )?-1(?:, :)*\]", str(plain(read.expression, "")))
    if found is None or read.at is None or plain(program.padding.padded) is not False:
        return None
    out, middle = found[1], "" if found[2] else ":, "
    first, last = (f"{out}[:, {step}, " if found[2] else f"{out}[{step}, {middle}" for step in (0, -1))
    half = f"{out}.size(-1) // 2"
    code = f"`torch.cat`([{last}: {half}], {first}{half} :]], dim=-1)"
    return ReplaceExpression(at=read.at, was=found[0], code=code)
