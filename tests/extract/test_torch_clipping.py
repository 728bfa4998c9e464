"""Gradient clipping: what is clipped, how much, and where in the step it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, STEP, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
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
        {"clipping.#": 0},
    ),
    "norm": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 5, "clipping.0.placement": "ok"},
    ),
    "kw": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters=model.parameters(), max_norm=1.0)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 1.0, "clipping.0.placement": "ok"},
    ),
    "import": (
        program(
            ADAM,
            """
from torch.nn.utils import clip_grad_norm_
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        clip_grad_norm_(model.parameters(), 2.)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 2.0, "clipping.0.placement": "ok"},
    ),
    "value": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "value", "clipping.0.max": 0.5, "clipping.0.placement": "ok"},
    ),
    "before": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        loss.backward()
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "before-backward"},
    ),
    "after": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "after-step"},
    ),
    "scaler": (
        program(
            ADAM,
            """
scaler = torch.cuda.amp.GradScaler()
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        with torch.autocast("cuda"):
            loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        scaler.step(optimizer)
        scaler.update()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "before-unscale"},
    ),
    "unscaled": (
        program(
            ADAM,
            """
scaler = torch.cuda.amp.GradScaler()
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        with torch.autocast("cuda"):
            loss = criterion(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        scaler.step(optimizer)
        scaler.update()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "ok"},
    ),
    "exhausted": (
        program(
            ADAM,
            """
params = model.parameters()

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "exhausted"},
    ),
    "list": (
        program(
            ADAM,
            """
params = list(model.parameters())

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "ok"},
    ),
    "exhausted filter": (
        program(
            ADAM,
            """
params = filter(lambda p: p.requires_grad, model.parameters())

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "exhausted"},
    ),
    "helper": (
        program(
            ADAM,
            """
def clip_gradient(model, limit):
    nn.utils.clip_grad_norm_(model.parameters(), limit)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        clip_gradient(model, 0.25)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 0.25, "clipping.0.placement": "ok"},
    ),
    "clamp": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.grad.data.clamp_(-1, 1)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "value", "clipping.0.max": 1, "clipping.0.placement": "ok"},
    ),
    "by hand": (
        program(
            ADAM,
            """
def clip_gradient(model, clip_norm):
    totalnorm = 0
    for p in model.parameters():
        if p.requires_grad:
            modulenorm = p.grad.data.norm()
            totalnorm += modulenorm ** 2
    totalnorm = totalnorm ** 0.5
    norm = clip_norm / max(totalnorm, clip_norm)
    for p in model.parameters():
        if p.requires_grad:
            p.grad.mul_(norm)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        clip_gradient(model, 0.25)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 0.25, "clipping.0.placement": "ok"},
    ),
    "d2l": (
        program(
            ADAM,
            """
def grad_clipping(net, theta):
    params = [p for p in net.parameters() if p.requires_grad]
    norm = torch.sqrt(sum(torch.sum((p.grad ** 2)) for p in params))
    if norm > theta:
        for param in params:
            param.grad[:] *= theta / norm

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        grad_clipping(model, 1)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 1, "clipping.0.placement": "ok"},
    ),
    "option off": (
        program(
            ADAM,
            """
clip = None
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.active": False},
    ),
    "accumulate": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        loss = criterion(model(x), y) / 4
        loss.backward()
        if (step + 1) % 4 == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            optimizer.step()
            optimizer.zero_grad()
""",
        ),
        {"clipping.#": 1, "clipping.0.placement": "ok", "clipping.0.kind": "norm"},
    ),
    "hook": (
        program(
            ADAM,
            """
for p in model.parameters():
    p.register_hook(lambda g: torch.clamp(g, -0.5, 0.5))
""",
            STEP,
        ),
        {"clipping.#": 1, "clipping.0.kind": "value", "clipping.0.max": 0.5},
    ),
    "clamp assigned": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.grad.data = torch.clamp(p.grad.data, -2, 2)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "value", "clipping.0.max": 2, "clipping.0.placement": "ok"},
    ),
    "clamp method": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.grad = p.grad.clamp(min=-0.5, max=0.5)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "value", "clipping.0.max": 0.5, "clipping.0.placement": "ok"},
    ),
    "in optimizer": (
        program(
            ADAM,
            """
class Opt:
    def __init__(self, inner, params, limit):
        self.inner, self.params, self.limit = inner, list(params), limit
    def step(self):
        if self.limit:
            torch.nn.utils.clip_grad_norm_(self.params, self.limit)
        self.inner.step()
opt = Opt(optimizer, model.parameters(), 3.5)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.kind": "norm", "clipping.0.max": 3.5, "clipping.0.placement": "ok"},
    ),
    "two models": (
        program(
            ADAM,
            """
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.rnn.parameters(), 1)
        nn.utils.clip_grad_norm_(model.fc.parameters(), 2)
        optimizer.step()
""",
        ),
        {"clipping.#": 2, "clipping.0.max": 1, "clipping.0.placement": "ok"},
    ),
    "partial condition": (
        program(
            ADAM,
            """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--clip", type=float, default=0.25)
args_clip = p.parse_args().clip

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        if args_clip > 0:
            nn.utils.clip_grad_norm_(model.parameters(), args_clip)
        optimizer.step()
""",
        ),
        {"clipping.#": 1, "clipping.0.max": 0.25, "clipping.0.placement": "ok", "clipping.0.active": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_clipping(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
