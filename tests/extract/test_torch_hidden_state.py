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
    "list of detached": (
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
        h = [h[0].detach(), h[1].detach()]
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "data of both": (
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
        (h, c) = (h.data, c.data)
        out, (h, c) = lm(x, (h, c))
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "map": (
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
        h = tuple(map(lambda s: s.detach(), h))
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "one of two": (
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
        out, (h, c) = lm(x, (h, c))
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": False},
    ),
    "no grad clone": (
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
        with torch.no_grad():
            h = tuple(s.clone() for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "numpy": (
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
        h = tuple(torch.tensor(s.cpu().numpy()) for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "method": (
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
def detach_hidden(self, h):
    return tuple(v.detach() for v in h)
LM.detach_hidden = detach_hidden


for epoch in range(5):
    h = lm.init_hidden(4)
    for x, y in train_loader:
        h = lm.detach_hidden(h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True},
    ),
    "rand init": (
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
        h = (torch.rand(1, 4, 16), torch.rand(1, 4, 16))
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": False, "hidden_state.initial": "random"},
    ),
    "zero_": (
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
        h = (torch.Tensor(1, 4, 16).zero_(), torch.Tensor(1, 4, 16).zero_())
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": False, "hidden_state.initial": "zeros"},
    ),
    "device moves": (
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
        h0 = torch.zeros(1, x.size(1), 16).requires_grad_().to("cpu")
        c0 = torch.zeros(1, x.size(1), 16).requires_grad_().to("cpu")
        out, h = lm(x, (h0.detach(), c0.detach()))
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": False, "hidden_state.detached": True, "hidden_state.initial": "zeros"},
    ),
    "batch size change": (
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
        if x.size(1) != 4:
            h = lm.init_hidden(x.size(1))
        h = tuple(s.detach() for s in h)
        out, h = lm(x, h)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True, "hidden_state.initial": "zeros"},
    ),
    "in forward": (
        program("""
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 8)
        self.reset()
    def reset(self):
        self.h = torch.zeros(1, 4, 16)
        self.c = torch.zeros(1, 4, 16)
    def forward(self, x):
        out, (h, c) = self.rnn(x, (self.h, self.c))
        self.h, self.c = h.detach(), c.detach()
        return self.fc(out)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)

for epoch in range(10):
    model.reset()
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""),
        {
            "hidden_state.initial": "zeros",
            "hidden_state.carried": True,
            "hidden_state.detached": True,
            "hidden_state.reset": "epoch",
        },
    ),
    "cell": (
        program(
            """
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x):
        hx = torch.zeros(x.size(0), 16)
        cx = torch.zeros(x.size(0), 16)
        for t in range(x.size(1)):
            hx, cx = self.cell(x[:, t], (hx, cx))
        return self.fc(hx)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"hidden_state.initial": "zeros", "hidden_state.carried": False},
    ),
    "cell none": (
        program(
            """
class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 16)
        self.fc = nn.Linear(16, 8)
    def forward(self, x):
        h = None
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.fc(h)
model = LM()
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"hidden_state.initial": "none", "hidden_state.carried": False},
    ),
    "own cell": (
        program(
            """
class Cell(nn.Module):
    def __init__(self, i, h):
        super().__init__()
        self.h = h
        self.x2h = nn.Linear(i, 4 * h)
        self.h2h = nn.Linear(h, 4 * h)
    def forward(self, x, hidden):
        hx, cx = hidden
        gates = self.x2h(x) + self.h2h(hx)
        i, f, c, o = gates.chunk(4, 1)
        cy = cx * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(c)
        return torch.sigmoid(o) * torch.tanh(cy), cy
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell(8, 16)
        self.fc = nn.Linear(16, 2)
    def forward(self, x):
        h = torch.zeros(x.size(0), 16)
        c = torch.zeros(x.size(0), 16)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], (h, c))
        return self.fc(h)
model = Model()
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"hidden_state.initial": "zeros", "hidden_state.carried": False},
    ),
    "image caption": (
        program("""
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 16)
        self.init_h = nn.Linear(32, 16)
        self.init_c = nn.Linear(32, 16)
        self.fc = nn.Linear(16, 100)
    def forward(self, features, captions):
        h = self.init_h(features.mean(dim=1))
        c = self.init_c(features.mean(dim=1))
        outs = torch.zeros(4, 20, 100)
        for t in range(20):
            h, c = self.cell(captions[:, t], (h, c))
            outs[:, t] = self.fc(h)
        return outs
decoder = Decoder()
optimizer = optim.Adam(decoder.parameters(), lr=4e-4)
for epoch in range(120):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(decoder(x, y), y)
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "encoder", "hidden_state.carried": False},
    ),
    "two networks": (
        program("""
enc, dec = nn.GRU(8, 16), nn.GRU(8, 16)
head = nn.Linear(16, 5)
params = list(enc.parameters()) + list(dec.parameters()) + list(head.parameters())
optimizer = optim.Adam(params, lr=1e-3)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        _, h = enc(x)
        out, _ = dec(y, h)
        loss = criterion(head(out), y)
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "encoder", "hidden_state.carried": False},
    ),
    "chunks of a sequence": (
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
    for x, y in train_loader:
        h = lm.init_hidden(4)
        for t in range(0, x.size(0), 20):
            h = tuple(s.detach() for s in h)
            out, h = lm(x[t:t + 20], h)
            loss = criterion(out, y[t:t + 20])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""),
        {"hidden_state.carried": True, "hidden_state.detached": True, "epochs": 5},
    ),
    "functional zero": (
        program("""
def init_state(n):
    return torch.zeros(1, n, 32), torch.zeros(1, n, 32)
optimizer = optim.Adam(model.parameters(), lr=0.01)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x, init_state(16)), y)
        loss.backward()
        optimizer.step()
"""),
        {"hidden_state.initial": "zeros", "hidden_state.carried": False},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_hidden_state(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
