"""Connects an observer to PyTorch."""

from __future__ import annotations

import platform
import sys
from typing import Any

from lstmadvisor.probe.instruments import instruments
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


def attach(observer: Observer) -> TorchHooks:
    """Installs the hooks; all instruments listen."""
    import torch

    models = Models()
    observer.add(Setting(observer), *instruments(observer, models))
    hooks = TorchHooks(torch, observer, models)
    hooks.install()
    return hooks
