"""Dropout on the state that a loop by hand hands on, from source text to facts."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import items, plain

PROGRAM = """\
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(4, 32)
        self.gru = nn.GRUCell(4, 32)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 32)
        c = x.new_zeros(x.size(0), 32)
        outputs = []
        for t in range(x.size(1)):
            {step}
        return self.head(h)


model = Net()
optimizer = torch.optim.Adam(model.parameters())
for step in range(100):
    x = torch.randn(32, 20, 4)
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), x.mean(dim=(1, 2)).unsqueeze(1)).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("step", "on_state"),
    [
        ("h, c = self.cell(x[:, t], (h, c)); h = self.drop(h)", "output"),
        ("h, c = self.cell(x[:, t], (self.drop(h), c))", "output"),
        ("state = self.cell(x[:, t], (h, c)); h, c = self.drop(state[0]), state[1]", "output"),
        ("h, c = self.cell(x[:, t], (h, c)); c = F.dropout(c, 0.2, self.training)", "memory"),
        ("h, c = self.cell(x[:, t], (h, c)); outputs.append(self.head(self.drop(h)))", "none"),
        ("h, c = self.cell(self.drop(x[:, t]), (h, c))", "none"),
        ("h = self.drop(self.gru(x[:, t], h))", "memory"),
        ("h = self.gru(x[:, t], h); outputs.append(self.drop(h))", "none"),
        ("h, c = self.cell(x[:, t], (h * self.drop(torch.ones(32)), c))", "none"),
    ],
)
def test_dropout_on_the_state(facts_of: FactsOf, step: str, on_state: str) -> None:
    dropouts = items(facts_of(PROGRAM.format(step=step)).dropouts)
    found = {plain(one.on_state) for one in dropouts} - {"none"}
    assert found == ({on_state} - {"none"})
