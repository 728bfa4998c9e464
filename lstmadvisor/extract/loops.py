"""PyTorch training: optimizers, schedules, the training step and its order, state, validation, early stopping."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.run import Run


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    return {}
