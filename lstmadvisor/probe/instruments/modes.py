"""Whether models run in the mode that the moment asks for."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Arguments, Instrument, Observer


class Modes(Instrument):
    """Counts passes by their mode."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._training = [0, 0]
        """backward passes: all, of a model in evaluation mode"""
        self._evaluating = [0, 0]
        """forward passes without gradient: all, in training mode"""
        self._judged = [0, 0]
        """the same, of those whose loss was computed"""
        self._last = False
        self._mode: bool | None = None
        """of the last pass with gradient"""
        self._dropouts: set[int] = set()

    def outermost(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """One pass."""
        import torch

        if self.observer.steps < 3 and not _of_keras(module):
            self._mode = module.training if torch.is_grad_enabled() else self._mode
            self._dropouts.update(id(m) for m in module.modules() if _drops(m))

    def called(self, module: Any, args: tuple[Any, ...]) -> None:
        """One pass with gradient; whether anything is learned from it is to be seen."""
        self._mode = None if _of_keras(module) else module.training

    def backward(self, loss: Any) -> None:
        """The pass before was one of training."""
        if self._mode is not None:
            self._training[0] += 1
            self._training[1] += not self._mode

    def evaluated(self, module: Any) -> None:
        """One pass without gradient, after training has begun."""
        if _of_keras(module):
            return
        self._last = module.training
        if self.observer.steps:
            self._evaluating[0] += 1
            self._evaluating[1] += module.training

    def loss_function(self, name: str, arguments: Arguments, value: Any) -> None:
        """The pass before was judged."""
        if not value.requires_grad and self._evaluating[0]:
            self._judged[0] += 1
            self._judged[1] += self._last

    def finish(self) -> None:
        """The shares."""
        if not self._training[0]:
            return
        self.recorder.record(
            "check",
            eval_mode_while_training=_share(self._training),
            train_mode_while_validating=_share(self._judged if self._judged[0] else self._evaluating),
            dropouts=len(self._dropouts),
        )


def _of_keras(module: Any) -> bool:
    """Keras hands the mode on as an argument."""
    return hasattr(type(module), "compute_output_spec")


def _drops(module: Any) -> bool:
    import torch

    if isinstance(module, torch.nn.RNNBase):
        return module.dropout > 0 and module.num_layers > 1
    return isinstance(module, torch.nn.modules.dropout._DropoutNd) and module.p > 0


def _share(counts: list[int]) -> float | None:
    return counts[1] / counts[0] if counts[0] else None
