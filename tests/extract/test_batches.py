"""Batch size, sequence length and order of the training samples, by idiom: (batch size, time steps, shuffled)."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Known, plain
from tests.extract.conftest import FactsOf

NET = """
import random
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset
class Net(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.lstm = nn.LSTM(8, 16, batch_first=batch_first)
        self.fc = nn.Linear(16, 50)
    def forward(self, x, hidden=None):
        out, hidden = self.lstm(self.embedding(x), hidden)
        return self.fc(out), hidden
class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)
    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])
criterion = nn.CrossEntropyLoss()
"""
STEP = """
        loss = criterion(output, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
ADAM = "optimizer = torch.optim.Adam(model.parameters())\n"

TORCH: dict[str, tuple[object, object, object, str]] = {
    "loader over tensors of windows": (8, 4, True, """
def create_dataset(dataset, lookback):
    X, y = [], []
    for i in range(len(dataset) - lookback):
        feature = dataset[i:i + lookback]
        target = dataset[i + 1:i + lookback + 1]
        X.append(feature)
        y.append(target)
    return torch.tensor(X), torch.tensor(y)
timeseries = pd.read_csv("airline.csv")[["Passengers"]].values.astype("float32")
train_size = int(len(timeseries) * 0.67)
train, test = timeseries[:train_size], timeseries[train_size:]
lookback = 4
X_train, y_train = create_dataset(train, lookback=lookback)
model = Regressor()
""" + ADAM + """
loader = DataLoader(TensorDataset(X_train, y_train), shuffle=True, batch_size=8)
for epoch in range(2000):
    model.train()
    for X, y in loader:
        output = model(X)
""" + STEP),
    "loader's own batch size": (1, None, False, """
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    for x, y in DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt"))):
        output = model(x)
""" + STEP),
    "loader in a dict of phases": (16, None, True, """
sets = {"train": torch.load("a.pt"), "val": torch.load("b.pt")}
loaders = {k: DataLoader(sets[k], batch_size=16, shuffle=True) for k in ["train", "val"]}
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    for phase in ["train", "val"]:
        for x, y in loaders[phase]:
            output = model(x)
            loss = criterion(output, y)
            if phase == "train":
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
"""),
    "training loader among others": (32, None, True, """
def loaders(batch_size, test_batch_size):
    train = DataLoader(TensorDataset(torch.load("a.pt")), batch_size=batch_size, shuffle=True)
    test = DataLoader(TensorDataset(torch.load("b.pt")), batch_size=test_batch_size)
    return train, test
train_loader, test_loader = loaders(32, 1000)
model = Regressor()
""" + ADAM + """
def train(model, loader):
    for i, (x, y) in enumerate(loader):
        output = model(x)
""" + STEP + """
for epoch in range(3):
    train(model, train_loader)
"""),
    "sampler": (4, None, True, """
from torch.utils.data import SubsetRandomSampler
data = TensorDataset(torch.load("a.pt"), torch.load("b.pt"))
loader = DataLoader(data, 4, sampler=SubsetRandomSampler(range(100)))
model = Regressor()
""" + ADAM + """
for x, y in loader:
        output = model(x)
""" + STEP),
    "batch sampler": (6, None, True, """
from torch.utils.data import BatchSampler, RandomSampler
data = TensorDataset(torch.load("a.pt"), torch.load("b.pt"))
loader = DataLoader(data, batch_sampler=BatchSampler(RandomSampler(data), batch_size=6, drop_last=False))
model = Regressor()
""" + ADAM + """
for x, y in loader:
        output = model(x)
""" + STEP),
    "slices by a range with a step": (20, None, False, """
X, Y = torch.load("x.pt"), torch.load("y.pt")
batch_size = 20
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    for i in range(0, len(X), batch_size):
        x, y = X[i:i + batch_size], Y[i:i + batch_size]
        output = model(x)
""" + STEP),
    "slices by number of batch": (20, None, False, """
X, Y = np.load("x.npy"), np.load("y.npy")
batch_size = 20
n_batches = len(X) // batch_size
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    for b in range(n_batches):
        x = torch.from_numpy(X[b * batch_size:(b + 1) * batch_size]).float()
        y = torch.from_numpy(Y[b * batch_size:(b + 1) * batch_size]).float()
        output = model(x)
""" + STEP),
    "permuted indices": (20, None, True, """
X, Y = torch.load("x.pt"), torch.load("y.pt")
batch_size = 20
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    order = torch.randperm(X.size(0))
    for i in range(0, X.size(0), batch_size):
        idx = order[i:i + batch_size]
        x, y = X[idx], Y[idx]
        output = model(x)
""" + STEP),
    "indices shuffled in place": (20, None, True, """
X, Y = np.load("x.npy"), np.load("y.npy")
idx = np.arange(len(X))
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    np.random.shuffle(idx)
    for i in range(0, len(X), 20):
        x, y = torch.Tensor(X[idx[i:i + 20]]), torch.Tensor(Y[idx[i:i + 20]])
        output = model(x)
""" + STEP),
    "batchify and get_batch": (20, 35, False, """
def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    return data.view(bsz, -1).t().contiguous()
def get_batch(source, i):
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i:i + seq_len], source[i + 1:i + 1 + seq_len].view(-1)
bptt = 35
train_data = batchify(torch.load("ids.pt"), 20)
model = Net(batch_first=False)
""" + ADAM + """
hidden = None
for batch, i in enumerate(range(0, train_data.size(0) - 1, bptt)):
        x, y = get_batch(train_data, i)
        if hidden is not None:
            hidden = tuple(h.detach() for h in hidden)
        output, hidden = model(x, hidden)
        output = output.view(-1, 50)
""" + STEP),
    "random chunks stacked": (64, 128, True, """
batch_size, block_size = 64, 128
data = torch.load("ids.pt")
def get_batch():
    ix = torch.randint(len(data) - block_size, (batch_size,))
    x = torch.stack([data[i:i + block_size] for i in ix])
    y = torch.stack([data[i + 1:i + block_size + 1] for i in ix])
    return x, y
model = Net()
""" + ADAM + """
for step in range(1000):
        x, y = get_batch()
        output, _ = model(x)
        output, y = output.view(-1, 50), y.view(-1)
""" + STEP),
    "generator of batches of a stream": (128, 100, False, """
def get_batches(arr, batch_size, seq_length):
    n = len(arr) // (batch_size * seq_length)
    arr = arr[:n * batch_size * seq_length].reshape((batch_size, -1))
    for i in range(0, arr.shape[1], seq_length):
        x = arr[:, i:i + seq_length]
        y = np.zeros_like(x)
        y[:, :-1] = x[:, 1:]
        yield x, y
encoded = np.array([ord(c) for c in open("anna.txt").read()])
model = Net()
""" + ADAM + """
for e in range(3):
    for x, y in get_batches(encoded, 128, 100):
        output, h = model(torch.from_numpy(x))
        output, y = output.view(-1, 50), torch.from_numpy(y).view(-1)
""" + STEP),
    "one random sample a turn": (1, None, True, """
lines = open("names.txt").read().split("\\n")
model = Net()
""" + ADAM + """
for step in range(1000):
        line = random.choice(lines)
        x = torch.tensor([[ord(c) for c in line]])
        y = x
        output, _ = model(x)
""" + STEP),
    "dataset with windows": (64, 10, True, """
class Series(Dataset):
    def __init__(self, values, seq_len=10):
        self.values, self.seq_len = values, seq_len
    def __len__(self):
        return len(self.values) - self.seq_len
    def __getitem__(self, idx):
        return self.values[idx:idx + self.seq_len], self.values[idx + self.seq_len]
values = torch.tensor(pd.read_csv("a.csv")["x"].values)
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(Series(values), 64, True):
        x = x.unsqueeze(-1).float()
        output = model(x)
""" + STEP),
    "dataset with windows, several features": (64, 24, True, """
class Series(Dataset):
    def __init__(self, df, features, target, sequence_length=5):
        self.sequence_length = sequence_length
        self.y = torch.tensor(df[target].values).float()
        self.X = torch.tensor(df[features].values).float()
    def __len__(self):
        return self.X.shape[0]
    def __getitem__(self, i):
        if i >= self.sequence_length - 1:
            i_start = i - self.sequence_length + 1
            x = self.X[i_start:(i + 1), :]
        else:
            padding = self.X[0].repeat(self.sequence_length - i - 1, 1)
            x = self.X[0:(i + 1), :]
            x = torch.cat((padding, x), 0)
        return x, self.y[i]
df = pd.read_csv("a.csv")
sequence_length = 24
train_dataset = Series(df, ["a", "b"], "y", sequence_length=sequence_length)
loader = DataLoader(train_dataset, batch_size=64, shuffle=True)
model = Regressor()
""" + ADAM + """
for x, y in loader:
        output = model(x)
""" + STEP),
    "whole training set at once": (None, 60, False, """
def split(stock, lookback):
    data_raw = stock.values
    data = []
    for index in range(len(data_raw) - lookback):
        data.append(data_raw[index: index + lookback])
    data = np.array(data)
    train_set_size = data.shape[0] - int(np.round(0.2 * data.shape[0]))
    x_train = data[:train_set_size, :-1, :]
    y_train = data[:train_set_size, -1, :]
    return x_train, y_train
lookback = 61
x_train, y_train = split(pd.read_csv("a.csv")[["Close"]], lookback)
x_train = torch.from_numpy(x_train).type(torch.Tensor)
y = torch.from_numpy(y_train).type(torch.Tensor)
model = Regressor()
""" + ADAM + """
for t in range(100):
        output = model(x_train)
""" + STEP),
    "sequences given one by one": (1, 12, False, """
def create_inout_sequences(input_data, tw):
    inout_seq = []
    L = len(input_data)
    for i in range(L - tw):
        train_seq = input_data[i:i + tw]
        train_label = input_data[i + tw:i + tw + 1]
        inout_seq.append((train_seq, train_label))
    return inout_seq
class LSTM(nn.Module):
    def __init__(self, input_size=1, hidden_layer_size=100, output_size=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_layer_size)
        self.linear = nn.Linear(hidden_layer_size, output_size)
    def forward(self, input_seq):
        lstm_out, self.hidden_cell = self.lstm(input_seq.view(len(input_seq), 1, -1))
        return self.linear(lstm_out.view(len(input_seq), -1))[-1]
data = torch.FloatTensor(np.load("flights.npy")).view(-1)
train_window = 12
train_inout_seq = create_inout_sequences(data, train_window)
model = LSTM()
""" + ADAM + """
for i in range(150):
    for seq, y in train_inout_seq:
        output = model(seq)
""" + STEP),
    "images as rows": (100, 28, True, """
import torchvision
sequence_length = 28
input_size = 28
train_dataset = torchvision.datasets.MNIST(root="data", train=True)
train_loader = DataLoader(dataset=train_dataset, batch_size=100, shuffle=True)
model = Regressor()
""" + ADAM + """
for i, (images, labels) in enumerate(train_loader):
        images = images.reshape(-1, sequence_length, input_size)
        y = labels
        output = model(images)
""" + STEP),
    "images squeezed": (64, 28, True, """
from torchvision import datasets, transforms
loader = DataLoader(datasets.MNIST(".", transform=transforms.ToTensor()), batch_size=64, shuffle=True)
model = Regressor()
""" + ADAM + """
for x, y in loader:
        output = model(x.squeeze(1))
""" + STEP),
    "cell in a loop over the time axis": (16, 25, True, """
class Stepper(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(1, 8)
        self.out = nn.Linear(8, 1)
    def forward(self, x):
        h = torch.zeros(x.size(0), 8)
        c = torch.zeros(x.size(0), 8)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t, :], (h, c))
        return self.out(h)
X = torch.randn(1000, 25, 1)
loader = DataLoader(TensorDataset(X, X.mean(1)), batch_size=16, shuffle=True)
model = Stepper()
""" + ADAM + """
for x, y in loader:
        output = model(x)
""" + STEP),
    "bucket iterator": (128, None, True, """
from torchtext.data import Field, BucketIterator
from torchtext.datasets import Multi30k
SRC, TRG = Field(lower=True), Field(lower=True)
train_data, valid_data, test_data = Multi30k.splits(exts=(".de", ".en"), fields=(SRC, TRG))
BATCH_SIZE = 128
train_iterator, valid_iterator, test_iterator = BucketIterator.splits(
    (train_data, valid_data, test_data), batch_size=BATCH_SIZE)
model = Net(batch_first=False)
""" + ADAM + """
for i, batch in enumerate(train_iterator):
        output, _ = model(batch.src)
        y = batch.trg
""" + STEP),
    "bptt iterator": (64, 30, False, """
from torchtext import data, datasets
TEXT = data.Field(lower=True)
train, valid, test = datasets.WikiText2.splits(TEXT)
train_iter, valid_iter, test_iter = data.BPTTIterator.splits((train, valid, test), batch_size=64, bptt_len=30)
model = Net(batch_first=False)
""" + ADAM + """
for batch in train_iter:
        output, h = model(batch.text)
        y = batch.target
""" + STEP),
    "padded ids with a longest length": (50, 200, True, """
def pad_features(reviews_ints, seq_length):
    features = np.zeros((len(reviews_ints), seq_length), dtype=int)
    for i, row in enumerate(reviews_ints):
        features[i, -len(row):] = np.array(row)[:seq_length]
    return features
reviews = [[1, 2]] + [[int(c) for c in line.split()] for line in open("a.txt")]
seq_length = 200
features = pad_features(reviews, seq_length=seq_length)
labels = np.load("y.npy")
split_idx = int(len(features) * 0.8)
train_x, remaining_x = features[:split_idx], features[split_idx:]
train_y = labels[:split_idx]
train_data = TensorDataset(torch.from_numpy(train_x), torch.from_numpy(train_y))
batch_size = 50
train_loader = DataLoader(train_data, shuffle=True, batch_size=batch_size)
model = Net()
""" + ADAM + """
for x, y in train_loader:
        output, h = model(x.long())
""" + STEP),
    "keras' pad_sequences for PyTorch": (512, 70, True, """
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
maxlen = 70
train_X = pd.read_csv("train.csv")["question"].values
tokenizer = Tokenizer(num_words=1000)
tokenizer.fit_on_texts(list(train_X))
train_X = pad_sequences(tokenizer.texts_to_sequences(train_X), maxlen=maxlen)
x_train = torch.tensor(train_X, dtype=torch.long)
y_train = torch.load("y.pt")
train = torch.utils.data.TensorDataset(x_train, y_train)
train_loader = torch.utils.data.DataLoader(train, batch_size=512, shuffle=True)
model = Net()
""" + ADAM + """
for x, y in train_loader:
        output, _ = model(x)
""" + STEP),
    "Lightning, loader handed to fit": (32, 20, True, """
import lightning as L
class Module(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = Regressor()
    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.mse_loss(self.net(x), y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
X = torch.randn(100, 20, 1)
train_loader = DataLoader(TensorDataset(X, X[:, 0]), batch_size=32, shuffle=True)
val_loader = DataLoader(TensorDataset(X, X[:, 0]), batch_size=500)
L.Trainer(max_epochs=3).fit(Module(), train_loader, val_loader)
"""),
    "Lightning, loaders of the module": (8, 20, True, """
import pytorch_lightning as pl
class Module(pl.LightningModule):
    def __init__(self, batch_size=8):
        super().__init__()
        self.batch_size = batch_size
        self.net = Regressor()
    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.mse_loss(self.net(x), y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
    def train_dataloader(self):
        X = torch.randn(100, 20, 1)
        return DataLoader(TensorDataset(X, X[:, 0]), batch_size=self.batch_size, shuffle=True)
    def val_dataloader(self):
        return DataLoader(TensorDataset(torch.randn(9, 20, 1)), batch_size=1)
pl.Trainer(max_epochs=3).fit(Module())
"""),
    "Lightning data module": (64, 20, True, """
import pytorch_lightning as pl
class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = Regressor()
    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.mse_loss(self.net(x), y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
class Series(Dataset):
    def __init__(self, X, seq_len):
        self.X, self.seq_len = X, seq_len
    def __len__(self):
        return len(self.X) - self.seq_len
    def __getitem__(self, i):
        return self.X[i:i + self.seq_len].unsqueeze(1), self.X[i + self.seq_len]
class Data(pl.LightningDataModule):
    def __init__(self, seq_len=1, batch_size=128):
        super().__init__()
        self.seq_len, self.batch_size = seq_len, batch_size
    def setup(self, stage=None):
        self.X_train = torch.tensor(pd.read_csv("a.csv")["x"].values)
    def train_dataloader(self):
        return DataLoader(Series(self.X_train, self.seq_len), batch_size=self.batch_size, shuffle=True)
p = dict(seq_len=20, batch_size=64)
dm = Data(seq_len=p["seq_len"], batch_size=p["batch_size"])
pl.Trainer(max_epochs=3).fit(Module(), dm)
"""),
    "Hugging Face Trainer": (8, None, True, """
from transformers import Trainer, TrainingArguments
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()
    def forward(self, input_ids, labels=None):
        logits, _ = self.net(input_ids)
        return {"loss": criterion(logits.view(-1, 50), labels.view(-1)), "logits": logits}
args = TrainingArguments(output_dir="out", num_train_epochs=3)
trainer = Trainer(model=Tagger(), args=args, train_dataset=torch.load("a.pt"))
trainer.train()
"""),
    "trainer class": (24, 30, True, """
class Trainer:
    def __init__(self, model, data, batch_size, lr=1e-3):
        self.model = model
        self.loader = DataLoader(data, batch_size=batch_size, shuffle=True)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()
    def run(self, epochs):
        for epoch in range(epochs):
            for x, y in self.loader:
                self.step(x, y)
def main():
    X = torch.zeros(100, 30, 1)
    Trainer(Regressor(), TensorDataset(X, X), 24).run(3)
if __name__ == "__main__":
    main()
"""),
    "dictionary of tensors": (16, 40, True, """
class Texts(Dataset):
    def __init__(self, texts, max_len):
        self.texts, self.max_len = texts, max_len
    def __len__(self):
        return len(self.texts)
    def __getitem__(self, i):
        ids = torch.zeros(self.max_len, dtype=torch.long)
        return {"ids": ids, "y": torch.tensor(1)}
model = Net()
""" + ADAM + """
for batch in DataLoader(Texts(open("a.txt").readlines(), 40), batch_size=16, shuffle=True):
        output, _ = model(batch["ids"])
        y = batch["y"]
""" + STEP),
    "pad by hand to the longest": (4, 15, True, """
MAX_LEN = 15
class Texts(Dataset):
    def __init__(self, texts):
        self.texts = texts
    def __len__(self):
        return len(self.texts)
    def __getitem__(self, i):
        ids = [ord(c) for c in self.texts[i]]
        if len(ids) < MAX_LEN:
            ids = ids + [0] * (MAX_LEN - len(ids))
        else:
            ids = ids[:MAX_LEN]
        return torch.tensor(ids), torch.tensor(1)
model = Net()
""" + ADAM + """
for x, y in DataLoader(Texts(open("a.txt").readlines()), batch_size=4, shuffle=True):
        output, _ = model(x)
""" + STEP),
    "windows moved back from the target": (32, 60, True, """
values = pd.read_csv("a.csv")["Close"].values.reshape(-1, 1)
X, y = [], []
for i in range(60, len(values)):
    X.append(values[i - 60:i, 0])
    y.append(values[i, 0])
X, y = np.array(X), np.array(y)
X = np.reshape(X, (X.shape[0], X.shape[1], 1))
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(y)), batch_size=32, shuffle=True):
        output = model(x)
""" + STEP),
    "while loop over a stream": (10, 6, False, """
data = torch.load("x.pt").reshape(10, -1, 1)
seq_len = 6
model = Regressor()
""" + ADAM + """
for epoch in range(3):
    pos = 0
    while pos + seq_len < data.size(1):
        x = data[:, pos:pos + seq_len]
        y = data[:, pos + seq_len]
        output = model(x)
""" + STEP + """
        pos += seq_len
"""),
    "random start of a slice": (1, 200, True, """
text = open("a.txt").read()
chunk_len = 200
def random_chunk():
    start = random.randint(0, len(text) - chunk_len)
    return text[start:start + chunk_len + 1]
def char_tensor(string):
    tensor = torch.zeros(len(string)).long()
    for c in range(len(string)):
        tensor[c] = ord(string[c])
    return tensor
model = Net()
""" + ADAM + """
for step in range(1000):
        chunk = random_chunk()
        x, y = char_tensor(chunk[:-1]), char_tensor(chunk[1:])
        output, _ = model(x.unsqueeze(0))
        output = output.squeeze(0)
""" + STEP),
    "a pass in order from a random start": (1, 100, False, """
seq_len = 100
text = torch.load("a.pt")
model = Net()
""" + ADAM + """
for epoch in range(1, 101):
    start = np.random.randint(100)
    hidden = None
    while True:
        x = text[start:start + seq_len]
        y = text[start + 1:start + seq_len + 1]
        output, hidden = model(x.unsqueeze(0), hidden)
        output = output.squeeze(0)
""" + STEP + """
        start += seq_len
        if start + seq_len + 1 > len(text):
            break
"""),
    "sliding_window_view": (16, 48, True, """
from numpy.lib.stride_tricks import sliding_window_view
series = np.load("a.npy").reshape(-1)
windows = sliding_window_view(series, 49)
X = torch.tensor(windows[:, :-1]).unsqueeze(-1)
Y = torch.tensor(windows[:, -1:])
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True):
        output = model(x)
""" + STEP),
    "unfold": (16, 48, True, """
series = torch.load("a.pt").view(-1)
windows = series.unfold(0, 48, 1)
X = windows.unsqueeze(2)
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(X, X[:, 0]), batch_size=16, shuffle=True):
        output = model(x)
""" + STEP),
    "config object": (256, 14, True, """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=256)
parser.add_argument("--seq_len", type=int, default=14)
parser.add_argument("--no-shuffle", action="store_true")
args = parser.parse_args()
class Config:
    def __init__(self, args):
        self.batch_size = args.batch_size
        self.seq_len = args.seq_len
        self.shuffle = not args.no_shuffle
cfg = Config(args)
X = torch.rand(1000, cfg.seq_len, 1)
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(X, X), cfg.batch_size, shuffle=cfg.shuffle):
        output = model(x)
""" + STEP),
    "sentences that are too long are left out": (1, 10, True, """
MAX_LENGTH = 10
pairs = [line.split("\\t") for line in open("a.txt").read().split("\\n")]
def filter_pairs(pairs):
    return [p for p in pairs if len(p[0].split(" ")) < MAX_LENGTH and len(p[1].split(" ")) < MAX_LENGTH]
pairs = filter_pairs(pairs)
ids = {}
model = Net()
""" + ADAM + """
for step in range(1000):
        pair = random.choice(pairs)
        x = torch.tensor([ids[w] for w in pair[0].split(" ")]).view(1, -1)
        y = torch.tensor([ids[w] for w in pair[1].split(" ")])
        output, _ = model(x)
        output = output.squeeze(0)
""" + STEP),
    "columns of a data set of Hugging Face": (512, 256, True, """
import datasets
import torchtext
train_data, test_data = datasets.load_dataset("imdb", split=["train", "test"])
tokenizer = torchtext.data.utils.get_tokenizer("basic_english")
def tokenize_example(example, tokenizer, max_length):
    return {"tokens": tokenizer(example["text"])[:max_length]}
train_data = train_data.map(tokenize_example, fn_kwargs={"tokenizer": tokenizer, "max_length": 256})
vocab = torchtext.vocab.build_vocab_from_iterator(train_data["tokens"])
train_data = train_data.map(lambda example: {"ids": vocab.lookup_indices(example["tokens"])})
train_data = train_data.with_format(type="torch", columns=["ids", "label"])
def collate(batch):
    ids = nn.utils.rnn.pad_sequence([i["ids"] for i in batch], batch_first=True)
    return {"ids": ids, "label": torch.stack([i["label"] for i in batch])}
loader = DataLoader(train_data, batch_size=512, collate_fn=collate, shuffle=True)
model = Net()
""" + ADAM + """
for batch in loader:
        output, _ = model(batch["ids"])
        y = batch["label"]
""" + STEP),
    "length drawn around bptt": (80, 70, False, """
def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()
bptt_ = 70
train_data = batchify(torch.load("ids.pt"), 80)
model = Net(batch_first=False)
""" + ADAM + """
i = 0
while i < train_data.size(0) - 2:
        bptt = bptt_ if np.random.random() < 0.95 else bptt_ / 2.
        seq_len = max(5, int(np.random.normal(bptt, 5)))
        seq_len = min(seq_len, len(train_data) - 1 - i)
        x, y = train_data[i:i + seq_len], train_data[i + 1:i + 1 + seq_len].view(-1)
        output, _ = model(x)
        output = output.view(-1, 50)
""" + STEP + """
        i += seq_len
"""),
    "own iterable of batches": (40, None, True, """
class Batcher:
    def __init__(self, data, batch_size):
        self.data, self.batch_size = data, batch_size
    def __iter__(self):
        random.shuffle(self.data)
        for i in range(0, len(self.data), self.batch_size):
            chunk = self.data[i:i + self.batch_size]
            xs = [torch.tensor(c["x"]) for c in chunk]
            yield nn.utils.rnn.pad_sequence(xs, batch_first=True), torch.tensor([c["y"] for c in chunk])
import json
model = Net()
""" + ADAM + """
for x, y in Batcher(json.load(open("train.json")), 40):
        output, _ = model(x)
""" + STEP),
    "batches of indices": (64, None, True, """
samples = torch.load("a.pt")
n_batch_size = 64
model = Net()
""" + ADAM + """
batches = list(range(len(samples)))
random.shuffle(batches)
for batch in np.array_split(batches, len(batches) // n_batch_size):
        output, y = 0, 0
        for i in batch:
            output = output + model(samples[i])[0]
""" + STEP),
    "deque of the last steps": (16, 30, True, """
from collections import deque
rows = deque(maxlen=30)
X, y = [], []
for row in pd.read_csv("a.csv").values:
    rows.append(row)
    if len(rows) == 30:
        X.append(np.array(rows))
        y.append(row[-1])
X, y = torch.tensor(np.array(X)), torch.tensor(np.array(y))
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True):
        output = model(x)
""" + STEP),
    "as_strided": (16, 20, True, """
x = np.load("a.npy").reshape(-1)
n = x.shape[0] - 20 + 1
windows = np.lib.stride_tricks.as_strided(x, shape=(n, 20), strides=(x.strides[0], x.strides[0]))
X = torch.tensor(windows[:-1]).unsqueeze(2)
model = Regressor()
""" + ADAM + """
for x, y in DataLoader(TensorDataset(X, X[:, 0]), batch_size=16, shuffle=True):
        output = model(x)
""" + STEP),
    "ignite": (16, 7, True, """
from ignite.engine import Engine
X = torch.zeros(100, 7, 1)
model = Regressor()
""" + ADAM + """
def step(engine, batch):
    x, y = batch
    loss = F.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
Engine(step).run(DataLoader(TensorDataset(X, X[:, 0, 0]), batch_size=16, shuffle=True), max_epochs=5)
"""),
    "skorch": (128, None, False, """
from skorch import NeuralNetRegressor
NeuralNetRegressor(Regressor, max_epochs=10).fit(np.load("x.npy"), np.load("y.npy"))
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_pytorch(name: str, facts_of: FactsOf) -> None:
    batch, steps, shuffled, text = TORCH[name]
    program = facts_of(NET + text)
    assert (plain(program.batch_size), plain(program.sequence_length), plain(program.shuffle)) == (
        batch,
        steps,
        shuffled,
    )


def test_places(facts_of: FactsOf) -> None:
    text = NET + TORCH["bptt iterator"][3].replace("64", "BATCH").replace("30", "BPTT")
    program = facts_of("BATCH = 64\nBPTT = 30\n" + text)
    assert isinstance(program.batch_size, Known)
    assert isinstance(program.sequence_length, Known)
    assert program.batch_size.at is not None
    assert program.sequence_length.at is not None
    assert (program.batch_size.at.line, program.sequence_length.at.line) == (1, 2)
