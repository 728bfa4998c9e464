"""Statements inserted, moved, removed and wrapped, also in one-line blocks and between semicolons."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from lstmadvisor.edits import Side
from lstmadvisor.fix.syntax import Patch, Refused, Span, Statement, Syntax, point

_STEP = "    "
"""One level of indentation in the text of an edit."""


class _Spot(NamedTuple):
    """A statement, how it shares its line, and the block that it is part of."""

    statement: Statement
    span: Span
    siblings: Sequence[cst.CSTNode]
    """the small statements of its line, or the statements of its block where it has lines of its own"""
    position: int
    shares_line: bool
    one_line_block: bool
    """in `for x in y: a(); b()`"""


def insert(syntax: Syntax, statement: Statement, side: Side, code: str) -> list[Patch]:
    """Statements beside another one, indented as that is."""
    spot = _spot(syntax, statement)
    last = spot.position == len(spot.siblings) - 1
    if spot.one_line_block or (spot.shares_line and not (last if side == "after" else spot.position == 0)):
        if "\n" in code or _opens_block(code):
            raise Refused("the statement shares its line with others")
        if side == "after":
            return [Patch(point(*spot.span.end), f"; {code}")]
        return [Patch(point(*spot.span.start), f"{code}; ")]
    _own_line(syntax, spot, side)
    indent = syntax.indent(spot.span.line)
    block = _laid_out(code, indent, _unit(syntax, statement))
    if side == "after":
        end = spot.span.end_line
        if not isinstance(statement, cst.BaseSmallStatement):
            end = _last_comment(syntax, end, len(indent) + 1)
        return [Patch(syntax.end_of_line(end), f"\n{indent}{block}")]
    return [Patch(point(*spot.span.start), f"{block}\n{indent}")]


def append(syntax: Syntax, statement: Statement, code: str) -> list[Patch]:
    """Statements at the end of the body of a compound statement."""
    body = getattr(statement, "body", None)
    if isinstance(body, cst.SimpleStatementSuite):
        return insert(syntax, body.body[-1], "after", code)
    if not isinstance(body, cst.IndentedBlock):
        raise Refused("no block stands there")
    last = body.body[-1]
    inner = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    if isinstance(inner, (cst.Return, cst.Break, cst.Continue, cst.Raise)):
        raise Refused("the block ends by leaving it")
    assert isinstance(inner, (cst.BaseSmallStatement, cst.BaseCompoundStatement))
    return insert(syntax, inner, "after", code)


def at_top(syntax: Syntax, line: int, code: str) -> Patch:
    """Statements below a line of the top of the file (0: before everything), a blank line between."""
    block = _laid_out(code, "", syntax.unit)
    if line:
        return Patch(syntax.end_of_line(line), f"\n\n{block}")
    return Patch(point(1, 0), f"{block}\n\n")


def remove(syntax: Syntax, statement: Statement) -> list[Patch]:
    """The statement taken away, with what is left of its line; a block that held nothing else gets `pass`."""
    spot = _spot(syntax, statement)
    if len(spot.siblings) == 1 and spot.one_line_block:
        return [Patch(spot.span, "pass")]
    if spot.shares_line or spot.one_line_block:
        return [Patch(_without_semicolon(syntax, spot), "")]
    if len(_block(syntax, statement)) == 1 and not isinstance(syntax.parent(_line_of(syntax, statement)), cst.Module):
        around = _emptied(syntax, statement)
        return [Patch(spot.span, "pass")] if around is None else remove(syntax, around)
    return [Patch(_lines(syntax, spot.span.line, spot.span.end_line), "")]


def _emptied(syntax: Syntax, statement: Statement) -> cst.For | cst.With | None:
    """The loop or `with` that has no other purpose than a statement in it."""
    block = syntax.parent(_line_of(syntax, statement))
    around = None if block is None else syntax.parent(block)
    if isinstance(around, cst.With) or (isinstance(around, cst.For) and around.orelse is None):
        return around
    return None


def replace(syntax: Syntax, statement: Statement, code: str) -> list[Patch]:
    """Other statements in the place of one, what else stands on its line is kept."""
    spot = _spot(syntax, statement)
    if (spot.shares_line or spot.one_line_block) and ("\n" in code or _opens_block(code)):
        raise Refused("the statement shares its line with others")
    return [Patch(spot.span, _laid_out(code, syntax.indent(spot.span.line), syntax.unit))]


def move(syntax: Syntax, statement: Statement, target: Statement, side: Side) -> list[Patch]:
    """The statement, with the comments right above it, put beside another one."""
    spot, goal = _spot(syntax, statement), _spot(syntax, target)
    if spot.span.start <= goal.span.start <= spot.span.end:
        raise Refused("the one statement is part of the other")
    if _function(syntax, statement) is not _function(syntax, target):
        raise Refused("the two statements are in different functions")
    code = syntax.text(spot.span)
    if spot.shares_line or spot.one_line_block or goal.shares_line or goal.one_line_block:
        if "\n" in code:
            raise Refused("the statement shares its line with others")
        return [*remove(syntax, statement), *insert(syntax, target, side, code)]
    first = spot.span.line - _comments_above(syntax, statement)
    if _in_strings(syntax, first, spot.span.end_line) and syntax.indent(first) != syntax.indent(goal.span.line):
        raise Refused("a string of several lines would be indented")
    text = syntax.text(Span(first, 0, spot.span.end_line, len(syntax.lines[spot.span.end_line - 1])))
    old, new = syntax.indent(spot.span.line), syntax.indent(goal.span.line)
    moved = "\n".join(new + line[len(old) :] if line.startswith(old) else line for line in text.split("\n"))
    taken = remove(syntax, statement)
    if first < spot.span.line:
        taken = [Patch(_lines(syntax, first, spot.span.end_line), "")] if not taken[0].text else taken
    if side == "after":
        return [*taken, Patch(syntax.end_of_line(goal.span.end_line), f"\n{moved}")]
    return [*taken, Patch(point(*goal.span.start), f"{moved.removeprefix(new)}\n{new}")]


def wrap(syntax: Syntax, first: Statement, last: Statement, header: str) -> list[Patch]:
    """The statements of one block, from one to another, below a header and one level deeper."""
    one, other = _spot(syntax, first), _spot(syntax, last)
    if one.one_line_block or _block(syntax, first) is not _block(syntax, last) or other.span.end < one.span.start:
        raise Refused("the statements are not of one block")
    if (one.shares_line and one.position) or (other.shares_line and other.position < len(other.siblings) - 1):
        raise Refused("the statements share a line with others")
    inside = _in_strings(syntax, one.span.line, other.span.end_line)
    indent = syntax.indent(one.span.line)
    patches = [Patch(point(*one.span.start), f"{header}\n{indent}{syntax.unit}")]
    for line in range(one.span.line + 1, other.span.end_line + 1):
        if line not in inside and syntax.lines[line - 1].strip():
            patches.append(Patch(point(line, 0), syntax.unit))
    return patches


def _spot(syntax: Syntax, statement: Statement) -> _Spot:
    span, parent = syntax.extent(statement), syntax.parent(statement)
    if isinstance(statement, cst.If) and isinstance(parent, (cst.If, cst.Else)):
        raise Refused("the place is in an `elif`")
    if isinstance(parent, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
        own = isinstance(parent, cst.SimpleStatementSuite)
        siblings: Sequence[cst.CSTNode] = parent.body
        return _Spot(statement, span, siblings, _index(siblings, statement), len(siblings) > 1, own)
    return _Spot(statement, span, [statement], 0, False, False)


def _function(syntax: Syntax, statement: Statement) -> cst.CSTNode | None:
    """The innermost function or class around a statement."""
    here = syntax.parent(statement)
    while here is not None and not isinstance(here, (cst.FunctionDef, cst.ClassDef)):
        here = syntax.parent(here)
    return here


def _line_of(syntax: Syntax, statement: Statement) -> cst.CSTNode:
    parent = syntax.parent(statement)
    return parent if isinstance(parent, (cst.SimpleStatementLine, cst.SimpleStatementSuite)) else statement


def _block(syntax: Syntax, statement: Statement) -> Sequence[cst.CSTNode]:
    """The statements, or statement lines, of the block that a statement is part of."""
    holder = syntax.parent(_line_of(syntax, statement))
    if isinstance(holder, (cst.Module, cst.IndentedBlock)):
        return holder.body
    raise Refused("the statement is in no block of lines")


def _index(nodes: Sequence[cst.CSTNode], node: cst.CSTNode) -> int:
    return next(n for n, each in enumerate(nodes) if each is node)


def _own_line(syntax: Syntax, spot: _Spot, side: Side) -> None:
    """Refuses where a backslash or another statement comes between the statement and the edge of its line."""
    if side == "before" and syntax.lines[spot.span.line - 1][: spot.span.column].strip():
        raise Refused("the statement shares its line with others")
    if spot.span.line > 1 and syntax.lines[spot.span.line - 2].endswith("\\") and side == "before":
        raise Refused("the statement continues a line")


def _laid_out(code: str, indent: str, unit: str) -> str:
    """The lines of `code` in the file's indentation; the first one without, since it is there already."""
    lines = []
    for line in code.strip("\n").split("\n"):
        depth = (len(line) - len(line.lstrip(" "))) // len(_STEP)
        lines.append(indent + unit * depth + line[depth * len(_STEP) :] if line.strip() else "")
    return "\n".join(lines).removeprefix(indent)


