"""No random number generator is seeded."""

from lstmadvisor.rule import (
    Finding,
    InsertAtTop,
    Iterator,
    NoOptions,
    Program,
    Severity,
    Undecided,
    active,
    notes,
    plain,
    rule,
    safe,
    where,
)


@rule(
    code="LA615",
    name="no-seed",
    summary="No seed is set, so that two runs differ by chance as much as two settings do by merit.",
    family="data",
    topic="determinism",
    severity="advice",
    grade="A",
    article="A02",
    needs=("optimizers",),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if program.api == "module" or program.seeds != ():
        return
    layers, optimizers = active(program.recurrent_layers), active(program.optimizers)
    promised = plain(program.reproducibility) is True
    at = where(program.reproducibility if promised else None, *optimizers[:1], *layers[:1], program)
    keras = program.framework == "keras"
    yield Finding(
        at=at,
        severity=Severity.WARNING if promised else None,
        message="reproducible results are promised here, and no random number generator is seeded"
        if promised
        else "no random number generator is seeded: a second run starts from other weights",
        label="not seeded" if promised else "differs from run to run",
        help="call `keras.utils.set_random_seed(0)` first" if keras else "call `torch.manual_seed(0)` first",
        fix=safe(
            "seed the generators first",
            InsertAtTop(
                at=where(program),
                code="`keras.utils.set_random_seed`(0)" if keras else "`torch.manual_seed`(0)",
            ),
        ),
        evidence=notes(at, *((layer, "its weights are drawn at random") for layer in layers[:1])),
    )
