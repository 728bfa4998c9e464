"""A window is scaled by statistics that hold the value which is to be predicted."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    aside,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA602",
    name="target-in-its-own-scale",
    summary="Each window is scaled by statistics that hold its own target.",
    family="data",
    topic="data-leakage",
    severity="error",
    grade="A",
    needs=("scaling",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for scaling in items(program.scaling):
        if scaling.active and unclear(scaling.target_included):
            yield undecided(scaling.target_included, "what a window is scaled by")
        if plain(scaling.target_included) is True:
            at = where(scaling)
            yield Finding(
                at=at,
                message=f"each window is scaled together with its target, which shows in the inputs{aside(scaling)}",
                label="has seen the target",
                help="take the statistics from the inputs alone, and apply them to the target",
                evidence=notes(at, (scaling.target_included, "inputs and target are one window here")),
            )
