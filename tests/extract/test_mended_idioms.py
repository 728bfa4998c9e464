"""Idioms of good programs that once were read wrongly, each with the fact that it must give."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Unknown, items, plain

TRAINS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 8, batch_first=True)
        self.fc = nn.Linear(8, 1)
    def forward(self, x, state=None):
        out, state = self.lstm(x, state)
        return self.fc(out[:, -1]), state
"""


def test_is_tensor_tells_a_pair_of_states_from_one_state(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
def repackage(h):
    return h.detach() if torch.is_tensor(h) else tuple(repackage(v) for v in h)

model = Net()
optimizer = torch.optim.Adam(model.parameters())
state = (torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))
for x, y in torch.load("batches.pt"):
    state = repackage(state)
    out, state = model(x, state)
    optimizer.zero_grad()
    nn.functional.mse_loss(out, y).backward()
    optimizer.step()
"""
    )
    (layer,) = items(program.recurrent_layers)
    assert [plain(read.what) for read in items(layer.reads)] == ["last-step"]
    assert plain(program.hidden_state.detached) is True


def test_an_environment_gives_no_shuffled_samples(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
import gym
env = gym.make("CartPole")
model = Net()
optimizer = torch.optim.Adam(model.parameters())
obs, state = env.reset(), None
for step in range(1000):
    value, state = model(obs, state)
    action = torch.distributions.Categorical(logits=value).sample()
    obs, reward, done, info = env.step(action)
    loss = -value.mean() * reward
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    )
    assert program.shuffle == Unknown(unknown="an environment gives the samples")


@pytest.mark.parametrize(
    "characters",
    [
        "sorted({c for line in lines for c in line} | {' '})",
        "sorted({c for line in lines for c in line})",
        "[c for line in lines for c in line]",
        "[line for line in lines if line]",
    ],
)
def test_length_of_what_is_not_one_for_one(facts_of: FactsOf, characters: str) -> None:
    program = facts_of(
        f"""
import keras
lines = ["ab", open("x").read()]
lines.append(open("y").read())
chars = {characters}
model = keras.Sequential([keras.layers.LSTM(4), keras.layers.Dense(len(chars))])
model.compile(loss="mse")
model.fit([1], [2])
"""
    )
    assert isinstance(program.output.units, Unknown)


def test_a_split_of_a_split_is_split(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
import numpy as np
from sklearn.model_selection import GroupShuffleSplit
data = np.load("x.npz")
x, y, subject = data["x"], data["y"], data["subject"]
dev, test = next(GroupShuffleSplit(1).split(x, y, subject))
fit, val = next(GroupShuffleSplit(1).split(x[dev], y[dev], subject[dev]))
x_fit, x_val = x[dev[fit]], x[dev[val]]
mean, std = x_fit.mean(0), x_fit.std(0)
model = Net()
optimizer = torch.optim.Adam(model.parameters())
scaled = torch.tensor((x_fit - mean) / std)
for i in range(100):
    loss = model(scaled)[0].mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    )
    assert [plain(s.fit_before_split) for s in items(program.scaling)] == [False]


def test_last_step_that_a_model_reads_of_its_window_is_no_target(facts_of: FactsOf) -> None:
    program = facts_of(
        """
import numpy as np
import torch
from torch import nn

class Windows(torch.utils.data.Dataset):
    def __init__(self):
        self.values = np.load("x.npy")
    def __len__(self):
        return len(self.values) - 30
    def __getitem__(self, i):
        x, y = self.values[i : i + 24], self.values[i + 24 : i + 30]
        loc, scale = x.mean(), x.std()
        return (x - loc) / scale, (y - loc) / scale

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8, batch_first=True)
        self.fc = nn.Linear(8, 6)
    def forward(self, x):
        out, _ = self.lstm(x.unsqueeze(-1))
        return self.fc(out[:, -1]) + x[:, -1:]

model = Net()
optimizer = torch.optim.Adam(model.parameters())
for x, y in torch.utils.data.DataLoader(Windows(), batch_size=32, shuffle=True):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
"""
    )
    assert [plain(s.target_included) for s in items(program.scaling)] in ([None], [False])


def test_folds_around_the_training_do_not_name_what_is_evaluated(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
from sklearn.model_selection import TimeSeriesSplit
data = torch.load("x.pt")
for past, future in TimeSeriesSplit(test_size=60).split(data):
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    held_out = data[past[-100:]]
    best = 1e9
    for epoch in range(20):
        loss = model(data[past])[0].pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            score = model(held_out)[0].pow(2).mean().item()
        if score < best:
            best = score
            torch.save(model.state_dict(), "best.pt")
"""
    )
    assert plain(program.validation.selects) is True
    assert plain(program.validation.is_test_set) is not True


