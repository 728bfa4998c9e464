"""Learning-rate schedules: objects, own classes, rates set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, STEP, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rebuilt": (
        program("""
lr = 0.1
for epoch in range(10):
    optimizer = optim.SGD(model.parameters(), lr=lr)
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    lr *= 0.5
"""),
        {
            "optimizers.0.rebuilt_in_loop": True,
            "optimizers.0.learning_rate": 0.1,
            "schedules.0.by_hand": True,
            "schedules.0.gamma": 0.5,
            "schedules.0.stepped": "epoch",
        },
    ),
    "none": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
""",
        ),
        {"schedules.#": 0},
    ),
    "step": (
        program(
            ADAM,
            """
sch = optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    sch.step()
""",
        ),
        {
            "schedules.#": 1,
            "schedules.0.name": "StepLR",
            "schedules.0.gamma": 0.5,
            "schedules.0.stepped": "epoch",
            "schedules.0.by_hand": False,
        },
    ),
    "batch": (
        program(
            ADAM,
            """
sch = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=10, steps_per_epoch=len(train_loader))
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        sch.step()
""",
        ),
        {"schedules.#": 1, "schedules.0.name": "OneCycleLR", "schedules.0.stepped": "batch"},
    ),
    "never": (
        program(
            ADAM,
            """
sch = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
""",
            STEP,
        ),
        {
            "schedules.#": 1,
            "schedules.0.name": "ExponentialLR",
            "schedules.0.gamma": 0.9,
            "schedules.0.stepped": "never",
        },
    ),
    "plateau": (
        program(
            ADAM,
            """
sch = optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min")
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    sch.step(loss)
""",
        ),
        {
            "schedules.#": 1,
            "schedules.0.name": "ReduceLROnPlateau",
            "schedules.0.gamma": 0.1,
            "schedules.0.metric_given": True,
        },
    ),
    "lambda": (
        program(
            ADAM,
            """
sch = optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lambda e: 0.95 ** e)
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    sch.step()
""",
        ),
        {"schedules.#": 1, "schedules.0.name": "LambdaLR", "schedules.0.gamma": 0.95},
    ),
    "hf": (
        program(
            ADAM,
            """
from transformers import get_linear_schedule_with_warmup
sch = get_linear_schedule_with_warmup(optimizer, 0, 1000)
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        sch.step()
""",
        ),
        {
            "schedules.#": 1,
            "schedules.0.name": "get_linear_schedule_with_warmup",
            "schedules.0.stepped": "batch",
            "schedules.0.length": 1000,
        },
    ),
    "groups": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        for g in optimizer.param_groups:
            g["lr"] *= 0.5
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.gamma": 0.5, "schedules.0.stepped": "epoch"},
    ),
    "groups assign": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    for g in optimizer.param_groups:
        g["lr"] = g["lr"] * 0.9
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.gamma": 0.9, "schedules.0.stepped": "epoch"},
    ),
    "groups /": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    for g in optimizer.param_groups:
        g["lr"] /= 4
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.gamma": 0.25},
    ),
    "helper": (
        program(
            ADAM,
            """
def adjust_learning_rate(opt, epoch):
    lr = 0.01 * (0.1 ** (epoch // 30))
    for g in opt.param_groups:
        g["lr"] = lr

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    adjust_learning_rate(optimizer, epoch)
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.gamma": 0.1, "schedules.0.stepped": "epoch"},
    ),
    "index": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch == 5:
        optimizer.param_groups[0]["lr"] = 0.001
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.stepped": "epoch"},
    ),
    "lr var": (
        program(
            ADAM,
            """
lr = 0.01
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    lr = lr * 0.9
    for g in optimizer.param_groups:
        g["lr"] = lr
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.gamma": 0.9},
    ),
    "dict": (
        program(
            ADAM,
            """
plan = {5: 1e-3, 8: 1e-4}
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch in plan:
        for g in optimizer.param_groups:
            g["lr"] = plan[epoch]
""",
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.stepped": "epoch"},
    ),
    "noam": (
        program(
            ADAM,
            """
class NoamOpt:
    def __init__(self, size, factor, warmup, optimizer):
        self.optimizer, self._step, self.warmup, self.factor, self.size = optimizer, 0, warmup, factor, size
    def step(self):
        self._step += 1
        rate = self.rate()
        for p in self.optimizer.param_groups:
            p["lr"] = rate
        self.optimizer.step()
    def zero_grad(self):
        self.optimizer.zero_grad()
    def rate(self, step=None):
        if step is None:
            step = self._step
        return self.factor * (self.size ** (-0.5) * min(step ** (-0.5), step * self.warmup ** (-1.5)))
optimizer = NoamOpt(512, 1, 4000, optimizer)
""",
            STEP,
        ),
        {"schedules.#": 1, "schedules.0.by_hand": True, "schedules.0.stepped": "batch"},
    ),
    "optimizer class that is rebuilt": (
        program("""
class Optim:
    def __init__(self, params, method, lr, max_grad_norm, lr_decay=1.0):
        self.params = list(params)
        self.method, self.lr, self.max_grad_norm, self.lr_decay = method, lr, max_grad_norm, lr_decay
        self.last_ppl = None
        self.make()
    def make(self):
        if self.method == "sgd":
            self.optimizer = optim.SGD(self.params, lr=self.lr)
        else:
            self.optimizer = optim.Adam(self.params, lr=self.lr)
    def step(self):
        nn.utils.clip_grad_norm_(self.params, self.max_grad_norm)
        self.optimizer.step()
    def update(self, ppl, epoch):
        if self.last_ppl is not None and ppl > self.last_ppl:
            self.lr = self.lr * self.lr_decay
            print("decay to", self.lr)
        self.last_ppl = ppl
        self.make()
opt = Optim(model.parameters(), "sgd", 1.0, 5, lr_decay=0.5)
for epoch in range(13):
    total = 0
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
        total += loss.item()
    opt.update(total, epoch)
"""),
        {
            "schedules.0.by_hand": True,
            "schedules.0.gamma": 0.5,
            "schedules.0.stepped": "epoch",
            "optimizers.0.name": "SGD",
            "optimizers.0.learning_rate": 1.0,
            "clipping.0.max": 5,
            "clipping.0.placement": "ok",
            "epochs": 13,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_schedules(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
