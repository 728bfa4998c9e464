"""The targets of a loss that is written out: the mean of the squares or of the absolutes of a difference."""

from __future__ import annotations

from typing import Any

_ONLY_SHAPED = ("Squeeze", "Unsqueeze", "View", "Reshape", "UnsafeView")


def targets(loss: Any, outputs: list[Any]) -> tuple[str, Any] | None:
    """The loss function that it stands for, and its targets; None where the loss is not of this form.

    The prediction is one of `outputs`, but for its shape and for what is added and subtracted; their difference was
    saved for the gradient.
    """
    mean = loss.grad_fn
    if _kind(mean) != "Mean":
        return None
    power = mean.next_functions[0][0]
    name = {"Pow": "mse_loss", "Abs": "l1_loss"}.get(_kind(power))
    if name is None or getattr(power, "_saved_exponent", 2) != 2:
        return None
    residual = power._saved_self.detach()
    found = _prediction(power.next_functions[0][0], outputs)
    if found is None or found[0].numel() != residual.numel():
        return None
    prediction, sign = found
    return name, prediction.detach().reshape(residual.shape) - sign * residual


def _prediction(node: Any, outputs: list[Any]) -> tuple[Any, int] | None:
    """The output that constants were added to or subtracted from, or that was subtracted itself, and its sign."""
    sign, shifted = 1, False
    while node is not None:
        for output in outputs:
            if output.grad_fn is node:
                return (output, sign) if shifted else None
        kind = _kind(node)
        if kind in ("Add", "Sub"):
            (first, _), (second, _) = node.next_functions
            if (first is None) == (second is None) or (first is None and node._saved_alpha != 1):
                return None
            sign = -sign if first is None and kind == "Sub" else sign
            shifted = True
            node = second if first is None else first
        else:
            node = node.next_functions[0][0] if kind in _ONLY_SHAPED else None
    return None


def _kind(node: Any) -> str:
    return type(node).__name__.partition("Backward")[0]
