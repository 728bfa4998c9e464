"""Regular expressions that are compiled when they are used first: most of them are not needed in a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any


class _Later:
    """Stands for a pattern; every method becomes the compiled pattern's own at its first use."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    regex = re.compile
else:

    def regex(source: str | bytes, flags: int = 0) -> _Later:
        """As `re.compile`, but later."""
        return _Later(source, int(flags))