def _unit(syntax: Syntax, statement: Statement) -> str:
    """One level of indentation as it is around a statement; the file's where nothing is indented there."""
    holder = syntax.parent(_line_of(syntax, statement))
    around = syntax.parent(holder) if isinstance(holder, cst.IndentedBlock) else None
    inner, outer = statement, around
    body = getattr(statement, "body", None)
    if around is None and isinstance(body, cst.IndentedBlock):
        inner, outer = body.body[0], statement  # type: ignore[assignment]
    if outer is None:
        return syntax.unit
    mine, its = syntax.indent(syntax.span(inner).line), syntax.indent(syntax.span(outer).line)
    return mine[len(its) :] if mine.startswith(its) and len(mine) > len(its) else syntax.unit


def _opens_block(code: str) -> bool:
    return not isinstance(cst.parse_statement(code), cst.SimpleStatementLine)


def _lines(syntax: Syntax, first: int, last: int) -> Span:
    """Whole lines, with the newline behind the last; at the end of the file with the one before the first."""
    if not syntax.is_last(last):
        return Span(first, 0, last + 1, 0)
    end = len(syntax.lines[last - 1])
    return (
        Span(first, 0, last, end) if syntax.is_first(first) else Span(*syntax.end_of_line(first - 1).start, last, end)
    )


