"""The training step: cleared gradients, accumulation, mixed precision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "missing": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": False},
    ),
    "model": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "none": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        for p in model.parameters():
            p.grad = None
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "after": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "grad zero": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        for p in model.parameters():
            p.grad.data.zero_()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "sub": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        model.rnn.zero_grad()
        model.fc.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "closure": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        def closure():
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        optimizer.step(closure)
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "accumulation": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y) / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
""",
        ),
        {"training_step.zero_grad": True, "training_step.accumulation": 4},
    ),
    "amp": (
        program(
            ADAM,
            """
scaler = torch.cuda.amp.GradScaler()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        with torch.cuda.amp.autocast():
            loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
""",
        ),
        {"training_step.zero_grad": True, "training_step.mixed_precision": True},
    ),
    "amp off": (
        program(
            ADAM,
            """
use_amp = False
scaler = torch.cuda.amp.GradScaler(enabled=use_amp)

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        with torch.cuda.amp.autocast(enabled=use_amp):
            loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
""",
        ),
        {"training_step.mixed_precision": False},
    ),
    "outside zero": (
        program(
            ADAM,
            """
optimizer.zero_grad()
for epoch in range(3):
    for x, y in train_loader:
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": False},
    ),
    "retained": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(x), y)
        loss.backward(retain_graph=True)
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "two optimizers": (
        program(
            ADAM,
            """
opt2 = optim.SGD(model.fc.parameters(), lr=1)

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        opt2.zero_grad()
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        opt2.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
    "helper": (
        program(
            ADAM,
            """
def train_step(x, y):
    model.train()
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()

for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        train_step(x, y)
""",
        ),
        {"training_step.zero_grad": True, "training_step.eval_mode": None},
    ),
    "sum of losses": (
        program(
            ADAM,
            """
for epoch in range(10):
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        sum([loss]).backward()
        optimizer.step()
""",
        ),
        {"training_step.zero_grad": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_training_step(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
