"""Facts in the words of a report: a value, and how it is set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lstmadvisor.facts import Known, Unknown, Value, plain

_HOW = {
    "default": "framework default", "function-default": "default of a parameter", "argparse": "command-line default",
    "config": "configuration", "search": "searched", "probe": "measured", "arithmetic": "computed",
}  # fmt: skip
Span = tuple[float, float]
"""The least and the greatest number that a value may take."""


def worded(value: Value, noun: str = "") -> str:
    """A value and how it is set: `0.01 (command-line default)`; of a plural noun, `30 epochs (computed)`."""
    if isinstance(value, Unknown):
        return f"an unknown number of {noun}" if noun else "unknown"
    if value.via == "absent":
        return f"no {noun}" if noun else "none"
    how = _HOW.get(value.via)
    text = f"{shown(value.value)} {noun[:-1] if value.value == 1 else noun}".rstrip()
    return f"{text} ({how})" if how else text


def shown(value: Any) -> str:
    """A plain value, or the range of a search."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return re.sub(r"e([+-])0(\d)$", r"e\1\2", f"{value:g}")
    if isinstance(value, dict):
        choices = value.get("choices")
        return enumerated(choices, "or") if choices else f"{shown(value.get('low'))} to {shown(value.get('high'))}"
    if isinstance(value, list | tuple):
        return enumerated(value)
    return "?" if value is None else str(value)


def enumerated(values: Sequence[Any], last: str = "and") -> str:
    """`a, b and c`, each value once."""
    texts = list(dict.fromkeys(map(shown, values)))
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}" if len(texts) > 1 else "".join(texts)


def span(value: Value) -> Span | None:
    """Between which numbers a value lies: one number, several, or a range that is searched; None if not known."""
    content = plain(value)
    if isinstance(content, dict):
        content = content.get("choices") or [content.get("low"), content.get("high")]
    numbers = list(content) if isinstance(content, list | tuple) else [content]
    if numbers and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        return min(numbers), max(numbers)
    return None


def unset(value: Value) -> bool:
    """Whether a value is known to be none, zero or absent."""
    return isinstance(value, Known) and plain(value) in (None, 0)


def folded(name: Any) -> str:
    """A name as it is compared: small letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def counted(number: float, noun: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"
