"""Where facts point that a finding stands at."""

from __future__ import annotations

from conftest import FactsOf

from lstmadvisor.facts import Known, items, plain

NET = """
import shutil
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 8, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(8, 1)
    def forward(self, x):
        return self.fc(self.drop(self.lstm(x)[0][:, -1]))

model, loss_fn = Net(), nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters())
train_loader, test_loader = torch.load("train.pt"), torch.load("test.pt")
"""


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_evaluation_that_shares_its_code_with_the_training_begins_at_its_call(facts_of: FactsOf) -> None:
    text = (
        NET
        + """
def run(loader, train):
    total = 0.0
    for x, y in loader:
        loss = loss_fn(model(x), y)
        if train:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item()
    return total

for epoch in range(10):
    run(train_loader, True)
    score = run(test_loader, False)
    print(score)
"""
    )
    fact = facts_of(text).training_step.eval_mode
    assert isinstance(fact, Known)
    assert fact.value is False
    assert fact.at is not None
    assert fact.at.line == line_of(text, "score = run(")


def test_evaluation_of_its_own_begins_at_its_forward_pass(facts_of: FactsOf) -> None:
    text = (
        NET
        + """
def evaluate(loader):
    return sum(loss_fn(model(x), y).item() for x, y in loader)

for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    print(evaluate(test_loader))
"""
    )
    fact = facts_of(text).training_step.eval_mode
    assert isinstance(fact, Known)
    assert fact.at is not None
    assert fact.at.line == line_of(text, "return sum(")


def test_best_weights_are_kept_where_the_file_is_copied(facts_of: FactsOf) -> None:
    text = (
        NET
        + """
best = 1e9
for epoch in range(10):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        score = sum(loss_fn(model(x), y).item() for x, y in test_loader)
    torch.save(model.state_dict(), "last.pt")
    if score < best:
        best = score
        shutil.copyfile("last.pt", "best.pt")
"""
    )
    (kept,) = items(facts_of(text).checkpoints)
    assert kept.at is not None
    assert kept.at.line == line_of(text, "shutil.copyfile(")


def test_a_search_is_judged_by_its_own_validation_data(facts_of: FactsOf) -> None:
    program = facts_of(
        """
import keras
import keras_tuner

def build(hp):
    model = keras.Sequential([keras.layers.LSTM(hp.Int("units", 8, 64)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model

tuner = keras_tuner.RandomSearch(build, objective="val_loss")
tuner.search(x_train, y_train, epochs=10, validation_data=(x_valid, y_valid))
model = build(tuner.get_best_hyperparameters()[0])
model.fit(x_train, y_train, epochs=10, validation_data=(x_test, y_test))
"""
    )
    assert plain(program.validation.is_test_set) is True
    assert plain(program.tuning.on) == "validation"
    assert program.tuning.on.at is not None
    assert program.tuning.on.at.line == 11


def test_r2_is_no_worse_on_a_wrong_scale_that_both_share(facts_of: FactsOf) -> None:
    program = facts_of(
        """
import keras
import numpy as np
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.preprocessing import MinMaxScaler

data = np.load("x.npz")
x, y = data["x"], data["y"]
scaler = MinMaxScaler()
scaled = scaler.fit_transform(y[:800])
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x[:800], scaled)
predicted = model.predict(x[800:]) * y[:800].std() + y[:800].mean()
print(mean_squared_error(y[800:], predicted), r2_score(y[800:], predicted))
"""
    )
    agreed = {plain(metric.name): plain(metric.scales_agree) for metric in items(program.metrics)}
    assert agreed == {"mse": False, "r2": None}
