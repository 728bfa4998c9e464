"""Kinds of samples, splits, padding, targets and metrics, by idiom."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Unknown, items, plain
from tests.extract.conftest import FactsOf

TORCH = """
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence, pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 5)
    def forward(self, x, lengths=None):
        x = self.embedding(x)
        if lengths is not None:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, (h, c) = self.lstm(x)
        return self.fc(h[-1])
class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)
    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])
def fit(model, loader, criterion):
    optimizer = torch.optim.Adam(model.parameters())
    for x, y in loader:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SERIES = """
class Series(Dataset):
    def __init__(self, values, steps):
        self.values, self.steps = values, steps
    def __len__(self):
        return len(self.values) - self.steps
    def __getitem__(self, i):
        return self.values[i:i + self.steps], self.values[i + self.steps]
values = torch.tensor(pd.read_csv("a.csv")[["x"]].values)
"""
KERAS = """
import numpy as np
import pandas as pd
from keras.models import Sequential
from keras.layers import LSTM, Dense, Embedding, Masking
from keras.preprocessing.sequence import pad_sequences
from sklearn.model_selection import train_test_split, KFold, GroupKFold, TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler
from sklearn.metrics import mean_squared_error, mean_absolute_error
def windows(data, steps):
    X, y = [], []
    for i in range(len(data) - steps):
        X.append(data[i:i + steps])
        y.append(data[i + steps])
    return np.array(X), np.array(y)
model = Sequential([LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
data = np.load("a.npy")
"""

