"""Ray Tune over an LSTM regressor of battery capacity; the search reports validation loss only."""
import tempfile
from pathlib import Path

import numpy as np
import torch
from ray import train, tune
from ray.tune.schedulers import ASHAScheduler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class CapacityLSTM(nn.Module):
    def __init__(self, hidden, dropout):
        super().__init__()
        self.lstm = nn.LSTM(4, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(self.drop(h[-1]))


def load_cells(names):
    xs, ys = zip(*((np.load(f"data/{n}_x.npy"), np.load(f"data/{n}_y.npy")) for n in names))
    return np.concatenate(xs).astype("float32"), np.concatenate(ys).astype("float32")[:, None]


def trainable(config):
    torch.manual_seed(0)
    x, y = load_cells(["B0005", "B0006"])
    xv, yv = load_cells(["B0007"])
    mean, std = x.mean((0, 1)), x.std((0, 1))
    train_set = TensorDataset(torch.from_numpy((x - mean) / std), torch.from_numpy(y))
    val_x, val_y = torch.from_numpy((xv - mean) / std), torch.from_numpy(yv)
    loader = DataLoader(train_set, batch_size=config["batch_size"], shuffle=True)

    model = CapacityLSTM(config["hidden"], config["dropout"])
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    loss_fn = nn.MSELoss()
    for _ in range(50):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = loss_fn(model(val_x), val_y).item()
        with tempfile.TemporaryDirectory() as folder:
            torch.save(model.state_dict(), Path(folder) / "model.pt")
            train.report({"val_loss": val_loss}, checkpoint=train.Checkpoint.from_directory(folder))


if __name__ == "__main__":
    tuner = tune.Tuner(
        trainable,
        param_space={
            "hidden": tune.choice([16, 32, 64]),
            "dropout": tune.uniform(0.0, 0.4),
            "lr": tune.loguniform(1e-4, 1e-2),
            "batch_size": tune.choice([16, 32, 64]),
        },
        tune_config=tune.TuneConfig(
            metric="val_loss", mode="min", num_samples=40, scheduler=ASHAScheduler(max_t=50, grace_period=5)
        ),
    )
    result = tuner.fit().get_best_result()
    print(result.config, result.metrics["val_loss"])
