"""Forecasts the yearly sunspot number from the 22 years before with an LSTM (PyTorch)."""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.preprocessing import MinMaxScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATA = Path(__file__).with_name("sunspots.csv")
WINDOW = 22  # years, two solar cycles
TRAIN_YEARS = 240
HIDDEN_SIZE = 64
BATCH_SIZE = 16
LEARNING_RATE = 1e-3
PATIENCE = 20


class Forecaster(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size=1, hidden_size=hidden_size, dropout=0.2, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1]).squeeze(-1)


def make_windows(series):
    """Pairs every WINDOW successive values with the value that follows them."""
    windows = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
    targets = series[WINDOW:, 0]
    return torch.tensor(windows, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)


def load_data():
    series = np.loadtxt(DATA, delimiter=",", skiprows=1, usecols=1).reshape(-1, 1)
    scaler = MinMaxScaler()
    scaled = scaler.fit_transform(series)
    train = TensorDataset(*make_windows(scaled[:TRAIN_YEARS]))
    test = TensorDataset(*make_windows(scaled[TRAIN_YEARS - WINDOW :]))
    return train, test, scaler


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.no_grad()
def predict(model, loader):
    model.eval()
    predictions = torch.cat([model(x) for x, _ in loader])
    targets = torch.cat([y for _, y in loader])
    return predictions, targets


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=200)
    args = parser.parse_args()

    train, test, scaler = load_data()
    train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(test, batch_size=BATCH_SIZE)

    model = Forecaster(HIDDEN_SIZE)
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    best_loss = float("inf")
    best_state = None
    bad_epochs = 0
    for epoch in range(args.epochs):
        train_loss = train_epoch(model, train_loader, criterion, optimizer)
        test_loss = criterion(*predict(model, test_loader)).item()
        if epoch % 10 == 0:
            print(f"epoch {epoch:3d}  train {train_loss:.4f}  test {test_loss:.4f}")
        if test_loss < best_loss:
            best_loss = test_loss
            best_state = model.state_dict()
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
    rmse = np.sqrt(np.mean((predictions - targets) ** 2))
    print(f"test RMSE {rmse:.1f} sunspots")


if __name__ == "__main__":
    main()


# Faults in this program:
# - line 24, `dropout=0.2`: nn.LSTM drops between its layers, and this one has a single layer: nothing is ever
#   dropped.
# - line 15, `HIDDEN_SIZE = 64`: 64 units make 17,152 recurrent weights, for 240 numbers to learn from.
# - line 42, `scaler.fit_transform(series)`: the scaler has seen the smallest and the largest value of the years that
#   it will be tested on.
# - line 56, `nn.utils.clip_grad_norm_`: the gradient is clipped after the optimizer has used it, which changes
#   nothing.
# - line 87, `test_loss = criterion(`: the test years decide when to stop and which weights to keep, so the error
#   reported for them is too low.
# - line 92, `best_state = model.state_dict()`: the state_dict refers to the live weights: what is loaded at the end
#   is the last epoch, not the best.
