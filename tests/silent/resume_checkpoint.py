"""Handwriting synthesis features: trains for days, so it can be stopped and resumed at any epoch."""
import argparse
import os
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Strokes(Dataset):
    def __init__(self, path, length=256):
        self.strokes = np.load(path, allow_pickle=True)
        self.length = length

    def __len__(self):
        return len(self.strokes)

    def __getitem__(self, i):
        stroke = self.strokes[i]
        start = random.randint(0, max(0, len(stroke) - self.length - 1))
        piece = torch.zeros(self.length + 1, 3)
        mask = torch.zeros(self.length)
        part = torch.from_numpy(stroke[start : start + self.length + 1].astype("float32"))
        piece[: len(part)] = part
        mask[: len(part) - 1] = 1.0
        return piece[:-1], piece[1:], mask


class MDN(nn.Module):
    """Three LSTM layers with skip connections and a mixture density output (Graves 2013)."""

    def __init__(self, hidden=400, mixtures=20):
        super().__init__()
        self.layers = nn.ModuleList(nn.LSTM(3 + (hidden if i else 0), hidden, batch_first=True) for i in range(3))
        self.out = nn.Linear(3 * hidden, 6 * mixtures + 1)

    def forward(self, x):
        outputs, h = [], x
        for i, layer in enumerate(self.layers):
            h, _ = layer(h if i == 0 else torch.cat([x, h], dim=-1))
            outputs.append(h)
        return self.out(torch.cat(outputs, dim=-1))


def mdn_loss(params, target, mask):
    end, pi, mu1, mu2, s1, s2, rho = params.split([1] + [(params.size(-1) - 1) // 6] * 6, dim=-1)
    dx, dy, lift = target.unbind(-1)
    s1, s2, rho = s1.clamp(-6, 6).exp(), s2.clamp(-6, 6).exp(), torch.tanh(rho) * 0.99
    zx, zy = (dx.unsqueeze(-1) - mu1) / s1, (dy.unsqueeze(-1) - mu2) / s2
    z = zx**2 + zy**2 - 2 * rho * zx * zy
    log_n = -z / (2 * (1 - rho**2)) - torch.log(2 * torch.pi * s1 * s2 * torch.sqrt(1 - rho**2))
    nll = -torch.logsumexp(torch.log_softmax(pi, -1) + log_n, dim=-1)
    pen = nn.functional.binary_cross_entropy_with_logits(end.squeeze(-1), lift, reduction="none")
    return ((nll + pen) * mask).sum() / mask.sum()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume", default="")
    parser.add_argument("--out", default="runs/handwriting")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    random.seed(4)
    np.random.seed(4)
    torch.manual_seed(4)

    train_loader = DataLoader(Strokes("data/train.npy"), batch_size=64, shuffle=True, num_workers=2)
    valid_loader = DataLoader(Strokes("data/valid.npy"), batch_size=64)
    model = MDN()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=40, gamma=0.3)
    start, best = 0, float("inf")
    if args.resume:
        checkpoint = torch.load(args.resume, map_location="cpu")
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
        start, best = checkpoint["epoch"] + 1, checkpoint["best"]

    for epoch in range(start, args.epochs):
        model.train()
        for x, y, mask in train_loader:
            optimizer.zero_grad()
            loss = mdn_loss(model(x), y, mask)
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 10.0)
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            losses = [mdn_loss(model(x), y, mask).item() for x, y, mask in valid_loader]
        valid = sum(losses) / len(losses)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                 "scheduler": scheduler.state_dict(), "epoch": epoch, "best": min(best, valid)}
        torch.save(state, os.path.join(args.out, "last.pt"))
        if valid < best:
            best = valid
            torch.save(state, os.path.join(args.out, "best.pt"))
        print(f"epoch {epoch} validation NLL {valid:.4f}")


if __name__ == "__main__":
    main()
