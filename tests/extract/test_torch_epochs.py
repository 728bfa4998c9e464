"""How often the outer training loop turns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "range": (
        program(
            ADAM,
            """
for epoch in range(12):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "range 1": (
        program(
            ADAM,
            """
for epoch in range(1, 12 + 1):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "range off by one": (
        program(
            ADAM,
            """
for epoch in range(1, 12):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 11},
    ),
    "tqdm": (
        program(
            ADAM,
            """
from tqdm import tqdm

for epoch in tqdm(range(12), desc="e"):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "trange": (
        program(
            ADAM,
            """
from tqdm import trange

for epoch in trange(12):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "name": (
        program(
            ADAM,
            """
EPOCHS = 12

for epoch in range(EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "start": (
        program(
            ADAM,
            """
EPOCHS = 12
start = 0

for epoch in range(start, EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "while": (
        program(
            ADAM,
            """
epoch = 0

while epoch < 12:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    epoch += 1
""",
        ),
        {"epochs": 12},
    ),
    "while <=": (
        program(
            ADAM,
            """
epoch = 1

while epoch <= 12:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    epoch = epoch + 1
""",
        ),
        {"epochs": 12},
    ),
    "while true": (
        program(
            ADAM,
            """
epoch = 0

while True:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    epoch += 1
    if epoch == 30:
        break
""",
        ),
        {"epochs": 30},
    ),
    "while true or": (
        program(
            ADAM,
            """
epoch = 0

while True:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    epoch += 1
    if epoch >= 30 or loss.item() < 0.1:
        break
""",
        ),
        {"epochs": 30},
    ),
    "break": (
        program(
            ADAM,
            """
for epoch in range(100):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch == 5:
        break
""",
        ),
        {"epochs": 6},
    ),
    "count": (
        program(
            ADAM,
            """
import itertools

for epoch in itertools.count():
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch >= 5:
        break
""",
        ),
        {"epochs": 6},
    ),
    "unknown": (
        program(
            ADAM,
            """
n = int(input())

for epoch in range(n):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": "?"},
    ),
    "folds": (
        program("""
for fold in range(5):
    model = Net()
    optimizer = optim.Adam(model.parameters())
    for epoch in range(9):
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
"""),
        {"epochs": 9},
    ),
    "no batches": (
        program(
            ADAM,
            """
for t in range(500):
    optimizer.zero_grad()
    loss = criterion(model(X), Y)
    loss.backward()
    optimizer.step()
""",
        ),
        {"epochs": 500},
    ),
    "attr": (
        program("""
class Trainer:
    def __init__(self, model, epochs=15):
        self.model, self.epochs = model, epochs
        self.optimizer = optim.Adam(model.parameters(), lr=0.02)
        self.current = 0
    def train_epoch(self):
        for x, y in train_loader:
            self.optimizer.zero_grad()
            loss = criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
    def fit(self):
        while self.current < self.epochs:
            self.train_epoch()
            self.current += 1
Trainer(model).fit()
"""),
        {"epochs": 15, "optimizers.0.learning_rate": 0.02},
    ),
    "notebook like": (
        program("""
def train(model, loader, optimizer, epochs=3):
    for e in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
train(model, train_loader, optim.Adam(model.parameters(), lr=1e-3))
train(model, train_loader, optim.Adam(model.parameters(), lr=1e-4), epochs=10)
"""),
        {"epochs": 10, "optimizers.#": 2},
    ),
    "three models": (
        program("""
def fit(model):
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    for e in range(6):
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
for m in [Net(8), Net(16), Net(32)]:
    fit(m)
"""),
        {"epochs": 6, "optimizers.#": 1, "losses.#": 1},
    ),
    "grid": (
        program("""
for lr in [0.1, 0.01]:
    for hidden in [16, 32]:
        model = Net(hidden)
        optimizer = optim.Adam(model.parameters(), lr=lr)
        for e in range(6):
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
"""),
        {"epochs": 6, "optimizers.0.learning_rate": "?"},
    ),
    "list of epochs": (
        program(
            ADAM,
            """
for epoch in list(range(12)):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "enumerate": (
        program(
            ADAM,
            """
for i, epoch in enumerate(range(12)):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "arange": (
        program(
            ADAM,
            """
import numpy as np

for epoch in np.arange(12):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
    "fixed step": (
        program(
            ADAM,
            """
for epoch in range(0, 100, 10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 10},
    ),
    "expression": (
        program(
            ADAM,
            """
EPOCHS = 12

for epoch in range(EPOCHS * 2):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 24},
    ),
    "while flag": (
        program(
            ADAM,
            """
done = False
epoch = 0

while not done:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    epoch += 1
    if epoch >= 20:
        done = True
""",
        ),
        {"epochs": 20},
    ),
    "countdown": (
        program(
            ADAM,
            """
n = 12

while n > 0:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    n -= 1
""",
        ),
        {"epochs": 12},
    ),
    "default of get": (
        program(
            ADAM,
            """
cfg = {"lr": 1}

for epoch in range(cfg.get("epochs", 12)):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"epochs": 12},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_epochs(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
