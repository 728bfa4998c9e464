"""Glucose forecasting with a learned initial state, early stopping in a class of its own."""
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset


class EarlyStopping:
    def __init__(self, path, patience=7, delta=0.0):
        self.path, self.patience, self.delta = Path(path), patience, delta
        self.best, self.counter, self.stop = np.inf, 0, False

    def __call__(self, value, model):
        if value < self.best - self.delta:
            self.best, self.counter = value, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.counter += 1
            self.stop = self.counter >= self.patience


class GlucoseLSTM(nn.Module):
    def __init__(self, features=3, hidden=64, layers=2, horizon=6):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True, dropout=0.1)
        self.h0 = nn.Parameter(torch.zeros(layers, 1, hidden))
        self.c0 = nn.Parameter(torch.zeros(layers, 1, hidden))
        self.fc = nn.Linear(hidden, horizon)

    def forward(self, x):
        n = x.size(0)
        state = (self.h0.expand(-1, n, -1).contiguous(), self.c0.expand(-1, n, -1).contiguous())
        out, _ = self.lstm(x, state)
        return self.fc(out[:, -1, :])


class Patient(Dataset):
    def __init__(self, values, past=36, horizon=6):
        self.values = torch.as_tensor(values, dtype=torch.float32)
        self.past, self.horizon = past, horizon

    def __len__(self):
        return max(0, len(self.values) - self.past - self.horizon + 1)

    def __getitem__(self, i):
        j = i + self.past
        return self.values[i:j], self.values[j : j + self.horizon, 0]


def run_epoch(model, loader, loss_fn, optimizer=None):
    if optimizer is None:
        model.eval()
    else:
        model.train()
    losses = []
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in loader:
            loss = loss_fn(model(x), y)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            losses.append(loss.item())
    return float(np.mean(losses))


def main():
    torch.manual_seed(570)
    np.random.seed(570)
    train_raw = [np.load(f"data/{p}-train.npy") for p in (559, 563, 570, 575, 588, 591)]
    valid_raw = [np.load(f"data/{p}-valid.npy") for p in (559, 563, 570, 575, 588, 591)]
    stacked = np.concatenate(train_raw)
    mean, std = stacked.mean(axis=0), stacked.std(axis=0)
    train = ConcatDataset([Patient((raw - mean) / std) for raw in train_raw])
    valid = ConcatDataset([Patient((raw - mean) / std) for raw in valid_raw])
    train_loader = DataLoader(train, batch_size=128, shuffle=True)
    valid_loader = DataLoader(valid, batch_size=512)

    model = GlucoseLSTM()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.MSELoss()
    early_stopping = EarlyStopping("glucose.pt", patience=10)
    for epoch in range(200):
        train_loss = run_epoch(model, train_loader, loss_fn, optimizer)
        valid_loss = run_epoch(model, valid_loader, loss_fn)
        print(f"{epoch:3d} {train_loss:.4f} {valid_loss:.4f}")
        early_stopping(valid_loss, model)
        if early_stopping.stop:
            break
    model.load_state_dict(torch.load(early_stopping.path))
    rmse = run_epoch(model, valid_loader, loss_fn) ** 0.5 * std[0]
    print(f"validation RMSE {rmse:.1f} mg/dL")


if __name__ == "__main__":
    main()
