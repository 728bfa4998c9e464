"""The syntax of one file, found by place, and patches in it that become changes of the file's own text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, TypeVar

import libcst as cst

from lstmadvisor.edits import Change
from lstmadvisor.facts import Place
from lstmadvisor.nodes import below
from lstmadvisor.sources import Parsed, Source

Node = TypeVar("Node", bound=cst.CSTNode)
Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement


class Refused(Exception):
    """An edit cannot be carried out at its place; the text says why, in a clause."""


class Span(NamedTuple):
    """From a line (from 1) and column (from 0) of the parsed code up to another."""

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def start(self) -> tuple[int, int]:
        """Where it begins."""
        return self.line, self.column

    @property
    def end(self) -> tuple[int, int]:
        """Where it ends."""
        return self.end_line, self.end_column


def point(line: int, column: int) -> Span:
    """An empty span: where something is inserted."""
    return Span(line, column, line, column)


class Patch(NamedTuple):
    """What stands in a span becomes `text`."""

    span: Span
    text: str


class Syntax:
    """A parsed file.  Its tree may differ from the file: IPython's lines made plain, tabs repaired, cells joined."""

    def __init__(self, source: Source, parsed: Parsed) -> None:
        self.source = source
        self.tree = parsed.tree
        self.lines = parsed.code.split("\n")
        self._original = source.original.split("\n")
        self._ranges = parsed.positions
        self._parents = dict(_parents(parsed.tree))

    @property
    def unit(self) -> str:
        """One level of indentation."""
        return self.tree.default_indent

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands; parentheses around an expression are outside."""
        found = self._ranges[node]
        return Span(found.start.line, found.start.column, found.end.line, found.end.column)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """What a node is part of."""
        return self._parents.get(node)

    def text(self, span: Span) -> str:
        """What the file itself holds in a span."""
        span = Span(span.line, self._column(*span.start), span.end_line, self._column(*span.end))
        lines = self._original[span.line - 1 : span.end_line]
        lines[-1] = lines[-1][: span.end_column]
        lines[0] = lines[0][span.column :]
        return "\n".join(lines)

    def indent(self, line: int) -> str:
        """The white space that a line of the file begins with."""
        text = self._original[line - 1]
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    def end_of_line(self, line: int) -> Span:
        """Where something is inserted after all that stands on a line."""
        return point(line, len(self.lines[line - 1]))

    def is_last(self, line: int) -> bool:
        """Whether a line is the last one of the file or of its cell."""
        end = len(self.lines) - self.source.is_notebook  # the newline behind the last cell is not its own
        return line >= end or self.source.locate(line)[0] != self.source.locate(line + 1)[0]

    def is_first(self, line: int) -> bool:
        """Whether a line is the first one of the file or of its cell."""
        return line == 1 or self.is_last(line - 1)

    # -- finding -------------------------------------------------------------------------------------

    def all(self, kind: type[Node]) -> list[Node]:
        """The nodes of a kind in the whole file."""
        kinds = {each for each in set(map(type, self._ranges)) if kind in each.__mro__}
        return [node for node in self._ranges if type(node) in kinds]  # type: ignore[misc]

    def nodes(self, at: Place, kind: type[Node]) -> list[Node]:
        """The nodes of a kind that stand exactly at a place, outermost first."""
        line, column = self._line(at), at.column - 1
        found = []
        for node, where in self._ranges.items():
            start = where.start
            if start.line == line and start.column == column and isinstance(node, kind):
                ends = (where.end.line, where.end.column)
                if at.end_column is None or ends == (line + (at.end_line or at.line) - at.line, at.end_column - 1):
                    found.append(node)
        return sorted(found, key=lambda node: self.span(node).end, reverse=True)

    def expression(self, at: Place) -> cst.BaseExpression:
        """The expression at a place."""
        found = self.nodes(at, cst.BaseExpression)  # type: ignore[type-abstract]
        if not found:
            raise Refused("no expression stands there")
        return found[0]

    def call(self, at: Place) -> cst.Call:
        """The call at a place."""
        found = self.nodes(at, cst.Call)
        if not found or (at.end_column is None and len(found) > 1):
            raise Refused("no call stands there")
        return found[0]

    def statement(self, at: Place) -> Statement:
        """The innermost statement around a place; of a compound one its header only counts."""
        here = (self._line(at), at.column - 1)
        best: tuple[Span, Statement] | None = None
        for node in self._statements:
            if self._ranges[node].end.line >= here[0]:
                span = self.extent(node)
                if span.start <= here <= span.end and (best is None or span.start >= best[0].start):
                    best = span, node
        if best is None:
            raise Refused("no statement stands there")
        return best[1]

    def standing(self, at: Place) -> cst.BaseSmallStatement:
        """The statement that stands exactly at a place, such as a call that is all of its statement."""
        found = self.nodes(at, cst.BaseSmallStatement)  # type: ignore[type-abstract]
        if not found or at.end_column is None:
            raise Refused("it is only a part of its statement")
        return found[0]

    @cached_property
    def _statements(self) -> list[Statement]:
        small = self.all(cst.BaseSmallStatement)  # type: ignore[type-abstract]
        return [*small, *self.all(cst.BaseCompoundStatement)]  # type: ignore[type-abstract]

    def extent(self, statement: Statement) -> Span:
        """Where a statement stands, its decorators included."""
        span = self.span(statement)
        decorators = getattr(statement, "decorators", ())
        return Span(*self.span(decorators[0]).start, *span.end) if decorators else span

    def _line(self, at: Place) -> int:
        """The line of the parsed code that a place lies in."""
        if at.cell is None:
            line = at.line
        else:
            firsts = [first for index, first in self.source.cells if index == at.cell]
            if not firsts:
                raise Refused(f"there is no cell {at.cell}")
            line = firsts[0] + at.line - 1
        if not 0 < line <= len(self.lines):
            raise Refused("the file has no such line")
        return line

    # -- from the parsed code to the file -------------------------------------------------------------

    def change(self, patch: Patch) -> Change:
        """A patch as a change of the file; raises `Refused` where the file holds something else than was parsed."""
        cell, line = self.source.locate(patch.span.line)
        last_cell, last = self.source.locate(patch.span.end_line)
        if cell != last_cell:
            raise Refused("it would reach over two cells")
        return Change(
            path=self.source.path, cell=cell,
            line=line, column=self._column(*patch.span.start) + 1,
            end_line=last, end_column=self._column(*patch.span.end) + 1,
            text=patch.text,
        )  # fmt: skip

    def _column(self, line: int, column: int) -> int:
        """The column in the file of a column of the parsed code."""
        code, original = self.lines[line - 1], self._original[line - 1]
        if code == original:
            return column
        inner = code.lstrip(" \t\f")
        if inner and original.endswith(inner) and not original[: -len(inner)].strip(" \t\f"):
            indent = len(code) - len(inner)
            if column >= indent:
                return column - indent + len(original) - len(inner)
            if column == 0:
                return 0
        raise Refused("the line is IPython's, not Python")


def _parents(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        for child in below(here):
            yield child, here
            waiting.append(child)


def literal(code: str) -> object:
    """The value of a literal, or of arithmetic on literals; raises `ValueError` for anything else."""
    try:
        return _value(ast.parse(code.strip(), mode="eval").body)
    except (SyntaxError, ArithmeticError, TypeError, RecursionError, MemoryError):
        raise ValueError(code) from None


def _value(node: ast.expr) -> object:
    if isinstance(node, (ast.UnaryOp, ast.BinOp)):
        parts = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
        if any(not isinstance(_value(part), (int, float)) for part in parts):
            raise ValueError
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Pow, ast.LShift)):
            exponent = _value(node.right)
            if not isinstance(exponent, (int, float)) or abs(exponent) > 64:
                raise ValueError
        return eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}})  # numbers and operators only
    return ast.literal_eval(node)
