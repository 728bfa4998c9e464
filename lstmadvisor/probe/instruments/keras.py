"""The recurrent layers of Keras 3 on the torch backend: sizes, gates, and the gradient through time."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.instruments import gates, time
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import OFTEN, RARELY, Instrument, Observer

LONGEST = 64
"""Time steps whose gates are looked at: each is computed on its own."""


class KerasLayers(Instrument):
    """One record for each layer."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._told: set[int] = set()

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Of the first call."""
        if id(module) in self._told or not _recurrent(module, args):
            return
        self._told.add(id(module))
        place = self._models.place(module)
        given = len(args) > 1 or kwargs.get("initial_state") is not None
        self.recorder.record(
            "layer",
            key=id(module),
            kind=type(module).__name__,
            path=module.name,
            place=list(place) if place else None,
            units=getattr(module, "units", None),
            input_size=args[0].shape[2],
            num_layers=1,
            dropout=float(getattr(module, "dropout", 0.0)),
            sequence_length=args[0].shape[1],
            shortest=args[0].shape[1],
            batch=args[0].shape[0],
            state="carried" if module.stateful else "other" if given else "none",
        )


class KerasGates(gates.Gates):
    """Histograms of the gates, with the cell's own activations."""

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Looks at the first pass of a layer in a step."""
        import torch

        if not self.observer.every(RARELY) or not _recurrent(module, args):
            return
        with torch.no_grad():
            given = args[0].detach()[: gates.SEQUENCES]
            given = (given.flip(1) if module.go_backwards else given)[:, :LONGEST]
            self._tell(module, "", self.observer.steps, _gates(torch, module.cell, given))

    def listened(self, step: int) -> None:
        """Cells are no matter here."""

    def _path(self, module: Any) -> str:
        return str(module.name)


class KerasThroughTime(time.ThroughTime):
    """The norm of dL/dx_t."""

    def forward_pre(self, module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Hooks the gradient of the layer's input; input that needs none is replaced by an alias that does."""
        import torch

        if not self.observer.every(OFTEN) or not _recurrent(module, args):
            return None
        values = args[0]
        changed = None
        if not values.requires_grad:
            mask = getattr(values, "_keras_mask", None)
            values = values.detach().requires_grad_()
            if mask is not None:
                values._keras_mask = mask
            changed = (values, *args[1:])
        step = self.observer.steps

        def hook(gradient: Any) -> None:
            with self.observer.at_work(), self.recorder.safely():
                if id(module) in self._heard:
                    return
                self._heard.add(id(module))
                self._tell(module, step, time.norms(torch, gradient, None, True))

        values.register_hook(hook)
        return changed

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Cells are no matter here."""

    def _path(self, module: Any) -> str:
        return str(module.name)


def _recurrent(module: Any, args: tuple[Any, ...]) -> bool:
    """Whether a layer steps a cell with recurrent weights over (sequences, time, features), and learns from it."""
    import torch

    if not hasattr(module, "stateful") or not hasattr(getattr(module, "cell", None), "recurrent_kernel"):
        return False
    return bool(args) and args[0].dim() == 3 and args[0].is_floating_point() and torch.is_grad_enabled()


def _gates(torch: Any, cell: Any, given: Any) -> dict[str, Any]:
    """The gates at each time step, (sequences, time, units)."""
    kind = type(cell).__name__
    count, units = len(given), cell.units
    states = [given.new_zeros(count, units) for _ in range(2 if kind == "LSTMCell" else 1)]
    found: dict[str, list[Any]] = {}
    for step in given.unbind(1):
        for name, value in _opened(kind, cell, step, states[0]).items():
            found.setdefault(name, []).append(value)
        hidden, states = cell.call(step, states, training=False)
        states = list(states) if isinstance(states, list | tuple) else [states]
        found.setdefault("hidden", []).append(hidden)
    return {name: torch.stack(values, dim=1) for name, values in found.items()}


def _opened(kind: str, cell: Any, given: Any, hidden: Any) -> dict[str, Any]:
    """The gates of one time step."""
    kernel, recurrent = cell.kernel.value, cell.recurrent_kernel.value
    bias = cell.bias.value if cell.use_bias else None
    if kind == "LSTMCell":
        total = given @ kernel + hidden @ recurrent + (0 if bias is None else bias)
        i, f, g, o = total.chunk(4, dim=1)
        opened = [cell.recurrent_activation(gate) for gate in (i, f, o)]
        return {
            "gate-input": opened[0], "gate-forget": opened[1], "gate-cell": cell.activation(g),
            "gate-output": opened[2],
        }  # fmt: skip
    if kind == "GRUCell":
        both = bias if bias is not None and bias.dim() == 2 else (0 if bias is None else bias, 0)
        z, r, _ = (given @ kernel + both[0] + hidden @ recurrent + both[1]).chunk(3, dim=1)
        return {"gate-update": cell.recurrent_activation(z), "gate-reset": cell.recurrent_activation(r)}
    return {}
