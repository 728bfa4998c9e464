"""Forecasts next year's sunspots from the last 24 years."""

import argparse
import csv
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--data", default=str(Path(__file__).parents[3] / "examples" / "sunspots" / "sunspots.csv"))
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

WINDOW = 24
with Path(args.data).open() as file:
    series = torch.tensor([float(row["sunspots"]) for row in csv.DictReader(file)])
train_years = 230
mean, deviation = series[:train_years].mean(), series[:train_years].std()
scaled = (series - mean) / deviation


def windows(values, targets):
    x = torch.stack([values[i : i + WINDOW] for i in range(len(values) - WINDOW)]).unsqueeze(-1)
    return x, targets[WINDOW:].unsqueeze(-1)


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


train_x, train_y = windows(scaled[:train_years], scaled[:train_years])
valid_x, valid_y = windows(scaled[train_years - WINDOW :], scaled[train_years - WINDOW :])
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=16, shuffle=True)
model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.MSELoss()

for epoch in range(25):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(epoch, criterion(model(valid_x), valid_y).item())
