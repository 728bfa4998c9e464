"""Four activities from a watch: six channels, 100 steps, a bidirectional GRU under bfloat16 autocast."""

import argparse

import numpy as np
import torch
from sktime.datasets import load_basic_motions
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)


def load(split):
    x, y = load_basic_motions(split=split, return_X_y=True, return_type="numpy3D")
    classes = sorted(set(y))
    return torch.tensor(x.transpose(0, 2, 1).astype("float32")), torch.tensor([classes.index(label) for label in y])


class Activity(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 4)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out.mean(dim=1))


x_train, y_train = load("train")
x_test, y_test = load("test")
mean, deviation = x_train.mean((0, 1)), x_train.std((0, 1))
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=8, shuffle=True)
model = Activity()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(50):
    model.train()
    for x, y in loader:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = np.mean((model(x_test).argmax(1) == y_test).numpy())
    print(epoch, accuracy)
