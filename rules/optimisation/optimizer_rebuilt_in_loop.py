"""An optimizer that is built anew in the training loop forgets what it has gathered."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    MoveStatement,
    NoOptions,
    Optimizer,
    Program,
    Undecided,
    active,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
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
            fix=_fix(program, optimizer),
            help="build it once, before the loop; to change the rate, set `param_groups` or use a scheduler",
        )


def _fix(program: Program, optimizer: Optimizer) -> Fix | None:
    """The optimizer built before the loop, if its rate is the same in every turn."""
    rate, loop = optimizer.learning_rate, program.epoch_loop.at
    if not isinstance(rate, Known) or rate.via not in ("literal", "constant", "default", "argparse", "config"):
        return None
    if loop is None or optimizer.at is None:
        return None
    move = MoveStatement(at=optimizer.at, to=loop, side="before")
    return unsafe("build it before the loop", "moments are kept from epoch to epoch", move)
