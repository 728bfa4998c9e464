"""What a probe measured, as sentences and charts for the HTML report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lstmadvisor.facts import Program
from lstmadvisor.measured import Histogram, Probe, Profile, Series, Statistics
from lstmadvisor.report.charts import LARGEST, Band, Chart, Level, Line, Point, short, smoothed, thinned

_ENDS = {
    "completed": "the script ended by itself",
    "step-limit": "as many as asked for",
    "time-limit": "stopped by the time limit",
    "failed": "the script failed",
    "interrupted": "interrupted",
    "no-training": "no optimizer step was made",
}
_FLAT = 0.05
"""Share that a loss must fall by from the third quarter of a run to the last, not to be called flat."""
_FEWEST_NORMS = 50
"""Norms that a clipping threshold is proposed from, if the loss falls: a run that learns nothing is no guide."""
_LINES = 6
"""Lines of a chart at most."""
_GATES = {
    "gate-input": "input gate", "gate-forget": "forget gate", "gate-cell": "candidate", "gate-output": "output gate",
    "gate-reset": "reset gate", "gate-update": "update gate", "gate-new": "candidate", "hidden": "hidden state",
}  # fmt: skip
_SHOWS = {
    "loss": ("loss", "validation-loss"), "norm": ("gradient-norm", "clip-norm"), "time": ("gradient-through-time",),
    "update": ("update-ratio",), "rate": ("learning-rate",),
}  # fmt: skip
"""The series in each chart; a gate has a chart of its own."""


@dataclass(frozen=True)
class Card:
    """A probed run."""

    program: str
    files: frozenset[str]
    """of the program"""
    how: str
    """how the run went"""
    verdict: str
    """what the loss did, in a sentence"""
    setting: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    gates: tuple[tuple[str, tuple[Chart, ...]], ...]
    """small charts by layer"""

    @property
    def shown(self) -> dict[str, Chart]:
        """By the name of a series, profile or histogram the chart that shows it; of the first layer."""
        small = [chart for _, charts in reversed(self.gates) for chart in charts]
        found = {chart.id.partition("-")[2].partition("-")[2]: chart for chart in small}
        for chart in self.charts:
            found |= dict.fromkeys(_SHOWS[chart.id.partition("-")[2]], chart)
        return found


def probe_card(program: Program, probe: Probe, prefix: str = "chart") -> Card:
    """The card of one program's run; the ids of its charts begin with `prefix`."""
    charts = (_loss(probe), _norm(probe), _time(probe), _update(probe), _rate(probe))
    return Card(
        program=program.path,
        files=frozenset((program.path, *program.files)),
        how=f"{probe.steps} optimizer steps in {probe.seconds:.1f} s: {_end(probe)}",
        verdict=_verdict(probe.statistics),
        setting=tuple(_setting(probe)),
        charts=tuple(_named(chart, prefix) for chart in charts if chart is not None),
        gates=tuple((layer, tuple(_named(c, prefix) for c in charts)) for layer, charts in _gates(probe)),
    )


def _end(probe: Probe) -> str:
    return _ENDS[probe.status] + (f" ({probe.error or probe.why})" if probe.status == "failed" else "")


def _verdict(found: Statistics) -> str:
    parts = []
    if found.fall:
        middle, low, high = found.fall
        if low > 0:
            parts.append(f"the loss fell by {_percent(middle)} ({_percent(low)} to {_percent(high)} at 99 %)")
        elif high < 0:
            parts.append(f"the loss rose by {_percent(-middle)} ({_percent(-high)} to {_percent(-low)} at 99 %)")
        else:
            parts.append(f"the loss did not clearly fall (by {_percent(low)} to {_percent(high)} at 99 %)")
    if found.over_constant is not None:
        parts.append(f"its last quarter stands at {short(found.over_constant, 2)} times the best constant prediction")
    if found.reach is not None:
        parts.append(f"the gradient reaches back {short(found.reach, 2)} time steps")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _setting(probe: Probe) -> Iterator[tuple[str, str]]:
    for layer in probe.layers:
        sizes = [f"{layer.units} units"] if layer.units else []
        sizes += [f"{layer.sequence_length} time steps"] if layer.sequence_length else []
        sizes += [f"batch {layer.batch}"] if layer.batch else []
        sizes += [f"state {layer.state}"] if layer.state else []
        yield f"{layer.kind} {layer.path}".strip(), ", ".join(sizes)
    for optimizer in probe.optimizers:
        rates = " and ".join(short(rate) for rate in optimizer.rates)
        yield "Optimizer", f"{optimizer.name}{f', learning rate {rates}' if rates else ''}"
    for clip in probe.clipping:
        when = "before the step" if clip.before_step else "after the step, without effect"
        yield "Clipping", f"{clip.kind} at {short(clip.max) if clip.max is not None else 'no limit'}, {when}"
    if probe.seed is not None:
        yield "Seed", str(probe.seed)
    if probe.device:
        yield "Device", probe.device
    yield "Versions", ", ".join(f"{name} {version}" for name, version in probe.versions.items())
    if probe.written:
        where = " (in a copy that is gone)" if probe.scratch else ""
        yield "Files written", ", ".join(probe.written) + where


