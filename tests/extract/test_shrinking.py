"""Weights held small by the program itself, from source text to facts."""

from __future__ import annotations

from textwrap import indent

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Program, items, plain

PROGRAM = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])

    def start(self, n):
        weight = next(self.parameters())
        return weight.new_zeros(1, n, 32)


model, average = Net(), Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    for step in range(100):
        x = torch.randn(32, 20, 4)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), x.mean(dim=(1, 2)).unsqueeze(1))
{in_loss}
        loss.backward()
        optimizer.step()
{in_step}
{in_epoch}
"""


def program(in_step: str = "pass", in_loss: str = "pass", in_epoch: str = "pass") -> str:
    return PROGRAM.format(
        in_step=indent(in_step, " " * 8), in_loss=indent(in_loss, " " * 8), in_epoch=indent(in_epoch, " " * 4)
    )


def regularizers(program: Program) -> list[tuple[object, object]]:
    return [(plain(one.kind), plain(one.amount)) for one in items(program.regularizers)]


@pytest.mark.parametrize(
    "shrink",
    ["p *= 0.97", "p.mul_(0.97)", "p.data *= 0.97", "p.data = p.data * 0.97", "p.data.copy_(0.97 * p.data)"],
)
def test_weights_shrunk_in_every_step(facts_of: FactsOf, shrink: str) -> None:
    found = facts_of(program(f"with torch.no_grad():\n    for p in model.parameters():\n        {shrink}"))
    assert regularizers(found) == [("shrunk", 0.97)]


@pytest.mark.parametrize(
    "code",
    [
        "for a, p in zip(average.parameters(), model.parameters()):\n    a.mul_(0.97).add_(p, alpha=0.03)",
        "for a, p in zip(average.parameters(), model.parameters()):\n    a.data = 0.97 * a.data + 0.03 * p.data",
        "for p in model.parameters():\n    p.mul_(0.97)\n    p.add_(torch.randn_like(p))",
        "for p in model.parameters():\n    p.grad *= 0.97",
        "for p in average.parameters():\n    p *= 0.97",
        "if step % 100 == 0:\n    for p in model.parameters():\n        p *= 0.97",
        "for p in model.parameters():\n    p *= 1.02",
    ],
)
def test_averages_gradients_and_the_like_are_no_shrinking(facts_of: FactsOf, code: str) -> None:
    assert regularizers(facts_of(program(code))) == []


def test_once_per_epoch_is_not_in_every_step(facts_of: FactsOf) -> None:
    found = facts_of(program(in_epoch="for p in model.parameters():\n    p.data *= 0.97"))
    assert regularizers(found) == []


@pytest.mark.parametrize(
    "code",
    [
        "loss = loss + 1e-4 * sum(p.norm() for p in model.parameters())",
        "loss += 1e-4 * sum(p.pow(2).sum() for name, p in model.named_parameters())",
        "for p in model.parameters():\n    loss = loss + 1e-4 * torch.norm(p)",
        "for p in model.parameters():\n    loss = loss + 1e-4 * (p ** 2).sum()",
    ],
)
def test_penalties_in_the_loss(facts_of: FactsOf, code: str) -> None:
    assert regularizers(facts_of(program(in_loss=code))) == [("penalty", None)]


def test_parameters_that_only_lend_their_type_are_no_penalty(facts_of: FactsOf) -> None:
    found = facts_of(program(in_loss="loss = loss + model.start(32).abs().mean() * 0"))
    assert regularizers(found) == []


@pytest.mark.parametrize(
    ("made", "decoupled"),
    [
        ("Adam(model.parameters(), weight_decay=0.01)", False),
        ("AdamW(model.parameters())", True),
        ("Adam(model.parameters(), weight_decay=0.01, decoupled_weight_decay=True)", True),
        ("NAdam(model.parameters(), weight_decay=0.01, decoupled_weight_decay=False)", False),
    ],
)
def test_decoupled_weight_decay(facts_of: FactsOf, made: str, decoupled: bool) -> None:
    text = program().replace("Adam(model.parameters(), lr=1e-3)", made)
    (optimizer,) = items(facts_of(text).optimizers)
    assert plain(optimizer.decoupled) is decoupled
