"""Connects an observer to PyTorch and Keras."""

from __future__ import annotations

import platform
import sys
from typing import Any

from lstmadvisor.probe.instruments import instruments, keras_instruments
from lstmadvisor.probe.keras_hooks import KerasHooks, LossOnly
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import Instrument, Observer
from lstmadvisor.probe.torch_hooks import TorchHooks

PACKAGES = (
    "torch",
    "keras",
    "lightning",
    "pytorch_lightning",
    "transformers",
    "accelerate",
    "tensorflow",
    "jax",
    "numpy",
)


class Setting(Instrument):
    """Seed, device and versions when training begins."""

    def before_update(self, optimizer: Any, step: int) -> None:
        """Once."""
        if step or self.observer.steps:
            return
        import torch

        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        device = str(parameters[0].device) if parameters else ""
        self.recorder.record("setting", seed=torch.initial_seed(), device=device, versions=versions())


def versions() -> dict[str, str]:
    """Of Python and of the packages that are in use."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        if (module := sys.modules.get(name)) is not None and (version := getattr(module, "__version__", None)):
            found[name] = str(version)
    return found


class Attached:
    """What connects an observer to the frameworks that are imported."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._models = Models()
        self._torch: TorchHooks | None = None
        self._keras: KerasHooks | LossOnly | None = None

    def torch(self, torch: Any) -> None:
        """PyTorch has been imported."""
        self._observer.add(Setting(self._observer), *instruments(self._observer, self._models))
        self._torch = TorchHooks(torch, self._observer, self._models)
        self._torch.install()

    def keras(self, keras: Any) -> None:
        """Keras has been imported, and with it its backend."""
        if not hasattr(keras, "backend") or not hasattr(keras.backend, "backend"):
            return
        if keras.backend.backend() == "torch" and self._torch is not None:
            self._observer.add(*keras_instruments(self._observer, self._models))
            self._keras = KerasHooks(keras, self._observer, self._models, self._torch.by_hand)
        else:
            self._keras = LossOnly(keras, self._observer)
        self._keras.install()

    def remove(self) -> None:
        """Leaves the frameworks as they were."""
        for hooks in (self._keras, self._torch):
            if hooks is not None:
                hooks.remove()
