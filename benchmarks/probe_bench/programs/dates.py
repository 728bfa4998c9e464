"""Writes dates in ISO form: an encoder and a decoder with attention, teacher forcing."""

import argparse
import datetime
import random

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_num_threads(1)

PAD, START = 0, 1
FORMS = ("%d %B %Y", "%B %d, %Y", "%a %d %b %y", "%d/%m/%Y")
letters = {c: i for i, c in enumerate(sorted(set("".join(map(chr, range(32, 123))))), 2)}


def example():
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=random.randrange(40000))
    return [letters[c] for c in day.strftime(random.choice(FORMS))], [letters[c] for c in day.isoformat()]


def batch(size):
    pairs = [example() for _ in range(size)]
    longest = max(len(x) for x, _ in pairs)
    x = torch.tensor([x + [PAD] * (longest - len(x)) for x, _ in pairs])
    y = torch.tensor([y for _, y in pairs])
    return x, y


class Translator(nn.Module):
    def __init__(self, size=64):
        super().__init__()
        vocabulary = len(letters) + 2
        self.embed = nn.Embedding(vocabulary, 32, padding_idx=PAD)
        self.encoder = nn.LSTM(32, size // 2, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTM(32, size, batch_first=True)
        self.head = nn.Linear(2 * size, vocabulary)

    def forward(self, x, y):
        memory, _ = self.encoder(self.embed(x))
        out, _ = self.decoder(self.embed(y))
        scores = out @ memory.transpose(1, 2)
        scores = scores.masked_fill((x == PAD).unsqueeze(1), float("-inf"))
        context = scores.softmax(-1) @ memory
        return self.head(torch.cat([out, context], dim=-1))


model = Translator()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(320):
    x, y = batch(32)
    shifted = torch.cat([torch.full((len(y), 1), START), y[:, :-1]], dim=1)
    loss = nn.functional.cross_entropy(model(x, shifted).transpose(1, 2), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())
