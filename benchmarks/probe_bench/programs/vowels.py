"""Tells nine speakers by a vowel: recordings of 7 to 26 frames, packed, through a bidirectional LSTM."""

import argparse

import torch
from sktime.datasets import load_japanese_vowels
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)


def load(split):
    frames, labels = load_japanese_vowels(split=split, return_X_y=True, return_type="df-list")
    return [(torch.tensor(f.to_numpy(), dtype=torch.float32), int(y) - 1) for f, y in zip(frames, labels, strict=True)]


def collate(batch):
    lengths = torch.tensor([len(frames) for frames, _ in batch])
    x = pad_sequence([frames for frames, _ in batch], batch_first=True)
    return x, lengths, torch.tensor([label for _, label in batch])


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(12, 32, bidirectional=True, batch_first=True)
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(64, 9))

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.classify(torch.cat([h[-2], h[-1]], dim=1))


training = load("train")
mean = torch.cat([frames for frames, _ in training]).mean(0)
deviation = torch.cat([frames for frames, _ in training]).std(0)
training = [((frames - mean) / deviation, label) for frames, label in training]
validation = [((frames - mean) / deviation, label) for frames, label in load("test")][:120]
loader = DataLoader(training, batch_size=16, shuffle=True, collate_fn=collate)

model = Speaker()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(20):
    model.train()
    for x, lengths, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x, lengths), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        x, lengths, y = collate(validation)
        answer = model(x, lengths)
        print(epoch, criterion(answer, y).item(), (answer.argmax(1) == y).float().mean().item())
