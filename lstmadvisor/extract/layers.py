"""PyTorch modules: recurrent layers and how their results are read, dropouts, dense layers, output, initialisation."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.run import Run


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    return {}
