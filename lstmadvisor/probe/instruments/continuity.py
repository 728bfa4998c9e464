"""Whether the rows of a batch go on where those of the batch before ended, as chunks of a stream do."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Arguments, Instrument, Observer

STEPS = 40
CLOSE = 1e-5
"""difference of equal real numbers, as a share of their deviation"""


class Continuity(Instrument):
    """Compares the last target of each row with the first input of the same row in the next batch.

    The rows may lie along either axis: the one along which they go on is told.  The rows beside them show how often
    that happens by chance.
    """

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._given: Any = None
        self._ends: dict[int, tuple[int, Any]] = {}
        """axis → step, last targets of the rows"""
        self._counts = {axis: [0.0, 0.0, 0.0] for axis in (0, 1)}
        """axis → rows compared, that go on, that go on by chance"""

    def called(self, module: Any, args: tuple[Any, ...]) -> None:
        """Compares the first steps of the input with what came before."""
        given: Any = args[0] if args else None
        step = self.observer.steps
        if step >= STEPS or not hasattr(given, "detach") or given.dim() not in (2, 3) or min(given.shape[:2]) < 2:
            self._given = None
            return
        self._given = given.detach()
        for axis in (0, 1):
            before, ends = self._ends.pop(axis, (-2, None))
            if before == step - 1:
                self._compare(axis, ends, self._given.select(1 - axis, 0))

    def loss_function(self, name: str, arguments: Arguments, value: Any) -> None:
        """Keeps the last targets of the rows, where there is one for each input."""
        given = self._given
        target = arguments.get("target") if given is not None else None
        if given is None or target is None or not value.requires_grad:
            return
        sizes = given.shape[:2]
        if target.numel() not in (sizes.numel(), given.numel()):
            return
        target = target.detach().reshape(*sizes, -1)
        for axis in (0, 1):
            self._ends[axis] = (self.observer.steps, target.select(1 - axis, -1).clone())
        self._given = None

    def finish(self) -> None:
        """The shares, along the axis where the rows go on more often."""
        self.recorder.flush()
        shares = [(on / rows, chance / rows) for rows, on, chance in self._counts.values() if rows]
        if shares:
            continued, by_chance = max(shares, key=lambda pair: pair[0] - pair[1])
            self.recorder.record("check", continued=continued, continued_by_chance=by_chance)

    def _compare(self, axis: int, ends: Any, starts: Any) -> None:
        import torch

        starts = starts.reshape(len(starts), -1)
        if ends.shape[1:] != starts.shape[1:] or ends.is_floating_point() != starts.is_floating_point():
            return
        rows = min(len(ends), len(starts))
        ends, starts = ends[:rows], starts[:rows]
        beside = starts.roll(1, 0)
        if ends.is_floating_point():
            near = CLOSE * starts.std(correction=0)
            pairs = [((ends - other).abs() <= near).all(1).sum() for other in (starts, beside)]
        else:
            pairs = [(ends == other).all(1).sum() for other in (starts, beside)]

        def then(values: list[float]) -> None:
            counts = self._counts[axis]
            for index, more in enumerate((rows, *values)):
                counts[index] += more

        self.recorder.fetch(torch.stack(pairs), then)
