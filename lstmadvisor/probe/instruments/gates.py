"""How open the gates are, recomputed from a layer's own weights on a few of its sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import RARELY, Instrument, Observer
from lstmadvisor.probe.recorder import rounded

SEQUENCES = 8
LONGEST = 256
"""Time steps that are looked at."""
BINS = 20
_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
GATES = {
    "LSTM": ("gate-input", "gate-forget", "gate-cell", "gate-output"),
    "GRU": ("gate-reset", "gate-update", "gate-new"),
}


class Gates(Instrument):
    """Histograms of the gates and of the hidden state of nn.LSTM, nn.GRU, nn.RNN, and of cells at each call."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._heard: set[int] = set()
        self._cells: dict[int, list[dict[str, Any]]] = {}
        self._modules: dict[int, Any] = {}

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Looks at the first pass of a layer in a step."""
        import torch

        wanted = isinstance(module, torch.nn.RNNBase | torch.nn.RNNCellBase)
        if not wanted or not self.observer.every(RARELY) or not torch.is_grad_enabled() or not args:
            return
        with torch.no_grad(), torch.autocast(args[0].data.device.type, enabled=False):
            if isinstance(module, torch.nn.RNNBase) and id(module) not in self._heard:
                self._heard.add(id(module))
                for suffix, gates in _layers(torch, module, args):
                    self._tell(module, suffix, self.observer.steps, gates)
            elif isinstance(module, torch.nn.RNNCellBase):
                calls = self._cells.setdefault(id(module), [])
                self._modules[id(module)] = module
                if len(calls) < LONGEST:
                    calls.append(_cell(torch, module, args, output))

    def listened(self, step: int) -> None:
        """The calls of a cell in this step are its sequence."""
        import torch

        for key, calls in self._cells.items():
            together = {name: torch.cat([call[name] for call in calls]) for name in calls[0]}
            self._tell(self._modules[key], "", step, together)
        self._cells.clear()
        self._modules.clear()
        self._heard.clear()

    def _path(self, module: Any) -> str:
        return self._models.path(module)

    def _tell(self, module: Any, suffix: str, step: int, gates: dict[str, Any]) -> None:
        """All gates at once; the hidden state may be of another size."""
        import torch

        names = list(gates)
        flat = [gates[name].detach().float().reshape(-1) for name in names]
        bottoms = [-1.0 if name in ("gate-cell", "gate-new", "hidden") else 0.0 for name in names]
        gated = sum(len(values) == len(flat[0]) for values in flat)
        for part in (slice(0, gated), slice(gated, None)):
            if not flat[part]:
                continue
            together = torch.stack(flat[part])
            for name, bottom, values, mean in zip(names[part], bottoms[part], together, together.mean(1), strict=True):
                counts = torch.histc(values, BINS, bottom, 1.0)
                self._hand_on(name, (module, suffix), step, bottom, (len(values), counts, mean))

    def _hand_on(self, name: str, of: tuple[Any, str], step: int, bottom: float, found: tuple[int, Any, Any]) -> None:
        import torch

        total, counted, middle = found

        def then(values: list[float]) -> None:
            mean = rounded(values[BINS])
            edges = [round(bottom + (1 - bottom) * i / BINS, 6) for i in range(BINS + 1)]
            counts = [int(value) for value in values[:BINS]]
            ends = 2 if bottom == 0 else 1  # bins below 0.1 or -0.9, and above 0.9
            low = None if mean is None else rounded(sum(counts[:ends]) / total)
            high = None if mean is None else rounded(1 - sum(counts[:-ends]) / total)
            path = self._path(of[0]) + of[1]
            self.recorder.record(
                "histogram", name=name, of=path, step=step, edges=edges, counts=counts, mean=mean, low=low, high=high
            )

        self.recorder.fetch(torch.cat([counted, middle.reshape(1)]), then)


def _layers(torch: Any, module: Any, args: tuple[Any, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The gates of each layer and direction, by running each with its own weights alone."""
    given, lengths = _batch_major(torch, module, args[0])
    packed = isinstance(args[0], torch.nn.utils.rnn.PackedSequence)
    count, time = len(given), given.shape[1]
    start = _start(torch, module, args, count)
    directions = 2 if module.bidirectional else 1
    for layer in range(module.num_layers):
        outputs = []
        for direction in range(directions):
            suffix = f"l{layer}_reverse" if direction else f"l{layer}"
            weights = [
                getattr(module, f"{name}_{suffix}", None)
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            ]
            states = [part[layer * directions + direction].unsqueeze(0) for part in start]
            ordered = _reversed(torch, given, lengths) if direction else given
            hidden = _run(torch, module, ordered, states, [w for w in weights if w is not None])
            before = torch.cat([states[0].transpose(0, 1), hidden[:, :-1]], dim=1)
            gates = _gates(torch, _mode(module), ordered, before, *weights[:4])
            shown = {**gates, "hidden": hidden}
            if packed:
                valid = torch.arange(time, device=given.device).unsqueeze(0) < lengths.unsqueeze(1)
                shown = {name: values[valid] for name, values in shown.items()}
            yield ("" if module.num_layers * directions == 1 else f".{suffix}"), shown
            outputs.append(_reversed(torch, hidden, lengths) if direction else hidden)
        given = torch.cat(outputs, dim=2)


