"""Recognises updates that are written out by hand, without an optimizer object."""

from __future__ import annotations

from typing import Any

from lstmadvisor.probe.observer import Observer

MOST_NODES = 100_000
"""Nodes of a graph that are searched for parameters, at most."""


class HandWritten:
    """What stands for the optimizer: the parameters that change."""

    title = "by hand"

    def __init__(self, parameters: list[Any]) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": parameters}]


class ByHand:
    """Watches the parameters from one backward pass to the next, until an optimizer makes a step.

    What changed between two passes was updated by hand.  From then on each pass is one step.
    """

    def __init__(self, torch: Any, observer: Observer) -> None:
        self._torch = torch
        self._observer = observer
        self._watching = True
        self._optimizer: HandWritten | None = None
        self._parameters: list[Any] = []
        self._before: list[Any] = []

    def stop(self) -> None:
        """There is an optimizer."""
        self._watching = False
        self._optimizer = None
        self._parameters, self._before = [], []

    def before_backward(self, loss: Any) -> None:
        """A backward pass begins: the update after the last one is over."""
        if not self._watching:
            return
        if self._optimizer is not None:
            self._observer.after_update(self._optimizer)
        elif self._parameters and self._changed():
            self._optimizer = HandWritten(self._parameters)
            self._before = []
            self._observer.after_update(self._optimizer)  # its gradient is gone, its loss is not
        if not self._parameters:
            with self._observer.at_work():
                self._parameters = _leaves(loss)

    def after_backward(self) -> None:
        """The gradients of a backward pass are there."""
        if not self._watching:
            return
        if self._optimizer is not None:
            self._observer.before_update(self._optimizer)
        else:
            with self._observer.at_work():
                self._before = [p.detach().clone() for p in self._parameters]

    def _changed(self) -> bool:
        pairs = zip(self._before, self._parameters, strict=True) if self._before else ()
        return any(not self._torch.equal(before, now.detach()) for before, now in pairs)


def _leaves(loss: Any) -> list[Any]:
    """The tensors that a backward pass gives a gradient."""
    leaves: dict[int, Any] = {}
    seen: set[Any] = set()
    waiting = [loss.grad_fn]
    while waiting and len(seen) < MOST_NODES:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves[id(node.variable)] = node.variable
        waiting += [following for following, _ in node.next_functions]
    return list(leaves.values())
