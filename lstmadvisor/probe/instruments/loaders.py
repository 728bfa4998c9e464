"""The DataLoaders that are iterated, and which of them is trained on."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Instrument, Observer


class Loaders(Instrument):
    """A loader is trained on if a step is made after a pass over it began, before one over another does."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._trained: dict[int, bool] = {}
        self._current: int | None = None

    def iterated(self, loader: Any) -> None:
        """Describes it once."""
        self._current = id(loader)
        if id(loader) in self._trained or loader.batch_size is None:
            return
        self._trained[id(loader)] = False
        sampler = type(getattr(loader, "sampler", None)).__name__
        self.recorder.record(
            "loader",
            key=id(loader),
            batch_size=loader.batch_size,
            size=_length(getattr(loader, "dataset", None)),
            shuffled={"RandomSampler": True, "SequentialSampler": False}.get(sampler),
            drop_last=bool(loader.drop_last),
            workers=loader.num_workers,
            trained=False,
        )

    def listened(self, step: int) -> None:
        """The present loader is trained on."""
        if self._current is not None and self._trained.get(self._current) is False:
            self._trained[self._current] = True
            self.recorder.record("loader", key=self._current, trained=True)


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        return None
