"""The test set takes part in the training."""

from lstmadvisor.rule import (
    Checkpoint,
    Finding,
    Iterator,
    NoOptions,
    Program,
    Severity,
    Undecided,
    active,
    known,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA604",
    name="test-set-selects",
    summary="The test set decides which weights are kept, or is watched during the training and then reported.",
    family="data",
    topic="test-set-as-validation",
    severity="error",
    grade="A",
    needs=("validation.kind", "checkpoints"),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    validation = program.validation
    stops = [stop for stop in active(program.early_stopping) if plain(stop.can_act) is not False]
    watched = plain(validation.is_test_set) is True
    chosen = [checkpoint for checkpoint in active(program.checkpoints) if plain(checkpoint.on) == "test"]
    if not watched and not chosen:
        if unclear(validation.is_test_set):
            yield undecided(validation.is_test_set, "whether the validation data are the test set")
        return
    if plain(program.tuning.on) == "test" and not chosen and not stops:
        return  # what chooses is the search, of which search-on-test-data speaks
    idle = len(stops) < len(active(program.early_stopping)) and not stops
    selects = bool(chosen) or (plain(validation.selects) is True and not (idle and known(program.checkpoints)))
    at = where(*chosen[:1], validation, validation.kind, program)
    yield Finding(
        at=at,
        severity=None if selects else _milder(program),
        message=_message(program, chosen, selects),
        label="the test set chooses" if selects else "the test set",
        help="hold out a part of the training data for this, and test once at the end",
        evidence=notes(
            at,
            *((checkpoint, "the best weights on the test set are kept") for checkpoint in chosen),
            *((checkpoint.on, "what decides") for checkpoint in chosen),
            (validation, "the test set is watched here"),
            (validation.kind, "the test set is watched here"),
            (validation.is_test_set, "this is the test set"),
            *((stop, "stops by what it sees there") for stop in stops if selects),
            (validation.selects, "what depends on it"),
            (validation.reported, "and reported here"),
        ),
    )


def _milder(program: Program) -> Severity:
    """A loop by hand only prints the score; `fit` is given the data to validate on."""
    reported = plain(program.validation.reported) is True and program.api != "loop"
    return Severity.WARNING if reported else Severity.ADVICE


def _message(program: Program, chosen: list[Checkpoint], selects: bool) -> str:
    source = plain(program.validation.source)
    known = plain(program.validation.is_test_set) is True and source and len(source) <= 40
    name = f"the test set `{source}`" if known else "the test set"
    if selects:
        stopped = "when the training stops" if active(program.early_stopping) else "the course of the training"
        return f"{name} decides {'which weights are kept' if chosen else stopped}: its score is no test any more"
    if _milder(program) is Severity.WARNING:
        return f"{name} is watched in every epoch and reported as the result afterwards"
    return f"{name} is watched in every epoch: no data remain that nobody has looked at"
