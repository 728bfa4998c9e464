"""Walk-forward evaluation of a GRU return forecaster: each fold trains on the past and is scored on the next quarter."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import TimeSeriesSplit
from sklearn.preprocessing import RobustScaler
from torch import nn

LOOKBACK = 20


class GRUForecaster(nn.Module):
    def __init__(self, n_features, hidden=32):
        super().__init__()
        self.gru = nn.GRU(n_features, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h.squeeze(0)).squeeze(-1)


def make_windows(features, target):
    x = np.stack([features[i - LOOKBACK : i] for i in range(LOOKBACK, len(features))])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(target[LOOKBACK:], dtype=torch.float32)


def train_one(x, y, x_val, y_val, seed, max_epochs=50, patience=5):
    torch.manual_seed(seed)
    model = GRUForecaster(x.shape[-1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3)
    loss_fn = nn.MSELoss()
    best, best_state, stale = float("inf"), None, 0
    for _ in range(max_epochs):
        model.train()
        for index in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = loss_fn(model(x[index]), y[index])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val = loss_fn(model(x_val), y_val).item()
        if val < best:
            best, stale = val, 0
            best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        else:
            stale += 1
            if stale > patience:
                break
    model.load_state_dict(best_state)
    return model


def main():
    frame = pd.read_parquet("data/etf.parquet")
    target = frame["close"].pct_change().shift(-1).fillna(0.0).to_numpy()
    features = frame[["ret", "vol", "rsi", "spread"]].to_numpy()
    results = []
    for fold, (past, future) in enumerate(TimeSeriesSplit(n_splits=8, test_size=63).split(features)):
        cut = int(0.85 * len(past))
        fit_rows, val_rows = past[:cut], past[cut - LOOKBACK :]
        test_rows = np.concatenate([past[-LOOKBACK:], future])
        scaler = RobustScaler().fit(features[fit_rows])
        x, y = make_windows(scaler.transform(features[fit_rows]), target[fit_rows])
        x_val, y_val = make_windows(scaler.transform(features[val_rows]), target[val_rows])
        x_test, y_test = make_windows(scaler.transform(features[test_rows]), target[test_rows])
        model = train_one(x, y, x_val, y_val, seed=fold).eval()
        with torch.no_grad():
            predicted = model(x_test)
        results.append({"fold": fold, "rmse": (predicted - y_test).pow(2).mean().sqrt().item(),
                        "hit_rate": (predicted.sign() == y_test.sign()).float().mean().item()})
    print(pd.DataFrame(results).describe())


if __name__ == "__main__":
    main()
