"""The recurrent layers as they run: sizes, lengths, and what they start from."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import RARELY, Instrument, Observer

_ONLY_SHAPED = ("Expand", "Repeat", "View", "Unsqueeze", "Reshape", "Transpose", "Clone")


class Layers(Instrument):
    """One record for each layer, renewed when something new is seen."""

    def __init__(self, observer: Observer, models: Models) -> None:
        super().__init__(observer)
        self._models = models
        self._layers: dict[int, _Seen] = {}

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Of a recurrent layer or cell: lengths and state."""
        import torch

        cell = isinstance(module, torch.nn.RNNCellBase)
        if not (cell or isinstance(module, torch.nn.RNNBase)) or not torch.is_grad_enabled():
            return
        given = args[0] if args else kwargs.get("input")
        if given is None:
            return
        start = args[1] if len(args) > 1 else kwargs.get("hx")
        seen = self._layers.setdefault(id(module), _Seen(module))
        step = self.observer.steps
        if cell:
            seen.call(step, len(given) if given.dim() > 1 else 1)
            after = output
            if seen.calls == 1:
                self._state(torch, seen, start, step)
        else:
            seen.lengths(*_sizes(torch, module, given))
            self._state(torch, seen, start, step)
            after = output[1]
        seen.last = tuple(part.detach() for part in _parts(after))
        seen.graph = _parts(after)[0].grad_fn
        seen.last_step = step

    def listened(self, step: int) -> None:
        """Tells what was seen, in the first steps and then rarely."""
        if step < 3 or step == RARELY + 1:
            self._tell()

    def finish(self) -> None:
        """Tells what was seen."""
        self.recorder.flush()
        self._tell()
        self._layers.clear()

    def _state(self, torch: Any, seen: _Seen, start: Any, step: int) -> None:
        """What a pass starts from; the first one starts from nothing in any case."""
        if start is None:
            seen.votes.append("none")
            return
        parts = _parts(start)
        first = parts[0]
        if isinstance(first, torch.nn.Parameter):
            seen.votes.append("learned")
            return
        graph = first.grad_fn is not None and first.grad_fn is seen.graph
        seen.carried_graph = seen.carried_graph or graph
        learned = first.grad_fn is not None and _from_parameter(first.grad_fn)
        zero = torch.stack([(part == 0).all() for part in parts]).all()
        same = torch.zeros_like(zero)
        compared = step - seen.last_step <= 1
        if (
            compared
            and len(seen.last) == len(parts)
            and all(a.shape == b.shape for a, b in zip(seen.last, parts, strict=True))
        ):
            equal = [(a == b.detach()).all() for a, b in zip(seen.last, parts, strict=True)]
            same = torch.stack(equal).all()

        def then(values: list[float]) -> None:
            if values[0] or compared or learned:
                word = "zero" if values[0] else "carried" if values[1] or graph else "learned" if learned else "other"
                seen.votes.append(word)

        self.recorder.fetch(torch.stack([zero, same]), then)

    def _tell(self) -> None:
        for key, seen in self._layers.items():
            module = seen.module
            votes = seen.votes[1:] or seen.votes
            place = self._models.place(module)
            self.recorder.record(
                "layer",
                key=key,
                kind=_kind(module),
                path=self._models.path(module),
                place=list(place) if place else None,
                units=module.hidden_size,
                input_size=module.input_size,
                num_layers=getattr(module, "num_layers", None),
                bidirectional=getattr(module, "bidirectional", None),
                batch_first=getattr(module, "batch_first", None),
                dropout=getattr(module, "dropout", None),
                sequence_length=seen.longest,
                shortest=seen.shortest,
                batch=seen.batch,
                packed=seen.packed,
                state=max(set(votes), key=votes.count) if votes else None,
                carried_graph=seen.carried_graph,
            )


class _Seen:
    """What was seen of one layer."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.longest: int | None = None
        self.shortest: int | None = None
        self.batch: int | None = None
        self.packed: bool | None = None
        self.votes: list[str] = []
        self.carried_graph: bool | None = None
        self.last: tuple[Any, ...] = ()
        self.last_step = -2
        self.graph: Any = None
        self.calls = 0
        self._step = -1

    def lengths(self, longest: int, shortest: int, batch: int, packed: bool) -> None:
        """One batch of sequences."""
        self.longest = max(longest, self.longest or 0)
        self.shortest = min(shortest, self.shortest or shortest)
        self.batch = self.batch or batch
        self.packed = packed

    def call(self, step: int, batch: int) -> None:
        """One call of a cell."""
        self.calls = self.calls + 1 if step == self._step else 1
        self._step = step
        self.longest = max(self.calls, self.longest or 0)
        self.batch = self.batch or batch


def _kind(module: Any) -> str:
    import torch

    kinds = (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN, torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell)
    return next((kind.__name__ for kind in kinds if isinstance(module, kind)), type(module).__name__)


def _sizes(torch: Any, module: Any, given: Any) -> tuple[int, int, int, bool]:
    """Longest and shortest sequence, sequences, and whether they are packed."""
    if isinstance(given, torch.nn.utils.rnn.PackedSequence):
        batches = given.batch_sizes
        return len(batches), int((batches == batches[0]).sum()), int(batches[0]), True
    if given.dim() == 2:
        return len(given), len(given), 1, False
    batch, time = given.shape[:2] if module.batch_first else (given.shape[1], given.shape[0])
    return time, time, batch, False


def _parts(state: Any) -> tuple[Any, ...]:
    return tuple(state) if isinstance(state, tuple | list) else (state,)


def _from_parameter(node: Any) -> bool:
    """Whether a tensor is a parameter that was only reshaped."""
    for _ in range(6):
        if node is None:
            return False
        if hasattr(node, "variable"):
            return True
        if not type(node).__name__.startswith(
            ("Expand", "Repeat", "View", "Unsqueeze", "Reshape", "Transpose", "Clone")
        ):
            return False
        node = node.next_functions[0][0] if node.next_functions else None
    return False
