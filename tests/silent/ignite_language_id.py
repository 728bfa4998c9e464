"""Language identification from characters with PyTorch Ignite."""
import json

import torch
from ignite.engine import Events, create_supervised_evaluator
from ignite.engine import Engine
from ignite.handlers import EarlyStopping, ModelCheckpoint
from ignite.metrics import Accuracy, Loss
from ignite.utils import manual_seed
from torch import nn
from torch.utils.data import DataLoader

manual_seed(23)
device = "cuda" if torch.cuda.is_available() else "cpu"


class LanguageID(nn.Module):
    def __init__(self, chars, languages, dim=32, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(chars, dim, padding_idx=0)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, languages)

    def forward(self, inputs):
        ids, lengths = inputs
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed(ids), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (h, _) = self.lstm(packed)
        return self.fc(torch.cat((h[0], h[1]), dim=1))


with open("data/languages.json") as f:
    corpus = json.load(f)


def collate(batch):
    ids = [torch.tensor(example["ids"]) for example in batch]
    lengths = torch.tensor([len(i) for i in ids])
    padded = nn.utils.rnn.pad_sequence(ids, batch_first=True)
    return (padded, lengths), torch.tensor([example["language"] for example in batch])


def prepare(batch, device, non_blocking):
    (ids, lengths), y = batch
    return (ids.to(device), lengths), y.to(device)


train_loader = DataLoader(corpus["train"], batch_size=64, shuffle=True, collate_fn=collate)
valid_loader = DataLoader(corpus["valid"], batch_size=256, collate_fn=collate)

model = LanguageID(corpus["chars"], corpus["languages"]).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()


def train_step(engine, batch):
    model.train()
    x, y = prepare(batch, device, False)
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()
    return loss.item()


trainer = Engine(train_step)
evaluator = create_supervised_evaluator(
    model, {"accuracy": Accuracy(), "loss": Loss(criterion)}, device=device, prepare_batch=prepare
)


@trainer.on(Events.EPOCH_COMPLETED)
def validate(engine):
    evaluator.run(valid_loader)
    print(engine.state.epoch, evaluator.state.metrics)


def by_accuracy(engine):
    return engine.state.metrics["accuracy"]


evaluator.add_event_handler(Events.COMPLETED, EarlyStopping(5, by_accuracy, trainer))
evaluator.add_event_handler(
    Events.COMPLETED, ModelCheckpoint("out", n_saved=1, score_function=by_accuracy, require_empty=False), {"m": model}
)
trainer.run(train_loader, max_epochs=40)
