"""Plain SGD without momentum."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, active, items, number, plain, rule, where


@rule(
    code="LA407",
    name="sgd-without-momentum",
    summary="SGD runs without momentum.",
    family="optimisation",
    topic="momentum",
    severity="advice",
    grade="C",
    article="H8",
    needs=("optimizers", "recurrent_layers"),
    enabled=False,
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if any(plain(optimizer.name) == "ASGD" for optimizer in items(program.optimizers)):
        return  # the recipe that goes over to averaging wants none
    for optimizer in active(program.optimizers):
        rate = number(optimizer.learning_rate)
        if plain(optimizer.name) != "SGD" or number(optimizer.momentum) != 0 or plain(optimizer.by_hand) is True:
            continue
        if rate is not None and rate >= 1 and active(program.clipping):
            continue  # the recipe of the language models
        yield Finding(
            at=where(optimizer),
            message="SGD runs without momentum",
            label="no momentum",
            help="set `momentum=0.9`" + ("" if rate is None else f" and lower the learning rate to {rate / 10:g}"),
        )
