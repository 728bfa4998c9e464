"""Water demand with reversible instance normalisation: each window is scaled by its own past."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

import numpy as np


class Demand(Dataset):
    def __init__(self, path, past=96, future=24):
        self.values = np.loadtxt(path, dtype=np.float32)
        self.past, self.future = past, future

    def __len__(self):
        return len(self.values) - self.past - self.future + 1

    def __getitem__(self, i):
        x = self.values[i : i + self.past]
        y = self.values[i + self.past : i + self.past + self.future]
        loc, scale = x.mean(), x.std() + 1e-6
        return (x - loc) / scale, (y - loc) / scale, scale


class Seq2Seq(nn.Module):
    def __init__(self, hidden=64, future=24):
        super().__init__()
        self.future = future
        self.encoder = nn.LSTM(1, hidden, batch_first=True)
        self.decoder = nn.LSTMCell(1, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, (h, c) = self.encoder(x.unsqueeze(-1))
        h, c = h[-1], c[-1]
        step, outputs = x[:, -1:], []
        for _ in range(self.future):
            h, c = self.decoder(step, (h, c))
            step = self.out(h)
            outputs.append(step)
        return torch.cat(outputs, dim=1)


def main(epochs=40, batch_size=64, lr=1e-3, patience=6):
    torch.manual_seed(77)
    data = Demand("data/demand.txt")
    n = len(data)
    gap = data.past + data.future
    a, b = int(0.7 * n), int(0.85 * n)
    train = Subset(data, range(0, a))
    valid = Subset(data, range(a + gap, b))
    test = Subset(data, range(b + gap, n))
    train_loader = DataLoader(train, batch_size, shuffle=True)
    valid_loader = DataLoader(valid, batch_size)
    test_loader = DataLoader(test, batch_size)

    model = Seq2Seq()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def mae(loader):
        model.eval()
        total = 0.0
        with torch.no_grad():
            for x, y, scale in loader:
                total += ((model(x) - y).abs() * scale[:, None]).mean(1).sum().item()
        return total / len(loader.dataset)

    best, waited = float("inf"), 0
    for epoch in range(epochs):
        model.train()
        for x, y, _ in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.l1_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        score = mae(valid_loader)
        print(f"epoch {epoch}: validation MAE {score:.2f} m³/h")
        if score < best:
            best, waited = score, 0
            torch.save(model.state_dict(), "demand.pt")
        elif (waited := waited + 1) >= patience:
            break
    model.load_state_dict(torch.load("demand.pt", weights_only=True))
    print(f"test MAE {mae(test_loader):.2f} m³/h")


if __name__ == "__main__":
    main()
