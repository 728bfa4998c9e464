"""What the optimizers are, and their learning rate at every step."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Instrument, Observer


class Rates(Instrument):
    """Reads the parameter groups."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._names: dict[int, str] = {}

    def before_update(self, optimizer: Any, step: int) -> None:
        """The rate that this step is made with."""
        first = optimizer.param_groups[0]
        if id(optimizer) not in self._names:
            self._describe(optimizer, first)
        if "lr" in first:
            self.recorder.number("learning-rate", self._names[id(optimizer)], step, first["lr"])

    def finish(self) -> None:
        """How many steps each made."""
        for optimizer, steps in self.observer.counts.items():
            if optimizer in self._names:
                self.recorder.record("optimizer", key=optimizer, steps=steps)

    def _describe(self, optimizer: Any, first: dict[str, Any]) -> None:
        name = getattr(optimizer, "title", type(optimizer).__name__)
        others = len(self._names)
        self._names[id(optimizer)] = f"{name} {others + 1}" if others else ""
        groups = optimizer.param_groups
        self.recorder.record(
            "optimizer",
            key=id(optimizer),
            name=name,
            parameters=sum(p.numel() for group in groups for p in group["params"]),
            rates=[float(group["lr"]) for group in groups if "lr" in group],
            momentum=_number(first.get("momentum")),
            betas=[float(beta) for beta in first.get("betas", ()) if beta is not None],
            weight_decay=_number(first.get("weight_decay")),
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
