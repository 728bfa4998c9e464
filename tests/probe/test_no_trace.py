"""A measured run learns exactly what it would have learned unmeasured: the same losses and weights, bit for bit."""

import subprocess
import sys
import textwrap

import pytest

from tests.probe.programs import DATA, LOOP, MODEL, child

TOLD = """
import struct, sys
print("LOSS", struct.pack("d", loss.item()).hex(), flush=True)
"""

DROPOUT = LOOP.replace("Net()", "Net(num_layers=2, dropout=0.4, bidirectional=True)")
SHUFFLED = """
import random, numpy
random.seed(0)
numpy.random.seed(0)
from torch.utils.data import DataLoader, TensorDataset
model = Net(nn.GRU)
model.train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
criterion = nn.MSELoss()
for epoch in range(100):
    for a, b in DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(a + random.random() + numpy.random.rand()), b)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        criterion(model(x), y)
    model.train()
"""
STATEFUL = """
class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 8, batch_first=True)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 1)
        self.state = None

    def forward(self, x):
        out, state = self.rnn(x, self.state)
        self.state = tuple(part.detach() for part in state)
        return self.head(self.norm(out[:, -1]))

model = Stateful()
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
for step in range(1000):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""
PACKED = """
from torch.nn.utils.rnn import pack_padded_sequence
lengths = torch.arange(32) % 12 + 1
rnn, head = nn.RNN(3, 8, batch_first=True, bidirectional=True), nn.Linear(16, 1)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.01)
for step in range(1000):
    optimizer.zero_grad()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, last = rnn(packed)
    loss = nn.functional.mse_loss(head(torch.cat([last[0], last[1]], dim=1)), y)
    loss.backward()
    optimizer.step()
"""
CELL = """
cell, head = nn.LSTMCell(3, 8), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
for step in range(1000):
    optimizer.zero_grad()
    state = (torch.zeros(32, 8), torch.zeros(32, 8))
    for t in range(12):
        state = cell(x[:, t], state)
    loss = ((head(nn.functional.dropout(state[0])) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
"""
CLOSURE = """
model = Net()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
for step in range(1000):
    def closure():
        global loss
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss
    optimizer.step(closure)
"""
AMP = """
model = Net(proj_size=4)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu")
for step in range(1000):
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = nn.functional.mse_loss(model(x), y)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
"""
BY_HAND = """
model = Net()
for step in range(1000):
    model.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    for p in model.parameters():
        p.data.add_(p.grad, alpha=-0.01)
"""
LIMITED = """
import builtins, os, sys
count = 0
def limited(*values, **options):
    global count
    builtins_print(*values, **options)
    count += 1
    if count == int(sys.argv[2]):
        os._exit(0)
builtins_print, builtins.print = builtins.print, limited
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"__name__": "__main__"})
"""
"""Runs a program until it has printed so many lines."""
KINDS = {
    "dropout": DROPOUT, "shuffled": SHUFFLED, "stateful": STATEFUL, "packed": PACKED, "cell": CELL,
    "closure": CLOSURE, "amp": AMP, "by-hand": BY_HAND,
}  # fmt: skip


def told(loop: str) -> str:
    """The program, printing the loss of each step where backward is called."""
    lines = []
    for line in loop.splitlines():
        lines.append(line)
        if "backward()" in line:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + one for one in TOLD.strip().splitlines()]
    return DATA + MODEL + "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_bit_identical(kind, tmp_path):
    code = told(KINDS[kind])
    found, measured = child(tmp_path, code, steps=60)
    assert [one for one in found if one["record"] == "broken"] == []
    losses = [line for line in measured.stdout.splitlines() if line.startswith("LOSS")]
    assert len(losses) >= 60, measured.stderr
    bare = tmp_path / "bare.py"
    bare.write_text(textwrap.dedent(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(bare), str(len(losses))], capture_output=True, text=True, check=True
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("LOSS")] == losses
