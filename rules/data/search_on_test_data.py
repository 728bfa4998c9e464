"""Hyperparameters are chosen by their score on the test set."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    aside,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA619",
    name="search-on-test-data",
    summary="Hyperparameters are chosen by their score on the test set.",
    family="data",
    topic="tuning",
    severity="error",
    grade="A",
    article="A01",
    needs=("tuning.tool",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    tuning = program.tuning
    if unclear(tuning.on) and plain(tuning.tool) is not None:
        yield undecided(tuning.on, "the data that the search is judged by")
    if plain(tuning.on) != "test":
        return
    tool = plain(tuning.tool)
    watched = program.validation if tool == "by-hand" and plain(program.validation.is_test_set) is True else None
    at = where(watched, tuning.on, tuning, program)
    yield Finding(
        at=at,
        topic="test-set-as-validation",
        message=f"{'a search by hand' if tool == 'by-hand' else tool} chooses the hyperparameters by the test set, "
        f"whose score is no test any more{aside(tuning)}",
        label="the test set chooses",
        help="search on a validation part of the training data, and test the winner once",
        evidence=notes(
            at, (tuning, "the search"), (tuning.tool, "the search"), (program.validation.is_test_set, "the test set")
        ),
    )
