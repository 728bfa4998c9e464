"""A search cross-validates a time series with folds that ignore time."""

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

_BLIND = {
    "kfold",
    "stratifiedkfold",
    "shufflesplit",
    "stratifiedshufflesplit",
    "repeatedkfold",
    "repeatedstratifiedkfold",
}
_SEARCHES = {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "BayesSearchCV"}


@rule(
    code="LA620",
    name="grid-over-time-series",
    summary="A search cross-validates windows of a time series with folds that know no time.",
    family="data",
    topic="tuning",
    severity="warning",
    grade="B",
    article="A01",
    needs=("tuning.tool",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    tuning, tool = program.tuning, plain(program.tuning.tool)
    if tool not in _SEARCHES or plain(program.dataset.kind) not in ("windows", "series"):
        return
    if unclear(tuning.cv):
        yield undecided(tuning.cv, "how the search cross-validates")
    folds = plain(tuning.cv)
    number = isinstance(folds, int) and not isinstance(folds, bool)
    if not number and "".join(c for c in str(folds).lower() if c.isalnum()) not in _BLIND:
        return
    at, splitter = where(tuning.cv, tuning, program), f"{folds} plain folds" if number else folds
    yield Finding(
        at=at,
        message=f"{tool} with {splitter} trains on windows from after those it validates on" + aside(tuning),
        label="folds ignore time",
        help="pass `cv=TimeSeriesSplit(n_splits=5, gap=window)`",
        evidence=notes(at, (tuning, "the search"), (program.dataset, "a time series")),
    )
