"""DeepAR: an LSTM that emits a negative binomial distribution for each product and day."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.distributions import NegativeBinomial
from torch.utils.data import DataLoader, Dataset, RandomSampler

ENCODE, DECODE = 56, 28


class Products(Dataset):
    """Windows of all products; `last` is the last day that a window may touch."""

    def __init__(self, sales, covariates, first, last):
        self.sales, self.covariates = sales, covariates
        self.starts = [(p, t) for p in range(len(sales)) for t in range(first, last - ENCODE - DECODE + 1, 7)]

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, i):
        p, t = self.starts[i]
        y = self.sales[p, t : t + ENCODE + DECODE]
        scale = 1.0 + y[:ENCODE].mean()
        return y, self.covariates[t : t + ENCODE + DECODE], scale


class DeepAR(nn.Module):
    def __init__(self, n_covariates, hidden=40, layers=2, dropout=0.1):
        super().__init__()
        self.lstm = nn.LSTM(1 + n_covariates, hidden, layers, batch_first=True, dropout=dropout)
        self.mu = nn.Sequential(nn.Linear(hidden, 1), nn.Softplus())
        self.alpha = nn.Sequential(nn.Linear(hidden, 1), nn.Softplus())

    def distribution(self, h, scale):
        mu = self.mu(h).squeeze(-1) * scale.unsqueeze(-1) + 1e-6
        total = 1.0 / (self.alpha(h).squeeze(-1) / scale.sqrt().unsqueeze(-1) + 1e-6)
        return NegativeBinomial(total_count=total, logits=(mu / total).log())

    def forward(self, y, x, scale):
        lagged = torch.cat([torch.zeros_like(y[:, :1]), y[:, :-1]], dim=1) / scale.unsqueeze(-1)
        h, _ = self.lstm(torch.cat([lagged.unsqueeze(-1), x], dim=-1))
        return self.distribution(h, scale)

    @torch.no_grad()
    def sample(self, y, x, scale, n=100):
        y, x, scale = (v.repeat_interleave(n, 0) for v in (y[:, :ENCODE], x, scale))
        lagged = torch.cat([torch.zeros_like(y[:, :1]), y[:, :-1]], dim=1) / scale.unsqueeze(-1)
        h, state = self.lstm(torch.cat([lagged.unsqueeze(-1), x[:, :ENCODE]], dim=-1))
        last, draws = y[:, -1:], []
        for t in range(ENCODE, x.size(1)):
            step = torch.cat([(last / scale.unsqueeze(-1)).unsqueeze(-1), x[:, t : t + 1]], dim=-1)
            h, state = self.lstm(step, state)
            last = self.distribution(h, scale).sample()
            draws.append(last)
        return torch.cat(draws, dim=1).view(-1, n, x.size(1) - ENCODE)


def nll(model, loader):
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for y, x, scale in loader:
            log_prob = model(y, x, scale).log_prob(y)[:, ENCODE:]
            total -= log_prob.sum().item()
            count += log_prob.numel()
    return total / count


def main(epochs=40, lr=1e-3, batch_size=256):
    torch.manual_seed(3)
    np.random.seed(3)
    frame = pd.read_parquet("data/sales.parquet").sort_index()
    sales = torch.tensor(frame.to_numpy().T.astype("float32"))
    days = frame.index
    covariates = torch.tensor(np.stack([np.sin(2 * np.pi * days.dayofweek / 7), np.cos(2 * np.pi * days.dayofweek / 7),
                                        days.month / 12], axis=1).astype("float32"))
    n = len(days)
    train = Products(sales, covariates, 0, n - 2 * DECODE)
    valid = Products(sales, covariates, n - 2 * DECODE - ENCODE, n - DECODE)
    train_loader = DataLoader(train, batch_size, sampler=RandomSampler(train, num_samples=100_000, replacement=True))
    valid_loader = DataLoader(valid, batch_size)

    model = DeepAR(covariates.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    best, patience = float("inf"), 5
    for epoch in range(epochs):
        model.train()
        for y, x, scale in train_loader:
            optimizer.zero_grad()
            loss = -model(y, x, scale).log_prob(y).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
        score = nll(model, valid_loader)
        print(f"epoch {epoch}: validation NLL {score:.4f}")
        if score < best:
            best, patience = score, 5
            torch.save(model.state_dict(), "deepar.pt")
        else:
            patience -= 1
        if patience < 0:
            break


if __name__ == "__main__":
    main()
