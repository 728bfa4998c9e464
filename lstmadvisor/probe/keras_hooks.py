"""Reports what Keras 3 does to an observer: all of it on the torch backend, on others the loss alone."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import Arguments, Observer
from lstmadvisor.probe.patches import Patches

LOSSES = {
    "mean_squared_error": "mse_loss",
    "mean_absolute_error": "l1_loss",
    "sparse_categorical_crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
}


class Adapted:
    """A Keras optimizer, as the instruments want one."""

    def __init__(self, optimizer: Any) -> None:
        self.title = type(optimizer).__name__
        self.param_groups: list[dict[str, Any]] = []

    def renew(self, optimizer: Any, parameters: list[Any]) -> None:
        """Takes over the parameters and settings of the coming step."""
        group: dict[str, Any] = {"params": parameters, "lr": float(optimizer.learning_rate)}
        for name in ("momentum", "weight_decay"):
            value = getattr(optimizer, name, None)
            if isinstance(value, int | float) and not isinstance(value, bool):
                group[name] = value
        if hasattr(optimizer, "beta_1"):
            group["betas"] = (optimizer.beta_1, optimizer.beta_2)
        self.param_groups = [group]


class KerasHooks:
    """The wrapped functions, from `install` to `remove`."""

    def __init__(self, keras: Any, observer: Observer, models: Models, by_hand: Any) -> None:
        self._keras = keras
        self._observer = observer
        self._models = models
        self._by_hand = by_hand
        self._patches = Patches()
        self._adapted: dict[int, Adapted] = {}

    def install(self) -> None:
        """Begins to report."""
        from keras.src.optimizers.base_optimizer import BaseOptimizer

        keras, patches = self._keras, self._patches
        patches.wrap(BaseOptimizer, "apply", self._apply)
        patches.wrap(keras.layers.RNN, "__init__", self._construct)
        patches.wrap(keras.losses.Loss, "__call__", self._loss)

    def remove(self) -> None:
        """Leaves Keras as it was."""
        self._patches.undo()

    def _apply(self, original: Any, optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        variables = list(trainable_variables or getattr(optimizer, "_trainable_variables", ()))
        adapted = self._adapted.setdefault(id(optimizer), Adapted(optimizer))
        if not self._observer.active or not variables:
            return original(optimizer, grads, trainable_variables)
        self._by_hand.stop()
        with self._observer.at_work(), self._observer.recorder.safely():
            parameters = [variable.value for variable in variables]
            for variable, parameter in zip(variables, parameters, strict=True):
                self._models.call(parameter, variable.path)
            adapted.renew(optimizer, parameters)
        self._clips(optimizer, grads)
        self._observer.before_update(adapted)
        result = original(optimizer, grads, trainable_variables)
        self._observer.after_update(adapted)
        return result

    def _clips(self, optimizer: Any, grads: Any) -> None:
        """Keras clips within `apply`, by a setting."""
        import torch

        known = [grad for grad in grads if grad is not None]
        if optimizer.clipvalue is not None:
            self._observer.tell("clipped", "value", float(optimizer.clipvalue), None)
        elif optimizer.global_clipnorm is not None and known:
            norm = torch.stack(torch._foreach_norm(known)).norm()
            self._observer.tell("clipped", "norm", float(optimizer.global_clipnorm), norm)
        elif optimizer.clipnorm is not None and known:
            norm = torch.stack(torch._foreach_norm(known)).max()
            self._observer.tell("clipped", "norm", float(optimizer.clipnorm), norm)

    def _construct(self, original: Any, layer: Any, *args: Any, **kwargs: Any) -> None:
        original(layer, *args, **kwargs)
        if self._observer.active:
            self._models.made(layer)

    def _loss(self, original: Any, loss: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        import torch

        with self._observer.unheard():  # the functions of PyTorch that it is made of
            value = original(loss, y_true, y_pred, *args, **kwargs)

        if self._observer.active and torch.is_tensor(value) and not value.is_meta and torch.is_tensor(y_true):
            function = getattr(getattr(loss, "fn", None), "__name__", loss.name)
            name = LOSSES.get(function, function)
            target = y_true
            if function == "categorical_crossentropy":
                target = y_true.argmax(-1)
            elif name == "cross_entropy":
                target = y_true.long()
            self._observer.tell("loss_function", name, _told(target), value)
        return value


def _told(target: Any) -> Arguments:
    return Arguments(_told, (), {"target": target, "reduction": "mean"})


class LossOnly:
    """On a backend other than torch: the loss of each batch, out of the running mean that callbacks are told."""

    def __init__(self, keras: Any, observer: Observer) -> None:
        self._keras = keras
        self._observer = observer
        self._mean = 0.0
        self._patches = Patches()

    def install(self) -> None:
        """Begins to report."""
        from keras.src.callbacks.callback_list import CallbackList

        self._patches.wrap(CallbackList, "on_train_batch_end", self._batch)
        self._patches.wrap(CallbackList, "on_epoch_end", self._epoch)

    def remove(self) -> None:
        """Leaves Keras as it was."""
        self._patches.undo()

    def _batch(self, original: Any, callbacks: Any, batch: int, logs: Any = None) -> Any:
        result = original(callbacks, batch, logs)
        mean = (logs or {}).get("loss")
        if mean is not None:
            loss = float(mean) * (batch + 1) - (self._mean * batch if batch else 0.0)
            self._mean = float(mean)
            self._observer.last_loss = loss
            self._observer.recorder.append("loss", "", self._observer.steps, loss)
        self._observer.after_update(self)
        return result

    def _epoch(self, original: Any, callbacks: Any, epoch: int, logs: Any = None) -> Any:
        result = original(callbacks, epoch, logs)
        value = (logs or {}).get("val_loss")
        if value is not None:
            self._observer.recorder.append("validation-loss", "", self._observer.steps, float(value))
        return result
