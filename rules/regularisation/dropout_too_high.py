"""A dropout rate throws away more than half of the signal, or is no rate at all."""

from lstmadvisor.rule import (
    Dropout,
    Finding,
    Item,
    Iterator,
    Options,
    Program,
    RecurrentLayer,
    Severity,
    Undecided,
    Value,
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
    written,
)


class Limits(Options):
    """How much may be dropped."""

    most: float = 0.5
    """higher rates are reported; 1.0 and more, or less than 0, always"""
    instead: float = 0.2
    """the rate that is offered instead"""


@rule(
    code="LA201",
    name="dropout-too-high",
    summary="A dropout rate throws away more than half of the signal, or is no rate at all.",
    family="regularisation",
    topic="dropout-too-high",
    severity="warning",
    grade="B",
    article="H3",
    needs=("dropouts", "recurrent_layers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for name, fact, item in _rates(program):
        rate, at = number(fact), where(fact, item)
        evidence = notes(at, (item, "dropped here"))
        if rate is None and item.active and unclear(fact):
            yield undecided(fact, name)
        elif rate is not None and not 0 <= rate < 1:
            fraction = rate / 100 if 1 < rate <= 100 * options.most else options.instead
            yield Finding(
                at=at,
                severity=Severity.ERROR,
                message=f"a {name} of {rate:g} {_consequence(program, name, rate, item)}{aside(item)}",
                label="not a rate",
                help=f"write a fraction: {fraction:g}",
                fix=unsafe(f"write {fraction:g}", "other values are dropped than before", written(fact, fraction)),
                evidence=evidence,
            )
        elif rate is not None and rate > options.most and item.active:
            yield Finding(
                at=at,
                severity=Severity.ADVICE if _of_words(program, name, item) else None,
                message=f"a {name} of {rate:g} throws {rate:.0%} of the values away in training",
                label="too much",
                help=f"lower the rate to {options.instead:g}",
                fix=unsafe(
                    f"lower the rate to {options.instead:g}",
                    "fewer values are dropped in training",
                    written(fact, options.instead),
                ),
                evidence=evidence,
            )


def _rates(program: Program) -> Iterator[tuple[str, Value, Item]]:
    """Every rate that takes effect; one that several layers share only once."""
    found: list[tuple[str, Value, Item]] = []
    for drop in items(program.dropouts):
        if plain(drop.position) != "unused":
            found.append(("dropout", drop.rate, drop))
    for layer in items(program.recurrent_layers):
        if of_keras(program, layer) or plain(layer.num_layers) != 1:
            found.append(("dropout", layer.dropout, layer))
        found.append(("recurrent dropout", layer.recurrent_dropout, layer))
    yield from {(where(rate, item), number(rate)): (name, rate, item) for name, rate, item in reversed(found)}.values()


def _consequence(program: Program, name: str, rate: float, item: Item) -> str:
    if isinstance(item, RecurrentLayer) and of_keras(program, item):
        if rate < 0:
            return "is clipped to 0 without a word: nothing is dropped"
        zeros = "all inputs are zeroed in training, or nothing is dropped"
        return f"is taken for 1 without a word: {zeros if name == 'dropout' else 'nothing is dropped'}"
    return "zeroes everything in training" if rate == 1 else "is refused: the layer raises ValueError"


def _of_words(program: Program, name: str, item: Item) -> bool:
    """Dropout of embeddings or of what comes right behind them, where language models do well with up to 0.65."""
    if isinstance(item, Dropout):
        return plain(item.position) == "input" and bool(program.embeddings)
    sources = {edge.from_ for edge in items(program.graph) if edge.to == item.at}
    behind = any(embedding.at in sources for embedding in items(program.embeddings))
    return behind and name == "dropout" and isinstance(item, RecurrentLayer) and of_keras(program, item)
