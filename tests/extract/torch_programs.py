"""Pieces of PyTorch programs for the tests of training loops: a data set, a model and loops to put between them."""

from __future__ import annotations

import textwrap
from typing import Any

from lstmadvisor.facts import Known, Program, Unknown

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader

class Net(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, x, state=None):
        out, state = self.rnn(x, state)
        return self.fc(out[:, -1])

train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
val_loader = DataLoader(val_set, batch_size=16)
test_loader = DataLoader(test_set, batch_size=16)
model = Net()
criterion = nn.CrossEntropyLoss()
"""

ADAM = "optimizer = optim.Adam(model.parameters(), lr=0.01)\n"

STEP = """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""


def program(*parts: str) -> str:
    """A whole program: the head, then `parts` one below the other."""
    return HEAD + "".join(textwrap.dedent(p) if p.startswith("\n") else p for p in parts)


def get(facts: Program, path: str) -> Any:
    """A fact by its path, `optimizers.0.learning_rate`: its value, "?" where it is unknown, None where it is absent."""
    here: Any = facts
    for part in path.split("."):
        if isinstance(here, Unknown):
            return "?"
        if part == "#":
            return len(here)
        if part.isdigit():
            if int(part) >= len(here):
                return "nothing"
            here = here[int(part)]
        else:
            here = getattr(here, part)
    if isinstance(here, Known):
        return here.value
    return "?" if isinstance(here, Unknown) else here


def lines(facts: Program, path: str) -> int | None:
    """The line that a fact was written in."""
    *head, last = path.split(".")
    here: Any = facts
    for part in head:
        here = here[int(part)] if part.isdigit() else getattr(here, part)
    found = getattr(here, last)
    at = found if last == "at" else found.at
    return at.line if at is not None else None