def _batch_major(torch: Any, module: Any, given: Any) -> tuple[Any, Any]:
    """A few sequences as (sequences, time, features), and their lengths."""
    weight = module.weight_ih_l0
    if isinstance(given, torch.nn.utils.rnn.PackedSequence):
        few = int(given.batch_sizes[0].clamp(max=SEQUENCES))
        starts = given.batch_sizes.cumsum(0) - given.batch_sizes
        sizes = given.batch_sizes.clamp(max=few)[:LONGEST]
        padded = given.data.new_zeros(few, len(sizes), given.data.shape[1])
        for time, (first, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=False)):
            padded[:size, time] = given.data[first : first + size]
        lengths = (sizes.unsqueeze(0) > torch.arange(few).unsqueeze(1)).sum(1)
        return padded.to(weight), lengths.to(weight.device)
    if given.dim() == 2:
        given = given.unsqueeze(0)
    elif not module.batch_first:
        given = given.transpose(0, 1)
    few = given[:SEQUENCES, :LONGEST].detach()
    return few.to(weight), torch.full((len(few),), few.shape[1], device=few.device)


def _start(torch: Any, module: Any, args: tuple[Any, ...], count: int) -> list[Any]:
    """The initial states of those sequences, (layers x directions, sequences, units) each."""
    given = args[1] if len(args) > 1 else None
    weight = module.weight_hh_l0
    rows = module.num_layers * (2 if module.bidirectional else 1)
    if given is None or isinstance(args[0], torch.nn.utils.rnn.PackedSequence):
        sizes = [module.proj_size or module.hidden_size]
        sizes += [module.hidden_size] if _mode(module) == "LSTM" else []
        return [torch.zeros(rows, count, size, device=weight.device, dtype=weight.dtype) for size in sizes]
    parts = given if isinstance(given, tuple | list) else (given,)
    return [(part if part.dim() == 3 else part.unsqueeze(1))[:, :count].detach().to(weight) for part in parts]


def _run(torch: Any, module: Any, given: Any, states: list[Any], weights: list[Any]) -> Any:
    """The hidden states of one layer in one direction, (sequences, time, units)."""
    biased = module.bias
    if _mode(module) == "LSTM":
        return torch._VF.lstm(given, states, weights, biased, 1, 0.0, False, False, True)[0]
    function = {"GRU": torch._VF.gru, "RNN_TANH": torch._VF.rnn_tanh, "RNN_RELU": torch._VF.rnn_relu}[_mode(module)]
    return function(given, states[0], weights, biased, 1, 0.0, False, False, True)[0]


def _gates(
    torch: Any, mode: str, given: Any, before: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> dict[str, Any]:
    """The gates from the input and the hidden state before."""
    if mode not in GATES:
        return {}
    linear = torch.nn.functional.linear
    inputs, recurrent = linear(given, w_ih, b_ih), linear(before, w_hh, b_hh)
    if mode == "LSTM":
        i, f, g, o = (inputs + recurrent).chunk(4, dim=-1)
        values = (i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid())
        return dict(zip(GATES["LSTM"], values, strict=True))
    (xr, xz, xn), (hr, hz, hn) = inputs.chunk(3, dim=-1), recurrent.chunk(3, dim=-1)
    reset = (xr + hr).sigmoid()
    return dict(zip(GATES["GRU"], (reset, (xz + hz).sigmoid(), (xn + reset * hn).tanh()), strict=True))


def _cell(torch: Any, cell: Any, args: tuple[Any, ...], output: Any) -> dict[str, Any]:
    """The gates of one call of a cell."""
    weight = cell.weight_ih
    given = args[0].detach()[:SEQUENCES] if args[0].dim() > 1 else args[0].detach().unsqueeze(0)
    given = given.to(weight)
    start = args[1] if len(args) > 1 else None
    first = start[0] if isinstance(start, tuple | list) else start
    if first is None:
        first = given.new_zeros(len(given), cell.hidden_size)
    before = (first if first.dim() > 1 else first.unsqueeze(0))[:SEQUENCES].detach().to(weight)
    mode = "LSTM" if isinstance(cell, torch.nn.LSTMCell) else "GRU" if isinstance(cell, torch.nn.GRUCell) else "RNN"
    after = output[0] if isinstance(output, tuple) else output
    after = after if after.dim() > 1 else after.unsqueeze(0)
    gates = _gates(torch, mode, given, before, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    return {**gates, "hidden": after[:SEQUENCES].detach()}


def _mode(module: Any) -> str:
    return str(module.mode)


def _reversed(torch: Any, values: Any, lengths: Any) -> Any:
    """Each sequence from its last step to its first, what lies behind its length left in place."""
    time = torch.arange(values.shape[1], device=values.device).unsqueeze(0)
    back = torch.where(time < lengths.unsqueeze(1), lengths.unsqueeze(1) - 1 - time, time)
    return values.gather(1, back.unsqueeze(2).expand_as(values))
