"""The tensors that a model is called with, as the model sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import RARELY, Instrument, Observer
from lstmadvisor.probe.recorder import rounded

LARGEST = 20_000_000
SHORTEST_TAIL = 2
"""equal time steps at an end that may be padding"""
FEWEST_PADDED = 0.25
"""share of the sequences that end so, at least"""
MOST = 12
"""tensors of one call"""


class Batches(Instrument):
    """Describes the input of the outermost modules in the first step, and every 25."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._given: dict[str, Any] = {}
        """what the models were called with since the last backward pass"""
        self._told = -1
        self._input: Any = None
        self._inputs: list[Any] = []
        """of the backward passes since the last step"""
        self._states: set[int] = set()

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Notes the states that recurrent layers start from: they are no data."""
        import torch

        if isinstance(module, torch.nn.RNNBase | torch.nn.RNNCellBase):
            start = args[1] if len(args) > 1 else kwargs.get("hx")
            parts = start if isinstance(start, tuple | list) else (start,)
            self._states.update(part.data_ptr() for part in parts if torch.is_tensor(part))

    def listened(self, step: int) -> None:
        """New states come with the next step."""
        self._states.clear()

    def outermost(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Keeps the tensors until it is clear that something is learned from them."""
        import torch

        if not self.observer.every(RARELY) or not torch.is_grad_enabled():
            return
        several = f"{type(module).__name__}." if len(self._models.roots) > 1 else ""
        for name, tensor in list(tensors(torch, args, kwargs))[:MOST]:
            if 0 < tensor.numel() <= LARGEST and tensor.data_ptr() not in self._states:
                self._given[several + name] = tensor.detach()

    def backward(self, loss: Any) -> None:
        """Describes each tensor once a step."""
        given, self._given = self._given, {}
        if self._input is not None:
            self._inputs.append(self._input)
            self._input = None
        if given and self._told != self.observer.steps:
            import torch

            self._told = self.observer.steps
            for name, tensor in given.items():
                self._describe(torch, name, tensor)

    def step_done(self, step: int) -> None:
        """Looks at the input if the loss is not finite."""
        loss = self.observer.last_loss
        if loss is not None and not math.isfinite(loss):
            for given in self._inputs:
                if given.is_cpu:
                    self.recorder.number("input-sum", "", step, given.sum())
        self._inputs.clear()

    def called(self, module: Any, args: tuple[Any, ...]) -> None:
        """Keeps the input until the loss is known; on another device its sum must tell whether it is finite."""
        for value in args:
            if getattr(value, "is_floating_point", bool)() and not value.is_sparse:
                self._input = value.detach()
                if not value.is_cpu:
                    self.recorder.number("input-sum", "", self.observer.steps, self._input.sum())
                return

    def _describe(self, torch: Any, name: str, tensor: Any) -> None:
        step = self.observer.steps
        values = tensor if tensor.is_floating_point() else tensor.to(torch.float32)
        finite = torch.isfinite(values)
        good = values if bool(finite.all()) else values[finite]
        share, padding, mask = _padding(torch, tensor)
        if mask is not None:
            self._models.padding = (step, mask)
        if good.numel() == 0:
            good = torch.full((1,), float("nan"))
        numbers = torch.stack([good.mean(), good.std(correction=0), good.min(), good.max()]).float()

        def then(fetched: list[float]) -> None:
            mean, deviation, smallest, largest = map(rounded, fetched)
            self.recorder.record(
                "batch",
                of=name,
                step=step,
                shape=list(tensor.shape),
                dtype=str(tensor.dtype).removeprefix("torch."),
                ids=not tensor.is_floating_point() and tensor.dtype != torch.bool,
                mean=mean,
                deviation=deviation,
                smallest=smallest,
                largest=largest,
                finite=good is values,
                padding=share,
                padding_value=padding,
            )

        self.recorder.fetch(numbers, then)


def tensors(torch: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tensors among the arguments of a call, each with a name."""
    for name, value in (*enumerate(args), *kwargs.items()):
        yield from _within(torch, str(name), value, 2)


def _within(torch: Any, name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if torch.is_tensor(value):
        yield name, value
    elif isinstance(value, torch.nn.utils.rnn.PackedSequence):
        yield f"{name}.data", value.data
    elif depth and isinstance(value, tuple | list):
        for index, part in enumerate(value):
            yield from _within(torch, f"{name}.{index}", part, depth - 1)
    elif depth and hasattr(value, "items"):
        for key, part in value.items():
            yield from _within(torch, f"{name}.{key}", part, depth - 1)


def _padding(torch: Any, tensor: Any) -> tuple[float | None, float | None, Any]:
    """The share of time steps at the ends of sequences that hold one and the same value, that value, and where."""
    if tensor.dim() not in (2, 3) or tensor.is_complex() or min(tensor.shape[:2]) < SHORTEST_TAIL:
        return None, None, None
    if tensor.dim() == 2 and tensor.is_floating_point():
        return None, None, None
    value = tensor if tensor.dim() == 3 else tensor.unsqueeze(-1)
    found: list[tuple[float, float, Any]] = []
    for turned, back in ((value, False), (value.transpose(0, 1), True)):
        for series, flipped in ((turned, False), (turned.flip(1), True)):
            if (tail := _tail(series)) is not None:
                number, mask = tail
                mask = mask.flip(1) if flipped else mask
                found.append((float(mask.float().mean()), number, mask.t() if back else mask))
    return max(found, key=lambda one: one[0]) if found else (0.0, None, None)


def _tail(series: Any) -> tuple[float, Any] | None:
    """Of (sequences, time, features): the value that sequences of different lengths end with, and where it stands."""
    constant = (series == series[:, -1:, :1]).all(dim=2)
    runs = constant.flip(1).long().cumprod(1)
    lengths = runs.sum(1)
    padded = lengths >= SHORTEST_TAIL
    if (
        padded.float().mean() < FEWEST_PADDED
        or bool((lengths == series.shape[1]).all())
        or bool((lengths == lengths[0]).all())
    ):
        return None
    ends = series[padded, -1, 0]
    if not bool((ends == ends[0]).all()):
        return None
    return float(ends[0]), (runs * padded.unsqueeze(1)).flip(1).bool()
