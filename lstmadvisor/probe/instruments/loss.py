"""The loss of every step, and of every evaluation between two steps."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Arguments, Instrument, Observer


class Loss(Instrument):
    """What backward is called on, and what loss functions give where no gradient is asked for."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._training: list[Any] = []
        self._evaluated: list[Any] = []
        self._functions: dict[str, list[Any]] = {}
        self._open: list[tuple[str, Any]] = []
        """of models in evaluation mode, although a gradient could be taken: the next backward pass tells what for"""
        self._mode = True

    def called(self, module: Any, args: tuple[Any, ...]) -> None:
        """Notes the mode."""
        self._mode = module.training

    def backward(self, loss: Any) -> None:
        """One of the passes of a step."""
        for name, value in self._open:
            if self._mode:
                self._evaluated.append(value)
            else:
                self._functions.setdefault(name, []).append(value)
        self._open.clear()
        if self._evaluated:
            import torch

            mean = torch.stack([value.float() for value in self._evaluated]).mean()
            self.recorder.number("validation-loss", "", self.observer.steps, mean)
            self._evaluated.clear()
        self._training.append(loss if loss.dim() == 0 else loss.mean())

    def loss_function(self, name: str, arguments: Arguments, value: Any) -> None:
        """Counts as an evaluation where nothing can be learned from it."""
        if value.requires_grad:
            mean = value.detach() / arguments.get("target").numel() if arguments.summed else value.detach()
            mean = mean if mean.dim() == 0 else mean.mean()
            if self._mode:
                self._functions.setdefault(name, []).append(mean)
            elif self.observer.steps:
                self._open.append((name, mean))
        elif value.dim() == 0 and self.observer.steps:
            self._evaluated.append(value.detach())

    def step_done(self, step: int) -> None:
        """The passes of the step make one number."""
        if not self._training:
            return
        total = sum(self._training[1:], self._training[0])
        self._training.clear()
        for name, values in self._functions.items():
            mean = values[0] if len(values) == 1 else sum(values[1:], values[0]) / len(values)
            self.recorder.later("loss-function", name, step, mean)
        self._functions.clear()
        if total.is_cpu:
            self._take(step, total.item())
        else:
            self.recorder.fetch(total, lambda values: self._take(step, values[0]))

    def _take(self, step: int, total: float) -> None:
        """Keeps the loss for the line of progress, too."""
        self.observer.last_loss = total
        self.recorder.append("loss", "", step, total)
