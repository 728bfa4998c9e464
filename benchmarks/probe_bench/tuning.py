"""Sets the main threshold of each rule by half of the cases: between its healthy runs and its faulty ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lstmadvisor.measured import Probe, Statistics
from lstmadvisor.rule import Options, Rule


@dataclass(frozen=True)
class Threshold:
    """One option of a rule, and the number that it is held against."""

    rule: str
    option: str
    number: Callable[[Probe], float | None]
    above: bool = True
    """whether larger numbers are the faulty ones"""
    share: bool = False
    """between 0 and 1: the middle is the mean, elsewhere the geometric mean"""


def _of(name: str) -> Callable[[Probe], float | None]:
    return lambda probe: getattr(probe.statistics, name)


def _began(found: Statistics) -> float | None:
    return None if not found.loss_first or found.loss_first <= 0 else max(found.loss_first, found.constant or 0.0)


def _early(probe: Probe) -> float | None:
    began = _began(probe.statistics)
    return None if began is None or probe.statistics.loss_early is None else probe.statistics.loss_early / began


def _forget(probe: Probe) -> float | None:
    first, last = probe.statistics.forget_first, probe.statistics.forget_last
    return None if first is None or last is None else max(first, last)


def _rise(probe: Probe) -> float | None:
    best, last = probe.statistics.validation_best, probe.statistics.validation_last
    return last / best if best and last and probe.statistics.evaluations >= 8 else None


def _target(probe: Probe) -> float | None:
    scales = [max(abs(x.target_mean), x.target_deviation or 0.0) for x in probe.losses if x.target_mean is not None]
    return max(scales, default=None)


def _deviation(probe: Probe) -> float | None:
    found = probe.statistics
    return None if found.input_deviation is None else max(found.input_deviation, abs(found.input_mean or 0.0) / 5)


THRESHOLDS = (
    Threshold("learning-rate-too-high", "early", _early),
    Threshold("learning-rate-too-low", "movement", _of("movement"), above=False),
    Threshold("gates-saturated", "gates", _of("saturation"), share=True),
    Threshold("forget-gate-closed", "mean", _forget, above=False),
    Threshold("input-not-scaled", "high", _deviation),
    Threshold("target-not-scaled", "high", _target),
    Threshold("always-clipped", "ratio", _of("clip_ratio"), above=False),
    Threshold("gradients-vanish-through-time", "ratio", _of("vanishing"), above=False),
    Threshold("no-better-than-a-constant", "share", _of("over_constant"), share=True),
    Threshold("mostly-padding", "loud", _of("padding"), share=True),
    Threshold("overfits-already", "rise", _rise),
    Threshold("schedule-dies-early", "unfinished", _of("rate_dead_since"), above=False, share=True),
    Threshold("state-reset-in-stream", "continued", lambda probe: probe.checks.continued, share=True),
    Threshold("output-partly-zero", "share", lambda probe: probe.checks.zeros_at_output, share=True),
    Threshold("dropout-inactive", "share", lambda probe: probe.checks.eval_mode_while_training, share=True),
    Threshold("dropout-at-inference", "share", lambda probe: probe.checks.train_mode_while_validating, share=True),
    Threshold("gradient-spikes", "ratio", _of("spike")),
)


def tuned(
    healthy: Iterable[Probe], faulty: Iterable[tuple[tuple[str, ...], Probe]], rules: Iterable[Rule]
) -> dict[str, Options]:
    """The options by rule: each threshold midway between the last healthy run and the first faulty one.

    A threshold that these cases do not bound on both sides keeps its default.  Faulty runs count where the rule is the
    first of the causes that name the fault.
    """
    fine, bad = list(healthy), list(faulty)
    by_name = {rule.name: rule for rule in rules}
    found: dict[str, Options] = {}
    for one in THRESHOLDS:
        below = [n for n in map(one.number, fine) if n is not None]
        over = [n for causes, probe in bad if causes[0] == one.rule and (n := one.number(probe)) is not None]
        if not below or not over:
            continue
        good, wrong = (max(below), min(over)) if one.above else (min(below), max(over))
        if (good >= wrong) if one.above else (good <= wrong):
            continue
        middle = (good + wrong) / 2 if one.share else math.sqrt(max(good, 1e-30) * max(wrong, 1e-30))
        found[one.rule] = by_name[one.rule].options(**{one.option: middle})
    return found
