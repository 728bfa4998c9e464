"""How far a step moves the weights, as a share of their size."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import OFTEN, Instrument, Observer

LARGEST = 50_000_000
"""Numbers that are copied at most."""


class Updates(Instrument):
    """‖Δw‖/‖w‖ of each matrix and of all together."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._before: dict[int, tuple[list[Any], list[Any]]] = {}

    def before_update(self, optimizer: Any, step: int) -> None:
        """Keeps a copy of the weights."""
        if not self.observer.every(OFTEN):
            return
        kept = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if kept and sum(p.numel() for p in kept) <= LARGEST:
            self._before[id(optimizer)] = (kept, [p.detach().clone() for p in kept])

    def after_update(self, optimizer: Any, step: int) -> None:
        """Compares."""
        import torch

        kept, before = self._before.pop(id(optimizer), ([], []))
        if not kept:
            return
        with torch.no_grad():
            try:
                sizes = torch.stack(torch._foreach_norm(before))
                torch._foreach_sub_(before, [p.detach() for p in kept])
                moves = torch.stack(torch._foreach_norm(before))
            except RuntimeError:  # on several devices, or of several types
                return
            names = tuple(self._models.name(p) if p.dim() > 1 else "" for p in kept)
            self.recorder.numbers("update-ratio", names, step, moves / sizes)
            if len(self.observer.counts) < 2:
                self.recorder.number("update-ratio", "", step, moves.norm() / sizes.norm())
