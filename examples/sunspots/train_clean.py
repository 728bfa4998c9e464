"""Forecasts the yearly sunspot number from the 22 years before with an LSTM (PyTorch).

The years are split in order: the first for training, the next for choosing the best epoch, the last for the report.
"""

import argparse
import copy
import random
from pathlib import Path

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATA = Path(__file__).with_name("sunspots.csv")
WINDOW = 22  # years, two solar cycles
TRAIN_YEARS = 209
VALIDATION_YEARS = 50
HIDDEN_SIZE = 16
BATCH_SIZE = 16
LEARNING_RATE = 3e-3
MAX_GRADIENT_NORM = 1.0
PATIENCE = 30


class Forecaster(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size=1, hidden_size=hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)
        set_forget_bias(self.lstm, 1.0)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1]).squeeze(-1)


def set_forget_bias(lstm, value):
    """Sets the forget bias of every layer. PyTorch adds two bias vectors: one gets the value, the other 0."""
    hidden_size = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter[hidden_size : 2 * hidden_size].fill_(value)
            elif name.startswith("bias_hh"):
                parameter[hidden_size : 2 * hidden_size].zero_()


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_windows(series):
    """Pairs every WINDOW successive values with the value that follows them."""
    windows = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
    targets = series[WINDOW:, 0]
    return torch.tensor(windows, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)


def load_data():
    series = np.loadtxt(DATA, delimiter=",", skiprows=1, usecols=1).reshape(-1, 1)
    validation_end = TRAIN_YEARS + VALIDATION_YEARS
    train, validation, test = series[:TRAIN_YEARS], series[TRAIN_YEARS:validation_end], series[validation_end:]
    scaler = StandardScaler().fit(train)
    train, validation, test = (
        TensorDataset(*make_windows(scaler.transform(part))) for part in (train, validation, test)
    )
    return train, validation, test, scaler


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=MAX_GRADIENT_NORM)
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.no_grad()
def predict(model, loader):
    model.eval()
    predictions = torch.cat([model(x) for x, _ in loader])
    targets = torch.cat([y for _, y in loader])
    return predictions, targets


def rmse(predictions, targets):
    return np.sqrt(np.mean((predictions - targets) ** 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    set_seed(args.seed)
    train, validation, test, scaler = load_data()
    train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True)
    validation_loader = DataLoader(validation, batch_size=BATCH_SIZE)
    test_loader = DataLoader(test, batch_size=BATCH_SIZE)

    model = Forecaster(HIDDEN_SIZE)
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=10)

    best_loss = float("inf")
    best_state = None
    bad_epochs = 0
    for epoch in range(args.epochs):
        train_loss = train_epoch(model, train_loader, criterion, optimizer)
        validation_loss = criterion(*predict(model, validation_loader)).item()
        scheduler.step(validation_loss)
        if epoch % 10 == 0:
            print(f"epoch {epoch:3d}  train {train_loss:.4f}  validation {validation_loss:.4f}")
        if validation_loss < best_loss:
            best_loss = validation_loss
            best_state = copy.deepcopy(model.state_dict())
            bad_epochs = 0
        else:
            bad_epochs += 1
            if bad_epochs == PATIENCE:
                print(f"no improvement for {PATIENCE} epochs, stopped after epoch {epoch}")
                break

    model.load_state_dict(best_state)
    predictions, targets = predict(model, test_loader)
    predictions = scaler.inverse_transform(predictions.numpy().reshape(-1, 1))
    targets = scaler.inverse_transform(targets.numpy().reshape(-1, 1))
    last_values = scaler.inverse_transform(test.tensors[0][:, -1].numpy())
    print(f"test RMSE {rmse(predictions, targets):.1f} sunspots")
    print(f"          {rmse(last_values, targets):.1f} if every year is taken to be like the year before")


if __name__ == "__main__":
    main()
