"""Training losses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "object": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {
            "losses.#": 1,
            "losses.0.name": "CrossEntropyLoss",
            "losses.0.from_logits": True,
            "losses.0.reduction": "mean",
            "losses.0.input_activation": "none",
            "losses.0.target": "y",
        },
    ),
    "inline object": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "MSELoss"},
    ),
    "function": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y, ignore_index=0, reduction="sum")
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "cross_entropy", "losses.0.ignore_index": 0, "losses.0.reduction": "sum"},
    ),
    "dead criterion": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.nll_loss(F.log_softmax(model(x), dim=1), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "nll_loss", "losses.0.input_activation": "logsoftmax"},
    ),
    "softmax": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(torch.softmax(model(x), 1), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.input_activation": "softmax"},
    ),
    "sum": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = 0
        for t in range(x.size(1)):
            loss += criterion(model(x), y[:, t])
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "CrossEntropyLoss"},
    ),
    "two": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        out = model(x)
        loss = criterion(out, y) + 0.1 * nn.L1Loss()(out, y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 2, "losses.0.name": "CrossEntropyLoss"},
    ),
    "divided": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y) / 8
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.divided_by": 8},
    ),
    "helper": (
        program(
            ADAM,
            """
def masked_loss(pred, y):
    nll = -torch.log(pred.gather(1, y))
    return nll.masked_select(y > 0).mean()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = masked_loss(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "masked_loss", "losses.0.by_hand": True},
    ),
    "written out": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "MSELoss", "losses.0.by_hand": True},
    ),
    "list": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        losses = []
        for t in range(3):
            losses.append(criterion(model(x), y))
        loss = torch.stack(losses).mean()
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "CrossEntropyLoss"},
    ),
    "own class": (
        program(
            ADAM,
            """
class FocalLoss(nn.Module):
    def forward(self, p, y):
        ce = F.cross_entropy(p, y, reduction="none")
        return ((1 - torch.exp(-ce)) ** 2 * ce).mean()
focal = FocalLoss()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = focal(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "FocalLoss"},
    ),
    "running": (
        program(
            ADAM,
            """
total = 0

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        total += loss
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.running_total": "keeps-graph"},
    ),
    "running item": (
        program(
            ADAM,
            """
total = 0

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        total += loss.item()
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.running_total": "detached"},
    ),
    "star": (
        program(
            ADAM,
            """
from torch.nn.functional import *

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "cross_entropy"},
    ),
    "attr": (
        program(
            ADAM,
            """
model.loss = nn.BCEWithLogitsLoss()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = model.loss(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "BCEWithLogitsLoss"},
    ),
    "crf": (
        program("""
from torchcrf import CRF
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, bidirectional=True)
        self.fc = nn.Linear(32, 5)
        self.crf = CRF(5)
    def forward(self, x, tags):
        out, _ = self.rnn(x)
        return -self.crf(self.fc(out), tags)
model = Tagger()
optimizer = optim.Adam(model.parameters())
for epoch in range(3):
    for x, y in train_loader:
        model.zero_grad()
        loss = model(x, y)
        loss.backward()
        optimizer.step()
"""),
        {"losses.0.name": "CRF", "hidden_state.initial": "none"},
    ),
    "own crf": (
        program("""
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, bidirectional=True)
        self.fc = nn.Linear(32, 5)
        self.transitions = nn.Parameter(torch.randn(5, 5))
        self.hidden = self.init_hidden()
    def init_hidden(self):
        return (torch.randn(2, 1, 16), torch.randn(2, 1, 16))
    def _features(self, x):
        self.hidden = self.init_hidden()
        out, self.hidden = self.rnn(x, self.hidden)
        return self.fc(out)
    def _score(self, feats, tags):
        score = torch.zeros(1)
        for i, feat in enumerate(feats):
            score = score + self.transitions[tags[i + 1], tags[i]] + feat[tags[i + 1]]
        return score
    def neg_log_likelihood(self, x, tags):
        feats = self._features(x)
        return torch.logsumexp(feats, 1).sum() - self._score(feats, tags)
    def forward(self, x):
        return self._features(x).argmax(1)
model = Tagger()
optimizer = optim.SGD(model.parameters(), lr=0.01, weight_decay=1e-4)
for epoch in range(300):
    for x, y in train_loader:
        model.zero_grad()
        loss = model.neg_log_likelihood(x, y)
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print(model(x))
"""),
        {
            "losses.0.name": "neg_log_likelihood",
            "hidden_state.initial": "random",
            "hidden_state.carried": False,
            "epochs": 300,
            "optimizers.0.weight_decay": 0.0001,
        },
    ),
    "from dict": (
        program(
            ADAM,
            """
losses = {"mse": nn.MSELoss(), "mae": nn.L1Loss()}
kind = "mae"

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = losses[kind](model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "L1Loss"},
    ),
    "weighted": (
        program(
            ADAM,
            """
alpha = 0.3

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = alpha * criterion(model(x), y) + (1 - alpha) * F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 2, "losses.0.name": "CrossEntropyLoss"},
    ),
    "legacy sum": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = nn.MSELoss(size_average=False)(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.reduction": "sum"},
    ),
    "sigmoid": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = nn.BCELoss()(torch.sigmoid(model(x)).squeeze(), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {
            "losses.#": 1,
            "losses.0.name": "BCELoss",
            "losses.0.input_activation": "sigmoid",
            "losses.0.from_logits": False,
        },
    ),
    "rmse": (
        program(
            ADAM,
            """
criterion2 = nn.MSELoss()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = torch.sqrt(criterion2(model(x), y))
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "MSELoss"},
    ),
    "wrapped": (
        program(
            ADAM,
            """
def compute(model, x, y):
    out = model(x)
    return criterion(out, y)

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = compute(model, x, y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"losses.#": 1, "losses.0.name": "CrossEntropyLoss"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_losses(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
