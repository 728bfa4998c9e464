"""Functions of a framework that are wrapped while a probe runs, and put back afterwards."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Patches:
    """Wrapped attributes, in the order in which they were wrapped."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        """Replaces `owner.name` by a function that calls `around(original, *args, **kwargs)`."""
        original = getattr(owner, name, None)
        if original is None:
            return

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        setattr(owner, name, wrapped)
        self._made.append((owner, name, original, wrapped))

    def undo(self) -> None:
        """Puts everything back."""
        for owner, name, original, _ in reversed(self._made):
            setattr(owner, name, original)
        self._made.clear()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Everything as it was, for a compiler that reads the source of these functions."""
        for owner, name, original, _ in reversed(self._made):
            setattr(owner, name, original)
        try:
            yield
        finally:
            for owner, name, _, wrapped in self._made:
                setattr(owner, name, wrapped)
