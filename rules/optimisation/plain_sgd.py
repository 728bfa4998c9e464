"""Plain SGD where Adam would need no tuning."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    known,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA408",
    name="plain-sgd",
    summary="A recurrent net is trained with plain SGD, without momentum, clipping or decay.",
    family="optimisation",
    topic="optimizer",
    severity="advice",
    grade="B",
    article="T1",
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = active(program.recurrent_layers)
    if not layers or not known(program.clipping) or active(program.clipping):
        return
    if not known(program.schedules) or active(program.schedules) or program.api == "module":
        return
    for optimizer in active(program.optimizers):
        limits = (optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue)
        if plain(optimizer.name) != "SGD" or number(optimizer.momentum) != 0 or any(plain(x) for x in limits):
            continue
        at = where(optimizer)
        yield Finding(
            at=at,
            message="plain SGD trains this recurrent net: no momentum, no clipping, no decay",
            label="plain SGD",
            help="use Adam with a learning rate of 1e-3",
            evidence=notes(at, (layers[0], "what it trains")),
        )
