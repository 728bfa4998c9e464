"""Collects numbers while training runs and hands them on in batches.

Numbers that are still on a device stay there until `flush`, which fetches all of them at once.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Record = dict[str, Any]
Sink = Callable[[Record], None]
Then = Callable[[list[float]], None]

UNITS = {"step-seconds": "s"}


class Recorder:
    """What was measured and not yet handed on to `sink`, a record at a time."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._series: dict[tuple[str, str], tuple[list[int], list[float | None]]] = {}
        self._waiting: list[tuple[Any, Then]] = []

    def number(self, name: str, of: str, step: int, value: Any) -> None:
        """A number of a series: a float, or a tensor with one element."""
        if isinstance(value, float | int):
            self.append(name, of, step, value)
        elif value.device.type == "cpu":
            self.append(name, of, step, value.item())
        else:
            self.fetch(value, lambda values: self.append(name, of, step, values[0]))

    def numbers(self, name: str, of: tuple[str, ...], step: int, values: Any) -> None:
        """Numbers of several series: a tensor with one element for each name in `of`, empty names left out."""

        def then(fetched: list[float]) -> None:
            for one, value in zip(of, fetched, strict=True):
                if one:
                    self.append(name, one, step, value)

        self.fetch(values, then)

    def fetch(self, tensor: Any, then: Then) -> None:
        """Calls `then` with the elements of a tensor at the next flush."""
        self._waiting.append((tensor.detach().reshape(-1), then))

    def record(self, what: str, /, **fields: Any) -> None:
        """Hands on a record at once."""
        self._sink({"record": what, **fields})

    def flush(self) -> None:
        """Fetches what is still on a device, and hands on everything."""
        waiting, self._waiting = self._waiting, []
        for values, (_, then) in zip(_fetched([tensor for tensor, _ in waiting]), waiting, strict=True):
            with self.safely():
                then(values)
        for (name, of), (steps, numbers) in self._series.items():
            self.record("series", name=name, of=of, unit=UNITS.get(name, ""), steps=steps, values=numbers)
        self._series.clear()

    @contextmanager
    def safely(self) -> Iterator[None]:
        """What fails within is noted and goes no further."""
        try:
            yield
        except Exception as error:
            self.broken(error)

    def broken(self, error: Exception) -> None:
        """An instrument failed, which must not concern the script."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"
        self.record("broken", error=text[:300])

    def append(self, name: str, of: str, step: int, value: float) -> None:
        """A number of a series that needs no fetching."""
        steps, values = self._series.setdefault((name, of), ([], []))
        steps.append(step)
        values.append(rounded(value))


def _fetched(tensors: list[Any]) -> list[list[float]]:
    """The elements of each tensor, with one transfer for each device."""
    import torch

    groups: dict[Any, list[int]] = {}
    for index, tensor in enumerate(tensors):
        groups.setdefault(tensor.device, []).append(index)
    fetched: list[list[float]] = [[] for _ in tensors]
    for indices in groups.values():
        together = torch.cat([tensors[i].to(torch.float32) for i in indices]).tolist()
        start = 0
        for i in indices:
            fetched[i] = together[start : start + len(tensors[i])]
            start += len(tensors[i])
    return fetched


def rounded(value: float) -> float | None:
    """`value` to 7 significant digits, None if it is not finite."""
    return float(f"{value:.7g}") if math.isfinite(value) else None
