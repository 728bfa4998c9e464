"""The error that is the user's to mend, and the helper that says how."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """Something asked for cannot be done.  Its text is all that the user is told; the exit code is 2."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` if something known is close to `word`, else nothing."""
    from difflib import get_close_matches

    by_folded = {name.casefold().replace("_", "-"): name for name in known}
    close = get_close_matches(word.casefold().replace("_", "-"), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""
