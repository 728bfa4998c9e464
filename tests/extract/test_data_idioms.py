"""Idioms of padding, scaling and splitting."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import items, plain

COLLATED = """
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

def collate(batch):
    words = pad_sequence([w for w, _ in batch], batch_first=True)
    tags = {tags}
    return {given}

lstm, head = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 5)
criterion = nn.CrossEntropyLoss({loss})
optimizer = torch.optim.Adam(lstm.parameters())
for batch in DataLoader(load(), 32, collate_fn=collate):
    words, tags = {taken}
    optimizer.zero_grad()
    loss = criterion(head(lstm(words)[0]).transpose(1, 2), tags)
    loss.backward()
    optimizer.step()
"""
LABELS = "torch.tensor([t for _, t in batch])"
PADDED = "pad_sequence([t for _, t in batch], batch_first=True)"
TUPLE = {"given": "words, tags", "taken": "batch"}
DICT = {"given": "{'words': words, 'tags': tags}", "taken": "batch['words'], batch['tags'].to('cuda')"}


@pytest.mark.parametrize("way", [TUPLE, DICT], ids=["tuple", "dict"])
@pytest.mark.parametrize(
    ("tags", "loss", "expected"),
    [(PADDED, "", True), (PADDED, "ignore_index=0", False), (LABELS, "", None)],
    ids=["padded", "ignored", "labels"],
)
def test_padded_targets(way: dict[str, str], tags: str, loss: str, expected: bool | None, facts_of: FactsOf) -> None:
    assert plain(facts_of(COLLATED.format(tags=tags, loss=loss, **way)).padding.in_loss) is expected


def test_labels_of_a_bucket_iterator_are_not_known_to_be_padded(facts_of: FactsOf) -> None:
    program = facts_of("""
import torch
from torch import nn
from torchtext import data
train, valid = data.BucketIterator.splits(load(), batch_size=64)
lstm, head = nn.LSTM(4, 8), nn.Linear(8, 3)
optimizer = torch.optim.Adam(lstm.parameters())
criterion = nn.CrossEntropyLoss()
for batch in train:
    optimizer.zero_grad()
    criterion(head(lstm(batch.text)[0][-1]), batch.label).backward()
    optimizer.step()
""")
    assert plain(program.padding.in_loss) is None


KERAS = """
import numpy as np
from sklearn.model_selection import KFold, GroupKFold, TimeSeriesSplit
from tensorflow import keras
from tensorflow.keras.layers import LSTM, Dense
series = np.load("series.npy")
model = keras.Sequential([LSTM(8), Dense(1)])
model.compile("adam", "mse")
"""


@pytest.mark.parametrize(
    ("rest", "side", "value"),
    [("x[i, t + 1 :, index[' ']] = 1.0", "right", None), ("x[i, t:] = 0", "right", 0), ("x[i, t] = 0", None, None)],
)
def test_the_rest_of_a_row_is_filled(rest: str, side: str | None, value: object, facts_of: FactsOf) -> None:
    program = facts_of(
        KERAS + "x = np.zeros((len(series), 9, 4))\nfor i, row in enumerate(series):\n    for t, c in enumerate(row):\n"
        f"        x[i, t, index[c]] = 1.0\n    {rest}\nmodel.fit(x, y)"
    )
    assert (plain(program.padding.side), plain(program.padding.value)) == (side, value)


WINDOW = "windows = [scaled(series[i : i + 21]) for i in range(len(series) - 21)]\n"
WINDOWS = {
    "its own maximum": ("w / w.max()", "x, y = [w[:20] for w in windows], [w[20] for w in windows]", True),
    "the last one": ("(w - w.mean()) / w.std()", "x, y = [w[:-1] for w in windows], [w[-1] for w in windows]", True),
    "inputs alone": ("w / w[:-1].max()", "x, y = [w[:-1] for w in windows], [w[-1] for w in windows]", False),
    "inputs by number": ("w / w[:20].max()", "x, y = [w[:20] for w in windows], [w[20] for w in windows]", False),
    "first value": ("w / w[0]", "x, y = [w[:-1] for w in windows], [w[-1] for w in windows]", None),
    "no target": ("w / w.max()", "x, y = windows, labels", None),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_scaled_with_their_target(name: str, facts_of: FactsOf) -> None:
    scaled, cut, expected = WINDOWS[name]
    program = facts_of(
        KERAS + f"def scaled(w):\n    return {scaled}\n" + WINDOW + cut + "\nmodel.fit(np.array(x), np.array(y))"
    )
    told = {plain(scaling.target_included) for scaling in items(program.scaling)}
    assert told == ({expected} if expected is not None or name == "no target" else set())


FOLDS = """x = np.array([series[i : i + 9] for i in range(900)])
for train, test in {folds}.split(x):
    model.fit(x[train], y[train], validation_data=(x[test], y[test]))
