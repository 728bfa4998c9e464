"""The targets of a loss that is written out: the mean of the squares or of the absolutes of a difference."""

from __future__ import annotations

from typing import Any

_ONLY_SHAPED = ("Squeeze", "Unsqueeze", "View", "Reshape", "UnsafeView")


def targets(loss: Any, outputs: list[Any]) -> tuple[str, Any] | None:
    """The loss function that it stands for, and its targets; None where the loss is not of this form.

    The prediction is the one of the two that has a gradient, and one of `outputs` but for its shape; their difference
    was saved for the gradient.
    """
    mean = loss.grad_fn
    if _kind(mean) != "Mean":
        return None
    power = mean.next_functions[0][0]
    name = {"Pow": "mse_loss", "Abs": "l1_loss"}.get(_kind(power))
    if name is None or getattr(power, "_saved_exponent", 2) != 2:
        return None
    difference = power.next_functions[0][0]
    if _kind(difference) != "Sub" or difference._saved_alpha != 1:
        return None
    (first, _), (second, _) = difference.next_functions
    if (first is None) == (second is None):
        return None
    residual = power._saved_self.detach()
    prediction = _made(first or second, outputs)
    if prediction is None or prediction.numel() != residual.numel():
        return None
    prediction = prediction.detach().reshape(residual.shape)
    return name, prediction - residual if second is None else prediction + residual


def _made(node: Any, outputs: list[Any]) -> Any:
    """The output that a node stands for."""
    while node is not None:
        for output in outputs:
            if output.grad_fn is node:
                return output
        node = node.next_functions[0][0] if _kind(node) in _ONLY_SHAPED else None
    return None


def _kind(node: Any) -> str:
    return type(node).__name__.partition("Backward")[0]
