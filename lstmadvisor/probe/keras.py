"""A callback for `fit` of Keras 3 on the torch backend."""

from __future__ import annotations

from typing import Any

import keras

from lstmadvisor.probe.context import Measuring


class KerasProbe(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures the first steps of `fit`; afterwards `measuring.result` holds what was measured."""

    def __init__(self, steps: int = 200) -> None:
        super().__init__()
        self.measuring = Measuring(steps=steps)

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins."""
        self.measuring.__enter__()

    def on_train_end(self, logs: Any = None) -> None:
        """Ends."""
        self.measuring.__exit__(None, None, None)