"""


@pytest.mark.parametrize(
    ("folds", "kind"),
    [
        ("KFold(5)", "folds"),
        ("KFold(5, shuffle=True)", "random"),
        ("TimeSeriesSplit(5)", "chronological"),
        ("GroupKFold(5)", "groups"),
    ],
)
def test_folds(folds: str, kind: str, facts_of: FactsOf) -> None:
    split = facts_of(KERAS + FOLDS.format(folds=folds)).split
    assert (plain(split.kind), plain(split.of_overlapping_windows)) == (kind, True)
    assert split.at is not None
    assert split.at.line == 10


def test_mask_drawn_at_random(facts_of: FactsOf) -> None:
    program = facts_of(
        KERAS + "x = np.array([series[i : i + 9] for i in range(900)])\nmask = np.random.rand(len(x)) < 0.8\n"
        "train, test = x[mask], x[~mask]\nmodel.fit(train, y[mask])\nmodel.evaluate(test, y[~mask])"
    )
    assert (plain(program.split.kind), plain(program.split.of_overlapping_windows)) == ("random", True)


def test_data_that_a_search_hands_on(facts_of: FactsOf) -> None:
    program = facts_of(
        KERAS + "from scikeras.wrappers import KerasRegressor\nfrom sklearn.model_selection import GridSearchCV\n"
        "x = np.array([series[i : i + 9] for i in range(900)])\n"
        "GridSearchCV(KerasRegressor(lambda: model), {'epochs': [2, 4]}).fit(x, y)"
    )
    assert plain(program.dataset.kind) == "windows"


def test_batches_of_a_generator_are_no_samples(facts_of: FactsOf) -> None:
    program = facts_of(
        KERAS
        + "def batches():\n    while True:\n        for i in range(0, 90, 9):\n            yield series[i], series[i]\n"
        "model.fit(batches(), steps_per_epoch=10)"
    )
    assert plain(program.dataset.size) is None


POOLED = """
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
gru, score, head = nn.GRU(4, 8, batch_first=True), nn.Linear(8, 1), nn.Linear(8, 2)
optimizer = torch.optim.Adam(gru.parameters())
for step in range(50):
    lengths = torch.tensor([3, 9, 5])
    x = pad_sequence([torch.randn(n, 4) for n in lengths], batch_first=True)
    mask = (torch.arange(x.size(1)) < lengths.unsqueeze(1)).unsqueeze(-1)
    out, _ = gru(x)
    pooled = {pooled}
    optimizer.zero_grad()
    nn.functional.cross_entropy(head(pooled), torch.randint(2, (3,))).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("pooled", "spoilt"),
    [
        ("out.mean(1)", True),
        ("out.max(dim=1)[0]", True),
        ("(out * torch.softmax(score(out), 1)).sum(1)", True),
        ("(out * mask).sum(1) / lengths.unsqueeze(1)", False),
        ("(mask * out).sum(1)", False),
        ("out.masked_fill(~mask, -1e9).max(dim=1)[0]", False),
        ("out.mul(mask.float()).sum(dim=1)", False),
    ],
)
def test_pooled_over_padding(pooled: str, spoilt: bool, facts_of: FactsOf) -> None:
    (layer,) = items(facts_of(POOLED.format(pooled=pooled)).recurrent_layers)
    told = [(plain(read.what), plain(read.after_padding)) for read in items(layer.reads)]
    assert ("pooled", spoilt) in told


def test_one_file_opened_by_two_data_sets(facts_of: FactsOf) -> None:
    program = facts_of("""
import argparse
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Series(Dataset):
    def __init__(self, path, train):
        with open(path, encoding="utf-8") as file:
            values = np.array(pd.read_csv(file)["close"])
        values = (values - np.mean(values)) / np.std(values)
        count = int(0.8 * len(values))
        self.values = values[:count] if train else values[count:]
    def __len__(self):
        return len(self.values) - 9
    def __getitem__(self, i):
        return self.values[i : i + 9], self.values[i + 9]

parser = argparse.ArgumentParser()
parser.add_argument("--path", default="prices.csv")
args = parser.parse_args()
train, held_out = DataLoader(Series(args.path, True), 32), DataLoader(Series(args.path, False), 32)
lstm = nn.LSTM(1, 1, batch_first=True)
optimizer = torch.optim.Adam(lstm.parameters())
for x, y in train:
    optimizer.zero_grad()
    nn.functional.mse_loss(lstm(x)[0][:, -1], y).backward()
    optimizer.step()
for x, y in held_out:
    print(nn.functional.mse_loss(lstm(x)[0][:, -1], y))
""")
    assert [plain(scaling.fit_before_split) for scaling in items(program.scaling)] == [True]
