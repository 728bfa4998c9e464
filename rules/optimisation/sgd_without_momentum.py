"""Plain SGD without momentum."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    argument,
    items,
    number,
    plain,
    rule,
    unsafe,
    where,
)


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
            fix=unsafe(
                "set `momentum=0.9`" + ("" if rate is None else f" and lower the learning rate to {rate / 10:g}"),
                "steps add up over about ten batches",
                argument(optimizer.momentum, optimizer, "momentum", 0.9),
                *([] if rate is None else [argument(optimizer.learning_rate, optimizer, _rate(program), rate / 10)]),
            ),
            help="set `momentum=0.9`" + ("" if rate is None else f" and lower the learning rate to {rate / 10:g}"),
        )


def _rate(program: Program) -> str:
    return "learning_rate" if program.framework == "keras" else "lr"
