"""Sleep staging: cross-validation by subject; the scale of each fold comes from its training subjects."""
import copy

import numpy as np
import torch
from sklearn.metrics import cohen_kappa_score
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SleepLSTM(nn.Module):
    def __init__(self, features, hidden=64, stages=5):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(2 * hidden, stages)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(self.drop(out.max(dim=1).values))


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(512)]).argmax(1)


def fit(x_train, y_train, x_val, y_val, epochs=60, patience=6):
    torch.manual_seed(0)
    weights = compute_class_weight("balanced", classes=np.arange(5), y=y_train.numpy())
    criterion = nn.CrossEntropyLoss(weight=torch.tensor(weights, dtype=torch.float32))
    model = SleepLSTM(x_train.shape[2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
    best, best_model, wait = -1.0, None, 0
    for _ in range(epochs):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            criterion(model(xb), yb).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        kappa = cohen_kappa_score(y_val.numpy(), predict(model, x_val).numpy())
        if kappa > best:
            best, best_model, wait = kappa, copy.deepcopy(model), 0
        else:
            wait += 1
            if wait >= patience:
                break
    return best_model


def main():
    data = np.load("data/sleep.npz")
    x, y, subjects = data["x"].astype("float32"), data["y"], data["subject"]
    scores = []
    for fold, (dev_idx, test_idx) in enumerate(GroupKFold(n_splits=10).split(x, y, subjects)):
        inner = GroupShuffleSplit(n_splits=1, test_size=0.15, random_state=fold)
        fit_rel, val_rel = next(inner.split(dev_idx, groups=subjects[dev_idx]))
        fit_idx, val_idx = dev_idx[fit_rel], dev_idx[val_rel]
        mean, std = x[fit_idx].mean(axis=(0, 1)), x[fit_idx].std(axis=(0, 1)) + 1e-6

        def tensors(index):
            return torch.from_numpy((x[index] - mean) / std), torch.from_numpy(y[index])

        model = fit(*tensors(fit_idx), *tensors(val_idx))
        x_test, y_test = tensors(test_idx)
        scores.append(cohen_kappa_score(y_test.numpy(), predict(model, x_test).numpy()))
        print(f"fold {fold}: kappa {scores[-1]:.3f}")
    print(f"kappa {np.mean(scores):.3f} ± {np.std(scores):.3f}")


if __name__ == "__main__":
    main()
