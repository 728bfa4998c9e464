"""Early stopping and checkpoints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "none": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    print(val_loss)
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "counter": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        wait = 0
    else:
        wait += 1
        if wait >= 7:
            break
""",
        ),
        {
            "early_stopping.#": 1,
            "epochs": 50,
            "early_stopping.0.patience": 7,
            "early_stopping.0.monitor": "val_loss",
            "early_stopping.0.by_hand": True,
            "early_stopping.0.can_act": True,
        },
    ),
    "counter later": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        wait = 0
    else:
        wait += 1
    if wait == 7:
        print("stop")
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 7, "early_stopping.0.monitor": "val_loss"},
    ),
    "best epoch": (
        program(
            ADAM,
            """
best_epoch = 0

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        best_epoch = epoch
    elif epoch - best_epoch > 5:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 5},
    ),
    "threshold": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < 0.01:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50},
    ),
    "nan": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    import math
    if math.isnan(val_loss):
        break
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "dry run": (
        program(
            ADAM,
            """
dry_run = False

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if dry_run:
        break
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "flag": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        wait = 0
    else:
        wait += 1
    stop = False
    if wait > 4:
        stop = True
    if stop:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 4},
    ),
    "class": (
        program(
            ADAM,
            """
class EarlyStopping:
    def __init__(self, patience=7, delta=0):
        self.patience, self.delta = patience, delta
        self.counter = 0
        self.best_score = None
        self.early_stop = False
    def __call__(self, val_loss, model):
        score = -val_loss
        if self.best_score is None:
            self.best_score = score
            self.save_checkpoint(val_loss, model)
        elif score < self.best_score + self.delta:
            self.counter += 1
            if self.counter >= self.patience:
                self.early_stop = True
        else:
            self.best_score = score
            self.save_checkpoint(val_loss, model)
            self.counter = 0
    def save_checkpoint(self, val_loss, model):
        torch.save(model.state_dict(), "checkpoint.pt")
stopper = EarlyStopping(patience=3)

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    stopper(val_loss, model)
    if stopper.early_stop:
        print("Early stopping")
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 3},
    ),
    "class returns": (
        program(
            ADAM,
            """
class Stopper:
    def __init__(self, patience):
        self.patience, self.num_bad, self.best = patience, 0, None
    def step(self, metric):
        if self.best is None:
            self.best = metric
            return False
        if metric < self.best:
            self.best = metric
            self.num_bad = 0
        else:
            self.num_bad += 1
        if self.num_bad >= self.patience:
            return True
        return False
stopper = Stopper(patience=6)

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if stopper.step(val_loss):
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 6},
    ),
    "library": (
        program(
            ADAM,
            """
from pytorchtools import EarlyStopping
stopper = EarlyStopping(patience=20, verbose=True)

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    stopper(val_loss, model)
    if stopper.early_stop:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 20},
    ),
    "too patient": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        wait = 0
    else:
        wait += 1
        if wait >= 100:
            break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 100, "early_stopping.0.can_act": False},
    ),
    "return": (
        program(
            ADAM,
            """
def train(patience=4):
    best, bad = 1e9, 0
    for epoch in range(50):
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        if loss.item() < best:
            best, bad = loss.item(), 0
        else:
            bad += 1
        if bad > patience:
            return model
    return model
train()
""",
        ),
        {"early_stopping.#": 1, "early_stopping.0.patience": 4},
    ),
    "while": (
        program(
            ADAM,
            """
best, bad, epoch = 1e9, 0, 0
while epoch < 50 and bad < 8:
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if loss.item() < best:
        best, bad = loss.item(), 0
    else:
        bad += 1
    epoch += 1
""",
        ),
        {"early_stopping.#": 1, "early_stopping.0.patience": 8, "epochs": 50},
    ),
    "checkpoint: file": (
        program(
            ADAM,
            """
import copy
best = float("inf")
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for x, y in val_loader:
            val_loss += criterion(model(x), y).item()
    model.train()
    if val_loss < best:
        best = val_loss
        torch.save(model.state_dict(), "m.pt")
model.load_state_dict(torch.load("m.pt"))
""",
        ),
        {
            "checkpoints.0.monitor": "val_loss",
            "checkpoints.0.on": "validation",
            "checkpoints.0.reloaded": True,
            "checkpoints.0.aliased": False,
        },
    ),
    "checkpoint: not reloaded": (
        program(
            ADAM,
            """
import copy
best = float("inf")
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for x, y in val_loader:
            val_loss += criterion(model(x), y).item()
    model.train()
    if val_loss < best:
        best = val_loss
        torch.save(model.state_dict(), "m.pt")
""",
        ),
        {"checkpoints.0.reloaded": False},
    ),
    "checkpoint: memory": (
        program(
            ADAM,
            """
import copy
best = float("inf")
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for x, y in val_loader:
            val_loss += criterion(model(x), y).item()
    model.train()
    if val_loss < best:
        best = val_loss
        weights = model.state_dict()
model.load_state_dict(weights)
""",
        ),
        {"checkpoints.0.monitor": "val_loss", "checkpoints.0.reloaded": True, "checkpoints.0.aliased": True},
    ),
    "checkpoint: deepcopy": (
        program(
            ADAM,
            """
import copy
best = float("inf")
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for x, y in val_loader:
            val_loss += criterion(model(x), y).item()
    model.train()
    if val_loss < best:
        best = val_loss
        weights = copy.deepcopy(model.state_dict())
model.load_state_dict(weights)
""",
        ),
        {"checkpoints.0.reloaded": True, "checkpoints.0.aliased": False},
    ),
    "checkpoint: clones": (
        program(
            ADAM,
            """
import copy
best = float("inf")
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for x, y in val_loader:
            val_loss += criterion(model(x), y).item()
    model.train()
    if val_loss < best:
        best = val_loss
        weights = {k: v.clone() for k, v in model.state_dict().items()}
model.load_state_dict(weights)
""",
        ),
        {"checkpoints.0.reloaded": True, "checkpoints.0.aliased": False},
    ),
    "early_stop method": (
        program(
            ADAM,
            """
class EarlyStopper:
    def __init__(self, patience=1, min_delta=0):
        self.patience, self.min_delta, self.counter = patience, min_delta, 0
        self.min_validation_loss = float("inf")
    def early_stop(self, validation_loss):
        if validation_loss < self.min_validation_loss:
            self.min_validation_loss = validation_loss
            self.counter = 0
        elif validation_loss > (self.min_validation_loss + self.min_delta):
            self.counter += 1
            if self.counter >= self.patience:
                return True
        return False
stopper = EarlyStopper(patience=3, min_delta=10)

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if stopper.early_stop(val_loss):
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 3},
    ),
    "plain count": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        wait = 0
    else:
        wait = wait + 1
    if wait > 9:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 9},
    ),
    "list": (
        program(
            ADAM,
            """
history = []

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    history.append(val_loss)
    if len(history) > 5 and history[-1] > max(history[-6:-1]):
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50},
    ),
    "dict state": (
        program(
            ADAM,
            """
state = {"best": 1e9, "wait": 0}

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < state["best"]:
        state["best"] = val_loss
        state["wait"] = 0
    else:
        state["wait"] += 1
    if state["wait"] >= 6:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 6},
    ),
    "continue": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best, wait = val_loss, 0
        continue
    wait += 1
    if wait == 5:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50, "early_stopping.0.patience": 5},
    ),
    "learning rate floor": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss > best:
        for g in optimizer.param_groups:
            g["lr"] *= 0.5
    if optimizer.param_groups[0]["lr"] < 1e-6:
        break
""",
        ),
        {"early_stopping.#": 1, "epochs": 50},
    ),
    "max steps": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    step = 0
    step += 1
    if step > 1000:
        break
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "exit flag of time": (
        program(
            ADAM,
            """
import time
t0 = time.time()

def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    import time
    if time.time() - t0 > 3600:
        break
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "save only": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss < best:
        best = val_loss
        torch.save(model.state_dict(), "x.pt")
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "raise": (
        program(
            ADAM,
            """
def validate():
    model.eval()
    total = 0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
    model.train()
    return total / len(val_loader)
best, wait = float("inf"), 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    if val_loss > 100:
        raise ValueError("diverged")
""",
        ),
        {"early_stopping.#": 0, "epochs": 50},
    ),
    "inner flag": (
        program(
            ADAM,
            """
stop = False
best, bad = 1e9, 0
for epoch in range(50):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        if loss.item() < best:
            best, bad = loss.item(), 0
        else:
            bad += 1
            if bad > 1000:
                stop = True
                break
    if stop:
        break
""",
        ),
        {"early_stopping.#": 1, "early_stopping.0.patience": 1000, "epochs": 50},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_stopping(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
