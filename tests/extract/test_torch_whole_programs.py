"""Whole programs of well-known kinds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "tutorial seq2seq": (
        program("""
class Enc(nn.Module):
    def __init__(self, n, h):
        super().__init__()
        self.h = h
        self.embedding = nn.Embedding(n, h)
        self.gru = nn.GRU(h, h)
    def forward(self, x, hidden):
        e = self.embedding(x).view(1, 1, -1)
        out, hidden = self.gru(e, hidden)
        return out, hidden
    def initHidden(self):
        return torch.zeros(1, 1, self.h)
class Dec(nn.Module):
    def __init__(self, h, n):
        super().__init__()
        self.embedding = nn.Embedding(n, h)
        self.gru = nn.GRU(h, h)
        self.out = nn.Linear(h, n)
        self.softmax = nn.LogSoftmax(dim=1)
    def forward(self, x, hidden):
        out = F.relu(self.embedding(x).view(1, 1, -1))
        out, hidden = self.gru(out, hidden)
        return self.softmax(self.out(out[0])), hidden
import random
def train(input_tensor, target_tensor, encoder, decoder, eo, do, criterion, max_length=10):
    hidden = encoder.initHidden()
    eo.zero_grad()
    do.zero_grad()
    loss = 0
    outputs = torch.zeros(max_length, encoder.h)
    for ei in range(input_tensor.size(0)):
        out, hidden = encoder(input_tensor[ei], hidden)
        outputs[ei] = out[0, 0]
    decoder_input = torch.tensor([[0]])
    decoder_hidden = hidden
    if random.random() < 0.5:
        for di in range(target_tensor.size(0)):
            o, decoder_hidden = decoder(decoder_input, decoder_hidden)
            loss += criterion(o, target_tensor[di])
            decoder_input = target_tensor[di]
    else:
        for di in range(target_tensor.size(0)):
            o, decoder_hidden = decoder(decoder_input, decoder_hidden)
            topv, topi = o.topk(1)
            decoder_input = topi.squeeze().detach()
            loss += criterion(o, target_tensor[di])
            if decoder_input.item() == 1:
                break
    loss.backward()
    eo.step()
    do.step()
    return loss.item() / target_tensor.size(0)
def trainIters(encoder, decoder, n_iters, print_every=1000, learning_rate=0.01):
    eo = optim.SGD(encoder.parameters(), lr=learning_rate)
    do = optim.SGD(decoder.parameters(), lr=learning_rate)
    pairs = [random.choice(data) for i in range(n_iters)]
    criterion = nn.NLLLoss()
    for iter in range(1, n_iters + 1):
        pair = pairs[iter - 1]
        loss = train(pair[0], pair[1], encoder, decoder, eo, do, criterion)
trainIters(Enc(100, 256), Dec(256, 100), 75000, print_every=5000)
"""),
        {
            "epochs": 75000,
            "optimizers.#": 2,
            "optimizers.0.learning_rate": 0.01,
            "losses.0.name": "NLLLoss",
            "losses.#": 1,
            "hidden_state.initial": "zeros",
            "hidden_state.carried": False,
            "early_stopping.#": 0,
            "training_step.zero_grad": True,
            "training_step.eval_mode": None,
        },
    ),
    "agent": (
        program("""
class Agent:
    def __init__(self, lr=1e-3):
        self.net = Net(64)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr)
        self.loss_fn = nn.SmoothL1Loss()
        self.max_grad_norm = 10
    def learn(self, batch):
        q = self.net(batch[0])
        loss = self.loss_fn(q, batch[1])
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), self.max_grad_norm)
        self.optimizer.step()
agent = Agent(lr=5e-4)
for episode in range(2000):
    state = env.reset()
    done = False
    while not done:
        state, reward, done, _ = env.step(0)
        agent.learn(memory.sample())
"""),
        {
            "epochs": 2000,
            "clipping.0.max": 10,
            "clipping.0.placement": "ok",
            "losses.0.name": "SmoothL1Loss",
            "optimizers.0.learning_rate": 0.0005,
            "training_step.zero_grad": True,
            "api": "loop",
            "early_stopping.#": 0,
        },
    ),
    "trainer class with phases": (
        program("""
class Trainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.optimizer = getattr(torch.optim, cfg["optim"])(model.parameters(), lr=cfg["lr"])
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, cfg["step"], cfg["gamma"])
        self.criterion = nn.CrossEntropyLoss(ignore_index=0)
        self.best = float("inf")
        self.bad = 0
    def run_epoch(self, loader, training):
        self.model.train(training)
        total = 0.0
        for x, y in loader:
            with torch.set_grad_enabled(training):
                loss = self.criterion(self.model(x), y)
            if training:
                self.optimizer.zero_grad()
                loss.backward()
                if self.cfg["clip"]:
                    nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg["clip"])
                self.optimizer.step()
            total += loss.item()
        return total / len(loader)
    def fit(self, train, valid):
        for epoch in range(self.cfg["epochs"]):
            self.run_epoch(train, True)
            loss = self.run_epoch(valid, False)
            self.scheduler.step()
            if loss < self.best:
                self.best, self.bad = loss, 0
                torch.save(self.model.state_dict(), "best.pt")
            else:
                self.bad += 1
                if self.bad >= self.cfg["patience"]:
                    break
        self.model.load_state_dict(torch.load("best.pt"))
cfg = dict(optim="RMSprop", lr=2e-3, step=5, gamma=0.6, clip=0.8, epochs=44, patience=6)
Trainer(model, cfg).fit(train_loader, val_loader)
"""),
        {
            "epochs": 44,
            "optimizers.0.name": "RMSprop",
            "optimizers.0.learning_rate": 0.002,
            "schedules.0.gamma": 0.6,
            "schedules.0.stepped": "epoch",
            "clipping.0.max": 0.8,
            "clipping.0.placement": "ok",
            "early_stopping.0.patience": 6,
            "early_stopping.0.restores_best": True,
            "training_step.eval_mode": True,
            "training_step.no_grad": True,
            "validation.source": "val_loader",
            "checkpoints.0.reloaded": True,
            "losses.0.ignore_index": 0,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_whole_programs(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
