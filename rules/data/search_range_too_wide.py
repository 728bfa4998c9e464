"""A search tries values that are known to be wrong."""

from lstmadvisor.rule import (
    Finding,
    Item,
    Iterator,
    Known,
    Options,
    Program,
    Undecided,
    Value,
    active,
    notes,
    plain,
    rule,
    where,
)


class Limits(Options):
    """What a search need not try."""

    dropout: float = 0.5
    """dropout rates above this"""
    learning_rate: float = 0.1
    """learning rates of Adam and its kin above this"""
    layers: int = 3
    """more recurrent layers than these"""


@rule(
    code="LA622",
    name="search-range-too-wide",
    summary="A search spends trials on values that are known to do harm.",
    family="data",
    topic="tuning",
    severity="advice",
    grade="B",
    article="A01",
    needs=("tuning.tool",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    told: set[object] = set()
    for name, limit, fact, item in _searched(program, options):
        most = _highest(fact)
        at = where(fact, item)
        if most is None or most <= limit or at in told:
            continue
        told.add(at)
        yield Finding(
            at=at,
            message=f"the search tries a {name} of up to {most:g}, where more than {limit:g} does harm",
            label="too wide",
            help=f"end the range at {limit:g}",
            evidence=notes(at, (item, "used here"), (program.tuning, "the search")),
        )


def _searched(program: Program, options: Limits) -> Iterator[tuple[str, float, Value, Item]]:
    for drop in active(program.dropouts):
        yield "dropout", options.dropout, drop.rate, drop
    for layer in active(program.recurrent_layers):
        yield "dropout", options.dropout, layer.dropout, layer
        yield "recurrent dropout", options.dropout, layer.recurrent_dropout, layer
        yield "number of layers", options.layers, layer.num_layers, layer
    for optimizer in active(program.optimizers):
        if plain(optimizer.name) in ("Adam", "AdamW", "NAdam", "Nadam", "RAdam", "Adamax", "RMSprop"):
            yield "learning rate", options.learning_rate, optimizer.learning_rate, optimizer


def _highest(fact: Value) -> float | None:
    """The highest value that a search may try."""
    if not isinstance(fact, Known) or fact.via != "search" or not isinstance(fact.value, dict):
        return None
    tried = [fact.value.get("high"), *(fact.value.get("choices") or ())]
    numbers = [value for value in tried if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return max(numbers, default=None)
