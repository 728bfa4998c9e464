"""A callback for Lightning's Trainer."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback

from lstmadvisor.probe.context import Measuring


class LightningProbe(Callback):  # type: ignore[misc, unused-ignore]  # without Lightning, its classes are Any
    """Measures the first steps of `fit`; afterwards `measuring.result` holds what was measured."""

    def __init__(self, steps: int = 200) -> None:
        self.measuring = Measuring(steps=steps)

    def on_fit_start(self, trainer: Any, module: Any) -> None:
        """Begins."""
        self.measuring.__enter__()

    def on_fit_end(self, trainer: Any, module: Any) -> None:
        """Ends."""
        self.measuring.__exit__(None, None, None)

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        """Ends early."""
        self.measuring.__exit__(type(exception), exception, None)
