"""Source text of PyTorch programs around a model that a test writes."""

from __future__ import annotations

import textwrap

HEAD = """\
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, TensorDataset
"""
LOOP = """
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True)
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""
UNSEEN_DATA = LOOP.replace("loader = DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True)\n", "")


def trained(model: str, loop: str = LOOP) -> str:
    """A program that trains the class (or function) `Net` of `model`."""
    return HEAD + textwrap.dedent(model) + loop


def net(forward: str, rnn: str = "nn.LSTM(8, 16, batch_first=True)", *, init: str = "", extra: str = "") -> str:
    """A model with `self.emb`, `self.rnn` and `self.fc`, the body of its `forward` and more lines of `__init__`."""
    lines = [
        "class Net(nn.Module):",
        "    def __init__(self, hidden=16):",
        "        super().__init__()",
        "        self.hidden_size = hidden",
        "        self.emb = nn.Embedding(50, 8)",
        f"        self.rnn = {rnn}",
        "        self.fc = nn.Linear(16, 3)",
        textwrap.indent(init, " " * 8),
        "    def init_hidden(self, batch):",
        "        return torch.zeros(1, batch, 16), torch.zeros(1, batch, 16)",
        "    def forward(self, x):",
        textwrap.indent(forward, " " * 8),
        extra,
    ]
    return "\n".join(lines) + "\n"
