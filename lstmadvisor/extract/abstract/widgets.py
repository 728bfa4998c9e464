"""Streamlit's widgets: before anybody moves them they give their defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Const, Seq, Value

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.library import Arguments
    from lstmadvisor.extract.abstract.run import Run

NAMES = ("slider", "number_input", "selectbox", "radio", "select_slider", "text_input", "checkbox", "toggle")


def default_of(run: Run, a: Arguments) -> Value | None:
    """What a widget gives at first; None where that is not known."""
    name = a.name.rsplit(".", 1)[-1]
    value: Value | None
    if name in ("slider", "number_input"):
        value = a.get("value", 3) or a.get("min_value", 1)
        if isinstance(value, Const) and value.value in (None, "min"):
            value = a.get("min_value", 1)
    elif name in ("selectbox", "radio"):
        value = _chosen(a.get("options", 1), a.get("index", 2))
    elif name == "select_slider":
        value = a.get("value", 2) or _chosen(a.get("options", 1), None)
    else:
        value = a.get("value", 1)
        if name in ("checkbox", "toggle") and not (isinstance(value, Const) and value.value is True):
            return None  # both sides of what hangs on it are worth reading
    if isinstance(value, Const):
        return replace(value, via="config") if value.via == "literal" else value
    return value if isinstance(value, Seq) else None


def _chosen(choices: Value | None, index: Value | None) -> Value | None:
    number = index.value if isinstance(index, Const) else 0 if index is None else None
    if isinstance(choices, Seq) and isinstance(number, int) and 0 <= number < len(choices.items):
        return choices.items[number]
    return None
