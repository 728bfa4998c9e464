"""Evaluation: modes, gradients, the data that is evaluated on and what hangs on it."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "eval": (
        program(
            ADAM,
            """
def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        total = 0
        for x, y in loader:
            total += criterion(model(x), y).item()
        return total / len(loader)

for epoch in range(10):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = evaluate(model, val_loader)
""",
        ),
        {
            "training_step.eval_mode": True,
            "training_step.no_grad": True,
            "validation.kind": "data",
            "validation.source": "val_loader",
            "validation.is_test_set": False,
        },
    ),
    "no eval": (
        program(
            ADAM,
            """
def evaluate(model, loader):
    total = 0
    for x, y in loader:
        total += criterion(model(x), y).item()
    return total / len(loader)

for epoch in range(10):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = evaluate(model, val_loader)
""",
        ),
        {"training_step.eval_mode": False, "training_step.no_grad": False},
    ),
    "train false": (
        program(
            ADAM,
            """
def evaluate(model, loader):
    model.train(False)
    total = 0
    for x, y in loader:
        total += criterion(model(x), y).item()
    return total / len(loader)

for epoch in range(10):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = evaluate(model, val_loader)
""",
        ),
        {"training_step.eval_mode": True, "training_step.no_grad": False},
    ),
    "phases": (
        program(
            ADAM,
            """
loaders = {"train": train_loader, "val": val_loader}
for epoch in range(10):
    for phase in ["train", "val"]:
        if phase == "train":
            model.train()
        else:
            model.eval()
        for x, y in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                loss = criterion(model(x), y)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
""",
        ),
        {
            "training_step.eval_mode": True,
            "training_step.no_grad": True,
            "training_step.zero_grad": True,
            "epochs": 10,
            "validation.kind": "data",
        },
    ),
    "one loop": (
        program(
            ADAM,
            """
def run_epoch(model, loader, train=True):
    if train:
        model.train()
    else:
        model.eval()
    for x, y in loader:
        loss = criterion(model(x), y)
        if train:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
for epoch in range(7):
    run_epoch(model, train_loader)
    run_epoch(model, val_loader, train=False)
""",
        ),
        {
            "training_step.eval_mode": True,
            "epochs": 7,
            "validation.kind": "data",
            "validation.source": "val_loader",
            "training_step.zero_grad": True,
        },
    ),
    "test chooses": (
        program(
            ADAM,
            """
best = 0
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in test_loader:
            correct += (model(x).argmax(1) == y).sum().item()
    acc = correct / len(test_loader)
    if acc > best:
        best = acc
        torch.save(model.state_dict(), "best.pt")
    model.train()
""",
        ),
        {
            "validation.kind": "data",
            "validation.is_test_set": True,
            "validation.selects": True,
            "checkpoints.#": 1,
            "checkpoints.0.monitor": "acc",
            "checkpoints.0.on": "test",
            "checkpoints.0.reloaded": False,
        },
    ),
    "no val": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
model.eval()
for x, y in test_loader:
    print((model(x).argmax(1) == y).sum())
""",
        ),
        {"validation.kind": "none", "training_step.eval_mode": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_evaluation(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want


GUARDED = """
import torch
from torch import nn

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.drop = nn.Embedding(50, 16), nn.Dropout(0.3)
        self.gru, self.head = nn.GRU(16, 32, batch_first=True), nn.Linear(32, 50)
    def forward(self, x, training=False):
        x = self.embedding(x)
        if training:
            x = self.drop(x)
        return self.head(self.gru(x)[0])

model = Decoder()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(5):
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x, True).transpose(1, 2), y).backward()
        optimizer.step()
    print(sum(nn.functional.cross_entropy(model(x{given}).transpose(1, 2), y).item() for x, y in val_loader))
"""


@pytest.mark.parametrize(("given", "matters"), [("", False), (", True", True)])
def test_dropout_behind_a_flag_matters_where_the_flag_is_given(facts_of: FactsOf, given: str, matters: bool) -> None:
    step = facts_of(GUARDED.replace("{given}", given)).training_step
    assert plain(step.eval_mode) is False
    assert plain(step.mode_matters) is matters
