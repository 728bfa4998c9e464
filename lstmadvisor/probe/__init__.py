"""Measures a short run of a training program.

    with lstmadvisor.probe(optimizer) as measuring:
        ...  # train
    print(measuring.result.statistics)

All modules here but `run`, `collect`, `scratch` and `command` work with the standard library and the user's framework
alone: they are executed in the user's environment.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmadvisor.probe.context import Measuring


class _Callable(ModuleType):
    """This module can be called, since its name says what it does."""

    def __call__(self, *watched: Any, steps: int = 200) -> Measuring:
        """Measures training in a `with` block: of the optimizers among `watched`, if there are any, else of all."""
        from lstmadvisor.probe.context import Measuring

        return Measuring(*[one for one in watched if hasattr(one, "step")], steps=steps)


sys.modules[__name__].__class__ = _Callable
