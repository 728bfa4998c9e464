"""How results are judged: evaluation by others, reports, own callbacks, objectives, columns, promises, lost masks."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Known, items, plain

LOOP = """
import shutil
import torch
from torch import nn
from torch.utils.data import DataLoader
from missing import evaluate

model = nn.LSTM(4, 8, batch_first=True)
optimizer = torch.optim.Adam(model.parameters())
train_loader, {name} = DataLoader(load("train"), 32), DataLoader(load("other"), 32)
best = 1e9
for epoch in range(20):
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x)[0][:, -1], y).backward()
        optimizer.step()
    score = evaluate(model, {name})
    is_best = score["loss"] < best
    path = f"epoch_{{epoch}}.pt"
    torch.save(model.state_dict(), path)
    if is_best:
        best = score["loss"]
        shutil.copyfile(path, "best.pt")
"""


@pytest.mark.parametrize(
    ("name", "is_test", "on"), [("test_loader", True, "test"), ("val_loader", False, "validation")]
)
def test_evaluation_by_a_function_that_cannot_be_read(name: str, is_test: bool, on: str, facts_of: FactsOf) -> None:
    program = facts_of(LOOP.format(name=name))
    validation = program.validation
    assert (plain(validation.kind), plain(validation.source)) == ("data", name)
    assert (plain(validation.is_test_set), plain(validation.selects)) == (is_test, True)
    assert [plain(kept.on) for kept in items(program.checkpoints)] == [on]


def test_model_handed_to_something_else_is_no_evaluation(facts_of: FactsOf) -> None:
    text = LOOP.format(name="test_loader").replace("evaluate(model, test_loader)", "plotted(model, test_loader)")
    assert plain(facts_of(text.replace("import evaluate", "import plotted")).validation.kind) != "data"


KERAS = """
import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import LSTM, Dense, Embedding, Masking, Conv1D, Dropout, Lambda, TimeDistributed
x_train, y_train, x_test, y_test = load()
model = keras.Sequential([LSTM(8), Dense(1)])
model.compile("adam", "mse")
"""


@pytest.mark.parametrize(
    ("after", "reported"),
    [
        ("model.evaluate(x_test, y_test)", True),
        ("p = model.predict(x_test)", True),
        ("model.evaluate(x_train, y_train)", False),
    ],
)
def test_validation_data_that_are_reported(after: str, reported: bool, facts_of: FactsOf) -> None:
    fit = "model.fit(x_train, y_train, validation_data=(x_test, y_test))\n"
    assert plain(facts_of(KERAS + fit + after).validation.reported) is reported


CALLBACK = """
class Watch(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        {body}
model.fit(x_train, y_train, epochs=9, callbacks=[Watch()])
"""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("print(roc_auc_score(self.y, self.model.predict(self.x)))", None),
        ("print(self.model.evaluate(self.x, self.y))", None),
        ("print(write(self.model.predict(seed)))", "none"),
        ("print(logs['loss'])", "none"),
    ],
)
def test_callbacks_that_judge_the_model(body: str, kind: str | None, facts_of: FactsOf) -> None:
    assert plain(facts_of(KERAS + CALLBACK.format(body=body)).validation.kind) == kind


OBJECTIVE = """
import optuna
import torch
from torch import nn

def error(model, loader):
    losses = [nn.functional.mse_loss(model(x)[0], y).item() for x, y in loader]
    return sum(losses) / len(losses)

def objective(trial):
    model = nn.LSTM(4, trial.suggest_int("units", 8, 64), batch_first=True)
    optimizer = torch.optim.Adam(model.parameters())
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x)[0], y)
        loss.backward()
        optimizer.step()
    {result}

