"""Character model of English prose, read as parallel streams; the state goes on from chunk to chunk."""

import argparse
from pydoc_data.topics import topics

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

BATCH, CHUNK = 16, 32
text = "\n".join(topics.values())
alphabet = sorted(set(text))
ids = torch.tensor([alphabet.index(c) for c in text[: 16 * 9000]])
cut = 14 * 9000
training = ids[:cut].view(BATCH, -1)
validation = ids[cut:].view(BATCH, -1)


class CharModel(nn.Module):
    def __init__(self, size=96):
        super().__init__()
        self.embed = nn.Embedding(len(alphabet), 32)
        self.lstm = nn.LSTM(32, size, num_layers=2, dropout=0.1, batch_first=True)
        self.head = nn.Linear(size, len(alphabet))

    def forward(self, x, state=None):
        out, state = self.lstm(self.embed(x), state)
        return self.head(out), state


def chunks(streams):
    for start in range(0, streams.size(1) - CHUNK, CHUNK):
        yield streams[:, start : start + CHUNK], streams[:, start + 1 : start + CHUNK + 1]


model = CharModel()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(4):
    model.train()
    state = None
    for x, y in chunks(training):
        if state is not None:
            state = tuple(part.detach() for part in state)
        logits, state = model(x, state)
        loss = criterion(logits.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    model.eval()
    with torch.no_grad():
        state, losses = None, []
        for x, y in chunks(validation):
            logits, state = model(x, state)
            losses.append(criterion(logits.flatten(0, 1), y.flatten()).item())
    print(epoch, sum(losses) / len(losses))
