"""Searches for hyperparameters: the tool, what it tries, and what it judges by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Map, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, fact, inferred, place, searched
from lstmadvisor.extract.search.objectives import judged_by
from lstmadvisor.facts import ABSENT, Known, Tuning, Unknown, Validation, plain

_TUNERS = frozenset(
    (
        "RandomSearch",
        "Hyperband",
        "BayesianOptimization",
        "GridSearch",
        "Sklearn",
        "BayesianOptimizationOracle",
        "RandomSearchOracle",
    )
)
_GRIDS = frozenset(
    ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "BayesSearchCV")
)
_FITS = frozenset(("fit", "fit_generator", "backward"))
_PHASES = frozenset(("train", "training", "val", "valid", "validation", "test", "dev", "eval"))


def tuning(run: Run, found: dict[str, Any]) -> Tuning:
    """The search that a program runs; absent where it runs none."""
    validation = found.get("validation")
    for term in run.trace:
        if not term.scope.active or term.op not in ("call", "method"):
            continue
        last = term.name.rsplit(".", 1)[-1]
        if term.op == "call" and term.name.startswith("keras_tuner.") and last in _TUNERS:
            return _keras_tuner(run, term, validation)
        if term.op == "call" and last in _GRIDS:
            return _grid(term, last)
        if term.op == "method" and last == "optimize" and _made_by(term.base, "optuna."):
            return _optuna(run, term)
        if term.op == "call" and term.name in (
            "bayes_opt.BayesianOptimization",
            "bayes_opt.bayesian_optimization.BayesianOptimization",
        ):
            return _bayes(run, term)
        if term.op == "call" and term.name in ("ray.tune.run", "ray.tune.Tuner", "ray.tune.tuner.Tuner"):
            return _ray(run, term)
    return _by_hand(run, validation) or Tuning(tool=ABSENT)


def _made_by(value: Value | None, prefix: str) -> bool:
    return any(isinstance(v, Term) and v.name.startswith(prefix) for v in walk(value, 10))


def _ranges(run: Run) -> dict[str, Any]:
    """The ranges that the trials draw from, by name."""
    out: dict[str, Any] = {}
    for term in run.trace:
        tried = searched(term)
        if tried is not None:
            name = term.argument("name", 0)
            key = (
                name.value
                if isinstance(name, Const) and isinstance(name.value, str)
                else f"line {getattr(place(term.at), 'line', 0)}"
            )
            out.setdefault(key, tried)
    return out


def _said(ranges: dict[str, Any]) -> tuple[Fact, Fact]:
    if not ranges:
        unknown = Unknown(unknown="no ranges were recognised")
        return unknown, unknown
    return Known(value=ranges, via="search"), inferred(len(ranges))


def _keras_tuner(run: Run, term: Term, validation: Any) -> Tuning:
    objective = term.argument("objective", 1)
    named: Value | None = objective
    if isinstance(objective, Term) and objective.name.endswith("Objective"):
        named = objective.argument("name", 0)
    ranges, count = _said(_ranges(run))
    return Tuning(
        at=place(term.at),
        tool=inferred("keras-tuner", place(term.at)),
        ranges=ranges,
        objective=fact(named),
        on=_watched(run, term, named, validation),
        cv=ABSENT,
        dimensions=count,
    )


def _watched(run: Run, tuner: Term, objective: Value | None, validation: Any) -> Fact:
    """Which data the objective of a tuner of Keras is taken on: what its own `search` is given to validate on."""
    if not isinstance(objective, Const) or not isinstance(objective.value, str):
        return Unknown(unknown="the objective is not known")
    at = place(objective.at)
    if not objective.value.startswith("val_"):
        return inferred("training", at)
    for term in run.trace:
        searches = term.op == "method" and term.name == "search" and any(v is tuner for v in options(term.base))
        data = term.kwargs.get("validation_data") if searches else None
        if data is not None:
            from lstmadvisor.extract.keras.fit import is_test
            from lstmadvisor.extract.keras.training import written

            passed, code = written(term, "validation_data", None)
            test = is_test(data, code)
            return inferred("test" if test.value else "validation", passed) if isinstance(test, Known) else test
    return _held_out(validation, at)


def _held_out(validation: Any, at: Any) -> Fact:
    if not isinstance(validation, Validation):
        return Unknown(unknown="the validation data are not known", at=at)
    test = validation.is_test_set
    if isinstance(test, Unknown):
        return test
    return inferred("test" if plain(test) is True else "validation", at)


def _grid(term: Term, last: str) -> Tuning:
    grid = term.argument("param_grid", 1) or term.kwargs.get("param_distributions") or term.kwargs.get("search_spaces")
    ranges: dict[str, Any] = {}
    for each in options(grid):
        if isinstance(each, Map):
            ranges |= {str(k): {"low": None, "high": None, "choices": _plain(v)} for k, v in each.entries.items()}
    said, count = _said(ranges)
    scoring = term.kwargs.get("scoring")
    return Tuning(
        at=place(term.at),
        tool=inferred(last, place(term.at)),
        ranges=said,
        objective=fact(scoring),
        on=inferred("validation"),
        cv=_folds(term.kwargs.get("cv")),
        dimensions=count,
    )


def _plain(value: Value) -> list[Any] | None:
    if isinstance(value, Seq) and all(isinstance(i, Const) for i in value.items):
        return [i.value for i in value.items if isinstance(i, Const)]
    return None


def _folds(given: Value | None) -> Fact:
    if given is None or (isinstance(given, Const) and given.value is None):
        return Known(value=5, via="default")
    if isinstance(given, Const):
        return fact(given)
    if isinstance(given, Term) and given.op == "call":
        return inferred(given.name.rsplit(".", 1)[-1], place(given.at))
    return Unknown(unknown="the splitter is not known")


def _optuna(run: Run, term: Term) -> Tuning:
    ranges, count = _said(_ranges(run))
    study = next((v for v in walk(term.base, 10) if isinstance(v, Term) and v.name.endswith("create_study")), None)
    direction = study.kwargs.get("direction") if study is not None else None
    return Tuning(
        at=place(term.at),
        tool=inferred("optuna", place(term.at)),
        ranges=ranges,
        objective=fact(direction),
        on=judged_by(run, term.argument("func", 0)),
        cv=ABSENT,
        dimensions=count,
    )


def _bayes(run: Run, term: Term) -> Tuning:
    bounds = term.argument("pbounds", 1)
    ranges: dict[str, Any] = {}
    if isinstance(bounds, Map):
        for name, value in bounds.entries.items():
            ends = _plain(value)
            if ends is not None and len(ends) == 2:
                ranges[str(name)] = {"low": ends[0], "high": ends[1], "choices": None}
    said, count = _said(ranges)
    unknown = Unknown(unknown="what the function returns is not followed")
    return Tuning(
        at=place(term.at),
        tool=inferred("bayesian-optimization", place(term.at)),
        ranges=said,
        objective=unknown,
        on=judged_by(run, term.argument("f", 0)),
        cv=ABSENT,
        dimensions=count,
    )


def _ray(run: Run, term: Term) -> Tuning:
    space = term.kwargs.get("config") or term.kwargs.get("param_space")
    ranges: dict[str, Any] = {}
    if isinstance(space, Map):
        for name, value in space.entries.items():
            tried = searched(value) if isinstance(value, Term) else None
            if tried is not None:
                ranges[str(name)] = tried
    said, count = _said(ranges)
    unknown = Unknown(unknown="what is reported is not followed")
    return Tuning(
        at=place(term.at),
        tool=inferred("ray-tune", place(term.at)),
        ranges=said,
        objective=fact(term.kwargs.get("metric"), unknown),
        on=unknown,
        cv=ABSENT,
        dimensions=count,
    )


# -- loops over values -------------------------------------------------------------------------------


def _by_hand(run: Run, validation: Any) -> Tuning | None:
    """`for units in [32, 64, 128]: … model.fit(…)`"""
    ranges: dict[str, Any] = {}
    first: Term | None = None
    for term in run.trace:
        if term.op != "method" or term.name not in _FITS or not term.scope.active:
            continue
        for loop, _ in term.scope.loops:
            tried = _plain(loop.iterable) if loop.iterable is not None else None
            if tried is None or len(tried) < 2 or any(str(t).lower() in _PHASES for t in tried):
                continue
            if (
                not all(isinstance(t, (int, float, str)) for t in tried)
                or not isinstance(loop.iterable, Seq)
                or loop.iterable.kind == "range"
            ):
                continue
            if len(set(map(str, tried))) < len(tried) or not _uses(run, term, loop.iterable):
                continue
            at = place(loop.spot)
            first = first or term
            ranges.setdefault(f"line {at.line if at else 0}", {"low": None, "high": None, "choices": tried})
    if first is None:
        return None
    said, count = _said(ranges)
    return Tuning(
        at=place(first.at),
        tool=inferred("by-hand", place(first.at)),
        ranges=said,
        objective=Unknown(unknown="what is compared is not followed"),
        on=_held_out(validation, place(first.at)),
        cv=ABSENT,
        dimensions=count,
    )


def _uses(run: Run, act: Term, tried: Seq) -> bool:
    """Whether `fit`, a layer or an optimizer reads the values that the loop goes through."""
    mine = {id(i) for i in tried.items}
    places = {(i.value, id(i.at.node)) for i in tried.items if isinstance(i, Const) and i.at is not None}
    for term in run.trace:
        if term is not act and not (
            term.op == "call"
            and term.name.startswith(("keras.layers.", "keras.optimizers.", "torch.nn.", "torch.optim."))
        ):
            continue
        for value in _values(term):
            if id(value) in mine or (
                isinstance(value, Const) and value.at is not None and (value.value, id(value.at.node)) in places
            ):
                return True
            if isinstance(value, Term) and value.op == "elem" and value.base is tried:
                return True
    return False


def _values(term: Term) -> Iterator[Value]:
    for value in (*term.args, *term.kwargs.values()):
        yield from value.options if isinstance(value, Choice) else (value,)
