"""Spoken digit recognition: sequences of similar length share a batch, so little is padded."""
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler


class BucketSampler(Sampler):
    """Batches of neighbours in length, in random order, drawn anew in every epoch."""

    def __init__(self, lengths, batch_size, bucket=50):
        self.lengths, self.batch_size, self.bucket = lengths, batch_size, bucket

    def __iter__(self):
        indices = torch.randperm(len(self.lengths)).tolist()
        size = self.bucket * self.batch_size
        batches = []
        for start in range(0, len(indices), size):
            pool = sorted(indices[start : start + size], key=lambda i: self.lengths[i])
            batches += [pool[i : i + self.batch_size] for i in range(0, len(pool), self.batch_size)]
        random.shuffle(batches)
        return iter(batches)

    def __len__(self):
        return (len(self.lengths) + self.batch_size - 1) // self.batch_size


class Digits(Dataset):
    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*.npy"))
        self.lengths = [np.load(p, mmap_mode="r").shape[0] for p in self.paths]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        mfcc = torch.from_numpy(np.load(self.paths[i])).float()
        mfcc = (mfcc - mfcc.mean(0)) / (mfcc.std(0) + 1e-5)  # cepstral normalisation of each recording
        return mfcc, int(self.paths[i].name[0])


def collate(batch):
    xs, ys = zip(*batch)
    return pad_sequence(xs, batch_first=True), torch.tensor([len(x) for x in xs]), torch.tensor(ys)


class DigitRNN(nn.Module):
    def __init__(self, n_mfcc=13, hidden=100, classes=10):
        super().__init__()
        self.rnn = nn.GRU(n_mfcc, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.out = nn.Linear(2 * hidden, classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(packed)
        h = h.view(2, 2, x.size(0), -1)[-1]  # layers, directions, batch, units
        return self.out(h.transpose(0, 1).reshape(x.size(0), -1))


def main():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    train, dev = Digits("data/train"), Digits("data/dev")
    train_loader = DataLoader(train, batch_sampler=BucketSampler(train.lengths, 32), collate_fn=collate)
    dev_loader = DataLoader(dev, batch_size=64, collate_fn=collate)
    model = DigitRNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    best = 0.0
    for epoch in range(25):
        model.train()
        for x, lengths, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x, lengths), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            hits = sum((model(x, n).argmax(1) == y).sum().item() for x, n, y in dev_loader)
        print(f"epoch {epoch}: {hits / len(dev):.4f}")
        if hits / len(dev) > best:
            best = hits / len(dev)
            torch.save(model.state_dict(), "digits.pt")


if __name__ == "__main__":
    main()
