"""Independent windows are trained on in the order in which they were cut."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
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


@rule(
    code="LA614",
    name="not-shuffled",
    summary="Independent windows reach the optimizer in the order in which they were cut from the series.",
    family="data",
    topic="shuffle-state",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("shuffle", "recurrent_layers"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers, carried = active(program.recurrent_layers), program.hidden_state.carried
    if plain(program.shuffle) is not False or not layers or of_keras(program, layers[0]):
        return
    if plain(program.dataset.kind) not in ("windows", "independent"):
        if unclear(program.dataset.kind):
            yield undecided(program.dataset.kind, "whether the samples are independent")
        return
    if unclear(carried):
        yield undecided(carried, "whether the state is carried from batch to batch")
    size, batch = number(program.dataset.size), number(program.batch_size)
    loaded = plain(program.dataset.loader_drop_last) is not None
    one_batch = size <= batch if size is not None and batch is not None else batch is None and not loaded
    if plain(carried) is not False or one_batch or batch == 1 or program.api == "module":
        return
    at = where(program.shuffle, program.dataset, program.batch_size, layers[0])
    default = getattr(program.shuffle, "via", "") == "default"
    yield Finding(
        at=at,
        message="the training samples come in the same order in every epoch, neighbours in one batch"
        + (": `shuffle` is False by default" if default else ""),
        label="never shuffled",
        help="pass `shuffle=True` to the training DataLoader",
        fix=unsafe("shuffle the samples", "batches differ from epoch to epoch", written(program.shuffle, True)),
        evidence=notes(
            at, (carried, "no state is carried that would need the order"), (program.dataset, "the samples")
        ),
    )
