"""Windows that share steps are dealt out to training and test at random."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Severity,
    Undecided,
    aside,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA603",
    name="overlapping-windows-shuffled-apart",
    summary="Overlapping windows of a series are split at random, so that training has seen the windows held out.",
    family="data",
    topic="data-leakage",
    severity="error",
    grade="A",
    needs=("dataset.kind",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    split, kind = program.split, plain(program.split.kind)
    windows = plain(program.dataset.kind) == "windows"
    if windows and unclear(split.kind) and plain(program.validation.kind) == "data":
        yield undecided(split.kind, "how training and validation windows are split")
    if kind not in ("random", "folds"):
        return
    if split.active and unclear(split.of_overlapping_windows):
        yield undecided(split.of_overlapping_windows, "whether the windows overlap")
    if plain(split.of_overlapping_windows) is not True:
        return
    at, steps = where(split, split.kind, program), number(program.sequence_length)
    length = "" if steps is None else f" of {steps:g} steps"
    how = (
        "are split at random: the held-out windows share"
        if kind == "random"
        else "are split into folds: those at the seams share"
    )
    yield Finding(
        at=at,
        severity=None if kind == "random" else Severity.WARNING,
        message=f"overlapping windows{length} {how} steps with training windows{aside(split)}",
        label="tests on what was trained on" if kind == "random" else "trains on the future",
        help="cut the series in time first, and make the windows of each part after that"
        if kind == "random"
        else "use `TimeSeriesSplit` with a gap of one window",
        evidence=notes(at, (split.of_overlapping_windows, "the windows are made here")),
    )