train_loader, val_loader, test_loader = load()
optuna.create_study().optimize(objective, n_trials=9)
"""


@pytest.mark.parametrize(
    ("result", "on"),
    [
        ("return error(model, test_loader)", "test"),
        ("return error(model, val_loader)", "validation"),
        ("return loss.item()", "training"),
        ("return other(trial)", None),
    ],
)
def test_what_an_objective_is_judged_by(result: str, on: str | None, facts_of: FactsOf) -> None:
    assert plain(facts_of(OBJECTIVE.format(result=result)).tuning.on) == on


FRAME = """
import numpy as np
from pandas import DataFrame, concat
from sklearn.preprocessing import MinMaxScaler
from sklearn.metrics import mean_squared_error
from tensorflow import keras

def supervised(data):
    df = DataFrame(data)
    agg = concat([df.shift(1), df.shift(0)], axis=1)
    agg.dropna(inplace=True)
    return agg

scaler = MinMaxScaler()
frame = supervised(scaler.fit_transform(load("series.csv").values))
frame.drop(frame.columns[[{dropped}]], axis=1, inplace=True)
values = frame.values
train, test = values[:5000, :], values[5000:, :]
train_X, train_y = train[:, :-1], train[:, -1]
test_X, test_y = test[:, :-1], test[:, -1]
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(train_X.reshape((-1, 1, 8)), train_y, epochs=5)
yhat = model.predict(test_X.reshape((-1, 1, 8)))
forecast = scaler.inverse_transform(np.concatenate((yhat, test_X[:, 1:]), axis=1))[:, 0]
actual = scaler.inverse_transform(np.concatenate((test_y.reshape(-1, 1), test_X[:, 1:]), axis=1))[:, 0]
print(np.sqrt(mean_squared_error(actual, forecast)))
"""


@pytest.mark.parametrize(
    ("dropped", "agree"),
    [
        ("9,10,11,12,13,14,15", True),  # of 8 variables, the first one is kept
        ("8,9,10,11,12,13,15", False),  # the seventh
        ("8,9,10,11,12,13,14", False),  # the last
        ("8,9,10", True),  # several are kept: nothing is concluded
    ],
)
def test_column_of_the_target_in_a_frame_of_two_steps(dropped: str, agree: bool, facts_of: FactsOf) -> None:
    (metric, *_) = items(facts_of(FRAME.format(dropped=dropped)).metrics)
    assert plain(metric.scales_agree) is agree


COLUMN = """
import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import mean_absolute_error
from tensorflow import keras
scaler = StandardScaler().fit(load("train"))
train, test = scaler.transform(load("train")), scaler.transform(load("test"))
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(train[:, None, :-1], train[:, {target}], epochs=5)
filled = np.concatenate((test[:, :-1], model.predict(test[:, None, :-1])), axis=1)
forecast = scaler.inverse_transform(filled)[:, {read}]
print("MAE", mean_absolute_error(scaler.inverse_transform(test)[:, {truth}], forecast))
"""


@pytest.mark.parametrize(
    ("target", "read", "truth", "agree"), [(-1, -1, -1, True), (-1, 0, -1, False), (2, 1, 1, False), (2, -1, -1, True)]
)
def test_columns_of_one_scaler(target: int, read: int, truth: int, agree: bool, facts_of: FactsOf) -> None:
    program = facts_of(COLUMN.format(target=target, read=read, truth=truth))
    assert plain(items(program.metrics)[0].scales_agree) is agree


BY_HAND = """
import numpy as np
from sklearn.preprocessing import {scaler}
from sklearn.metrics import mean_absolute_error
from tensorflow import keras
raw = np.load("series.npy")
mean, std, low, high = raw[:800].mean(), raw[:800].std(), raw[:800].min(), raw[:800].max()
scaled = {scaler}().fit(raw[:800]).transform(raw)
x, y = np.array([scaled[i : i + 9] for i in range(900)]), scaled[9:909]
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x[:700], y[:700])
print(mean_absolute_error(raw[809:909], model.predict(x[800:]) {back}))
"""


@pytest.mark.parametrize(
    ("scaler", "back", "agree"),
    [
        ("MinMaxScaler", "* (raw[:800].max() - raw[:800].min()) + low", True),
        ("MinMaxScaler", "* std + mean", False),
        ("StandardScaler", "* std + mean", True),
        ("StandardScaler", "* (raw[:800].max() - raw[:800].min()) + low", False),
    ],
)
def test_scaled_back_by_hand(scaler: str, back: str, agree: bool, facts_of: FactsOf) -> None:
    (metric,) = items(facts_of(BY_HAND.format(scaler=scaler, back=back)).metrics)
    assert plain(metric.scales_agree) is agree


BATCHES = """
import torch
from torch import nn
from torch.utils.data import DataLoader
lstm = nn.LSTM(4, 1, batch_first=True)
optimizer = torch.optim.Adam(lstm.parameters())
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
train, held_out = load(), load()
best = 1e9
for epoch in range(9):
    for x, y in DataLoader(train, 32):
        optimizer.zero_grad()
        nn.functional.mse_loss(lstm(x)[0], y).backward()
        optimizer.step()
    with torch.no_grad():
        for x, y in DataLoader(held_out, {size}):
            error = nn.functional.mse_loss(lstm(x)[0], y)
    {use}
