"""Hourly load forecasting: chronological split, scaler fitted on the training rows, early stopping by hand."""
import copy

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 7
LOOKBACK = 48
HIDDEN = 64
BATCH = 128
EPOCHS = 100
PATIENCE = 8

torch.manual_seed(SEED)
np.random.seed(SEED)


class LoadForecaster(nn.Module):
    def __init__(self, n_features: int, hidden: int = HIDDEN):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 1))

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1]).squeeze(-1)


def windows(values: np.ndarray, lookback: int):
    xs, ys = [], []
    for i in range(len(values) - lookback):
        xs.append(values[i : i + lookback])
        ys.append(values[i + lookback, 0])
    return torch.tensor(np.array(xs), dtype=torch.float32), torch.tensor(np.array(ys), dtype=torch.float32)


frame = pd.read_csv("data/load.csv", parse_dates=["time"], index_col="time")
features = frame[["load", "temperature", "humidity"]].to_numpy()
n_train, n_val = int(len(features) * 0.7), int(len(features) * 0.15)
train_rows = features[:n_train]
val_rows = features[n_train - LOOKBACK : n_train + n_val]
test_rows = features[n_train + n_val - LOOKBACK :]

scaler = StandardScaler().fit(train_rows)
x_train, y_train = windows(scaler.transform(train_rows), LOOKBACK)
x_val, y_val = windows(scaler.transform(val_rows), LOOKBACK)
x_test, y_test = windows(scaler.transform(test_rows), LOOKBACK)

train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)
val_loader = DataLoader(TensorDataset(x_val, y_val), batch_size=BATCH)

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = LoadForecaster(features.shape[1]).to(device)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

best_loss = np.inf
best_weights = copy.deepcopy(model.state_dict())
epochs_without_improvement = 0

for epoch in range(EPOCHS):
    model.train()
    for xb, yb in train_loader:
        xb, yb = xb.to(device), yb.to(device)
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    model.eval()
    val_loss = 0.0
    with torch.no_grad():
        for xb, yb in val_loader:
            xb, yb = xb.to(device), yb.to(device)
            val_loss += criterion(model(xb), yb).item() * len(xb)
    val_loss /= len(val_loader.dataset)
    print(f"epoch {epoch + 1}: validation MSE {val_loss:.5f}")

    if val_loss < best_loss - 1e-5:
        best_loss = val_loss
        best_weights = copy.deepcopy(model.state_dict())
        epochs_without_improvement = 0
    else:
        epochs_without_improvement += 1
        if epochs_without_improvement == PATIENCE:
            print("stopping early")
            break

model.load_state_dict(best_weights)
model.eval()
with torch.no_grad():
    predicted = model(x_test.to(device)).cpu().numpy()

std, mean = scaler.scale_[0], scaler.mean_[0]
print("test MAE:", mean_absolute_error(y_test.numpy() * std + mean, predicted * std + mean), "MW")
