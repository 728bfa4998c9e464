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
        self._series: dict[tuple[str, str], tuple[list[int], list[float]]] = {}
        self._tables: dict[tuple[str, tuple[str, ...]], tuple[list[int], list[list[float]]]] = {}
        """series that are measured together: a row for each step"""
        self._waiting: list[tuple[Any, Then]] = []
        self._numbers: list[tuple[list[Any], Then]] = []

    def number(self, name: str, of: str, step: int, value: Any) -> None:
        """A number of a series: a float, or a tensor with one element."""
        if isinstance(value, float | int):
            self.append(name, of, step, value)
        elif value.is_cpu:
            self.append(name, of, step, value.item())
        else:
            self.later(name, of, step, value)

    def later(self, name: str, of: str, step: int, value: Any) -> None:
        """The same of a tensor that nobody changes until the next flush."""
        self.fetch_numbers([value], lambda values: self.append(name, of, step, values[0]))

    def numbers(self, name: str, of: tuple[str, ...], step: int, values: Any) -> None:
        """Numbers of several series: a tensor with one element for each name in `of`, empty names left out."""
        if values.is_cpu:
            self.row(name, of, step, values.tolist())
        else:
            self.fetch(values, lambda fetched: self.row(name, of, step, fetched))

    def row(self, name: str, of: tuple[str, ...], step: int, values: list[float]) -> None:
        """Numbers of several series that need no fetching."""
        steps, rows = self._tables.get((name, of)) or self._tables.setdefault((name, of), ([], []))
        steps.append(step)
        rows.append(values)

    def fetch(self, tensor: Any, then: Then) -> None:
        """Calls `then` with the elements of a tensor at the next flush."""
        self._waiting.append((tensor.detach().reshape(-1), then))

    def fetch_numbers(self, tensors: list[Any], then: Then) -> None:
        """The same of tensors without an axis, whatever their devices."""
        self._numbers.append((tensors, then))

    def record(self, what: str, /, **fields: Any) -> None:
        """Hands on a record at once."""
        self._sink({"record": what, **fields})

    def flush(self) -> None:
        """Fetches what is still on a device, and hands on everything."""
        numbers, self._numbers = self._numbers, []
        for values, (_, then) in zip(_together([tensors for tensors, _ in numbers]), numbers, strict=True):
            with self.safely():
                then(values)
        waiting, self._waiting = self._waiting, []
        for values, (_, then) in zip(_fetched([tensor for tensor, _ in waiting]), waiting, strict=True):
            with self.safely():
                then(values)
        for (name, of), (steps, series) in self._series.items():
            self._tell(name, of, steps, series)
        self._series.clear()
        for (name, titles), (steps, rows) in self._tables.items():
            for title, column in zip(titles, zip(*rows, strict=True), strict=True):
                if title:
                    self._tell(name, title, steps, list(column))
        self._tables.clear()

    def _tell(self, name: str, of: str, steps: list[int], values: list[float]) -> None:
        self.record("series", name=name, of=of, unit=UNITS.get(name, ""), steps=steps, values=values)

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
        steps, values = self._series.get((name, of)) or self._series.setdefault((name, of), ([], []))
        steps.append(step)
        values.append(value)


def _together(groups: list[list[Any]]) -> Iterator[list[float]]:
    """The numbers of each group of tensors without an axis, with one transfer for all."""
    import torch

    flat = [tensor for tensors in groups for tensor in tensors]
    if not flat:
        return
    try:
        values = torch.stack(flat).tolist()
    except RuntimeError:  # on several devices
        values = torch.stack([tensor.cpu() for tensor in flat]).tolist()
    start = 0
    for tensors in groups:
        yield values[start : start + len(tensors)]
        start += len(tensors)


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