SPLITS: dict[str, tuple[object, object, str]] = {
    "train_test_split of windows": ("random", True, KERAS + """
X, y = windows(data, 10)
X_train, X_test, y_train, y_test = train_test_split(X, y)
model.fit(X_train, y_train)
"""),
    "train_test_split of windows in order": ("chronological", True, KERAS + """
X, y = windows(data, 10)
X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)
model.fit(X_train, y_train)
"""),
    "cut, then windows": ("chronological", False, KERAS + """
n = int(len(data) * 0.8)
X_train, y_train = windows(data[:n], 10)
X_test, y_test = windows(data[n:], 10)
model.fit(X_train, y_train)
"""),
    "windows side by side": ("random", False, KERAS + """
X = []
for i in range(0, len(data), 50):
    X.append(data[i:i + 50])
X = np.array(X)
X_train, X_test = train_test_split(X)
model.fit(X_train, X_train)
"""),
    "permutation": ("random", True, KERAS + """
X, y = windows(data, 10)
order = np.random.permutation(len(X))
n = int(0.8 * len(X))
train, test = order[:n], order[n:]
model.fit(X[train], y[train])
model.evaluate(X[test], y[test])
"""),
    "shuffled in place, then cut": ("random", False, KERAS + """
import random
rows = open("a.txt").readlines()
random.shuffle(rows)
n = int(len(rows) * 0.9)
train, test = rows[:n], rows[n:]
X = np.array([[ord(c) for c in row] for row in train])
Z = np.array([[ord(c) for c in row] for row in test])
model.fit(X, X)
"""),
    "validation_split": ("chronological", True, KERAS + """
X, y = windows(data, 10)
model.fit(X, y, validation_split=0.1)
"""),
    "folds": ("folds", True, KERAS + """
X, y = windows(data, 10)
for train, test in KFold(5).split(X):
    model.fit(X[train], y[train], epochs=2, validation_data=(X[test], y[test]))
"""),
    "folds in time": ("chronological", True, KERAS + """
X, y = windows(data, 10)
for train, test in TimeSeriesSplit(5).split(X):
    model.fit(X[train], y[train], epochs=2, validation_data=(X[test], y[test]))
"""),
    "by date": ("chronological", False, KERAS + """
df = pd.read_csv("a.csv")
train, test = df[df["date"] < "2019"], df[df["date"] >= "2019"]
X, y = windows(train["x"].values, 10)
Z, z = windows(test["x"].values, 10)
model.fit(X, y)
"""),
    "by person": ("groups", False, KERAS + """
df = pd.read_csv("a.csv")
train, test = df[df["user"] <= 30], df[df["user"] > 30]
X, y = windows(train["x"].values, 10)
Z, z = windows(test["x"].values, 10)
model.fit(X, y)
"""),
    "random_split of a windowed dataset": ("random", True, TORCH + SERIES + """
dataset = Series(values, 10)
n = int(len(dataset) * 0.8)
train_set, test_set = random_split(dataset, [n, len(dataset) - n])
fit(Regressor(), DataLoader(train_set, 8, shuffle=True), nn.MSELoss())
"""),
    "random_split of sentences": ("random", False, TORCH + """
class Texts(Dataset):
    def __init__(self, lines):
        self.lines = lines
    def __len__(self):
        return len(self.lines)
    def __getitem__(self, i):
        return torch.tensor([ord(c) for c in self.lines[i]]), torch.tensor(1)
dataset = Texts(open("a.txt").readlines())
train_set, test_set = random_split(dataset, [80, 20])
fit(Tagger(), DataLoader(train_set, 1, shuffle=True), nn.CrossEntropyLoss())
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLITS)
def test_split(name: str, facts_of: FactsOf) -> None:
    kind, overlapping, text = SPLITS[name]
    split = facts_of(text).split
    assert (plain(split.kind), plain(split.of_overlapping_windows)) == (kind, overlapping)


KINDS: dict[str, tuple[object, str]] = {
    "windows": ("windows", TORCH + SERIES + "fit(Regressor(), DataLoader(Series(values, 10), 8), nn.MSELoss())\n"),
    "windows of Keras": ("windows", KERAS + "X, y = windows(data, 10)\nmodel.fit(X, y)\n"),
    "independent": ("independent", KERAS + """
from keras.datasets import imdb
(x, y), _ = imdb.load_data(num_words=100)
model.fit(pad_sequences(x, maxlen=20), y)
"""),
    "stream": ("stream", TORCH + """
data = torch.load("ids.pt").view(20, -1)
def batches():
    for i in range(0, data.size(1) - 30, 30):
        yield data[:, i:i + 30], data[:, i + 1]
fit(Tagger(), batches(), nn.CrossEntropyLoss())
"""),
    "windows of text in rows that are counted": ("windows", KERAS + """
text = open("a.txt").read()
pieces = []
for i in range(0, len(text) - 40, 3):
    pieces.append(text[i:i + 40])
x = np.zeros((len(pieces), 40, 50))
y = np.zeros((len(pieces), 50))
for i, piece in enumerate(pieces):
    for t, char in enumerate(piece):
        x[i, t, ids[char]] = 1
model.fit(x, y)
"""),
    "pieces of a pipeline that is batched twice": ("windows", KERAS + """
import tensorflow as tf
ids = tf.data.Dataset.from_tensor_slices(np.load("ids.npy"))
pieces = ids.batch(101, drop_remainder=True).map(lambda p: (p[:-1], p[1:]))
model.fit(pieces.shuffle(1000).batch(64, drop_remainder=True))
"""),
    "a pipeline that is batched once": (None, KERAS + """
import tensorflow as tf
model.fit(tf.data.Dataset.from_tensor_slices(np.load("ids.npy")).batch(64, drop_remainder=True))
"""),
    "rows with labels that are batched twice": (None, KERAS + """
import tensorflow as tf
rows = tf.data.Dataset.from_tensor_slices((np.load("x.npy"), np.load("y.npy")))
model.fit(rows.batch(8, drop_remainder=True).batch(4, drop_remainder=True))
"""),
    "lines of texts in fields": ("independent", KERAS + """
texts = []
for line in open("pairs.txt").read().split("\\n"):
    a, b = line.split("\\t")
    texts.append(a)
x = np.zeros((len(texts), 40, 50))
for i, text in enumerate(texts):
    for t, char in enumerate(text):
        x[i, t, ids[char]] = 1
model.fit(x, data)
"""),
    "lines of numbers in fields": (None, KERAS + """
rows = []
for line in open("a.tsv").read().split("\\n"):
    a, b = line.split("\\t")
    rows.append(float(b))
model.fit(np.array(rows), data)
"""),
}  # fmt: skip


def test_images_are_not_padded(facts_of: FactsOf) -> None:
    text = KERAS + "from keras.datasets import %s\n(x, y), _ = %s.load_data()\nmodel.fit(x, y)\n"
    assert plain(facts_of(text % ("mnist", "mnist")).padding.padded) is False
    assert isinstance(facts_of(text % ("imdb", "imdb")).padding.padded, Unknown)


@pytest.mark.parametrize("name", KINDS)
def test_dataset_kind(name: str, facts_of: FactsOf) -> None:
    kind, text = KINDS[name]
    assert plain(facts_of(text).dataset.kind) == kind


def test_dataset_details(facts_of: FactsOf) -> None:
    text = (
        TORCH
        + "X = torch.zeros(90, 5, 1)\n"
        + "fit(Regressor(), DataLoader(TensorDataset(X, X), 8, drop_last=True), nn.MSELoss())\n"
    )
    dataset = facts_of(text).dataset
    assert (plain(dataset.size), plain(dataset.loader_drop_last)) == (90, True)


COLLATE = """
def collate(batch):
    ids = [torch.tensor(x) for x, y in batch]
    tags = [torch.tensor(y) for x, y in batch]
    {lengths}
    return pad_sequence(ids, batch_first=True), pad_sequence(tags, batch_first=True, padding_value={fill}){extra}
class Step(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 5)
    def forward(self, x):
        out, _ = self.lstm(self.embedding(x))
        return self.fc(out).transpose(1, 2)
loader = DataLoader(torch.load("a.pt"), 8, collate_fn=collate)
"""

PADDINGS: dict[str, tuple[dict[str, object], str]] = {
    "pad_sequence without lengths": (
        {"padded": True, "side": "right", "value": 0, "packed": False, "lengths_known": False, "in_loss": True},
        TORCH + COLLATE.format(lengths="", fill=0, extra="") + "fit(Step(), loader, nn.CrossEntropyLoss())\n",
    ),
    "targets filled with something else than the inputs": (
        {"value": 0, "in_loss": True, "target_value": 4},
        TORCH + COLLATE.format(lengths="", fill=4, extra="") + "fit(Step(), loader, nn.CrossEntropyLoss())\n",
    ),
    "pad_sequence, ignored in the loss": (
        {"padded": True, "in_loss": False},
        TORCH + COLLATE.format(lengths="", fill=-100, extra="") + "fit(Step(), loader, nn.CrossEntropyLoss())\n",
    ),
    "pad_sequence, ignored by index": (
        {"padded": True, "in_loss": False},
        TORCH
        + COLLATE.format(lengths="", fill=0, extra="")
        + "fit(Step(), loader, nn.CrossEntropyLoss(ignore_index=0))\n",
    ),
    "packed": (
        {"padded": True, "packed": True, "lengths_known": True},
        TORCH + COLLATE.format(lengths="lengths = torch.tensor([len(x) for x in ids])", fill=0, extra=", lengths") + """
model = Tagger()
optimizer = torch.optim.Adam(model.parameters())
for x, y, lengths in loader:
    loss = F.cross_entropy(model(x, lengths), y[:, 0])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "lengths known and dropped": (
        {"padded": True, "packed": False, "lengths_known": True},
        TORCH + COLLATE.format(lengths="lengths = torch.tensor([len(x) for x in ids])", fill=0, extra=", lengths") + """
model = Tagger()
optimizer = torch.optim.Adam(model.parameters())
for x, y, lengths in loader:
    loss = F.cross_entropy(model(x), y[:, 0])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "pad_sequences": (
        {"padded": True, "side": "left", "value": 0.0, "masked": False},
        KERAS + "x = pad_sequences([[1, 2], [3]], maxlen=5)\nmodel.fit(x, x)\n",
    ),
    "pad_sequences behind": (
        {"padded": True, "side": "right", "value": -1},
        KERAS + "x = pad_sequences([[1, 2], [3]], padding='post', value=-1)\nmodel.fit(x, x)\n",
    ),
    "masked": (
        {"padded": True, "masked": True},
        KERAS + """
x = pad_sequences([[1, 2], [3]], maxlen=5)
model = Sequential([Embedding(100, 8, mask_zero=True), LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(x, x)
""",
    ),
    "by hand": (
        {"padded": True, "side": "right", "value": 0},
        TORCH + """
class Texts(Dataset):
    def __init__(self, rows):
        self.rows = rows
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, i):
        ids = self.rows[i]
        return torch.tensor(ids + [0] * (20 - len(ids))), torch.tensor(1)
fit(Tagger(), DataLoader(Texts(np.load("a.npy")), 8), nn.CrossEntropyLoss())
""",
    ),
    "into zeros, on the left": (
        {"padded": True, "side": "left", "value": 0},
        TORCH + """
rows = [[int(c) for c in line] for line in open("a.txt")]
features = np.zeros((len(rows), 20), dtype=int)
for i, row in enumerate(rows):
    features[i, -len(row):] = row[:20]
X = torch.from_numpy(features)
fit(Tagger(), DataLoader(TensorDataset(X, X[:, 0]), 8), nn.CrossEntropyLoss())
""",
    ),
    "nothing padded": (
        {"padded": False, "packed": False},
        TORCH + SERIES + "fit(Regressor(), DataLoader(Series(values, 10), 8), nn.MSELoss())\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PADDINGS)
def test_padding(name: str, facts_of: FactsOf) -> None:
    expected, text = PADDINGS[name]
    padding = facts_of(text).padding
    assert {key: plain(getattr(padding, key)) for key in expected} == expected


TARGETS = {
    "real": (KERAS + "model.fit(data, data)\n", "real"),
    "class-ids": (TORCH + "fit(Tagger(), DataLoader(torch.load('a.pt')), nn.CrossEntropyLoss())\n", "class-ids"),
    "one-hot": (KERAS.replace('"mse"', '"categorical_crossentropy"') + "model.fit(data, data)\n", "one-hot"),
    "one-hot by squared error": (
        KERAS + "from keras.utils import to_categorical\nmodel.fit(data, to_categorical(np.load('y.npy')))\n",
        "one-hot",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets(name: str, facts_of: FactsOf) -> None:
    text, kind = TARGETS[name]
    assert plain(facts_of(text).targets.kind) == kind


SCALED = (
    KERAS
    + """
n = int(len(data) * 0.8)
scaler = MinMaxScaler()
train = scaler.fit_transform(data[:n])
test = scaler.transform(data[n:])
X_train, y_train = windows(train, 10)
X_test, y_test = windows(test, 10)
model.fit(X_train, y_train)
pred = model.predict(X_test)
"""
)


@pytest.mark.parametrize(
    ("line", "agree"),
    [
        ("mean_squared_error(scaler.inverse_transform(y_test), scaler.inverse_transform(pred))", True),
        ("mean_squared_error(y_test, pred)", True),
        ("mean_squared_error(y_test, scaler.inverse_transform(pred))", False),
        ("mean_squared_error(data[n + 10:], pred)", False),
        ("mean_squared_error(data[n + 10:], scaler.inverse_transform(pred))", True),
        ("np.sqrt(np.mean((pred - scaler.inverse_transform(y_test)) ** 2))", False),
        ("np.mean(np.abs(pred - y_test))", True),
    ],
)
def test_scales(line: str, agree: bool, facts_of: FactsOf) -> None:
    (metric,) = items(facts_of(SCALED + f"score = {line}\nprint(score)\n").metrics)
    assert plain(metric.scales_agree) is agree


@pytest.mark.parametrize(
    ("show", "said", "real"),
    [
        ("print(f'MAE: {np.square(pred - y_test).mean()}')", "mae", "mse"),
        ("print('Test RMSE: %.3f' % mean_squared_error(y_test, pred))", "rmse", "mse"),
        ("print('MSE', np.sqrt(mean_squared_error(y_test, pred)))", "mse", "rmse"),
        ("print('mae {:.2f}'.format(mean_absolute_error(y_test, pred)))", "mae", "mae"),
        ("print('rmse', mean_squared_error(y_test, pred, squared=False))", "rmse", "rmse"),
    ],
)
def test_names_of_metrics(show: str, said: str, real: str, facts_of: FactsOf) -> None:
    found = items(facts_of(SCALED + show + "\n").metrics)
    assert (said, real) in [(plain(m.name), plain(m.computes)) for m in found]


EVALUATION = (
    TORCH
    + """
def evaluate(model, loader, criterion):
    model.eval()
    {start}
    with torch.no_grad():
        for x, y in loader:
            {line}
    print("test loss", {shown})
loader = DataLoader(torch.load("a.pt"), 8)
model, criterion = Regressor(), nn.MSELoss()
fit(model, loader, criterion)
evaluate(model, loader, criterion)
"""
)


def test_last_batch_reported_for_all(facts_of: FactsOf) -> None:
    text = EVALUATION.format(start="", line="loss = criterion(model(x), y)", shown="loss.item()")
    assert [plain(m.over) for m in items(facts_of(text).metrics)] == ["last-batch"]
    text = text.replace(
        "for x, y in loader:\n            loss = c", "for i, (x, y) in enumerate(loader):\n            loss = c"
    )
    assert "enumerate" in text
    assert [plain(m.over) for m in items(facts_of(text).metrics)] == ["last-batch"]
    text = EVALUATION.format(
        start="total = 0", line="total += criterion(model(x), y).item()", shown="total / len(loader)"
    )
    assert all(isinstance(m.over, Unknown) for m in items(facts_of(text).metrics))
