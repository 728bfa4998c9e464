"""One generator is seeded, and the weights are drawn by another."""

from lstmadvisor.rule import (
    Finding,
    InsertStatements,
    Iterator,
    NoOptions,
    Program,
    Seed,
    Severity,
    Undecided,
    active,
    items,
    notes,
    number,
    plain,
    rule,
    safe,
    where,
)

_ALL = {"lightning", "pytorch_lightning", "transformers", "accelerate", "fastai", "all", "ignite", "mmcv"}
_DRAWS_WEIGHTS = {"pytorch": {"torch"}, "keras": {"keras", "tensorflow", "tf", "jax", "torch"}}


@rule(
    code="LA616",
    name="partial-seed",
    summary="A seed is set, but not for the generator that draws the initial weights.",
    family="data",
    topic="determinism",
    severity="advice",
    grade="A",
    article="A02",
    needs=("seeds",),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    seeds = [seed for seed in active(program.seeds) if isinstance(plain(seed.library), str)]
    names = {str(plain(seed.library)).split(".")[0].replace("python", "random") for seed in seeds}
    if program.framework not in _DRAWS_WEIGHTS or len(seeds) != len(items(program.seeds)) or not seeds:
        return
    keras = program.framework == "keras"
    if names & (_ALL | _DRAWS_WEIGHTS[program.framework]) or program.api == "module":
        return
    at, framework = where(seeds[0]), "Keras" if keras else "PyTorch"
    seeded = " and ".join(f"`{name}`" for name in sorted(names)) + (" is" if len(names) == 1 else " are")
    promised = plain(program.reproducibility) is True
    yield Finding(
        at=at,
        severity=Severity.WARNING if promised else None,
        message=f"{seeded} seeded, but not {framework}, which draws the initial weights",
        label="not the weights",
        help="call `keras.utils.set_random_seed(0)`, which seeds all of them"
        if keras
        else "call `torch.manual_seed(0)`, too",
        fix=safe(
            f"seed {framework}, too",
            InsertStatements(
                at=at,
                side="after",
                code=f"`{'keras.utils.set_random_seed' if keras else 'torch.manual_seed'}`({_value(seeds)})",
            ),
        ),
        evidence=notes(
            at,
            (program.reproducibility, "reproducible results are promised here"),
            *((layer, "its weights are drawn at random") for layer in active(program.recurrent_layers)[:1]),
        ),
    )


def _value(seeds: list[Seed]) -> int:
    """The seed that is there already."""
    return next((int(value) for seed in seeds if (value := number(seed.value)) is not None and value >= 0), 0)
