"""What holds for every edit on every layout: generated programs, in all indentations, newlines and one-liners."""

from __future__ import annotations

import ast
import io
import tokenize
from codecs import BOM_UTF8 as BOM
from collections import Counter
from pathlib import Path

import pytest
from editing import at
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmadvisor import sources
from lstmadvisor.edits import (
    Edit,
    InsertStatements,
    MoveStatement,
    ReplaceExpression,
    SetArgument,
    SetValue,
    WrapStatements,
)
from lstmadvisor.fix.bytes import changed
from lstmadvisor.fix.plan import Planner
from lstmadvisor.fix.syntax import Refused
from lstmadvisor.sources import Library

HEADS = ["", "import torch\n", '"""Doc."""\nimport torch.nn as nn\nfrom torch import optim\n']
BUILDS = [
    "model = build(3, units=5)",
    "model = other = build(3, units=5,)",
    "model = build(\n>3,\n>units=5,\n)",
    "model = build(\n>3,  # three\n>units=5  # five\n)",
    "model = build(3,\n>>units=5)",
    "model = [build(3, units=(5))][0]",
    "model = (build(3, units=5)\n>if rate else None)",
]
LOOPS = [
    "for x in data:\n>loss = model(x)\n>loss.backward()\n>step()\n>total += loss",
    "for x in data:\n>if x:\n>>loss = model(x)\n>>loss.backward()\n>>step(); total += loss",
    "for x in data: loss = model(x); loss.backward(); step(); total += loss",
    "def train(data):\n>for x in data:\n>>with ctx:\n>>>loss = model(x)\n>>>loss.backward()\n>>step()\n>>total += loss",
]
EXTRAS = ["", "", "", "# a comment, é", "print('# no comment')", 's = """\n  # text\n"""', "if y: z = 1; w = 2"]


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A training script: a setting, a call and a loop in many layouts; `>` above is one level of indentation."""
    unit = draw(st.sampled_from(["    ", "\t", "  ", "   "]))
    lines = ["rate = 0.7", *draw(st.sampled_from(BUILDS)).split("\n"), *draw(st.sampled_from(LOOPS)).split("\n")]
    text = draw(st.sampled_from(HEADS))
    brackets = 0
    for line in lines:
        indent = unit * (len(line) - len(line.lstrip(">")))
        extra = draw(st.sampled_from(EXTRAS))
        if extra and not brackets:
            text += f"{indent}{extra}\n"
        brackets += line.count("(") - line.count(")")
        comment = "" if "#" in line else draw(st.sampled_from(["", "", "  # é", " # 0.7", "\t# x = 1"]))
        text += f"{indent}{line.lstrip('>')}{comment}\n"
    return text + draw(st.sampled_from(["", "# end", "done()"]))


def fixes_for(text: str) -> list[Edit]:
    """Edits for different places of a program."""
    start = text.index("build(")
    ends = [n + 1 for n, sign in enumerate(text) if n > start and sign == ")"]
    call = next(text[start:end] for end in ends if text[start:end].count("(") == text[start:end].count(")"))
    loss, total = at(text, "loss = model"), at(text, "total += loss")
    return [
        SetValue(at=at(text, "0.7"), was=0.7, to=0.2),
        SetArgument(at=at(text, call), name="dropout", code="0.1"),
        InsertStatements(at=at(text, "loss.backward"), side="after", code="`torch.nn.utils.clip_grad_norm_`(p, 1.0)"),
        MoveStatement(at=at(text, "step()"), to=total, side="after"),
        ReplaceExpression(
            at=total.model_copy(update={"column": total.column + len("total += ")}), code="`copy.deepcopy`($)"
        ),
        WrapStatements(at=loss, last=loss, header="with `torch.no_grad`():"),
    ]


def applied(data: bytes, fix: list[Edit]) -> bytes:
    library = Library()
    library.add(sources.read(Path("train.py"), data))
    return changed(data, "train.py", Planner(library).changes(fix))


def comments(data: bytes) -> list[str]:
    text = data.decode().replace("\r\n", "\n")
    return sorted(t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT)


def lines(data: bytes, newline: str) -> Counter[bytes]:
    return Counter(data.removeprefix(BOM).split(newline.encode()))


@settings(max_examples=100)
@given(programs(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_edit_keeps_comments_and_other_lines_and_gives_python(text: str, newline: str, bom: bool) -> None:
    ast.parse(text)
    data = (BOM if bom else b"") + text.replace("\n", newline).encode()
    refused: list[str] = []
    for edit in fixes_for(text):
        try:
            after = applied(data, [edit])
        except Refused as error:
            refused.append(str(error))
            continue
        ast.parse(after.removeprefix(BOM))
        assert comments(after) == comments(data)
        assert after.startswith(BOM) == bom
        assert after.count(b"\r") == (after.count(b"\n") if newline == "\r\n" else 0)
        due = {"move-statement": 2, "replace-expression": 1, "set-value": 1, "set-argument": 1}.get(edit.verb, 2)
        lost = lines(data, newline) - lines(after, newline)
        assert lost.total() <= due, "a line has changed that the edit is not about"
    assert all("its line" in why or "one block" in why for why in refused)


@settings(max_examples=50)
@given(programs(), st.permutations(range(5)))
def test_the_order_of_edits_does_not_matter(text: str, order: list[int]) -> None:
    edits = fixes_for(text)[:5]
    results = []
    for chosen in (edits, [edits[n] for n in order]):
        try:
            results.append(applied(text.encode(), chosen).decode())
        except Refused as error:
            results.append(str(error))
    assert results[0] == results[1]


@settings(max_examples=50)
@given(programs())
def test_a_value_is_set_where_it_is_written_and_only_once(text: str) -> None:
    edit = fixes_for(text)[0]
    after = applied(text.encode(), [edit]).decode()
    assert after == text.replace("0.7", "0.2", 1)
    with pytest.raises(Refused, match=r"0\.2"):
        applied(after.encode(), [edit])
