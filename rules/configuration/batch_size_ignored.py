"""A batch size is given for data that come in batches already."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, active, notes, number, plain, rule, where


@rule(
    code="LA706",
    name="batch-size-ignored",
    summary="`fit` gets a batch size for data that come in batches of their own.",
    family="configuration",
    topic="batch-size",
    severity="error",
    grade="A",
    article="H10",
    frameworks=("keras",),
    needs=("optimizers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for dead in active(program.dead_settings):
        if plain(dead.kind) != "batch-size-ignored":
            continue
        at, given, real = where(dead), number(dead.value), number(program.batch_size)
        message = "`batch_size`" + ("" if given is None else f" of {given:g}") + " has no effect here"
        known = real is not None and real != given
        yield Finding(
            at=at,
            message=f"{message}: the data come in batches" + (f" of {real:g}" if known else " of their own"),
            label="ignored",
            help="set the batch size where the data are made: in `batch()`, the loader or the generator",
            evidence=notes(at, (program.batch_size, "the real batch size")),
        )
