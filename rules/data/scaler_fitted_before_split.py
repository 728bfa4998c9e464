"""Scaling statistics come from rows that the model is later tested on."""

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

_BY_HAND = {
    "by-hand": "the scale",
    "by-hand-standard": "the scale (mean and deviation)",
    "by-hand-range": "the scale (smallest and largest value)",
}


@rule(
    code="LA601",
    name="scaler-fitted-before-split",
    summary="A scaler is fitted on rows that the model is later validated or tested on.",
    family="data",
    topic="data-leakage",
    severity="error",
    grade="A",
    needs=("scaling",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for scaling in items(program.scaling):
        if scaling.active and unclear(scaling.fit_before_split):
            yield undecided(scaling.fit_before_split, "whether the scaler has seen the test rows")
        if plain(scaling.fit_before_split) is True:
            at, scaler = where(scaling), str(plain(scaling.scaler) or "by-hand")
            name = _BY_HAND.get(scaler, f"the scale of `{scaler}`")
            yield Finding(
                at=at,
                message=f"{name} is taken before the split: it has seen the rows that judge the model{aside(scaling)}",
                label="sees every row",
                help="split first and fit on the training rows alone",
                evidence=notes(at, (program.split, "the split comes only here")),
            )
