"""The norm of the gradient, of all parameters together and of each, and what clipping found."""

from __future__ import annotations

import math
from typing import Any

from lstmadvisor.probe.by_hand import HandWritten
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import OFTEN, Instrument, Observer

MOST = 48
"""Parameters whose norms are told one by one."""


class Gradients(Instrument):
    """Norms as the optimizer uses them, and as clipping found them."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._parameters: dict[int, list[Any]] = {}
        self._titles: dict[tuple[int, ...], tuple[str, ...]] = {}
        self._had: set[int] = set()
        self._clips: dict[tuple[str, float], list[int]] = {}
        self._ready = False

    def before_update(self, optimizer: Any, step: int) -> None:
        """One norm for each parameter that has a gradient."""
        import torch

        self._ready = isinstance(optimizer, HandWritten)  # they are there, not yet used
        given = self._parameters.get(id(optimizer))
        if given is None or step % 50 == 0:
            given = [p for group in optimizer.param_groups for p in group["params"]]
            self._parameters[id(optimizer)] = given
        gradients = [gradient for p in given if (gradient := p.grad) is not None]
        if not gradients:
            return
        key: tuple[int, ...] = (id(optimizer),)
        if len(gradients) < len(given):
            key = tuple(id(p) for p in given if p.grad is not None)
        if key not in self._titles or step % 50 == 0:
            kept = [p for p in given if p.grad is not None]
            self._had.update(map(id, kept))
            self._titles[key] = self._named(kept)
        titles = self._titles[key]
        self.recorder.fetch_numbers(_norms(torch, gradients), lambda values: self._take(step, titles, values))

    def _take(self, step: int, titles: tuple[str, ...], norms: list[float]) -> None:
        total = math.hypot(*norms)
        self.observer.last_norm = total if math.isfinite(total) else math.nan
        self.recorder.append("gradient-norm", "", step, total)
        self.recorder.row("gradient-norm", titles, step, norms)

    def backward(self, loss: Any) -> None:
        """New gradients are on their way."""
        self._ready = True

    def clipped(self, kind: str, most: float, norm: Any) -> None:
        """Counts, and keeps the norm that was found."""
        if norm is not None:
            value = norm.detach()
            self.recorder.number(
                "clip-norm", "", self.observer.steps, value.full_tensor() if hasattr(value, "full_tensor") else value
            )
        counts = self._clips.setdefault((kind, most), [0, 0])
        counts[0] += 1
        counts[1] += self._ready
        if counts[0] in (1, 20) or counts[0] % 50 == 0:
            self._tell_clips()

    def listened(self, step: int) -> None:
        """Looks early: when a script is over, its model may be gone."""
        if step == OFTEN:
            self._tell_missing()

    def finish(self) -> None:
        """What was seen in the whole run."""
        self._tell_clips()
        self._tell_missing()

    def _tell_missing(self) -> None:
        """Which parameters never had a gradient, and which have one and no optimizer."""
        missing = [
            self._models.name(p) or f"parameter {index}"
            for given in self._parameters.values()
            for index, p in enumerate(given)
            if id(p) not in self._had and p.requires_grad
        ]
        given = {id(p) for parameters in self._parameters.values() for p in parameters}
        forgotten = [
            name
            for root in self._models.roots
            for name, p in root.named_parameters()
            if given and p.requires_grad and p.grad is not None and id(p) not in given
        ]
        self.recorder.record("check", without_gradient=missing)
        if self._models.roots:
            self.recorder.record("check", not_optimized=forgotten)

    def _tell_clips(self) -> None:
        clips = [
            {"kind": kind, "max": most, "calls": calls, "before_step": before}
            for (kind, most), (calls, before) in self._clips.items()
        ]
        if clips:
            self.recorder.record("clipping", clips=clips)

    def _named(self, parameters: list[Any]) -> tuple[str, ...]:
        """The names of those that are told one by one: matrices first, recurrent ones before others."""
        names = [self._models.name(p) or f"parameter {index}" for index, p in enumerate(parameters)]

        def rank(index: int) -> tuple[bool, bool, int]:
            return "weight_hh" not in names[index], parameters[index].dim() < 2, index

        told = set(sorted(range(len(names)), key=rank)[:MOST])
        return tuple(name if index in told else "" for index, name in enumerate(names))


def _norms(torch: Any, gradients: list[Any]) -> list[Any]:
    """One norm for each."""
    try:
        if not gradients[0].requires_grad:
            return list(torch._foreach_norm(gradients))
    except RuntimeError:  # sparse, on several devices, or of several types
        pass
    return [_dense(gradient).float().norm().cpu() for gradient in gradients]


def _dense(gradient: Any) -> Any:
    gradient = gradient.detach()
    return gradient.coalesce().values() if gradient.is_sparse else gradient
