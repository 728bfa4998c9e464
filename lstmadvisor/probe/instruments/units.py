"""Units of a recurrent layer that are equal to one another: started alike, they stay alike."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import Instrument, Observer

LARGEST = 4_000_000
INTERVAL = 100


class Units(Instrument):
    """Looks at the weights from time to time: when a script is over, its model may be gone."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models

    def listened(self, step: int) -> None:
        """Looks every 100 steps."""
        if step % INTERVAL == 0:
            self.finish()

    def finish(self) -> None:
        """The share of units of each layer that equal another one."""
        import torch

        found: dict[str, float] = {}
        for root in self._models.roots:
            for layer in root.modules():
                if isinstance(layer, torch.nn.RNNBase | torch.nn.RNNCellBase):
                    for name, weights in layer.named_parameters(recurse=False):
                        if name.startswith("weight_hh") and weights.numel() <= LARGEST:
                            inputs = getattr(layer, name.replace("_hh", "_ih"))
                            path = self._models.name(weights) or name
                            found[path] = _alike(torch, inputs, weights, layer.hidden_size)
        if found:
            self.recorder.record("check", identical_units=found)


def _alike(torch: Any, inputs: Any, recurrent: Any, units: int) -> float:
    """The share of units whose weights, of all gates, another unit has as well."""
    with torch.no_grad():
        rows = torch.cat([inputs, recurrent], dim=1).detach().cpu()
        each = rows.reshape(-1, units, rows.shape[1]).transpose(0, 1).reshape(units, -1)
        if len(torch.unique(each.sum(1))) == units:
            return 0.0  # a quick look: equal units have equal sums
        _, counts = torch.unique(each, dim=0, return_counts=True)
        return float(counts[counts > 1].sum()) / units
