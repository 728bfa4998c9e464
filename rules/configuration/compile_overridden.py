"""A model is compiled twice before it is trained: the first time for nothing."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, active, notes, plain, rule, where


@rule(
    code="LA705",
    name="compile-overridden",
    summary="A model is compiled again before anything was trained: all that the first `compile` set is lost.",
    family="configuration",
    topic="optimizer",
    severity="error",
    grade="A",
    frameworks=("keras",),
    needs=("optimizers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for dead in active(program.dead_settings):
        if plain(dead.kind) != "compile-overridden":
            continue
        at = where(dead)
        yield Finding(
            at=at,
            message="this `compile` has no effect: the model is compiled again before anything is trained",
            label="replaced",
            help="keep one `compile`, with the optimizer, the loss and the metrics that you want",
            evidence=notes(at, (dead.instead, "this one holds")),
        )
