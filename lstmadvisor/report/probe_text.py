"""What a probe measured, for people: a few lines with sparklines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from lstmadvisor.measured import Probe, Series
from lstmadvisor.report.terminal import Paint, safe

_BARS = "▁▂▃▄▅▆▇█"
_BAD = "!"
_WIDTH = 48
_LISTED = 5
_STATUS = {
    "completed": "the script ended by itself",
    "step-limit": "stopped after the steps asked for",
    "time-limit": "stopped by the time limit",
    "failed": "the script failed",
    "interrupted": "interrupted",
    "no-training": "no optimizer step was made",
}


def probe_text(probe: Probe, paint: Paint) -> str:
    """The card of a probed run."""
    return "\n".join(_lines(probe, paint))


def sparkline(values: Sequence[float | None], width: int = _WIDTH) -> str:
    """Values as bars, the median of neighbours where they are too many; `!` where one is not finite."""
    count = min(width, len(values))
    groups = [values[i * len(values) // count : (i + 1) * len(values) // count] for i in range(count)]
    shown = [None if None in group else sorted(v for v in group if v is not None)[len(group) // 2] for group in groups]
    finite = [value for value in shown if value is not None]
    if not finite:
        return _BAD * len(shown)
    scale = _scale(finite)
    low, high = scale(min(finite)), scale(max(finite))
    span = high - low or 1.0
    return "".join(_BAD if v is None else _BARS[round((scale(v) - low) / span * (len(_BARS) - 1))] for v in shown)


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    """The logarithm, where values of one sign spread over more than a factor of 30."""
    wide = min(values) > 0 and max(values) / min(values) > 30
    return math.log if wide else float


def _lines(probe: Probe, paint: Paint) -> Iterator[str]:
    stopped = _STATUS[probe.status] if probe.status != "failed" else f"failed: {safe(probe.why)}"
    yield f"{paint('bold', 'Measured')} {probe.steps} optimizer steps in {probe.seconds:.1f} s: {stopped}"
    for name, title in (("loss", "loss"), ("validation-loss", "validation loss"), (_norm(probe), "gradient norm")):
        series = probe.of(name)
        if series is not None and series.values:
            yield f"  {title:<16} {paint('good', sparkline(series.values))}  {_ends(series)}"
    facts = [fact for fact in (*_sizes(probe), *_setting(probe)) if fact]
    if facts:
        yield f"  {paint('dim', ' · '.join(facts))}"
    if probe.broken:
        yield f"  {paint('warning', f'not measured: {len(probe.broken)} instruments failed, {safe(probe.broken[0])}')}"
    if probe.written:
        listed = ", ".join(map(safe, probe.written[:_LISTED]))
        more = f" and {len(probe.written) - _LISTED} more" if len(probe.written) > _LISTED else ""
        where = " in the scratch copy, which is gone" if probe.scratch else ""
        yield f"  {paint('dim', f'the script wrote {listed}{more}{where}')}"


def _norm(probe: Probe) -> str:
    """The norm before clipping, if the gradient is clipped in time."""
    return "clip-norm" if any(clip.before_step and clip.kind == "norm" for clip in probe.clipping) else "gradient-norm"


def _ends(series: Series) -> str:
    finite = [value for value in series.values if value is not None]
    bad = len(series.values) - len(finite)
    if not finite:
        return "never finite"
    ends = f"{_number(series.values[0])} → {_number(series.values[-1])}"
    return ends + (f", {bad} not finite" if bad else f", at most {max(finite):.3g}")


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"


def _sizes(probe: Probe) -> Iterator[str]:
    for layer in probe.layers[:_LISTED]:
        reach = next((p.reach for p in reversed(probe.profiles) if p.of == layer.path and p.reach), None)
        length = f" over {layer.sequence_length} steps" if layer.sequence_length else ""
        batch = f", batch {layer.batch}" if layer.batch else ""
        yield f"{layer.kind} {safe(layer.path)}{length}{batch}" + (f", gradient reach {reach:.3g}" if reach else "")
    for optimizer in probe.optimizers:
        rate = f" at {optimizer.rates[0]:g}" if optimizer.rates else ""
        yield f"{safe(optimizer.name)}{rate}"


def _setting(probe: Probe) -> Iterator[str]:
    yield f"seed {probe.seed}" if probe.seed is not None else ""
    yield safe(probe.device)
    yield ", ".join(f"{name} {version}" for name, version in probe.versions.items() if name in ("torch", "keras"))
