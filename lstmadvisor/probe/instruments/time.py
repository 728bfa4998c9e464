"""How the gradient falls from the last time step to the first."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import OFTEN, Instrument, Observer
from lstmadvisor.probe.recorder import rounded


class ThroughTime(Instrument):
    """The norm of dL/dx_t of fused layers, of dL/dh_t where a cell is stepped by hand."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._heard: set[int] = set()
        """layers whose gradient has come in this step: a pass that nothing is learned from has none"""
        self._cells: dict[int, tuple[Any, dict[int, Any]]] = {}
        self._calls: dict[int, int] = {}

    def forward_pre(self, module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Hooks the gradient of a fused layer's input; input that needs none is replaced by an alias that does."""
        import torch

        if (
            not isinstance(module, torch.nn.RNNBase)
            or not self.observer.every(OFTEN)
            or not torch.is_grad_enabled()
            or not args
        ):
            return None
        given = args[0]
        packed = isinstance(given, torch.nn.utils.rnn.PackedSequence)
        values = given.data if packed else given
        if not values.is_floating_point() or torch.is_inference(values):
            return None
        changed = None
        if not values.requires_grad:
            values = values.detach().requires_grad_()
            changed = (given._replace(data=values) if packed else values, *args[1:])
        step = self.observer.steps
        sizes = given.batch_sizes if packed else None
        batch_first = module.batch_first

        def hook(gradient: Any) -> None:
            with self.observer.at_work(), self.recorder.safely():
                if id(module) in self._heard:
                    return
                self._heard.add(id(module))
                self._tell(module, step, norms(torch, gradient, sizes, batch_first))

        values.register_hook(hook)
        return changed

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Hooks the gradient of a cell's output."""
        import torch

        if not isinstance(module, torch.nn.RNNCellBase) or not self.observer.every(OFTEN):
            return
        state = output[0] if isinstance(output, tuple) else output
        if not state.requires_grad:
            return
        _, told = self._cells.setdefault(id(module), (module, {}))
        call = self._calls.get(id(module), 0)
        self._calls[id(module)] = call + 1

        def hook(gradient: Any) -> None:
            with self.observer.at_work(), self.recorder.safely():
                told[call] = gradient.detach().norm()

        state.register_hook(hook)

    def listened(self, step: int) -> None:
        """The calls of a cell in this step are its sequence."""
        import torch

        for module, norms in self._cells.values():
            if len(norms) > 1:
                self._tell(module, step, torch.stack([norms[call] for call in sorted(norms)]))
        self._cells.clear()
        self._calls.clear()
        self._heard.clear()

    def _path(self, module: Any) -> str:
        return self._models.path(module)

    def _tell(self, module: Any, step: int, norms: Any) -> None:
        def then(values: list[float]) -> None:
            self.recorder.record(
                "profile", of=self._path(module), step=step, values=[rounded(value) for value in values]
            )

        self.recorder.fetch(norms, then)


def norms(torch: Any, gradient: Any, sizes: Any, batch_first: bool) -> Any:
    """One norm for each time step."""
    gradient = gradient.detach().float()
    if sizes is not None:
        squares = gradient.square().sum(1)
        times = torch.repeat_interleave(torch.arange(len(sizes)), sizes).to(squares.device)
        return torch.zeros(len(sizes), device=squares.device).index_add_(0, times, squares).sqrt()
    if gradient.dim() == 2:
        return gradient.norm(dim=1)
    return gradient.norm(dim=(0, 2) if batch_first else (1, 2))
