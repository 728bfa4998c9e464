"""A hidden dense layer is not of the 5 to 10 units that an article recommends."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    where,
)


class Limits(Options):
    """The article's range."""

    least: int = 5
    """smallest width"""
    most: int = 10
    """largest width"""


@rule(
    code="LA104",
    name="dense-units-outside-folklore",
    summary="A hidden dense layer has other than 5 to 10 units.",
    family="architecture",
    topic="dense-units",
    severity="advice",
    grade="C",
    article="H2",
    needs=(
        "recurrent_layers",
        "dense_layers",
    ),
    enabled=False,
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for dense in {dense.at: dense for dense in active(program.dense_layers)}.values():
        units = number(dense.units)
        if plain(dense.role) not in ("hidden", "bottleneck") or units is None:
            continue
        if options.least <= units <= options.most:
            continue
        at = where(dense.units, dense)
        yield Finding(
            at=at,
            message=f"a hidden dense layer of {units:g} units, not one of {options.least} to {options.most}",
            label=f"{units:g} units",
            help="keep it: the range is folklore",
            evidence=notes(at, (dense, "the layer")),
        )
