"""Optuna search over a GRU classifier of accelerometer windows; subjects are never shared between splits."""
import copy

import numpy as np
import optuna
import torch
from sklearn.model_selection import GroupShuffleSplit
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 25
N_CLASSES = 6


def load():
    data = np.load("data/har.npz")
    x, y, subject = data["x"], data["y"], data["subject"]
    outer = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    dev, test = next(outer.split(x, y, subject))
    inner = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=1)
    fit, val = next(inner.split(x[dev], y[dev], subject[dev]))
    return [(x[i], y[i]) for i in (dev[fit], dev[val], test)]


class GRUClassifier(nn.Module):
    def __init__(self, n_features, hidden, layers, dropout):
        super().__init__()
        self.gru = nn.GRU(n_features, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0)
        self.norm = nn.LayerNorm(hidden)
        self.fc = nn.Linear(hidden, N_CLASSES)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(self.norm(out.mean(dim=1)))


(x_fit, y_fit), (x_val, y_val), (x_test, y_test) = load()
mu, sigma = x_fit.mean((0, 1)), x_fit.std((0, 1))


def tensors(x, y):
    return TensorDataset(torch.tensor((x - mu) / sigma, dtype=torch.float32), torch.tensor(y))


fit_set, val_set, test_set = tensors(x_fit, y_fit), tensors(x_val, y_val), tensors(x_test, y_test)


def accuracy(model, dataset):
    model.eval()
    hits = 0
    with torch.inference_mode():
        for xb, yb in DataLoader(dataset, batch_size=256):
            hits += (model(xb).argmax(1) == yb).sum().item()
    return hits / len(dataset)


def train(params, trial=None):
    torch.manual_seed(0)
    model = GRUClassifier(x_fit.shape[2], params["hidden"], params["layers"], params["dropout"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=params["lr"], weight_decay=1e-2)
    loader = DataLoader(fit_set, batch_size=params["batch_size"], shuffle=True)
    best, weights = 0.0, None
    for epoch in range(EPOCHS):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            nn.utils.clip_grad_norm_(model.parameters(), params["clip"])
            optimizer.step()
        score = accuracy(model, val_set)
        if score > best:
            best, weights = score, copy.deepcopy(model.state_dict())
        if trial is not None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
    model.load_state_dict(weights)
    return best, model


def objective(trial):
    params = {
        "hidden": trial.suggest_categorical("hidden", [32, 64, 128]),
        "layers": trial.suggest_int("layers", 1, 2),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
        "clip": trial.suggest_float("clip", 0.5, 5.0),
    }
    return train(params, trial)[0]


if __name__ == "__main__":
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=50)
    print("best validation accuracy", study.best_value, study.best_params)
    _, model = train(study.best_params)
    print("test accuracy", accuracy(model, test_set))
