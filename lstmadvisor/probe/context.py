"""Measures training that runs in this process: in a `with` block, or from a callback."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from lstmadvisor.probe.attach import Attached
from lstmadvisor.probe.observer import Observer
from lstmadvisor.probe.recorder import Record

if TYPE_CHECKING:
    from lstmadvisor.measured import Probe


class Measuring:
    """Measures from `__enter__` to `__exit__`, at most so many optimizer steps, and changes nothing."""

    def __init__(self, *optimizers: Any, steps: int = 200) -> None:
        """`optimizers`: the ones whose steps count; none: all."""
        self._records: list[Record] = []
        self._asked = steps
        self._observer = Observer(self._records.append, limit=steps, ends_script=False, only=optimizers)
        self._attached = Attached(self._observer)
        self._failed = ""
        self._seconds = 0.0
        self._started = 0.0

    def __enter__(self) -> Measuring:
        import torch

        self._started = time.monotonic()
        self._attached.torch(torch)
        if "keras" in sys.modules:
            self._attached.keras(sys.modules["keras"])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._observer.finish()
        self._attached.remove()
        self._seconds = time.monotonic() - self._started
        if error is not None:
            self._failed = f"{type(error).__name__}: {error}".splitlines()[0]

    @property
    def result(self) -> Probe:
        """What was measured, once the block is over."""
        from lstmadvisor.probe.collect import collected
        from lstmadvisor.probe.statistics import derived

        steps = self._observer.steps
        ended = "step-limit" if steps >= self._asked else "completed" if steps else "no-training"
        probe = collected(
            self._records,
            status="failed" if self._failed else ended,
            why=self._failed,
            error=self._failed,
            steps=steps,
            asked=self._asked,
            seconds=round(self._seconds, 3),
        )
        return probe.model_copy(update={"statistics": derived(probe)})

    def save(self, file: str) -> None:
        """Writes what was measured, for `lstmadvisor audit SCRIPT --load-probe FILE`."""
        from pathlib import Path

        from lstmadvisor.probe.command import save

        save(Path(file), self.result)
