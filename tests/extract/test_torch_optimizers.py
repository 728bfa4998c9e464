"""Optimizers: objects by every way of building them, and updates by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, STEP, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (
        program(ADAM, STEP),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.01, "optimizers.0.weight_decay": 0},
    ),
    "default": (
        program(
            """
optimizer = optim.Adam(model.parameters())
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.001},
    ),
    "getattr": (
        program(
            """
optimizer = getattr(optim, "SGD")(model.parameters(), lr=0.1, momentum=0.9)
""",
            STEP,
        ),
        {"optimizers.0.name": "SGD", "optimizers.0.learning_rate": 0.1, "optimizers.0.momentum": 0.9},
    ),
    "dict": (
        program(
            """
optimizer = {"adam": optim.Adam, "sgd": optim.SGD}["sgd"](model.parameters(), 0.1)
""",
            STEP,
        ),
        {"optimizers.0.name": "SGD", "optimizers.0.learning_rate": 0.1},
    ),
    "factory": (
        program(
            """
def build(name, params, lr):
    if name == "adam":
        return optim.Adam(params, lr=lr)
    elif name == "rmsprop":
        return optim.RMSprop(params, lr=lr)
    raise ValueError(name)
optimizer = build("rmsprop", model.parameters(), 0.02)
""",
            STEP,
        ),
        {"optimizers.0.name": "RMSprop", "optimizers.0.learning_rate": 0.02},
    ),
    "groups": (
        program(
            """
optimizer = optim.AdamW([{"params": model.rnn.parameters(), "lr": 1e-4}, {"params": model.fc.parameters()}], lr=1e-3)
""",
            STEP,
        ),
        {"optimizers.0.name": "AdamW", "optimizers.0.learning_rate": 0.001},
    ),
    "groups wd": (
        program(
            """
named = list(model.named_parameters())
decayed = {"params": [p for n, p in named if "bias" not in n], "weight_decay": 0.01}
others = {"params": [p for n, p in named if "bias" in n], "weight_decay": 0.0}
optimizer = optim.AdamW([decayed, others], lr=1e-3)
""",
            STEP,
        ),
        {"optimizers.0.weight_decay": 0.01, "optimizers.0.learning_rate": 0.001},
    ),
    "filter": (
        program(
            """
optimizer = optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=0.01)
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.01},
    ),
    "hf": (
        program(
            """
from transformers import AdamW
optimizer = AdamW(model.parameters(), lr=2e-5)
""",
            STEP,
        ),
        {"optimizers.0.name": "AdamW", "optimizers.0.learning_rate": 2e-05},
    ),
    "partial": (
        program(
            """
from functools import partial
make = partial(optim.Adam, lr=0.003)
optimizer = make(model.parameters())
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.003},
    ),
    "kwargs": (
        program(
            """
kw = dict(lr=0.005, weight_decay=1e-4)
optimizer = optim.Adam(model.parameters(), **kw)
""",
            STEP,
        ),
        {"optimizers.0.learning_rate": 0.005, "optimizers.0.weight_decay": 0.0001},
    ),
    "own class": (
        program(
            """
class MyOpt(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, weight_decay=0.2):
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay))
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad.data, alpha=-group["lr"])
optimizer = MyOpt(model.parameters(), lr=0.3)
""",
            STEP,
        ),
        {"optimizers.0.name": "MyOpt", "optimizers.0.learning_rate": 0.3, "optimizers.0.weight_decay": 0.2},
    ),
    "own class n": (
        program(
            """
class MyOpt(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad.data, alpha=-group["lr"])
optimizer = MyOpt(model.parameters(), lr=0.3)
""",
            STEP,
        ),
        {"optimizers.#": 1},
    ),
    "wrapper": (
        program(
            """
class Optim(object):
    def __init__(self, params, method, lr, max_norm):
        self.method, self.lr, self.max_norm = method, lr, max_norm
        self.params = list(params)
        if method == "sgd":
            self.optimizer = optim.SGD(self.params, lr=lr)
        elif method == "adam":
            self.optimizer = optim.Adam(self.params, lr=lr)
    def zero_grad(self):
        self.optimizer.zero_grad()
    def step(self):
        nn.utils.clip_grad_norm_(self.params, self.max_norm)
        self.optimizer.step()
optimizer = Optim(model.parameters(), "adam", 0.007, 5)
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.007},
    ),
    "by hand: add old": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.add_(-lr, p.grad.data)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: add alpha": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: add mul": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.add_(-lr * p.grad.data)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: sub": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.sub_(p.grad.data * lr)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: -=": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: data -=": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: data +=": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data += -lr * p.grad
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: data =": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data = p.data - lr * p.grad.data
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: literal": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-0.1)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.1,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: copy": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.copy_(p.data - lr * p.grad.data)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: named": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for name, p in model.named_parameters():
            p.data.add_(p.grad.data, alpha=-lr)
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "by hand: decay": (
        program("""
lr = 0.05
for epoch in range(10):
    for x, y in train_loader:
        model.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        lr *= 0.99
"""),
        {
            "optimizers.0.name": "SGD",
            "optimizers.0.by_hand": True,
            "optimizers.0.learning_rate": 0.05,
            "optimizers.#": 1,
            "training_step.zero_grad": True,
        },
    ),
    "dict of objects": (
        program(
            """
optimizers = {"adam": optim.Adam(model.parameters(), lr=0.01), "sgd": optim.SGD(model.parameters(), lr=0.5)}
optimizer = optimizers["sgd"]
""",
            STEP,
        ),
        {"optimizers.0.name": "SGD", "optimizers.0.learning_rate": 0.5},
    ),
    "rebound": (
        program(
            """
optimizer = optim.SGD(model.parameters(), lr=0.1)
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.01},
    ),
    "unknown choice": (
        program(
            """
if use_sgd():
    optimizer = optim.SGD(model.parameters(), lr=0.1)
else:
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
""",
            STEP,
        ),
        {"optimizers.0.name": "SGD", "optimizers.0.learning_rate": 0.1},
    ),
    "eval text": (
        program(
            """
optimizer = eval("optim.Adam")(model.parameters(), lr=0.01)
""",
            STEP,
        ),
        {"optimizers.0.name": "Adam", "optimizers.0.learning_rate": 0.01},
    ),
    "variable lr": (
        program(
            """
base_lr = 0.1
batch = 64
optimizer = optim.SGD(model.parameters(), lr=base_lr * batch / 256, momentum=0.9, nesterov=True)
""",
            STEP,
        ),
        {"optimizers.0.learning_rate": 0.025, "optimizers.0.momentum": 0.9},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_optimizers(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
