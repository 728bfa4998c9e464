"""A DataLoader without batch size gives one sample at a time."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Known,
    NoOptions,
    Program,
    SetArgument,
    Undecided,
    active,
    number,
    plain,
    rule,
    unclear,
    unsafe,
    where,
)


@rule(
    code="LA409",
    name="batch-size-unset",
    summary="A DataLoader is built without a batch size and gives one sample at a time.",
    family="optimisation",
    topic="batch-size",
    severity="advice",
    grade="B",
    article="H10",
    frameworks=("pytorch",),
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    size, gathered = program.batch_size, program.training_step.accumulation
    if not isinstance(size, Known) or size.via != "default" or size.value != 1:
        return
    if plain(program.hidden_state.carried) is True or plain(program.dataset.kind) == "stream":
        return
    if not active(program.recurrent_layers) or unclear(gathered) or (number(gathered) or 1) > 1:
        return
    at = where(size, program.dataset, *active(program.optimizers))
    yield Finding(
        at=at,
        message="the DataLoader has no `batch_size`: every step learns from one sample",
        label="one at a time",
        help="pass `batch_size=32`",
        fix=unsafe(
            "pass `batch_size=32`",
            "each step follows the mean of 32 samples",
            SetArgument(at=at, name="batch_size", code="32", position=1),
        ),
    )
