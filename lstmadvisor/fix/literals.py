"""Values as they are written: in Python and in configuration files."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from lstmadvisor.edits import Change
from lstmadvisor.facts import Place
from lstmadvisor.fix.syntax import Refused, literal
from lstmadvisor.patterns import regex

Plain = str | int | float | bool | None


def python(old: str, was: object, to: Plain) -> str:
    """`to` as a Python literal in the style of `old`, which must be the literal of `was`."""
    try:
        found = literal(old)
    except ValueError:
        raise Refused(f"`{_short(old)}` is computed, not written there") from None
    if isinstance(found, str) and not isinstance(was, str):  # a default in quotes that a parser turns into a number
        if not _reads_as(found, was):
            raise Refused(f"`{_short(old)}` stands there, not {was!r}")
        return _quoted(str(to) if to is None or isinstance(to, (str, bool)) else number(to, found), old)
    if not same(found, was):
        raise Refused(f"`{_short(old)}` stands there, not {was!r}")
    if isinstance(to, str):
        return _quoted(to, old if isinstance(found, str) else '"')
    return str(to) if to is None or isinstance(to, bool) else number(to, old)


def configured(at: Place, text: str, was: object, to: Plain) -> Change:
    """The change of a value in the text of a configuration file."""
    kind = PurePath(at.path).suffix.lower()
    lines = text.split("\n")
    if not 0 < at.line <= len(lines):
        raise Refused("the file has no such line")
    line = lines[at.line - 1]
    if kind in (".json", ".yaml", ".yml", ""):
        start, end = _scalar_at(line, at.column - 1, was, kind == ".json")
    elif kind in (".toml", ".ini", ".cfg"):
        start, end = _only_value(line, was)
    else:
        raise Refused(f"values in {kind} files are not written")
    new = _rendered(line[start:end], to, kind)
    return Change(
        path=at.path, line=at.line, column=start + 1, end_line=at.line, end_column=end + 1, text=new
    )  # fmt: skip


def number(value: int | float, like: str) -> str:
    """A number with an exponent where `like` has one and it is small, else as Python prints it."""
    if isinstance(value, float) and "e" in like.lower() and 0 < abs(value) < 0.01:
        mantissa, _, exponent = f"{value:e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return repr(value)


def same(found: object, was: object) -> bool:
    """Whether two plain values are one, `True` and `1` kept apart."""
    return isinstance(found, bool) == isinstance(was, bool) and found == was


_JSON = regex(r'"(?:[^"\\]|\\.)*"|[^\s,\]}:]+')
_YAML = regex(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s#,\]}'"][^#,\]}]*?(?=\s*(?:\s#|[,\]}]|$))""")
_ASSIGNED = regex(r"""(?P<key>[\w.\-"']+)\s*[=:]\s*(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#;,}\]]+)""")


def _scalar_at(line: str, column: int, was: object, is_json: bool) -> tuple[int, int]:
    """The scalar that begins at a column; the only one on the line that reads so, where the column is not known."""
    token = (_JSON if is_json else _YAML).match(line, column)
    if token and _reads_as(_unquoted(token[0]), was):
        return token.span()
    if column == 0:
        return _only_value(line, was)
    raise Refused("another value stands there")


def _only_value(line: str, was: object) -> tuple[int, int]:
    found = [m.span("value") for m in _ASSIGNED.finditer(line) if _reads_as(_unquoted(m["value"]), was)]
    if len(found) != 1:
        raise Refused("the value is not found on its line")
    return found[0]


def _reads_as(text: str, was: object) -> bool:
    if isinstance(was, bool) or was is None:
        return text.lower() in (
            {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0")}.get(was, ())
            if was is not None
            else ("null", "~", "none")
        )
    if isinstance(was, (int, float)):
        try:
            return float(text.replace("_", "")) == was
        except ValueError:
            return False
    return text == was


def _rendered(old: str, to: Plain, kind: str) -> str:
    if to is None:
        if kind not in (".json", ".yaml", ".yml", ""):
            raise Refused("the file has no way to write nothing")
        return "null"
    if isinstance(to, bool):
        text = str(to)
        return text if old[:1].isupper() and kind != ".json" and kind != ".toml" else text.lower()
    if isinstance(to, str):
        quote = old[:1] if old[:1] in ("'", '"') else "" if kind in (".yaml", ".yml", "", ".ini", ".cfg") else '"'
        if not quote and not re.fullmatch(r"[A-Za-z_][\w./-]*", to) and kind not in (".ini", ".cfg"):
            quote = '"'
        return json.dumps(to, ensure_ascii=False) if quote == '"' else f"{quote}{to}{quote}"
    text = number(to, old)
    mantissa, exponent, rest = text.partition("e")
    if exponent and kind in (".yaml", ".yml", "") and "." not in mantissa:  # YAML 1.1 reads 1e-5 as text
        text = f"{mantissa}.0e{rest}"
    return f"{old[0]}{text}{old[0]}" if old[:1] in ("'", '"') else text


def _unquoted(token: str) -> str:
    return token[1:-1] if token[:1] in ("'", '"') and token[-1:] == token[:1] and len(token) > 1 else token


def _quoted(text: str, like: str) -> str:
    quote = "'" if like.lstrip("rRuUbBfF").startswith("'") else '"'
    plain = json.dumps(text, ensure_ascii=False)
    return plain if quote == '"' or "'" in text or "\\" in plain else f"'{text}'"


def _short(code: str) -> str:
    text = " ".join(code.split())
    return text if len(text) <= 40 else text[:39] + "…"
