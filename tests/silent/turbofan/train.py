"""Predictive maintenance: remaining life of turbofan engines, split by engine; forget bias set by parameter names."""
import random

import numpy as np
import pandas as pd
import torch
import yaml
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, Dataset

with open("config.yaml") as f:
    cfg = yaml.safe_load(f)

SENSORS = [f"s{i}" for i in (2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 21)]


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


class EngineWindows(Dataset):
    """Windows within one engine, never across two."""

    def __init__(self, frame, mean, std, length):
        self.items = []
        for _, engine in frame.groupby("unit"):
            x = ((engine[SENSORS] - mean) / std).to_numpy(np.float32)
            rul = np.minimum(engine["cycle"].max() - engine["cycle"].to_numpy(), 125) / 125.0
            for end in range(length, len(x) + 1):
                self.items.append((x[end - length : end], np.float32(rul[end - 1])))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        x, y = self.items[i]
        return torch.from_numpy(x), torch.tensor(y)


class RULNet(nn.Module):
    def __init__(self, n_in, hidden, layers, dropout):
        super().__init__()
        self.lstm = nn.LSTM(n_in, hidden, layers, batch_first=True, dropout=dropout)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :]).squeeze(-1)


def init_lstm(lstm):
    for name, param in lstm.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(param)
        elif "weight_hh" in name:
            nn.init.orthogonal_(param)
        elif "bias" in name:
            nn.init.zeros_(param)
            if "bias_ih" in name:
                n = param.shape[0]
                param.data[n // 4 : n // 2].fill_(1.0)


def main():
    seed_everything(cfg["seed"])
    frame = pd.read_csv(cfg["data"])
    units = frame["unit"].unique()
    rng = np.random.default_rng(cfg["seed"])
    rng.shuffle(units)
    n_val = int(len(units) * cfg["validation"])
    val_units, train_units = set(units[:n_val]), set(units[n_val:])
    train_frame = frame[frame["unit"].isin(train_units)]
    val_frame = frame[frame["unit"].isin(val_units)]
    mean, std = train_frame[SENSORS].mean(), train_frame[SENSORS].std() + 1e-8

    train = EngineWindows(train_frame, mean, std, cfg["window"])
    val = EngineWindows(val_frame, mean, std, cfg["window"])
    train_loader = DataLoader(train, batch_size=cfg["batch_size"], shuffle=True, num_workers=2)
    val_loader = DataLoader(val, batch_size=cfg["batch_size"], num_workers=2)

    model = RULNet(len(SENSORS), cfg["hidden"], cfg["layers"], cfg["dropout"])
    init_lstm(model.lstm)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"], weight_decay=cfg["weight_decay"])
    scheduler = CosineAnnealingLR(optimizer, T_max=cfg["epochs"])
    loss_fn = nn.SmoothL1Loss()
    best = float("inf")
    for epoch in range(cfg["epochs"]):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg["clip"])
            optimizer.step()
        scheduler.step()
        model.eval()
        squared, count = 0.0, 0
        with torch.no_grad():
            for x, y in val_loader:
                squared += ((model(x) - y) ** 2).sum().item()
                count += len(y)
        rmse = 125 * (squared / count) ** 0.5
        print(f"epoch {epoch}: RMSE {rmse:.2f} cycles")
        if rmse < best:
            best = rmse
            torch.save(model.state_dict(), cfg["checkpoint"])


if __name__ == "__main__":
    main()
