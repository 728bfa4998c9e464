"""Which topic is a passage about? The title stands first, then the passage; the answer is read at its end."""

import argparse
from pydoc_data.topics import topics

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

CLASSES, LENGTH = 8, 14
text = torch.tensor([min(ord(c), 127) for c in "\n".join(topics.values())])


def batch(size=32):
    label = torch.randint(CLASSES, (size,))
    start = torch.randint(len(text) - LENGTH, (size,))
    passage = torch.stack([text[s : s + LENGTH] for s in start])
    return torch.cat([128 + label.unsqueeze(1), passage], dim=1), label


class Topic(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(128 + CLASSES, 24)
        self.lstm = nn.LSTM(24, 48, batch_first=True)
        self.head = nn.Linear(48, CLASSES)
        with torch.no_grad():
            self.lstm.bias_ih_l0[48:96] = 2.0

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0][:, -1])


model = Topic()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(300):
    x, y = batch()
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())
