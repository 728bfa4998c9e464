"""What the loss functions are asked to reach, and what the best constant prediction would reach."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean, median
from typing import Any

from lstmadvisor.probe.instruments import residuals
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import OFTEN, Arguments, Instrument, Observer
from lstmadvisor.probe.recorder import rounded

MOST = 8192
"""Targets that are kept of one call."""
COLUMNS = 64
RARE = 5
"""How many samples of each class an entropy needs, on average."""
CLASSES = ("cross_entropy", "nll_loss")
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
REAL = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
BENDS = {"smooth_l1_loss": "beta", "huber_loss": "delta"}
"""where they turn from square to line; 1 unless said otherwise"""


class Targets(Instrument):
    """Samples the targets of the calls that something is learned from."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._calls: Counter[str] = Counter()
        self._padded: dict[str, list[float]] = {}
        self._last: tuple[str, Any, int] | None = None
        self._classes: dict[str, Counter[int]] = {}
        self._reals: dict[str, list[list[float]]] = {}
        self._reductions: dict[str, str | None] = {}
        self._heard: set[tuple[str, int]] = set()
        self._outputs: list[Any] = []

    def loss_function(self, name: str, arguments: Arguments, value: Any) -> None:
        """Keeps a sample of the targets, in the steps that are listened to."""
        self._calls[name] += value.requires_grad
        step = self.observer.steps
        if not self.observer.listening or not value.requires_grad or (name, step) in self._heard:
            return
        target = arguments.get("target")
        if target is None:
            return
        self._heard.add((name, step))
        usual = arguments.get(BENDS[name], 1.0) == 1.0 if name in BENDS else True
        self._reductions[name] = arguments.get("reduction") if usual else None
        target = target.detach()
        if name in CLASSES and not target.is_floating_point():
            ignored = arguments.get("ignore_index", -100)
            counts = self._classes.setdefault(name, Counter())
            self._last = (name, target, ignored)
            self.recorder.fetch(
                target.reshape(-1)[:MOST].clone(),
                lambda ids: counts.update(int(one) for one in ids if one != ignored),
            )
        elif name in REAL + BINARY:
            self._keep(name, target)

    def outermost(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Keeps what a loss may be computed from."""
        import torch

        parts = output if isinstance(output, tuple | list) else (output,)
        self._outputs += [part for part in parts if torch.is_tensor(part) and part.grad_fn is not None]

    def learned(self, loss: Any) -> None:
        """Looks for the targets in the graph of a loss that no function computed."""
        outputs, self._outputs = self._outputs, []
        step = self.observer.steps
        if not outputs or loss.dim() or any(at == step for _, at in self._heard):
            return
        found = residuals.targets(loss, outputs)
        if found is not None:
            name, target = found
            self._heard.add((name, step))
            self._calls[name] += 1
            self._reductions[name] = "mean"
            self._keep(name, target)

    def _keep(self, name: str, target: Any) -> None:
        columns = target.shape[-1] if target.dim() > 1 and target.shape[-1] <= COLUMNS else 1
        rows = target.reshape(-1, columns)[: MOST // columns].clone()
        kept = self._reals.setdefault(name, [[] for _ in range(columns)])
        if len(kept) == columns:
            self.recorder.fetch(rows.t(), lambda values: _spread(kept, values))

    def _count_padded(self, name: str, target: Any, ignored: int) -> None:
        """Targets that count although their input is padding, where there is one for each position of the input."""
        step, padding = self._models.padding
        if padding is None or step != self.observer.steps or padding.numel() != target.numel():
            return
        counted = target.reshape(-1) != ignored
        share = (counted & padding.reshape(-1).to(counted.device)).sum() / counted.sum().clamp(min=1)
        shares = self._padded.setdefault(name, [])
        self.recorder.fetch(share, shares.extend)

    def listened(self, step: int) -> None:
        """The input of the step has been described; early targets are told for runs that are cut off."""
        self._outputs.clear()
        if self._last is not None:
            self._count_padded(*self._last)
            self._last = None
        if step in (OFTEN, 16 * OFTEN):
            self._tell()

    def finish(self) -> None:
        """Tells of all."""
        self.recorder.flush()
        self._tell()

    def _tell(self) -> None:
        for name, counts in self._classes.items():
            total = sum(counts.values())
            if not total:
                continue
            self.recorder.record(
                "loss",
                name=name,
                reduction=self._reductions[name],
                calls=self._calls[name],
                targets=total,
                classes=len(counts),
                padded=rounded(fmean(self._padded[name])) if self._padded.get(name) else None,
                constant=_entropy(counts, total) if self._reductions[name] == "mean" else None,
            )
        for name, columns in self._reals.items():
            numbers = [value for column in columns for value in column]
            if not numbers or not all(map(math.isfinite, numbers)):
                continue
            mean = fmean(numbers)
            spread = math.sqrt(fmean([(value - mean) ** 2 for value in numbers]))
            constant = fmean([_constant(name, column) for column in columns])
            self.recorder.record(
                "loss",
                name=name,
                reduction=self._reductions[name],
                calls=self._calls[name],
                targets=len(numbers),
                target_mean=rounded(mean),
                target_deviation=rounded(spread),
                constant=rounded(constant) if self._reductions[name] == "mean" else None,
            )


def _spread(kept: list[list[float]], values: list[float]) -> None:
    """Adds values, column after column, to the columns that are kept."""
    rows = len(values) // len(kept)
    for index, column in enumerate(kept):
        column += values[index * rows : (index + 1) * rows]


def _entropy(counts: Counter[int], total: int) -> float | None:
    """Entropy in nats, with the correction of Miller and Madow; None where there are too few samples."""
    if total < RARE * len(counts):
        return None
    plain = -sum(n / total * math.log(n / total) for n in counts.values())
    return rounded(plain + (len(counts) - 1) / (2 * total))


def _constant(name: str, values: list[float]) -> float:
    """Mean loss of the best constant."""
    mean = fmean(values)
    if name in BINARY:
        share = min(max(mean, 0.0), 1.0)
        return -sum(p * math.log(p) for p in (share, 1 - share) if p > 0)
    if name == "l1_loss":
        middle = median(values)
        return fmean([abs(value - middle) for value in values])
    if name in BENDS:
        middle = median(values)
        return fmean([_bent(value - middle) for value in values])
    return fmean([(value - mean) ** 2 for value in values])


def _bent(difference: float) -> float:
    size = abs(difference)
    return 0.5 * size**2 if size < 1 else size - 0.5
