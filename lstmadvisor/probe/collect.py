"""From the records of a child process to a `Probe`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from lstmadvisor.facts import Place
from lstmadvisor.measured import (
    Checks,
    Histogram,
    MeasuredBatch,
    MeasuredClipping,
    MeasuredLayer,
    MeasuredLoader,
    MeasuredLoss,
    MeasuredOptimizer,
    Probe,
    Profile,
    Series,
)
from lstmadvisor.probe.recorder import rounded

Record = dict[str, Any]
_INTERNAL = ("input-sum",)
"""series that only checks are made of"""


def records(text: str) -> list[Record]:
    """The records of a file, without a last line that was cut off."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def collected(found: Iterable[Record], places: Mapping[str, str] | None = None, **fields: Any) -> Probe:
    """What the records tell, with `fields` set.  `places`: prefixes of paths, and what people call them."""
    by_kind: dict[str, list[Record]] = {}
    for one in found:
        by_kind.setdefault(one["record"], []).append({k: v for k, v in one.items() if k != "record"})
    series = _series(by_kind.get("series", []))
    setting = (by_kind.get("setting") or [{}])[0]
    losses = _latest(by_kind.get("loss", []), "name").values()
    made: dict[str, Any] = {
        **setting,
        "broken": tuple(dict.fromkeys(one["error"] for one in by_kind.get("broken", []))),
        "overhead": (by_kind.get("overhead") or [{"value": None}])[-1]["value"],
        "series": tuple(one for one in series if one.name not in _INTERNAL),
        "profiles": tuple(Profile(**one, reach=reach(one["values"])) for one in by_kind.get("profile", [])),
        "histograms": tuple(Histogram(**one) for one in by_kind.get("histogram", [])),
        "layers": tuple(_layer(one, places or {}) for one in _latest(by_kind.get("layer", []), "key").values()),
        "batches": tuple(MeasuredBatch(**one) for one in by_kind.get("batch", [])),
        "loaders": tuple(MeasuredLoader(**_rest(one)) for one in _latest(by_kind.get("loader", []), "key").values()),
        "optimizers": tuple(
            MeasuredOptimizer(**_rest(one)) for one in _latest(by_kind.get("optimizer", []), "key").values()
        ),
        "clipping": tuple(MeasuredClipping(**one) for one in (by_kind.get("clipping") or [{"clips": ()}])[-1]["clips"]),
        "losses": tuple(MeasuredLoss(**one) for one in losses),
    }
    checks: Record = {}
    for one in by_kind.get("check", []):
        checks.update(one)
    made["checks"] = Checks(**checks, zero_gradient=_zeros(series), **_first_bad(series, by_kind.get("batch", [])))
    return Probe(**{**made, **fields})


def reach(values: Iterable[float | None]) -> float | None:
    """Steps over which a profile falls to 1/e going back in time, by a line through its logarithm."""
    points = [(t, math.log(value)) for t, value in enumerate(values) if value is not None and value > 0]
    if len(points) < 3:
        return None
    mean_t, mean_y = (sum(part) / len(points) for part in zip(*points, strict=True))
    slope = sum((t - mean_t) * (y - mean_y) for t, y in points) / sum((t - mean_t) ** 2 for t, _ in points)
    return float(f"{1 / slope:.4g}") if slope > 1e-6 else None


def _series(found: list[Record]) -> tuple[Series, ...]:
    """Each series whole; norms of several optimizers in the same step make one."""
    points: dict[tuple[str, str], dict[int, float | None]] = {}
    units: dict[tuple[str, str], str] = {}
    for one in found:
        key = (one["name"], one["of"])
        units[key] = one["unit"]
        values = points.setdefault(key, {})
        for step, exact in zip(one["steps"], one["values"], strict=True):
            value = rounded(exact)
            if step in values and one["name"] in ("gradient-norm", "clip-norm") and not one["of"]:
                before = values[step]
                value = None if value is None or before is None else math.hypot(before, value)
            values[step] = value
    made = []
    for (name, of), values in points.items():
        steps = tuple(sorted(values))
        made.append(Series(name=name, of=of, unit=units[name, of], steps=steps, values=tuple(values[s] for s in steps)))
    return tuple(made)


def _latest(found: list[Record], key: str) -> dict[Any, Record]:
    """The records with the same key as one, what is newer on top."""
    merged: dict[Any, Record] = {}
    for one in found:
        merged.setdefault(one[key], {}).update(one)
    return merged


def _rest(one: Record) -> Record:
    return {name: value for name, value in one.items() if name != "key"}


def _layer(one: Record, places: Mapping[str, str]) -> MeasuredLayer:
    given = _rest(one)
    place = given.pop("place", None)
    return MeasuredLayer(**given, at=_place(place, places) if place else None)


def _place(place: tuple[str, int], places: Mapping[str, str]) -> Place:
    file, line = place
    for prefix, shown in places.items():
        if file.startswith(prefix):
            file = shown + file[len(prefix) :]
            break
    path, _, cell = file.partition("#")
    return Place(path=path, cell=int(cell) if cell.isdigit() else None, line=line)


def _zeros(series: Iterable[Series]) -> dict[str, float]:
    shares = {
        one.of: sum(value == 0 for value in one.values) / len(one.values)
        for one in series
        if one.name == "gradient-norm" and one.of and one.values
    }
    return {name: share for name, share in shares.items() if share}


def _first_bad(series: Iterable[Series], batches: list[Record]) -> Record:
    """What was not finite first; within a step the input comes before the loss, and the loss before the gradient."""
    bad: list[tuple[int, int, str]] = [(one["step"], 0, "input") for one in batches if not one["finite"]]
    order = {"input-sum": (0, "input"), "loss": (1, "loss"), "gradient-norm": (2, "gradient")}
    for one in series:
        if one.name in order and not one.of:
            rank, word = order[one.name]
            bad += [(step, rank, word) for step, value in zip(one.steps, one.values, strict=True) if value is None][:1]
    if not bad:
        return {}
    step, _, word = min(bad)
    return {"first_bad": word, "first_bad_step": step}
