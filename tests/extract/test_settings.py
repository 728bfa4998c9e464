"""Options, settings without effect and searches, by idiom."""

from __future__ import annotations

import pytest

from lstmadvisor.extract.search.options import topic_of
from lstmadvisor.facts import items, plain
from tests.extract.conftest import FactsOf

TORCH = """
import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
X = torch.zeros(90, 5, 1)
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])
def train(model, loader, lr=0.01):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for x, y in loader:
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
RUN = "model = Net(8)\ntrain(model, DataLoader(TensorDataset(X, X[:, 0]), 8))\n"
OPTIONS = """
parser = argparse.ArgumentParser()
parser.add_argument("--hidden-size", type=int, default=8)
parser.add_argument("--clip", type=float, default=0.25)
parser.add_argument("--verbose", type=bool, default=False)
args = parser.parse_args()
train(Net(args.hidden_size), DataLoader(TensorDataset(X, X[:, 0]), 8))
"""


def test_options(facts_of: FactsOf) -> None:
    found = items(facts_of(TORCH + OPTIONS).options)
    said = [(plain(o.name), plain(o.type), plain(o.default), plain(o.read)) for o in found]
    assert said == [("hidden_size", "int", 8, True), ("clip", "float", 0.25, False), ("verbose", "bool", False, False)]


@pytest.mark.parametrize(
    "more",
    ["print(vars(args))", "def later(args):\n    return args.clip", "build(args)", "cfg = dict(**vars(args))"],
)
def test_options_that_may_be_read(more: str, facts_of: FactsOf) -> None:
    program = facts_of(TORCH + "from somewhere import build\n" + OPTIONS + more + "\n")
    assert [plain(o.read) for o in items(program.options) if plain(o.name) == "clip"] == [None]
    assert not [d for d in items(program.dead_settings) if plain(d.name) == "clip"]


DEAD: dict[str, tuple[tuple[str, str, str], str]] = {
    "an option": (("never-read", "clip", "clip"), TORCH + OPTIONS),
    "a constant": (("never-read", "CLIP_NORM", "clip"), TORCH + "CLIP_NORM = 5\n" + RUN),
    "a constant in a comment only": (
        ("never-read", "clip", "clip"),
        TORCH + "clip = 5  # the clip\n# train(model, clip)\n" + RUN,
    ),
    "a key of a dict": (
        ("never-read", "weight_decay", "weight-decay"),
        TORCH
        + "config = {'hidden': 8, 'weight_decay': 1e-4}\n"
        + "train(Net(config['hidden']), DataLoader(TensorDataset(X, X[:, 0]), 8))\n",
    ),
    "an attribute of a class": (
        ("never-read", "dropout_rate", "dropout"),
        TORCH
        + "class Config:\n    width = 8\n    dropout_rate = 0.5\n"
        + "train(Net(Config.width), DataLoader(TensorDataset(X, X[:, 0]), 8))\n",
    ),
    "a parameter": (
        ("never-read", "lr", "learning-rate"),
        TORCH.replace("lr=lr", "lr=0.1") + RUN,
    ),
    "compile": (("result-discarded", "compile", "other"), TORCH + RUN + "torch.compile(model)\n"),
    "a tensor moved": (("result-discarded", "to", "other"), TORCH + "z = torch.zeros(3)\nz.to('cuda')\n" + RUN),
    "a loader's attribute": (
        ("attribute-after-construction", "shuffle", "shuffle"),
        TORCH + "loader = DataLoader(TensorDataset(X, X[:, 0]), 8)\nloader.shuffle = True\ntrain(Net(8), loader)\n",
    ),
    "an optimizer's attribute": (
        ("attribute-after-construction", "lr", "learning-rate"),
        TORCH.replace("    for x, y", "    optimizer.lr = 0.5\n    for x, y") + RUN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEAD)
def test_dead_settings(name: str, facts_of: FactsOf) -> None:
    expected, text = DEAD[name]
    assert expected in [(plain(d.kind), plain(d.name), plain(d.setting)) for d in items(facts_of(text).dead_settings)]


@pytest.mark.parametrize(
    "text",
    [
        TORCH + RUN,
        TORCH + RUN + "model = torch.compile(model)\nmodel.to('cuda')\nmodel.cuda()\n",
        TORCH + "batch_size = 8\ntrain(Net(8), DataLoader(TensorDataset(X, X[:, 0]), batch_size))\n",
        TORCH + "config = dict(hidden=8)\ntrain(Net(**config), DataLoader(TensorDataset(X, X[:, 0]), 8))\n",
        TORCH + "HIDDEN_SIZE = 8\nprint(f'units {HIDDEN_SIZE}')\n" + RUN,
    ],
)
def test_nothing_dead(text: str, facts_of: FactsOf) -> None:
    assert facts_of(text).dead_settings == ()


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("clip", "clip"), ("grad_clip", "clip"), ("clip_grad_norm", "clip"), ("CLIPNORM", "clip"), ("clip_model", ""),
        ("drop_last", ""), ("dropout", "dropout"), ("epoch", ""), ("num_epochs", "epochs"), ("hidden", ""),
        ("hidden_size", "units"), ("label_smoothing", "loss"), ("lr_decay", "learning-rate"), ("gamma", "schedule"),
    ],
)  # fmt: skip
def test_what_a_name_sets(name: str, setting: str) -> None:
    assert topic_of(name) == setting


def test_a_setting_that_another_script_reads(facts_of: FactsOf) -> None:
    config = "hidden_size = 8\nseq_len = 30\nclip_grad = 5.0\n"
    files = {
        "config.py": config,
        "settings.yaml": "hidden_size: 8\npatience: 7\nlabel_smoothing: 0.1\n",
        "predict.py": "import config\nprint(config.seq_len, 'patience')\n",
        "train.py": TORCH + "import config, yaml\ncfg = yaml.safe_load(open('settings.yaml'))\nh = cfg['hidden_size']\n"
        "train(Net(config.hidden_size), DataLoader(TensorDataset(X, X[:, 0]), 8))\n",
    }
    dead = items(facts_of(files).dead_settings)
    assert sorted(str(plain(d.name)) for d in dead) == ["clip_grad", "label_smoothing"]


def test_what_a_dead_setting_was_set_to(facts_of: FactsOf) -> None:
    (dead,) = items(facts_of(TORCH + "CLIP_NORM = 5\n" + RUN).dead_settings)
    assert (plain(dead.value), dead.at and dead.at.line) == (5, 21)


@pytest.mark.parametrize(
    ("define", "kind"),
    [
        ("import argparse\np = argparse.ArgumentParser()\np.add_argument('--fast', type=bool, default=False)", "bool"),
        ("import argparse\np = argparse.ArgumentParser()\np.add_argument('--fast', action='store_true')", None),
        ("from absl import flags\nflags.DEFINE_bool('fast', False, '')", "flag"),
        ("from absl import flags\nflags.DEFINE_boolean('fast', False, '')", "flag"),
        ("import click\n@click.command()\n@click.option('--fast', type=bool)\ndef f(fast):\n    print(fast)", "flag"),
    ],
)
def test_what_turns_text_into_a_flag(define: str, kind: str | None, facts_of: FactsOf) -> None:
    (option,) = items(facts_of(TORCH + define + "\n" + RUN).options)
    assert plain(option.type) == kind


@pytest.mark.parametrize(
    "text",
    [
        "for batch in loader:\n    batch.to('cuda')\n",
        "import torch.nn.functional as F\nF.relu(X, inplace=True)\n",
        "Net(8).to('cuda')\n",
    ],
)
def test_results_that_nobody_needs(text: str, facts_of: FactsOf) -> None:
    loader = "from somewhere import Data\nloader = DataLoader(Data(), 8)\n"
    assert facts_of(TORCH + loader + text + RUN).dead_settings == ()


def test_batches_of_tensors(facts_of: FactsOf) -> None:
    text = TORCH.replace("    for x, y in loader:\n", "    for x, y in loader:\n        x.to('cuda')\n") + RUN
    (dead,) = items(facts_of(text).dead_settings)
    assert (plain(dead.kind), plain(dead.name)) == ("result-discarded", "to")


def test_settings_in_another_file(facts_of: FactsOf) -> None:
    files = {
        "config.py": "hidden_size = 8\nclip_grad = 5.0\n",
        "train.py": TORCH + "from config import *\ntrain(Net(hidden_size), DataLoader(TensorDataset(X, X[:, 0]), 8))\n",
    }
    (dead,) = items(facts_of(files).dead_settings)
    assert (plain(dead.name), dead.at and dead.at.path, dead.at and dead.at.line) == ("clip_grad", "config.py", 2)


KERAS = """
import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, Dense
X, y = np.zeros((90, 5, 1)), np.zeros(90)
X_val, y_val = np.zeros((9, 5, 1)), np.zeros(9)
def build(units):
    model = Sequential([LSTM(units), Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    return model
"""
TUNINGS: dict[str, tuple[dict[str, object], str]] = {
    "none": ({"tool": None}, KERAS + "build(8).fit(X, y)\n"),
    "keras-tuner": ({"tool": "keras-tuner", "objective": "val_loss", "on": "validation", "dimensions": 2, "ranges": {
        "units": {"low": 8, "high": 64, "choices": None},
        "rate": {"low": None, "high": None, "choices": [0.1, 0.01]}}}, KERAS + """
import keras
import keras_tuner as kt
def model_of(hp):
    model = build(hp.Int("units", min_value=8, max_value=64, step=8))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(hp.Choice("rate", [0.1, 0.01])))
    return model
tuner = kt.RandomSearch(model_of, objective="val_loss", max_trials=3)
tuner.search(X, y, epochs=2, validation_data=(X_val, y_val))
"""),
    "keras-tuner on the training loss": ({"tool": "keras-tuner", "objective": "loss", "on": "training"}, KERAS + """
from kerastuner.tuners import Hyperband
from kerastuner import Objective
tuner = Hyperband(lambda hp: build(hp.Int("units", 8, 64)), objective=Objective("loss", "min"), max_epochs=3)
tuner.search(X, y)
"""),
    "optuna": ({"tool": "optuna", "objective": "minimize", "dimensions": 2}, KERAS + """
import optuna
def objective(trial):
    model = build(trial.suggest_int("units", 8, 64))
    model.fit(X, y, batch_size=trial.suggest_categorical("batch", [8, 16]))
    return model.evaluate(X_val, y_val)
study = optuna.create_study(direction="minimize")
study.optimize(objective, n_trials=10)
"""),
    "grid": ({"tool": "GridSearchCV", "cv": 3, "objective": "neg_mean_squared_error", "dimensions": 2,
              "on": "validation"}, KERAS + """
from scikeras.wrappers import KerasRegressor
from sklearn.model_selection import GridSearchCV
grid = GridSearchCV(KerasRegressor(build), param_grid={"batch_size": [8, 16], "epochs": [2, 4]}, cv=3,
                    scoring="neg_mean_squared_error")
grid.fit(X, y)
"""),
    "grid with a splitter": ({"tool": "RandomizedSearchCV", "cv": "TimeSeriesSplit"}, KERAS + """
from scikeras.wrappers import KerasRegressor
from sklearn.model_selection import RandomizedSearchCV, TimeSeriesSplit
grid = RandomizedSearchCV(KerasRegressor(build), {"units": [8, 16]}, cv=TimeSeriesSplit(n_splits=4))
grid.fit(X, y)
"""),
    "by hand": ({"tool": "by-hand", "on": "validation", "dimensions": 1}, KERAS + """
for units in [8, 16, 32]:
    build(units).fit(X, y, epochs=2, validation_data=(X_val, y_val))
"""),
    "no search: phases": ({"tool": None}, TORCH + """
for phase in ["train", "val"]:
    train(Net(8), DataLoader(TensorDataset(X, X[:, 0]), 8))
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", TUNINGS)
def test_tuning(name: str, facts_of: FactsOf) -> None:
    expected, text = TUNINGS[name]
    tuning = facts_of(text).tuning
    assert {key: plain(getattr(tuning, key)) for key in expected} == expected
