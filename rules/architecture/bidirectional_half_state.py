"""Only one direction's final state of a bidirectional layer is used."""

import re

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Read,
    ReplaceExpression,
    Undecided,
    active,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)

_BOTH = ("all-steps", "pooled", "states-joined", "whole-state")
"""reads that use both directions"""


@rule(
    code="LA112",
    name="bidirectional-half-state",
    summary="A single state, or a slice that mixes layers, is taken for the summary of a bidirectional layer.",
    family="architecture",
    topic="bidirectional-last-step",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        reads = active(layer.reads)
        turned = [read for read in reads if plain(read.what) == "unreversed"]
        halves = [read for read in reads if plain(read.what) == "half-state"]
        if of_keras(program, layer):
            continue
        if turned:
            at = where(turned[0], layer)
            yield Finding(
                at=at,
                message="step t of the forward cell is paired with step T-1-t of the backward cell",
                label="reversed in time",
                help="turn the list of the backward cell round before the two are joined",
                evidence=notes(at, (layer, "the backward cell"), *((read, "and here") for read in turned[1:])),
            )
        if not halves or plain(layer.bidirectional) is not True or number(program.sequence_length) == 1:
            continue
        depth, kind = number(layer.num_layers), plain(layer.kind, "layer")
        if depth is None or (depth == 1 and any(plain(read.what) in _BOTH for read in reads)):
            continue
        at = where(halves[0], layer)
        yield Finding(
            at=at,
            message=f"{_quoted(plain(halves[0].expression))} leaves out half of what this bidirectional {kind} "
            "has read",
            label="not both directions",
            help="join the final states of both directions: `torch.cat([h_n[-2], h_n[-1]], dim=-1)`",
            fix=unsafe(
                "add the states of both directions",
                "the net goes by what both directions have read",
                *map(_summed, halves),
            ),
            evidence=notes(
                at,
                *((read, "read so here as well") for read in halves[1:]),
                (layer, "bidirectional"),
                (layer.bidirectional, "made bidirectional here"),
            ),
        )


def _quoted(expression: object) -> str:
    return f"`{expression}`" if isinstance(expression, str) else "one state"


def _summed(read: Read) -> ReplaceExpression | None:
    """The sum of both directions, which is as wide as one of them."""
    expression = str(plain(read.expression, ""))
    last = re.fullmatch(r"([\w.]+)\[-1((?:, :)*)\]", expression)
    first = re.fullmatch(r"([\w.]+)(\[(?:0)?: ?[\w.]+\])", expression)
    if read.at is None or not (last or first):
        return None
    if last:
        state, rest = last.groups()
        code = f"({state}[-2{rest}] + {state}[-1{rest}])"
    else:
        assert first is not None
        state, layers = first.groups()
        code = f"({state}[0::2] + {state}[1::2]){layers}"
    return ReplaceExpression(at=read.at, was=expression, code=code)