def test_a_model_for_several_devices_is_still_the_model(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
from torch.nn.parallel import DistributedDataParallel as DDP
model = DDP(nn.SyncBatchNorm.convert_sync_batchnorm(Net()).cuda())
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(20):
    for x, y in torch.load("train.pt"):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x)[0], y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for x, y in torch.load("valid.pt"):
            print(nn.functional.mse_loss(model.module(x)[0], y))
"""
    )
    assert plain(program.validation.kind) == "data"
    assert plain(program.training_step.eval_mode) is True


def test_a_net_of_skorch_within_a_search(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch import NeuralNetRegressor
from skorch.callbacks import EarlyStopping, GradientNormClipping
net = NeuralNetRegressor(
    Net, max_epochs=60, callbacks=[EarlyStopping(patience=6, load_best=True), GradientNormClipping(2.0)]
)
search = GridSearchCV(Pipeline([("net", net)]), {"net__lr": [1e-3, 1e-2]})
search.fit(x, y)
"""
    )
    (layer,) = items(program.recurrent_layers)
    assert plain(layer.units) == 8
    (stop,) = items(program.early_stopping)
    assert (plain(stop.patience), plain(stop.restores_best)) == (6, True)
    assert [plain(clip.max) for clip in items(program.clipping)] == [2.0]


def test_what_a_fabric_saves_and_loads(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
from lightning.fabric import Fabric
fabric = Fabric()
model = Net()
optimizer = torch.optim.Adam(model.parameters())
model, optimizer = fabric.setup(model, optimizer)
best = 1e9
for epoch in range(20):
    for x, y in torch.load("train.pt"):
        optimizer.zero_grad()
        fabric.backward(nn.functional.mse_loss(model(x)[0], y))
        optimizer.step()
    with torch.no_grad():
        valid_loss = sum(nn.functional.mse_loss(model(x)[0], y) for x, y in torch.load("valid.pt"))
    if valid_loss < best:
        best = valid_loss
        fabric.save("best.ckpt", {"model": model})
fabric.load("best.ckpt", {"model": model})
"""
    )
    assert [plain(each.reloaded) for each in items(program.checkpoints)] == [True]


def test_a_scheduler_of_ray_ends_hopeless_trials(facts_of: FactsOf) -> None:
    program = facts_of(
        TRAINS
        + """
from ray import train, tune
from ray.tune.schedulers import ASHAScheduler

def trainable(config):
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    for epoch in range(50):
        for x, y in torch.load("train.pt"):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x)[0], y).backward()
            optimizer.step()
        train.report({"loss": 1.0})

tuner = tune.Tuner(trainable, tune_config=tune.TuneConfig(scheduler=ASHAScheduler()))
tuner.fit()
"""
    )
    assert [plain(stop.can_act) for stop in items(program.early_stopping)] == [True]


def test_hyperparameters_that_lightning_keeps_are_read(facts_of: FactsOf) -> None:
    program = facts_of(
        """
import lightning as L
import torch
from torch import nn

class Net(L.LightningModule):
    def __init__(self, hidden=8, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.lstm = nn.LSTM(3, hidden)
    def training_step(self, batch, index):
        return self.lstm(batch)[0].mean()
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)

L.Trainer().fit(Net(), torch.load("loader.pt"))
"""
    )
    assert program.dead_settings == ()


def test_the_hugging_face_trainer_watches_metrics_of_its_evaluation(facts_of: FactsOf) -> None:
    program = facts_of(
        """
from torch import nn
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 8)
    def forward(self, x):
        return {"loss": self.gru(x)[0].mean()}

args = TrainingArguments("out", eval_strategy="epoch", load_best_model_at_end=True, metric_for_best_model="accuracy")
trainer = Trainer(Net(), args, train_dataset=train, eval_dataset=valid, callbacks=[EarlyStoppingCallback(3)])
trainer.train()
"""
    )
    assert [plain(stop.monitor) for stop in items(program.early_stopping)] == ["eval_accuracy"]
