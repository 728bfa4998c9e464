"""Walking over syntax trees.  libcst's own ways run visitors and copy: they take many times as long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import NamedTuple

import libcst as cst

_LAYOUT = re.compile(
    r"^_|whitespace|^(l|r)(par|brace|bracket)|^(comma|semicolon|colon|dot|equal|header|footer|leading_lines|newline|indent)"
)


class _Fields(dict[type, "tuple[str, ...] | None"]):
    """By kind of node, its fields that carry meaning; None for what is no node."""

    def __missing__(self, kind: type) -> tuple[str, ...] | None:
        is_node = cst.CSTNode in kind.__mro__  # `issubclass` would ask each class of nodes in turn
        self[kind] = tuple(f.name for f in fields(kind) if not _LAYOUT.search(f.name)) if is_node else None
        return self[kind]


_FIELDS = _Fields()


def below(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The children of a node that carry meaning."""
    found: list[cst.CSTNode] = []
    for name in _FIELDS[type(node)] or ():
        value = getattr(node, name)
        if isinstance(value, (list, tuple)):
            found += [each for each in value if _FIELDS[type(each)] is not None]
        elif _FIELDS[type(value)] is not None:
            found.append(value)
    return found


class Position(NamedTuple):
    """A line, from 1, and a column, from 0."""

    line: int
    column: int


class Range(NamedTuple):
    """Where a node begins, and where it has ended; parentheses and white space around it are outside."""

    start: Position
    end: Position


_Numbers = tuple[int, int, int, int]
"""First line and column, last line and column: a third of the memory of a `Range`, and nothing for the collector."""


class Positions(Mapping[cst.CSTNode, Range]):
    """From every node of a tree but white space to where it stands."""

    def __init__(self, found: dict[cst.CSTNode, _Numbers]) -> None:
        self._found = found

    def __getitem__(self, node: cst.CSTNode) -> Range:
        line, column, end_line, end_column = self._found[node]
        return Range(Position(line, column), Position(end_line, end_column))

    def __iter__(self) -> Iterator[cst.CSTNode]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def positions(tree: cst.Module) -> Positions:
    """Where the nodes of a tree but its white space stand: what libcst's PositionProvider says, in half its time."""
    writer = _Writer(tree)
    tree._codegen(writer)  # type: ignore[arg-type]
    return Positions(writer.found)


class _Writer:
    """What nodes write themselves to, as a `CodegenState` of libcst; it only keeps count of lines and columns."""

    def __init__(self, tree: cst.Module) -> None:
        self.found: dict[cst.CSTNode, _Numbers] = {}
        self.default_indent = tree.default_indent
        self.default_newline = tree.default_newline
        self.tokens = ("",)  # a module asks whether there are any
        self._indents: list[str] = []
        self._line, self._column = 1, 0
        self._starts: list[tuple[int, int]] = []

    def increase_indent(self, value: str) -> None:
        self._indents.append(value)

    def decrease_indent(self) -> None:
        self._indents.pop()

    def add_indent_tokens(self) -> None:
        self._column += sum(map(len, self._indents))

    def add_token(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            lines = _NEWLINE.split(value)
            self._line += len(lines) - 1
            self._column = len(lines[-1])
        else:
            self._column += len(value)

    def pop_trailing_newline(self) -> None:
        """The last newline of a file that ends without one: nothing comes after it."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        if type(node) is not cst.SimpleWhitespace:
            self._starts.append((self._line, self._column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        if type(node) is cst.SimpleWhitespace:
            return
        line, column = self._starts.pop()
        if node not in self.found:
            self.found[node] = line, column, self._line, self._column

    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Within:
        return _Within(self, node, start_node, end_node)


class _Within:
    """Takes down where a node begins and ends within the parentheses and blank lines that it owns."""

    def __init__(self, writer: _Writer, node: cst.CSTNode, first: cst.CSTNode | None, last: cst.CSTNode | None) -> None:
        self._writer, self._node, self._first, self._last = writer, node, first, last

    def __enter__(self) -> None:
        writer = self._writer
        self._start = writer._line, writer._column

    def __exit__(self, *_: object) -> None:
        writer = self._writer
        found = writer.found
        line, column = self._start if self._first is None else found[self._first][:2]
        end_line, end_column = (writer._line, writer._column) if self._last is None else found[self._last][2:]
        found[self._node] = line, column, end_line, end_column


_NEWLINE = re.compile(r"\r\n?|\n")
