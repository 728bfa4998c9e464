"""Reports what PyTorch does to an observer, through its global hooks and a few wrapped functions."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.by_hand import ByHand
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import Arguments, Observer
from lstmadvisor.probe.patches import Patches

LOSSES = (
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits ctc_loss kl_div poisson_nll_loss gaussian_nll_loss"
).split()


class TorchHooks:
    """The hooks, from `install` to `remove`."""

    def __init__(self, torch: Any, observer: Observer, models: Models) -> None:
        self._torch = torch
        self._observer = observer
        self._models = models
        self.by_hand = ByHand(torch, observer)
        self._patches = Patches()
        self._handles: list[Any] = []
        self._post: Any = None
        self._scaled: tuple[Any, Any] | None = None
        self._depth = 0

    def install(self) -> None:
        """Begins to report."""
        from torch.nn.modules import module as modules
        from torch.optim import optimizer as optimizers

        torch, patches = self._torch, self._patches
        self._handles = [
            modules.register_module_forward_pre_hook(self._forward_pre),
            optimizers.register_optimizer_step_pre_hook(self._step_pre),
            optimizers.register_optimizer_step_post_hook(self._step_post),
        ]
        self._observer.on_listening = self._listen
        self._listen(self._observer.listening)
        patches.wrap(torch.autograd, "backward", self._backward)
        patches.wrap(torch.amp.GradScaler, "scale", self._scale)
        for owner in (torch.nn.utils, torch.nn.utils.clip_grad):
            patches.wrap(owner, "clip_grad_norm_", self._clip_norm)
            patches.wrap(owner, "clip_grad_value_", self._clip_value)
        for name in LOSSES:
            patches.wrap(torch.nn.functional, name, self._loss_function)
        for kind in (torch.nn.RNNBase, torch.nn.RNNCellBase):
            patches.wrap(kind, "__init__", self._construct)
        patches.wrap(torch.utils.data.DataLoader, "__iter__", self._iterate)
        patches.wrap(torch.jit, "script", self._script)

    def remove(self) -> None:
        """Leaves PyTorch as it was."""
        self._observer.on_listening = lambda listening: None
        self._listen(False)
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._patches.undo()

    def _listen(self, listening: bool) -> None:
        self._depth = 0
        if listening and self._post is None:
            from torch.nn.modules import module as modules

            self._post = modules.register_module_forward_hook(self._forward_post, with_kwargs=True)
        elif not listening and self._post is not None:
            self._post.remove()
            self._post = None

    def _forward_pre(self, module: Any, args: tuple[Any, ...]) -> Any:
        root = id(module) in self._models.ids
        if self._post is None and not root:
            return None
        if self._torch.compiler.is_compiling() or not self._observer.active or _symbolic(args):
            return None
        if root:
            if self._torch.is_grad_enabled():
                self._observer.tell("called", module, args)
            else:
                self._observer.tell("evaluated", module)
        if self._post is None:
            return None
        self._depth += 1
        return self._observer.tell("forward_pre", module, args)

    def _forward_post(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:
        if self._torch.compiler.is_compiling() or not self._observer.active or _symbolic(args):
            return
        self._depth -= 1
        if self._depth == 0 and self._models.add(module):
            self._observer.tell("outermost", module, args, kwargs, output)
        self._observer.tell("forward_post", module, args, kwargs, output)

    def _step_pre(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        if not self._observer.active:
            return None
        self.by_hand.stop()
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if not callable(closure):
            self._observer.before_update(optimizer)
            return None
        measured = _Closure(closure, self._observer, optimizer)
        if "closure" in kwargs:
            return args, {**kwargs, "closure": measured}
        return (args[0], measured, *args[2:]), kwargs

    def _step_post(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._observer.after_update(optimizer)

    def _backward(self, original: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._observer.active:
            return original(tensors, *args, **kwargs)
        loss = tensors if self._torch.is_tensor(tensors) else next(iter(tensors))
        self.by_hand.before_backward(loss)
        scaled, self._scaled = self._scaled, None
        if self._observer.listening and scaled is None:
            self._observer.tell("learned", loss)
        self._observer.tell("backward", (scaled[1] if scaled and scaled[0] is loss else loss).detach())
        result = original(tensors, *args, **kwargs)
        self.by_hand.after_backward()
        return result

    def _scale(self, original: Any, scaler: Any, outputs: Any, *args: Any, **kwargs: Any) -> Any:
        scaled = original(scaler, outputs, *args, **kwargs)
        if self._torch.is_tensor(outputs):
            self._scaled = (scaled, outputs.detach())
        return scaled

    def _clip_norm(self, original: Any, parameters: Any, max_norm: Any, *args: Any, **kwargs: Any) -> Any:
        norm = original(parameters, max_norm, *args, **kwargs)
        self._observer.tell("clipped", "norm", float(max_norm), norm)
        return norm

    def _clip_value(self, original: Any, parameters: Any, clip_value: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(parameters, clip_value, *args, **kwargs)
        self._observer.tell("clipped", "value", float(clip_value), None)
        return result

    def _loss_function(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        if not self._torch.compiler.is_compiling() and self._observer.active:
            self._observer.tell("loss_function", original.__name__, Arguments(original, args, kwargs), value)
        return value

    def _construct(self, original: Any, module: Any, *args: Any, **kwargs: Any) -> None:
        original(module, *args, **kwargs)
        if self._observer.active:
            self._models.made(module)

    def _iterate(self, original: Any, loader: Any) -> Any:
        self._observer.tell("iterated", loader)
        return original(loader)

    def _script(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        with self._patches.suspended():
            return original(*args, **kwargs)


class _Closure:
    """A closure whose first call makes the gradients that are measured; a line search may call it again."""

    def __init__(self, closure: Any, observer: Observer, optimizer: Any) -> None:
        self._closure = closure
        self._observer = observer
        self._optimizer = optimizer
        self._called = False

    def __call__(self) -> Any:
        if self._called:
            with self._observer.unheard():
                return self._closure()
        self._called = True
        value = self._closure()
        self._observer.before_update(self._optimizer)
        return value


def _symbolic(args: Any) -> bool:
    """Whether a call only asks for shapes, as Keras does while it builds a model."""
    first = args[0] if args else None
    return getattr(first, "is_meta", False) or type(first).__name__ == "KerasTensor"
