"""How many losses are added up within a step, as far as the function that differentiates has an expression for it."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Known, Loss, items

HEAD = """\
import torch
from torch import nn

cell, head = nn.LSTMCell(3, 8), nn.Linear(8, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.01)


def train(x, y, length):
    state, loss = None, 0
    optimizer.zero_grad()
"""


def loss_of(facts_of: FactsOf, body: str) -> Loss:
    text = HEAD + "".join(f"    {line}\n" for line in body.split("\n"))
    program = facts_of(text + "\n\nfor n in range(100):\n    train(torch.randn(9, 4, 3), torch.randn(9, 4, 1), 9)\n")
    return items(program.losses)[0]


ADD = "    state = cell(x[t], state)\n    loss += criterion(head(state[0]), y[t])\n"
END = "loss.backward()\noptimizer.step()"


@pytest.mark.parametrize(
    ("header", "count"),
    [
        ("for t in range(length):", "length"),
        ("for t in range(0, x.size(0)):", "x.size(0)"),
        ("for t in range(1, len(x)):", "(len(x) - 1)"),
        ("for t in range(length - 1):", "(length - 1)"),
        ("for t, _ in enumerate(x):", "len(x)"),
        ("for t, (a, b) in enumerate(zip(y, x)):", "len(y)"),
    ],
)
def test_counts(facts_of: FactsOf, header: str, count: str) -> None:
    addends = loss_of(facts_of, f"{header}\n{ADD}{END}").addends
    assert isinstance(addends, Known)
    assert addends.value == count
    assert addends.at is not None
    assert (addends.at.column, addends.at.end_column) == (5, 9)


def test_two_loops_of_one_length(facts_of: FactsOf) -> None:
    indented = "".join(f"    {line}\n" for line in f"for t in range(length):\n{ADD}".splitlines())
    loss = loss_of(facts_of, f"if torch.rand(1) < 0.5:\n{indented}else:\n{indented}{END}")
    assert isinstance(loss.addends, Known)
    assert loss.addends.value == "length"


@pytest.mark.parametrize(
    "body",
    [
        f"for t in range(length):\n{ADD}loss += sum((p**2).sum() for p in head.parameters())\n{END}",
        f"for t in range(length):\n{ADD}for t in range(4):\n{ADD}{END}",
        f"for t in range(length):\n    for n in range(2):\n    {ADD.replace(chr(10), chr(10) + '    ').rstrip(' ')}{END}",
        f"for t in range(length):\n{ADD}    length = length\n{END}",
        f"for t in make(length):\n{ADD}{END}",
    ],
    ids=["something else is added", "two lengths", "loops within loops", "its name changes", "no length"],
)
def test_no_count(facts_of: FactsOf, body: str) -> None:
    assert not isinstance(loss_of(facts_of, body).addends, Known)
