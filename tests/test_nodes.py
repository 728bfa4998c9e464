"""Walking over syntax trees gives what libcst's own, slower ways give."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from lstmadvisor.nodes import below, positions

SILENT = sorted((Path(__file__).parent / "silent").rglob("*.py"))
SHAPES = (
    "",
    "\n\n",
    "# only a comment\n",
    "x = (\n    1  # one\n)",
    "if a:\r\n    b = (c\r\n         + d)\r\n# end\r\n",
    "@d\n\nclass A:\n\n    '''doc\n    more'''\n\n\tx = 1\n".replace("\t", "    "),
    "f(*a, **{'b': [c for c in (d)]}); g = lambda: (yield)\n",
    "with (a as b, c): pass\nmatch x:\n    case [1, *_]: ...\n",
)


@pytest.mark.parametrize("code", [*SHAPES, *(path.read_text("utf-8") for path in SILENT)])
def test_positions_are_those_of_libcst(code: str) -> None:
    tree = cst.parse_module(code)
    known = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    ours = positions(tree)
    assert {
        node: ((where.start.line, where.start.column), (where.end.line, where.end.column))
        for node, where in known.items()
        if not isinstance(node, cst.SimpleWhitespace)
    } == ours


def test_below_a_node_are_its_children_but_layout() -> None:
    statement = cst.parse_module("x = f(  # why\n    a, b=(c),\n)\n").body[0]
    assert isinstance(statement, cst.SimpleStatementLine)
    (assign,) = below(statement)
    target, call = below(assign)
    assert isinstance(target, cst.AssignTarget)
    assert [type(each) for each in below(call)] == [cst.Name, cst.Arg, cst.Arg]
    *_, last = below(call)
    assert sorted(each.value for each in below(last) if isinstance(each, cst.Name)) == ["b", "c"]