def _without_semicolon(syntax: Syntax, spot: _Spot) -> Span:
    if spot.position > 0:
        return Span(*syntax.span(spot.siblings[spot.position - 1]).end, *spot.span.end)
    return Span(*spot.span.start, *syntax.span(spot.siblings[1]).start)


def _comments_above(syntax: Syntax, statement: Statement) -> int:
    """How many lines of comment stand right above a statement, in its indentation."""
    leading = getattr(_line_of(syntax, statement), "leading_lines", ())
    count = 0
    for line in reversed(leading):
        if line.comment is None or not line.indent:
            break
        count += 1
    return count


def _last_comment(syntax: Syntax, line: int, indent: int) -> int:
    """The last of the comments below a line that are indented as far: they belong to the block that ends there."""
    last = line
    for number in range(line + 1, len(syntax.lines) + 1):
        if syntax.is_last(number - 1):
            break
        text = syntax.lines[number - 1]
        if text.strip() and (not text.lstrip().startswith("#") or len(text) - len(text.lstrip()) < indent):
            break
        if text.strip():
            last = number
    return last


def _in_strings(syntax: Syntax, first: int, last: int) -> set[int]:
    """The lines from `first` to `last` that begin within a string."""
    found: set[int] = set()
    text = "\n".join(syntax.lines[first - 1 : last]) + "\n"
    if not any(sign in text for sign in ('"""', "'''", "\\\n")):
        return found
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.start[0] < token.end[0] and token.type not in (tokenize.NEWLINE, tokenize.NL):
                found.update(range(first + token.start[0], first + token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        pass  # an end within an outer block
    return found
