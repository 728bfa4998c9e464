"""Keras: layers, compile, fit, callbacks."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.run import Run


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    return {}


def merged(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """Facts of a program that uses both frameworks."""
    return found