"""


@pytest.mark.parametrize(
    ("size", "use", "last"),
    [
        ("32", "print('validation', error.item())", True),
        ("32", "scheduler.step(error)", True),
        ("32", "if error < best:\n        best = error\n        torch.save(lstm, 'best.pt')", True),
        ("len(held_out)", "scheduler.step(error)", False),
        ("32", "pass", False),
    ],
)
def test_value_of_the_last_batch(size: str, use: str, last: bool, facts_of: FactsOf) -> None:
    found = items(facts_of(BATCHES.format(size=size, use=use)).metrics)
    assert any(plain(metric.over) == "last-batch" for metric in found) is last


PROMISES = {
    "# for reproducibility": True,
    "x = 1  # fix the seed, to make the results reproducible": True,
    "# torch.manual_seed(1)    # reproducible": False,
    "# results are not reproducible on a GPU": False,
    "# seeds for reproducible experiments if necessary": False,
    "'reproducible'": False,
    "# a reproduction of the experiment": False,
}


@pytest.mark.parametrize("line", PROMISES)
def test_promises_of_comments(line: str, facts_of: FactsOf) -> None:
    promise = facts_of(KERAS + line + "\nmodel.fit(x_train, y_train)").reproducibility
    assert plain(promise) is PROMISES[line]
    assert not PROMISES[line] or (isinstance(promise, Known) and promise.at is not None and promise.at.line == 8)


@pytest.mark.parametrize(
    ("layers", "lost"),
    [
        ("Embedding(99, 8, mask_zero=True), Conv1D(8, 3), LSTM(8)", [1]),
        ("Masking(), Lambda(f), LSTM(8)", [1]),
        ("Masking(), Dropout(0.2), TimeDistributed(Dense(8)), LSTM(8, return_sequences=True), LSTM(8)", []),
        ("Embedding(99, 8), Conv1D(8, 3), LSTM(8)", []),
        ("Masking(), LSTM(8, return_sequences=True), Conv1D(8, 3)", []),
        ("Masking(), Lambda(f, mask=g), LSTM(8)", []),
        ("Masking(), Conv1D(8, 3), Masking(), LSTM(8)", []),
    ],
)
def test_masks_that_get_lost(layers: str, lost: list[int], facts_of: FactsOf) -> None:
    text = KERAS.replace("[LSTM(8), Dense(1)]", "[\n" + layers.replace("), ", "),\n") + ",\nDense(1)]")
    found = [
        edge
        for edge in items(facts_of(text + "model.fit(x_train, y_train)").graph)
        if plain(edge.via) == "mask-dropped"
    ]
    assert [edge.at.line - 7 for edge in found if edge.at] == lost
