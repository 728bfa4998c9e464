"""Forecasts the monthly number of passengers a year ahead with an LSTM cell that is stepped by hand."""

import argparse

import numpy as np
import torch
from sktime.datasets import load_airline
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

PAST, AHEAD = 24, 6
series = np.log(load_airline().to_numpy())
growth = np.diff(series)
growth = torch.tensor((growth - growth[:110].mean()) / growth[:110].std(), dtype=torch.float32)


class Passengers(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTMCell(1, hidden)
        self.head = nn.Linear(hidden, 1)

    def forward(self, past, ahead):
        h = past.new_zeros(len(past), self.hidden)
        c = past.new_zeros(len(past), self.hidden)
        for step in range(past.size(1)):
            h, c = self.cell(past[:, step : step + 1], (h, c))
        answers = [self.head(h)]
        for _ in range(ahead - 1):
            h, c = self.cell(answers[-1], (h, c))
            answers.append(self.head(h))
        return torch.cat(answers, dim=1)


starts = torch.arange(len(growth) - PAST - AHEAD)
train, test = starts[:80], starts[80:]
model = Passengers()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(45):
    for rows in train[torch.randperm(len(train))].split(16):
        past = torch.stack([growth[i : i + PAST] for i in rows])
        future = torch.stack([growth[i + PAST : i + PAST + AHEAD] for i in rows])
        loss = ((model(past, AHEAD) - future) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(epoch, loss.item())
