"""Predicts the next sample of an electrocardiogram at every step; streams side by side, the state carried on."""

import argparse
from pathlib import Path

import numpy as np
import sktime.datasets
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

STREAMS, CHUNK = 8, 40
path = Path(sktime.datasets.__file__).parent / "data" / "mitdb" / "mitdb.csv"
signal = np.genfromtxt(path, delimiter=",", skip_header=1)[:, 0].astype("float32")
signal = (signal - signal.mean()) / signal.std()
length = len(signal) // STREAMS
streams = torch.from_numpy(signal[: STREAMS * length]).view(STREAMS, length, 1)


class Heart(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(1, 40, batch_first=True)
        self.out = nn.Linear(40, 1)

    def forward(self, x, state):
        h, state = self.rnn(x, state)
        return self.out(h), state


model = Heart()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(60):
    state = (torch.zeros(1, STREAMS, 40), torch.zeros(1, STREAMS, 40))
    total = 0.0
    for start in range(0, length - CHUNK - 1, CHUNK):
        x = streams[:, start : start + CHUNK]
        y = streams[:, start + 1 : start + CHUNK + 1]
        state = tuple(s.detach() for s in state)
        prediction, state = model(x, state)
        loss = nn.functional.mse_loss(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    print(epoch, total)
