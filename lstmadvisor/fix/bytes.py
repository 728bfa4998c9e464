"""Changes in the bytes of a file: whatever they do not touch stays as it is, byte for byte."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from lstmadvisor import sources
from lstmadvisor.edits import Change
from lstmadvisor.fix.syntax import Refused

if TYPE_CHECKING:
    from lstmadvisor.fix.json_spans import Node

_NEWLINE = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def changed(data: bytes, path: str, changes: Sequence[Change]) -> bytes:
    """The bytes of the file `path` with the changes made; raises `Refused` where its encoding cannot hold them."""
    if path.endswith(".ipynb"):
        return _notebook(data, changes)
    encoding = "utf-8"
    if path == sources.STDIN or path.endswith((".py", ".pyi", ".pyw")):
        encoding = sources.read(Path(path), data).encoding
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        text = data[len(mark) :].decode(encoding)
        return mark + spliced(text, changes).encode(encoding)
    except UnicodeEncodeError as error:
        raise Refused(f"{encoding}, the encoding of the file, has no {error.object[error.start]!r}") from None
    except UnicodeDecodeError:
        raise Refused(f"the file is not {encoding}") from None


def spliced(text: str, changes: Sequence[Change]) -> str:
    """`text`, whose newlines may be of any kind, with changes by line and column; new lines get the usual newline."""
    starts, kinds = [0], {"\n": 0}
    for found in _NEWLINE.finditer(text):
        starts.append(found.end())
        kinds[found[0]] = kinds.get(found[0], 0) + 1
    newline = max(kinds, key=lambda kind: kinds[kind])
    parts, done = [], 0
    for change in sorted(changes, key=lambda c: (c.line, c.column, c.end_line, c.end_column)):
        start = starts[change.line - 1] + change.column - 1
        end = starts[change.end_line - 1] + change.end_column - 1
        parts += [text[done:start], change.text.replace("\n", newline)]
        done = end
    return "".join((*parts, text[done:]))


def _notebook(data: bytes, changes: Sequence[Change]) -> bytes:
    """A notebook with the sources of some cells changed, the rest of its JSON as it stands."""
    from lstmadvisor.fix.json_spans import scan

    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = data[len(mark) :].decode("utf-8")
    cells = _cells(scan(text))
    ascii_only = text.isascii() and "\\u" in text
    parts, done = [], 0
    for index in sorted({change.cell for change in changes if change.cell is not None}):
        source = cells[index].get("source") or cells[index].get("input")
        if source is None:
            raise Refused(f"cell {index} has no source")
        mine = [change for change in changes if change.cell == index]
        parts += [text[done : source.start], _rewritten(text, source, mine, ascii_only)]
        done = source.end
    return mark + "".join((*parts, text[done:])).encode("utf-8")


def _cells(book: Node) -> list[Node]:
    if (cells := book.get("cells")) is not None:
        return cells.items
    sheets = book.get("worksheets")
    return [cell for sheet in (sheets.items if sheets else ()) for cell in _cells(sheet)]


def _rewritten(text: str, source: Node, changes: Sequence[Change], ascii_only: bool) -> str:
    """The JSON of a cell's source, a string or a list of lines, with its unchanged lines as they are written."""

    def dumped(line: str) -> str:
        return json.dumps(line, ensure_ascii=ascii_only)

    if isinstance(source.value, str):
        return dumped(spliced(source.value, changes))
    old = [str(item.value) for item in source.items]
    new = _LINE.findall(spliced("".join(old), changes))
    if not old:
        return json.dumps(new, ensure_ascii=ascii_only)
    first, last = source.items[0], source.items[-1]
    between = text[first.end : source.items[1].start] if len(old) > 1 else "," + text[source.start + 1 : first.start]
    written: list[str] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            written += [text[item.start : item.end] for item in source.items[i:j]]
        else:
            written += [dumped(line) for line in new[k:m]]
    return text[source.start : first.start] + between.join(written) + text[last.end : source.end]
