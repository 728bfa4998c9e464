"""What is measured: which metric, of which data, on which scale, by which formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Choice,
    Const,
    External,
    Function,
    Instance,
    Loop,
    Seq,
    Spot,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, fact, first_turns, inferred, place, real_loops
from lstmadvisor.extract.data.feeds import Feed
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import Lineage
from lstmadvisor.extract.data.scales import Scales
from lstmadvisor.extract.data.splits import Splits
from lstmadvisor.facts import ABSENT, Known, Metric, Unknown
from lstmadvisor.patterns import regex

_SKLEARN = {
    "mean_squared_error": "mse", "mean_absolute_error": "mae", "root_mean_squared_error": "rmse", "r2_score": "r2",
    "mean_absolute_percentage_error": "mape", "mean_squared_log_error": "msle", "median_absolute_error": "median-ae",
    "accuracy_score": "accuracy", "f1_score": "f1", "precision_score": "precision", "recall_score": "recall",
    "roc_auc_score": "auc", "balanced_accuracy_score": "balanced-accuracy",
    "explained_variance_score": "explained-variance",
}  # fmt: skip
_TORCH = {"mse_loss": "mse", "l1_loss": "mae", "MSELoss": "mse", "L1Loss": "mae"}
_REAL = frozenset(("mse", "mae", "rmse", "mape", "r2"))
_NAMED = regex(r"(?<![A-Za-z])(R?MSE|MAE|MAPE)(?![A-Za-z])", re.I)
_PRINTS = frozenset(("builtins.print", "logging.info"))


def metrics(run: Run, lineage: Lineage, splits: Splits, feeds: list[Feed], fits: list[Fit]) -> tuple[Metric, ...]:
    """All metrics, in the order of the program."""
    scales = Scales(run, lineage, fits, feeds)
    out: list[tuple[int, Metric]] = []
    out.extend(_compiled(run, fits))
    trained = {id(v.at.node) for feed in feeds for v in feed.sources if isinstance(v, Term)}
    out.extend(_computed(run, splits, scales, trained))
    out.extend(_printed(run))
    out.extend(_overwritten(run, feeds))
    seen: set[object] = set()
    kept: list[Metric] = []
    for _, metric in sorted(out, key=lambda p: p[0]):
        key = (metric.at, metric.name.value if isinstance(metric.name, Known) else None)
        if key not in seen:
            seen.add(key)
            kept.append(metric)
    return tuple(kept)


# -- compile(metrics=…) ------------------------------------------------------------------------------


def _compiled(run: Run, fits: list[Fit]) -> Iterator[tuple[int, Metric]]:
    for term in first_turns(t for t in run.trace if t.op == "method" and t.name == "compile" and t.scope.active):
        given = term.kwargs.get("metrics") or (term.args[2] if len(term.args) > 2 else None)
        listed = given.items if isinstance(given, Seq) else [given] if given is not None else []
        for value in listed:
            name: Fact
            at = place(value.at) if isinstance(value, (Const, Term)) and value.at is not None else None
            if isinstance(value, Const):
                if not isinstance(value.value, str):
                    continue
                name = fact(value)
            elif isinstance(value, Term):
                name = inferred(value.name.rsplit(".", 1)[-1], at)
            elif isinstance(value, (External, Function)):
                name = inferred(value.name.rsplit(".", 1)[-1])
            else:
                name = Unknown(unknown="a metric that is not known")
            again = _mentioned(term, value)
            yield term.serial, Metric(at=at or place(term.at), name=name, on=inferred("training"), mentioned=again)


def _mentioned(compiled: Term, metric: Value) -> Fact:
    """Whether `"acc"` or `"val_acc"` stands in the file again: a key of the history, what a callback watches."""
    if not isinstance(metric, Const) or compiled.at.module is None:
        return ABSENT
    name = re.escape(str(metric.value))
    return inferred(len(re.findall(rf"""["'](?:val_)?{name}["']""", compiled.at.module.source.code)) > 1)


# -- formulas ----------------------------------------------------------------------------------------


def formula(value: Value | None, depth: int = 0) -> tuple[str, Value, Value, Term] | None:
    """Which metric a value is (mae, mse, rmse, …), of which truth and prediction."""
    here = next(iter(options(value)), None)
    if not isinstance(here, Term) or depth > 8:
        return None
    last = here.name.rsplit(".", 1)[-1]
    if here.op == "call" and here.name.startswith("sklearn.metrics.") and last in _SKLEARN and len(here.args) > 1:
        squared = here.kwargs.get("squared")
        kind = (
            "rmse"
            if last == "mean_squared_error" and isinstance(squared, Const) and squared.value is False
            else _SKLEARN[last]
        )
        return kind, here.args[0], here.args[1], here
    if (here.op == "call" and last in ("sqrt",)) or (here.op == "method" and last == "sqrt"):
        inner = formula(here.args[0] if here.op == "call" and here.args else here.base, depth + 1)
        return ("rmse", *inner[1:]) if inner is not None and inner[0] == "mse" else None
    if here.op == "binop" and here.name == "**" and isinstance(here.args[1], Const) and here.args[1].value == 0.5:
        inner = formula(here.args[0], depth + 1)
        return ("rmse", *inner[1:]) if inner is not None and inner[0] == "mse" else None
    if last in ("mean", "average", "nanmean", "reduce_mean") and here.op in ("call", "method"):
        return _mean_of(here.args[0] if here.op == "call" and here.args else here.base, here)
    if (here.op == "method" and last in ("item", "numpy", "round", "cpu", "detach")) or (
        here.op == "call" and last in ("round", "float")
    ):
        return formula(here.base if here.op == "method" else here.args[0] if here.args else None, depth + 1)
    return None


def _mean_of(value: Value | None, act: Term) -> tuple[str, Value, Value, Term] | None:
    here = next(iter(options(value)), None)
    if not isinstance(here, Term):
        return None
    last = here.name.rsplit(".", 1)[-1]
    inner: Value | None = None
    kind = ""
    if last in ("abs", "absolute", "fabs"):
        inner, kind = here.args[0] if here.op == "call" and here.args else here.base, "mae"
    elif last in ("square",):
        inner, kind = here.args[0] if here.op == "call" and here.args else here.base, "mse"
    elif here.op == "binop" and here.name == "**" and isinstance(here.args[1], Const) and here.args[1].value == 2:
        inner, kind = here.args[0], "mse"
    elif (
        last == "pow"
        and here.op == "method"
        and here.args
        and isinstance(here.args[0], Const)
        and here.args[0].value == 2
    ):
        inner, kind = here.base, "mse"
    difference = next(iter(options(inner)), None)
    if (
        isinstance(difference, Term)
        and difference.op == "binop"
        and difference.name == "-"
        and len(difference.args) == 2
    ):
        return kind, difference.args[0], difference.args[1], act
    if isinstance(difference, Term) and difference.op == "binop" and difference.name == "/" and kind == "mae":
        above = difference.args[0]
        if isinstance(above, Term) and above.name == "-" and len(above.args) == 2:
            return "mape", above.args[0], above.args[1], act
    return None


def _computed(run: Run, splits: Splits, scales: Scales, trained: set[int]) -> Iterator[tuple[int, Metric]]:
    """Metrics by formula or function; `trained` are the places of what the training loss is made of."""
    active = (t for t in run.trace if t.op in ("call", "method") and t.scope.active)
    calls = [t for t in active if id(t.at.node) not in trained]
    inner: set[int] = set()
    found: list[tuple[Term, tuple[str, Value, Value, Term]]] = []
    for term in first_turns(calls):
        made = formula(term)
        if made is not None:
            found.append((term, made))
            if made[3] is not term:
                inner.add(id(made[3].at.node))
    for term, (kind, truth, prediction, _) in found:
        if id(term.at.node) in inner:
            continue
        agree, why = (
            scales.agree(truth, prediction, kind == "r2")
            if kind in _REAL
            else (Unknown(unknown="not a distance"), None)
        )
        facts: dict[str, Any] = {
            "name": inferred(kind, place(term.at)),
            "on": _on(splits, truth),
            "computes": inferred(kind, place(term.at)),
        }
        if kind in _REAL:
            facts["scales_agree"] = agree
            if why is not None:
                facts["why"] = why
        yield term.serial, Metric(at=place(term.at), **facts)


def _on(splits: Splits, truth: Value) -> Fact:
    sides = splits.of(truth)
    if sides == {"train"}:
        return inferred("training")
    if sides == {"test"}:
        return inferred("test")
    return Unknown(unknown="which data these are is not followed")


# -- what is printed under which name ----------------------------------------------------------------


def _printed(run: Run) -> Iterator[tuple[int, Metric]]:
    for term in first_turns(
        t
        for t in run.trace
        if t.op in ("call", "method") and (t.name in _PRINTS or t.name.endswith((".info", ".write"))) and t.scope.active
    ):
        for label, value, spot in _labelled(term):
            found = _NAMED.findall(label)
            if not found:
                continue
            made = formula(value)
            if made is not None and made[0] in ("mae", "mse", "rmse", "mape"):
                said = found[-1].lower()
                yield (
                    term.serial,
                    Metric(
                        at=place(spot) or place(term.at),
                        name=inferred(said, place(spot)),
                        computes=inferred(made[0], place(made[3].at)),
                    ),
                )


def _labelled(term: Term) -> Iterator[tuple[str, Value, Spot]]:
    """The values that a print shows, each with the text before it."""
    before = ""
    for argument in term.args:
        if isinstance(argument, Const) and isinstance(argument.value, str):
            before = argument.value
            continue
        if isinstance(argument, Term) and argument.op == "text" and isinstance(argument.at.node, cst.FormattedString):
            yield from _of_fstring(argument)
        elif (
            isinstance(argument, Term)
            and argument.op == "binop"
            and argument.name == "%"
            and isinstance(argument.args[0], Const)
        ):
            yield from _of_template(
                str(argument.args[0].value), re.compile(r"%[-+ #0-9.]*[a-zA-Z]"), argument.args[1], argument.at
            )
        elif (
            isinstance(argument, Term)
            and argument.op == "method"
            and argument.name == "format"
            and isinstance(argument.base, Const)
        ):
            yield from _of_template(
                str(argument.base.value), re.compile(r"\{[^}]*\}"), Seq(list(argument.args), "tuple"), argument.at
            )
        elif before:
            yield before, argument, term.at
        before = ""


def _of_fstring(text: Term) -> Iterator[tuple[str, Value, Spot]]:
    node = text.at.node
    assert isinstance(node, cst.FormattedString)
    before, number = "", 0
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            before = part.value
        else:
            if number < len(text.args):
                yield before, text.args[number], text.at
            number, before = number + 1, ""


def _of_template(template: str, hole: re.Pattern[str], values: Value, at: Spot) -> Iterator[tuple[str, Value, Spot]]:
    texts = hole.split(template)
    listed = values.items if isinstance(values, Seq) else [values]
    for text, value in zip(texts, listed, strict=False):
        yield text, value, at


# -- the last batch reported as all ------------------------------------------------------------------


def _overwritten(run: Run, feeds: list[Feed]) -> Iterator[tuple[int, Metric]]:
    """A loss of evaluation that each batch overwrites, and that is reported or decides something after the loop."""
    trained = {id(v) for feed in feeds for v in feed.sources}
    for term in first_turns(t for t in run.trace if t.scope.active):
        around = {id(loop) for loop in real_loops(term)}
        for value in _reported(term):
            made = _last_value(value)
            if made is None or id(made) in trained or not made.inside("no_grad", "inference_mode"):
                continue
            inner = [loop for loop in real_loops(made) if id(loop) not in around]
            if inner and _reads_batch(made, inner[-1]) and not _is_one_batch(inner[-1]) and not _accumulated(value):
                yield (
                    term.serial,
                    Metric(
                        at=place(made.at),
                        name=inferred("loss"),
                        on=Unknown(unknown="which data these are is not followed"),
                        over=inferred("last-batch", place(term.at)),
                    ),
                )


def _reported(term: Term) -> Iterator[Value]:
    """What a term shows, hands to a scheduler, or happens because of."""
    if term.op in ("call", "method") and (term.name in _PRINTS or term.name.endswith(".info")):
        yield from _shown(term)
    elif term.op == "method" and term.name == "step":
        yield from term.args[:1]
    for condition, _ in term.scope.conditions[-2:]:
        if isinstance(condition, Term) and condition.op == "binop" and condition.name in ("<", ">", "<=", ">="):
            yield from condition.args


def _is_one_batch(loop: Loop) -> bool:
    """Whether a loader hands out all of its data at once: `batch_size=len(data)`."""
    for each in options(loop.iterable):
        given = each.argument("batch_size", 1) if isinstance(each, Term) and each.op == "call" else None
        if isinstance(given, Term):
            return True
    return False


def _reads_batch(made: Term, loop: Loop) -> bool:
    """Whether a loss is computed on what a loop goes through, rather than once in each epoch."""
    batches = list(options(loop.iterable))
    for each in batches:
        if isinstance(each, Term) and each.name in ("builtins.enumerate", "builtins.zip"):
            batches.extend(each.args)
    return any(isinstance(v, Term) and v.op == "elem" and any(v.base is b for b in batches) for v in walk(made, 400))


def _shown(term: Term) -> Iterator[Value]:
    for value in term.args:
        if isinstance(value, Term) and value.op in ("text", "method", "binop"):
            yield from (a for a in value.args if not isinstance(a, Const))
            if value.op == "binop":
                for a in value.args:
                    if isinstance(a, Seq):
                        yield from a.items
            if value.op == "method":
                yield value
        else:
            yield value


def _last_value(value: Value) -> Term | None:
    """The loss that `loss.item()` reads."""
    here = next(iter(options(value)), None)
    for _ in range(6):
        if not isinstance(here, Term):
            return None
        if here.op == "apply" or (here.op == "call" and here.name.startswith("torch.nn.functional.")):
            kind = next((e.name for e in options(here.base) if isinstance(e, Term)), here.name)
            return here if kind.endswith("Loss") or here.name.endswith(("loss", "entropy")) else None
        if here.op in ("method", "attr", "item") and here.name in ("item", "detach", "cpu", "numpy", "data", "[]"):
            here = next(iter(options(here.base)), None)
        else:
            return None
    return None


def _accumulated(value: Value) -> bool:
    return any(isinstance(v, Term) and v.op == "binop" and v.name == "+=" for v in walk(value, 30))


__all__ = ["Choice", "Instance", "metrics"]
