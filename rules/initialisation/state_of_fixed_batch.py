"""A state made by hand for one batch size meets a smaller last batch."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    argument,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA316",
    name="state-of-fixed-batch",
    summary="The initial state is made for a fixed batch size, and the last batch may be smaller.",
    family="initialisation",
    topic="batch-size",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    size = number(program.dataset.size)
    for layer in active(program.recurrent_layers):
        fixed = number(layer.initial_batch)
        if (
            fixed is None
            or plain(program.dataset.loader_drop_last) is not False
            or plain(program.hidden_state.carried) is True
        ):
            continue
        if fixed == 1 or number(program.batch_size) != fixed or (size is not None and size % fixed == 0):
            continue
        at = where(layer.initial_batch, layer)
        yield Finding(
            at=at,
            message=f"the initial state is made for {fixed:g} sequences, and the last batch may be smaller",
            label="a fixed size",
            help="take the size from the input, `x.size(0)`, or leave the last batch out with `drop_last=True`",
            fix=unsafe(
                "leave the last batch out",
                "the samples of an incomplete batch no longer train",
                argument(program.dataset.loader_drop_last, program.dataset, "drop_last", True),
            ),
            evidence=notes(at, (layer, "its layer"), (program.batch_size, "the batch size")),
        )
        return
