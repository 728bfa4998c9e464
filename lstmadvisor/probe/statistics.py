"""Derives from what a probe measured the few numbers that the rules judge by.

Each statistic is a small function over plain lists; it answers None where too little was measured.  No threshold
stands here: those are options of the rules.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from lstmadvisor.measured import Histogram, MeasuredBatch, Probe, Profile, Series, Statistics

_Z = 2.576
"""of the standard normal distribution, for bounds that hold at 99 %"""
_FEWEST = 20
"""steps; with fewer nothing is said of the course of a loss"""
_STATES = frozenset({"c", "h", "h0", "hidden", "hidden_state", "state", "hx", "cx", "init_state", "initial_state"})


def derived(probe: Probe) -> Statistics:
    """The statistics of one probed run."""
    losses = finite(probe.of("loss"))
    raw = raw_norms(probe)
    norms = finite(raw)
    rates = finite(probe.of("learning-rate") or _first(probe, "learning-rate"))
    ratios = probe.of("update-ratio")
    clipped = clipping(probe)
    spike = spikes(raw)
    constant, over = against_constant(probe)
    evaluations = finite(probe.of("validation-loss"))
    validation = overfitting(evaluations)
    return Statistics(
        loss_first=losses[0] if losses else None,
        loss_early=median(losses[1 : 1 + max(10, len(losses) // 10)]) if len(losses) >= _FEWEST else None,
        loss_tail=median(tail(losses)) if len(losses) >= _FEWEST else None,
        fall=fall(head(losses), tail(losses)),
        late_fall=fall(_third_quarter(losses), tail(losses)),
        constant=constant,
        over_constant=over,
        norm_median=median(norms),
        norm_p90=quantile(norms, 0.9),
        norm_max=max(norms, default=None),
        spike=spike[0] if spike else None,
        spike_step=spike[1] if spike else None,
        clipped=clipped[0] if clipped else None,
        clip_ratio=clipped[1] if clipped else None,
        movement=movement(ratios),
        update_first=median(finite(ratios)[:3]),
        update_ratio=median(finite(ratios)),
        rate_first=rates[0] if rates else None,
        rate_last=rates[-1] if rates else None,
        rate_dead_since=dead_since(rates),
        vanishing=vanishing(probe.profiles),
        growth=growth(probe.profiles),
        reach=reach(probe.profiles),
        saturation=saturation(probe.histograms),
        hidden_saturation=hidden_saturation(probe.histograms),
        forget_first=forget(probe.histograms, first=True),
        forget_last=forget(probe.histograms, first=False),
        evaluations=len(evaluations),
        validation_first=evaluations[0] if evaluations else None,
        validation_best=validation[0] if validation else None,
        validation_last=validation[1] if validation else None,
        padding=median([batch.padding for batch in probe.batches if batch.padding is not None]),
        input_mean=_worst_input(probe, "mean"),
        input_deviation=_worst_input(probe, "deviation"),
        batch_axis=batch_axis(probe),
    )


def finite(series: Series | None) -> list[float]:
    """The values of a series that are numbers."""
    return [] if series is None else [value for value in series.values if value is not None and math.isfinite(value)]


def median(values: Sequence[float]) -> float | None:
    """The middle value."""
    return statistics.median(values) if values else None


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which a share of the values lies, interpolated."""
    if not values:
        return None
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def head(values: Sequence[float]) -> Sequence[float]:
    """The first tenth, but at least five values."""
    return values[: max(5, len(values) // 10)]


def tail(values: Sequence[float]) -> Sequence[float]:
    """The last quarter."""
    return values[-max(1, len(values) // 4) :]


def _third_quarter(values: Sequence[float]) -> Sequence[float]:
    return values[len(values) // 2 : len(values) - max(1, len(values) // 4)]


def fall(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float] | None:
    """By what share the values fell from `before` to `after`, and the bounds of that at 99 %.

    It is the shift of Hodges and Lehmann between the logarithms, with the bounds that belong to the test of Mann and
    Whitney: outliers and the batch noise of a loss do not move it.  None for losses that are not positive and for fewer
    than five values.
    """
    if len(before) < 5 or len(after) < 5 or min(*before, *after) <= 0:
        return None
    shifts = sorted(math.log(b) - math.log(a) for b in before for a in after)
    pairs, values = len(shifts), len(before) + len(after)
    spread = _Z * math.sqrt(pairs * (values + 1) / 12)
    low = max(0, math.floor(pairs / 2 - spread))
    high = min(pairs - 1, math.ceil(pairs / 2 + spread))
    middle = statistics.median(shifts)
    return _share(middle), _share(shifts[low]), _share(shifts[high])


def _share(shift: float) -> float:
    return 1 - math.exp(-max(-50.0, min(50.0, shift)))


def raw_norms(probe: Probe) -> Series | None:
    """The gradient norms before anything clipped them."""
    return probe.of("clip-norm") if _clips(probe) and probe.of("clip-norm") else probe.of("gradient-norm")


def _clips(probe: Probe) -> bool:
    return any(clip.kind == "norm" and clip.before_step for clip in probe.clipping)


def spikes(norms: Series | None) -> tuple[float, int] | None:
    """How far the largest gradient norm stands above the usual one, and its step.

    The usual one is the larger of the median of all steps and that of the first fifth, so that a single hard sample
    late in a run that has all but converged is no spike.  The first five steps are no spikes either.
    """
    if norms is None or len(norms.values) < _FEWEST:
        return None
    values = finite(norms)
    placed = [(v, step) for step, v in zip(norms.steps, norms.values, strict=True) if v is not None and v >= 0]
    late = [one for one in placed[5:] if math.isfinite(one[0])]
    usual = max(median(values) or 0.0, median(values[: max(5, len(values) // 5)]) or 0.0)
    if not late or usual <= 0:
        return None
    largest, step = max(late)
    return largest / usual, step


def clipping(probe: Probe) -> tuple[float, float] | None:
    """The share of the steps whose gradient was clipped by its norm, and the median of limit to norm over all steps."""
    limits = [clip.max for clip in probe.clipping if clip.kind == "norm" and clip.before_step and clip.max is not None]
    norms = [norm for norm in finite(probe.of("clip-norm")) if norm > 0]
    if not limits or not norms:
        return None
    limit = limits[0]
    return sum(norm > limit for norm in norms) / len(norms), statistics.median(limit / norm for norm in norms)


def movement(ratios: Series | None) -> float | None:
    """How far the weights moved in all, as a share of their length: the sampled ratios stand for the steps up to the
    next sample."""
    if ratios is None or len(ratios.steps) < 3:
        return None
    gaps = [b - a for a, b in zip(ratios.steps, ratios.steps[1:], strict=False)]
    gaps.append(gaps[-1])
    return sum(gap * (value or 0.0) for gap, value in zip(gaps, ratios.values, strict=True))


def dead_since(rates: Sequence[float]) -> float | None:
    """Since which share of the run the learning rate has been below a hundredth of its highest value."""
    if not rates or max(rates) <= 0 or rates[-1] >= 0.01 * max(rates):
        return None
    alive = max(i for i, rate in enumerate(rates) if rate >= 0.01 * max(rates))
    return (alive + 1) / len(rates)


def vanishing(profiles: Iterable[Profile]) -> float | None:
    """The gradient at the first time step over that at the last: the smallest of the layers, each by its median."""
    return min((statistics.median(of_layer) for of_layer in _first_over_last(profiles).values()), default=None)


def growth(profiles: Iterable[Profile]) -> float | None:
    """The same at the first look: the largest of the layers."""
    return max((of_layer[0] for of_layer in _first_over_last(profiles).values()), default=None)


def _first_over_last(profiles: Iterable[Profile]) -> dict[str, list[float]]:
    ratios: dict[str, list[float]] = {}
    for profile in profiles:
        values = [v for v in profile.values if v is not None]
        if len(values) >= 4 and values[-1] > 0:
            ratios.setdefault(profile.of, []).append(values[0] / values[-1])
    return ratios


def reach(profiles: Iterable[Profile]) -> float | None:
    """The time steps over which the gradient falls to 1/e: of the shortest-sighted layer, its median over the run."""
    reaches: dict[str, list[float]] = {}
    for profile in profiles:
        if profile.reach is not None:
            reaches.setdefault(profile.of, []).append(profile.reach)
    return min((statistics.median(of_layer) for of_layer in reaches.values()), default=None)


def saturation(histograms: Iterable[Histogram]) -> float | None:
    """The share of a layer's gates that start all but open or shut: of its least saturated kind of gate.

    A bias shuts or opens one kind on purpose (a forget bias of 3, chrono initialisation); large weights or inputs all.
    """
    least: dict[str, float] = {}
    for one in _at_start(histograms):
        if one.name in _GATES and one.low is not None and one.high is not None:
            least[one.of] = min(least.get(one.of, 1.0), one.low + one.high)
    return max(least.values(), default=None)


_GATES = frozenset({"gate-input", "gate-forget", "gate-output", "gate-reset", "gate-update"})


def hidden_saturation(histograms: Iterable[Histogram]) -> float | None:
    """The share of a layer's hidden state that starts beyond ±0.9: of the layer where it is largest."""
    shares = [
        one.low + one.high
        for one in _at_start(histograms)
        if one.name == "hidden" and one.low is not None and one.high is not None
    ]
    return max(shares, default=None)


def _at_start(histograms: Iterable[Histogram]) -> list[Histogram]:
    every = tuple(histograms)
    start = min((one.step for one in every), default=0)
    return [one for one in every if one.step == start]


def forget(histograms: Iterable[Histogram], first: bool) -> float | None:
    """The mean of the forget gate at the first or at the last look: of the layer where it is closed most."""
    looks = [one for one in histograms if one.name == "gate-forget" and one.mean is not None]
    if not looks:
        return None
    step = min(one.step for one in looks) if first else max(one.step for one in looks)
    return min(one.mean for one in looks if one.step == step and one.mean is not None)


def against_constant(probe: Probe) -> tuple[float | None, float | None]:
    """The mean loss of the best constant prediction, and the tail of the loss over it.

    Only where there is one loss function.  Of mean and median of the tail the smaller counts: one outlier must not make
    a good run look bad.
    """
    loss = probe.losses[0] if len(probe.losses) == 1 else None
    if loss is None or not loss.constant or loss.constant <= 0:
        return None, None
    values = finite(probe.of("loss-function", loss.name) or probe.of("loss"))
    if len(values) < _FEWEST:
        return loss.constant, None
    last = tail(values)
    return loss.constant, min(statistics.fmean(last), statistics.median(last)) / loss.constant


def overfitting(validation: Sequence[float]) -> tuple[float, float] | None:
    """The lowest value of the validation loss, smoothed by a median of three, and the lowest of its last three."""
    if len(validation) < 3:
        return None
    smooth = [statistics.median(validation[i - 1 : i + 2]) for i in range(1, len(validation) - 1)]
    return min(smooth), min(validation[-3:])


def inputs(probe: Probe) -> list[MeasuredBatch]:
    """The tensors of real numbers that the recurrent layers read: those of their width, else the model's first.

    Masks and one-hot vectors (0 and 1 only), constants and states are none.
    """
    real = [
        batch
        for batch in probe.batches
        if not batch.ids
        and len(batch.shape) in (2, 3)
        and batch.mean is not None
        and batch.deviation is not None
        and batch.smallest != batch.largest
        and (batch.smallest, batch.largest) != (0.0, 1.0)
        and batch.of.split(".")[-1] not in _STATES
    ]
    widths = {layer.input_size for layer in probe.layers}
    lengths = {layer.sequence_length for layer in probe.layers}
    read = [b for b in real if len(b.shape) == 3 and b.shape[-1] in widths and lengths & set(b.shape[:2])]
    return read or [b for b in real if b.of in ("", "0") or b.of.endswith(".0")]


def _worst_input(probe: Probe, what: str) -> float | None:
    """Mean or deviation of the input: the median over the batches."""
    return median([getattr(batch, what) for batch in inputs(probe)])


def batch_axis(probe: Probe) -> int | None:
    """Which axis of the model's input counts the sequences of a batch, by the loaders that were trained from."""
    shape = probe.checks.mixed_input
    if len(shape) < 2 or shape[0] == shape[1]:
        return None
    sizes = {loader.batch_size for loader in probe.loaders if loader.trained}
    found = [axis for axis in (0, 1) if shape[axis] in sizes]
    return found[0] if len(found) == 1 else None


def _first(probe: Probe, name: str) -> Series | None:
    return next((series for series in probe.series if series.name == name), None)
