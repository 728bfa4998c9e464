"""Word model of the documentation's language reference: a GRU on windows in random order, with a held-out part."""

import argparse
import re
from collections import Counter
from pydoc_data.topics import topics

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=2e-3)
parser.add_argument("--epochs", type=int, default=8)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

words = re.findall(r"[a-z]+|[^\sa-z]", " ".join(topics.values()).lower())[:24000]
vocabulary = ["<unk>", *(word for word, count in Counter(words).most_common(400))]
index = {word: number for number, word in enumerate(vocabulary)}
stream = torch.tensor([index.get(word, 0) for word in words])


class Windows(Dataset):
    def __init__(self, stream, length=20):
        self.stream, self.length = stream, length

    def __len__(self):
        return (len(self.stream) - 1) // self.length

    def __getitem__(self, i):
        piece = self.stream[i * self.length : (i + 1) * self.length + 1]
        return piece[:-1], piece[1:]


class WordModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary), 48)
        self.gru = nn.GRU(48, 64, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.decoder = nn.Linear(64, len(vocabulary))

    def forward(self, x):
        out, _ = self.gru(self.drop(self.embedding(x)))
        return self.decoder(self.drop(out))


train = DataLoader(Windows(stream[:20000]), batch_size=16, shuffle=True)
valid = DataLoader(Windows(stream[20000:]), batch_size=64)
model = WordModel()
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)


def evaluate():
    model.eval()
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(model(x).transpose(1, 2), y).item() for x, y in valid]
    model.train()
    return sum(losses) / len(losses)


for epoch in range(args.epochs):
    for x, y in train:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).transpose(1, 2), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(epoch, evaluate())
