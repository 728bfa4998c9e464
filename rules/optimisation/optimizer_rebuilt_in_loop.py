"""An optimizer that is built anew in the training loop forgets what it has gathered."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    number,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA411",
    name="optimizer-rebuilt-in-loop",
    summary="An optimizer is built anew in every turn of the training loop and forgets its moments.",
    family="optimisation",
    topic="optimizer",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("optimizers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for optimizer in active(program.optimizers):
        name = plain(optimizer.name, "the optimizer")
        if unclear(optimizer.rebuilt_in_loop):
            yield undecided(optimizer.rebuilt_in_loop, "whether the optimizer is built in the loop")
        if plain(optimizer.rebuilt_in_loop) is not True or (name == "SGD" and number(optimizer.momentum) == 0):
            continue
        yield Finding(
            at=where(optimizer),
            message=f"{name} is built anew in every turn of the training loop: what it had gathered is lost",
            label="built in the loop",
            help="build it once, before the loop; to change the rate, set `param_groups` or use a scheduler",
        )
