"""Reports what Keras does to an observer."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Observer


def install(keras: Any, observer: Observer) -> None:
    """Begins to report."""
