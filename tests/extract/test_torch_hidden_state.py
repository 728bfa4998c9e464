"""The hidden state: its start, and whether batches hand it on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import STEP, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "fresh": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    pass
    for x, y in train_loader:
        h = lm.init_hidden(4)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": False, "hidden_state.initial": "zeros"},
    ),
    "nothing": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    pass
    for x, y in train_loader:
        out, h = lm(x, None)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": False, "hidden_state.initial": "none"},
    ),
    "detach": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        h = tuple(s.detach() for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {
            "hidden_state.carried": True,
            "hidden_state.detached": True,
            "hidden_state.initial": "zeros",
            "hidden_state.reset": "epoch",
        },
    ),
    "data": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        h = tuple([each.data for each in h])
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "detach_": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        for s in h:
            s.detach_()
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "attached": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": False},
    ),
    "discarded": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        h[0].detach()
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": False},
    ),
    "two names": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h, c = lm.init_hidden(4)
    for x, y in train_loader:
        h = h.detach()
        c = c.detach()
        out, (h, c) = lm(x, (h, c))
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "after": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        out, h = lm(x, h)
        h = (h[0].detach(), h[1].detach())
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "Variable": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        from torch.autograd import Variable
        h = tuple(Variable(s.data) for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "repackage": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)
def repackage(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage(v) for v in h)


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        h = repackage(h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "never reset": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)

h = lm.init_hidden(4)

for epoch in range(5):
    pass
    for x, y in train_loader:
        h = tuple(s.detach() for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True, "hidden_state.reset": "never"},
    ),
    "random": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    pass
    for x, y in train_loader:
        out, h = lm(x, (torch.randn(1, 4, 16), torch.randn(1, 4, 16)))
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "random", "hidden_state.carried": False},
    ),
    "attribute": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    lm.hidden = lm.init_hidden(4)
    for x, y in train_loader:
        lm.hidden = [s.detach() for s in lm.hidden]
        out, lm.hidden = lm(x, lm.hidden)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True, "hidden_state.initial": "zeros"},
    ),
    "none first": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.fc(out), h
    def init_hidden(self, n):
        return (torch.zeros(1, n, 16), torch.zeros(1, n, 16))
lm = LM()
optimizer = optim.SGD(lm.parameters(), lr=1.0)


for epoch in range(5):
    h = None
    for x, y in train_loader:
        if h is not None:
            h = tuple(s.detach() for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True, "hidden_state.initial": "none"},
    ),
    "learned": (
        program(
            """
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16)
        self.h0 = nn.Parameter(torch.zeros(1, 1, 16))
        self.fc = nn.Linear(16, 8)
    def forward(self, x):
        out, h = self.rnn(x, self.h0.expand(-1, x.size(1), -1).contiguous())
        return self.fc(out)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"hidden_state.initial": "learned", "hidden_state.carried": False},
    ),
    "module state": (
        program(
            """
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
        self.hidden = None
    def forward(self, x):
        if self.hidden is not None:
            self.hidden = tuple(h.detach() for h in self.hidden)
        out, self.hidden = self.rnn(x, self.hidden)
        return self.fc(out)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"hidden_state.initial": "none", "hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "module init": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
        self.hidden = self.init_hidden()
    def init_hidden(self):
        return (torch.zeros(1, 1, 16), torch.zeros(1, 1, 16))
    def forward(self, x):
        out, self.hidden = self.rnn(x, self.hidden)
        return self.fc(out)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)

for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        model.hidden = model.init_hidden()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "zeros", "hidden_state.carried": False},
    ),
    "encoder": (
        program("""
class Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.GRU(8, 16)
        self.dec = nn.GRUCell(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x, y):
        _, h = self.enc(x)
        h = h[-1]
        outs = []
        for t in range(y.size(0)):
            h = self.dec(y[t], h)
            outs.append(self.fc(h))
        return torch.stack(outs)
model = Seq()
optimizer = optim.Adam(model.parameters(), lr=0.01)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x, y), y)
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "encoder", "hidden_state.carried": False},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_hidden_state(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