def _loss(probe: Probe) -> Chart | None:
    loss, validation = probe.of("loss"), probe.of("validation-loss")
    points = finite_points(loss)
    if not points:
        return None
    width = max(len(points) // 20, 1) | 1
    lines = [Line("loss", thinned(points), 1, "faint" if width > 1 else "line")]
    lines += [Line(f"loss, mean of {width} steps", thinned(smoothed(points, width), 200), 1)] if width > 1 else []
    lines += (
        [Line("validation loss", thinned(finite_points(validation)), 2, "dots")] if finite_points(validation) else []
    )
    found = probe.statistics
    levels = (
        [Level(found.constant, f"best constant: {short(found.constant, 3)}", "baseline")]
        if found.constant is not None
        else []
    )
    bands: list[Band] = []
    if found.late_fall and found.late_fall[0] < _FLAT:
        first, last = points[0][0], points[-1][0]
        change = f"{_percent(-found.late_fall[0], signed=True)} from the third quarter of the run to the last"
        bands.append(Band(first + (last - first) / 2, last, f"flat: {change}"))
    log = _wide(smoothed(points, width))
    return Chart(
        "loss", "Loss", _course("The loss", points), "optimizer step", "loss, logarithmic" if log else "loss",
        tuple(lines), tuple(levels), tuple(bands), log=log,
    )  # fmt: skip


def _norm(probe: Probe) -> Chart | None:
    used, found = finite_points(probe.of("gradient-norm")), finite_points(probe.of("clip-norm"))
    in_time = [clip for clip in probe.clipping if clip.kind == "norm" and clip.before_step]
    raw = found if in_time and found else used
    if not raw:
        return None
    lines = [Line("gradient norm before clipping" if raw is found else "gradient norm", thinned(raw), 1)]
    lines += [Line("as the optimizer used it", thinned(used), 2)] if raw is found and used else []
    numbers = probe.statistics
    levels = [Level(clip.max, f"clipped at {short(clip.max)}", "limit") for clip in in_time if clip.max]
    if numbers.norm_median:
        levels.append(Level(numbers.norm_median, f"median {short(numbers.norm_median, 3)}"))
    if numbers.norm_p90:
        learns = numbers.fall is not None and numbers.fall[1] > 0
        enough = learns and len([y for _, y in raw if y is not None]) >= _FEWEST_NORMS
        label = f"p90 {short(numbers.norm_p90, 3)}"
        proposal = Level(numbers.norm_p90, f"{label}: clip here", "proposal")
        levels.append(proposal if enough else Level(numbers.norm_p90, label))
    if numbers.norm_max:
        levels.append(Level(numbers.norm_max, f"largest {short(numbers.norm_max, 3)}"))
    return Chart(
        "norm", "Gradient norm", _course("The gradient norm", raw), "optimizer step", "L2 norm, logarithmic",
        tuple(lines), tuple(levels), log=True,
    )  # fmt: skip


def _time(probe: Probe) -> Chart | None:
    layers: dict[str, list[Profile]] = {}
    for profile in probe.profiles:
        if profile.values:
            layers.setdefault(profile.of, []).append(profile)
    lines: list[Line] = []
    reaches: list[str] = []
    for layer, profiles in layers.items():
        for profile in dict.fromkeys((profiles[0], profiles[-1])):
            name = f"{layer}, step {profile.step}" if len(layers) > 1 else f"step {profile.step}"
            points = thinned(tuple((float(t), value) for t, value in enumerate(profile.values)))
            lines.append(Line(name, points, len(lines) % _LINES + 1))
        if profiles[-1].reach is not None:
            of = f" of {layer}" if len(layers) > 1 else ""
            reaches.append(f"the gradient{of} falls to 1/e over {short(profiles[-1].reach, 2)} time steps")
    if not lines:
        return None
    said = "; ".join(reaches) or "the gradient does not fall going back in time"
    return Chart(
        "time", "Gradient through time", f"How much each time step counts: {said}.", "time step (0 is the first)",
        "norm of the gradient, logarithmic", tuple(lines[: 2 * _LINES]), log=True,
    )  # fmt: skip


def _update(probe: Probe) -> Chart | None:
    found = [series for series in probe.series if series.name == "update-ratio" and series.values]
    found.sort(key=lambda series: (series.of != "", "weight" not in series.of, "hh" not in series.of))
    lines = [
        Line(one.of or "all weights", thinned(finite_points(one)), n % _LINES + 1, "dots")
        for n, one in enumerate(found)
    ]
    if not lines:
        return None
    said = "How far one step moves the weights, as a share of their length"
    median = probe.statistics.update_ratio
    said += f"; median {short(median, 2)}" if median else ""
    return Chart(
        "update", "Update to weight", f"{said}.", "optimizer step", "‖Δw‖ / ‖w‖, logarithmic",
        tuple(lines[:_LINES]), log=True,
    )  # fmt: skip


def _rate(probe: Probe) -> Chart | None:
    found = [one for one in probe.series if one.name == "learning-rate" and len(set(one.values)) > 1]
    lines = [
        Line(one.of or "learning rate", thinned(finite_points(one)), n % _LINES + 1) for n, one in enumerate(found)
    ]
    if not lines:
        return None
    points = lines[0].points
    log = _wide(points)
    y = "learning rate, logarithmic" if log else "learning rate"
    said = _course("The learning rate", points)
    return Chart("rate", "Learning rate", said, "optimizer step", y, tuple(lines), log=log)


def _gates(probe: Probe) -> Iterator[tuple[str, tuple[Chart, ...]]]:
    """The first and the last look at every gate, by layer."""
    layers: dict[str, dict[str, list[Histogram]]] = {}
    for one in probe.histograms:
        if sum(one.counts):
            layers.setdefault(one.of, {}).setdefault(one.name, []).append(one)
    for number, (layer, gates) in enumerate(layers.items()):
        yield layer, tuple(_gate(f"gate{number}-{name}", name, looks) for name, looks in gates.items())


def _gate(id: str, name: str, looks: list[Histogram]) -> Chart:
    ends = list(dict.fromkeys((looks[0], looks[-1])))
    lines = tuple(Line(f"step {one.step}", _shares(one), number, "stairs") for number, one in enumerate(ends, 1))
    means = ", then ".join(short(one.mean, 2) for one in ends if one.mean is not None)
    beyond = ", then ".join(
        _percent(one.low + one.high) for one in ends if one.low is not None and one.high is not None
    )
    said = f"Mean {means}; saturated {beyond}" if beyond else f"Mean {means}"
    edges = looks[0].edges
    title = _GATES.get(name, name).capitalize()
    return Chart(id, title, f"{said}.", "value", "share", lines, span=(edges[0], edges[-1]), small=True)


def _shares(one: Histogram) -> tuple[Point, ...]:
    total = sum(one.counts)
    return tuple(
        (round((low + high) / 2, 6), count / total)
        for low, high, count in zip(one.edges, one.edges[1:], one.counts, strict=False)
    )


def finite_points(series: Series | None) -> tuple[Point, ...]:
    """The points of a series; what is not finite is None."""
    if series is None:
        return ()
    pairs = zip(series.steps, series.values, strict=False)
    return tuple((float(x), y if y is not None and abs(y) < LARGEST else None) for x, y in pairs)


def _course(what: str, points: tuple[Point, ...]) -> str:
    finite = [(x, y) for x, y in points if y is not None]
    if not finite:
        return f"{what} is never finite."
    lowest, highest = min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])
    text = (
        f"{what} goes from {short(finite[0][1], 3)} to {short(finite[-1][1], 3)}; lowest {short(lowest[1], 3)} at step "
        f"{short(lowest[0])}, highest {short(highest[1], 3)} at step {short(highest[0])}"
    )
    bad = [x for x, y in points if y is None]
    return text + (f"; not finite at {len(bad)} steps, first at {short(bad[0])}." if bad else ".")


def _wide(points: tuple[Point, ...]) -> bool:
    """Whether values of one sign spread so far that only a logarithmic axis shows them."""
    values = [y for _, y in points if y is not None]
    return bool(values) and min(values) > 0 and max(values) / min(values) > 50


def _named(chart: Chart, prefix: str) -> Chart:
    return replace(chart, id=f"{prefix}-{chart.id}")


def _percent(share: float, signed: bool = False) -> str:
    number = 100 * share
    text = f"{number:.2g}" if abs(number) < 10 else f"{number:.0f}"
    return f"{'+' if signed and number > 0 else ''}{text} %"
