"""Marks every character of a line of Python with its kind of token; lines of different length, SGD with momentum."""

import argparse
import difflib
import io
import keyword
import tokenize
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=0.5)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

KINDS = {tokenize.NAME: 1, tokenize.OP: 2, tokenize.STRING: 3, tokenize.NUMBER: 4, tokenize.COMMENT: 5}
source = Path(difflib.__file__).read_text()
marks = [[0] * len(line) for line in source.splitlines()]
for token in tokenize.generate_tokens(io.StringIO(source).readline):
    kind = 6 if keyword.iskeyword(token.string) else KINDS.get(token.type, 0)
    for row in range(token.start[0], min(token.end[0], len(marks)) + 1):
        first = token.start[1] if row == token.start[0] else 0
        last = token.end[1] if row == token.end[0] else len(marks[row - 1])
        marks[row - 1][first:last] = [kind] * (last - first)
lines = [(line, kinds) for line, kinds in zip(source.splitlines(), marks, strict=True) if line.strip()]
examples = [
    (torch.tensor([1 + min(ord(c), 127) for c in line]), torch.tensor(kinds[: len(line)])) for line, kinds in lines
]


def collate(batch):
    lengths = torch.tensor([len(x) for x, _ in batch])
    x = pad_sequence([x for x, _ in batch], batch_first=True)
    y = pad_sequence([y for _, y in batch], batch_first=True, padding_value=-100)
    return x, y, lengths


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(129, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 32, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(64, 7)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.tag(out)


loader = DataLoader(examples, batch_size=16, shuffle=True, collate_fn=collate)
model = Tagger()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
for epoch in range(5):
    for x, y, lengths in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x, lengths).flatten(0, 1), y.flatten(), ignore_index=-100)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(epoch, loss.item())
