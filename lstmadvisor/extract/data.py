"""Data of both frameworks: batches, sequences, shuffling, splits, scalers, padding, metrics."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.run import Run


def facts(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """Facts by key of `Program`."""
    return {}
