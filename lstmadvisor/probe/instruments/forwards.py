"""Questions put to a copy of the model, once: do sequences of a batch mix, and what does dropout do?"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import sys
from collections.abc import Iterator
from typing import Any

from lstmadvisor.probe.observer import Instrument, Observer

AT = 2
"""the step"""
LARGEST = 50_000_000
"""Parameters of a model that is copied, at most."""
PROBED = 2
"""outputs whose gradient is looked at"""


class Forwards(Instrument):
    """Runs the copy twice in training mode and twice in evaluation mode, with the random state put back."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self._call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None

    def outermost(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Keeps the arguments of the largest model's first call in that step."""
        import torch

        if self.observer.steps != AT or not torch.is_grad_enabled():
            return
        if self._call is None or _size(module) > _size(self._call[0]):
            self._call = (module, args, kwargs)

    def listened(self, step: int) -> None:
        """Asks."""
        if step != AT or self._call is None:
            return
        import torch

        (module, args, kwargs), self._call = self._call, None
        if _size(module) > LARGEST or not _recurrent(torch, module):
            return
        with _untraced(torch), contextlib.suppress(Exception):
            double, args, kwargs = _copied(torch, (module, args, kwargs))
            self._dropout(torch, double, args, kwargs)
            self._mixing(torch, double, args, kwargs)

    def _dropout(self, torch: Any, model: Any, args: Any, kwargs: Any) -> None:
        with torch.no_grad():
            model.train()
            training = [_output(torch, model(*args, **kwargs)) for _ in range(2)]
            model.eval()
            evaluating = [_output(torch, model(*args, **kwargs)) for _ in range(2)]
            if any(output is None for output in (*training, *evaluating)):
                return
            zeros = [float((output[0] == 0).float().mean()) for output in (training, evaluating)]
            self.recorder.record(
                "check",
                training_forwards_equal=_same(torch, *training),
                evaluation_forwards_equal=_same(torch, *evaluating),
                zeros_at_output=zeros[0] - zeros[1],
            )

    def _mixing(self, torch: Any, model: Any, args: Any, kwargs: Any) -> None:
        """Which positions of the input some single outputs depend on, by their gradient."""
        sources: list[Any] = []
        arguments = list(args)
        first: Any = arguments[0] if arguments else None
        if torch.is_tensor(first) and first.is_floating_point():
            arguments[0] = first.detach().requires_grad_()
            sources.append(arguments[0])
        else:
            for part in model.modules():
                if isinstance(part, torch.nn.Embedding):
                    part.weight.requires_grad_()
                    part.register_forward_hook(lambda module, given, output: sources.append(output))
        if any(isinstance(part, torch.nn.modules.batchnorm._NormBase) for part in model.modules()):
            model.eval()
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            output = _output(torch, model(*arguments, **kwargs))
        if output is None or not sources or not output.requires_grad or sources[0].dim() < 2:
            return
        source = sources[0]
        axes = [False, False]
        seen = False
        for index in _spots(output.shape):
            (gradient,) = torch.autograd.grad(output[index].sum(), source, retain_graph=True, allow_unused=True)
            if gradient is None:
                continue
            felt = gradient != 0
            felt = felt.reshape(*felt.shape[:2], -1).any(dim=2)
            seen = seen or bool(felt.any())
            axes[0] = axes[0] or int(felt.any(dim=1).sum()) > 1
            axes[1] = axes[1] or int(felt.any(dim=0).sum()) > 1
        if seen:
            self.recorder.record("check", mixes=axes, mixed_input=list(source.shape))


def _spots(shape: Any) -> Iterator[tuple[int, ...]]:
    """A few positions of an output, by its first two axes, from its end: late steps depend on most of the input."""
    for back in range(1, 1 + min(PROBED, shape[0] if len(shape) else 0)):
        if len(shape) > 2:
            yield (-back, -min(back, shape[1]))
        else:
            yield (-back,)


def _size(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _recurrent(torch: Any, module: Any) -> bool:
    return any(isinstance(part, torch.nn.RNNBase | torch.nn.RNNCellBase) for part in module.modules())


def _output(torch: Any, output: Any) -> Any:
    """The first tensor of what a model gives back."""
    if torch.is_tensor(output):
        return output
    parts = output.values() if hasattr(output, "values") else output if isinstance(output, tuple | list) else ()
    for part in parts:
        found = _output(torch, part)
        if found is not None and found.dim():
            return found
    return None


def _same(torch: Any, one: Any, other: Any) -> bool:
    return one.shape == other.shape and bool(torch.equal(one, other))


def _copied(torch: Any, call: Any) -> Any:
    """A copy of a model and its arguments, cut from every graph."""
    memo: dict[int, Any] = {}
    module, args, kwargs = call
    for part in module.modules():
        for value in vars(part).values():
            _cut(torch, value, memo, 2)
    for value in (*args, *kwargs.values()):
        _cut(torch, value, memo, 2)
    return copy.deepcopy(call, memo)


def _cut(torch: Any, value: Any, memo: dict[int, Any], depth: int) -> None:
    if torch.is_tensor(value) and value.grad_fn is not None:
        memo[id(value)] = value.detach().clone()
    elif depth and isinstance(value, tuple | list):
        for part in value:
            _cut(torch, part, memo, depth - 1)


@contextlib.contextmanager
def _untraced(torch: Any) -> Iterator[None]:
    """Random states as they were, and nothing printed."""
    numpy = sys.modules.get("numpy")
    drawn = numpy.random.get_state() if numpy else None
    state = random.getstate()
    try:
        with torch.random.fork_rng(), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(drawn)
