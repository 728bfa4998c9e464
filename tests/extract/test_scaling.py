"""Scalers: was the data that they were fitted on split into training and held-out rows?

Each idiom comes as a leaking and a clean twin where both exist.
"""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Program, items, plain
from tests.extract.conftest import FactsOf

KERAS = """
from keras.models import Sequential
from keras.layers import LSTM, Dense
model = Sequential([LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
"""
FIT = KERAS + "model.fit(X_train, y_train, epochs=2)\n"
TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split, Subset
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8, batch_first=True)
        self.fc = nn.Linear(8, 1)
    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])
net = Net()
optimizer = torch.optim.Adam(net.parameters())
def train(loader):
    for x, y in loader:
        loss = ((net(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
HEAD = """
import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.model_selection import train_test_split
"""
WINDOWS = """
def windows(data, steps):
    X, y = [], []
    for i in range(len(data) - steps):
        X.append(data[i:i + steps])
        y.append(data[i + steps])
    return np.array(X), np.array(y)
"""

CASES: dict[str, tuple[bool, str]] = {
    # -- whole series, then a cut --------------------------------------------------------------------
    "fit_transform, then slices": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
scaler = MinMaxScaler()
scaled = scaler.fit_transform(df[["close"]].values)
n = int(len(scaled) * 0.8)
train, test = scaled[:n], scaled[n:]
X_train, y_train = windows(train, 10)
X_test, y_test = windows(test, 10)
""" + FIT),
    "a file beside the script": (True, HEAD + WINDOWS + """
from pathlib import Path
TRAIN = 240
series = np.loadtxt(Path(__file__).with_name("sunspots.csv"), delimiter=",", usecols=1).reshape(-1, 1)
scaled = MinMaxScaler().fit_transform(series)
X_train, y_train = windows(scaled[:TRAIN], 10)
X_test, y_test = windows(scaled[TRAIN - 10:], 10)
""" + FIT),
    "a file in a folder that is asked for": (True, HEAD + WINDOWS + """
import argparse
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("folder")
args = parser.parse_args()
series = pd.read_csv(Path(args.folder) / "prices.csv")["close"].values.reshape(-1, 1)
scaled = MinMaxScaler().fit_transform(series)
X_train, y_train = windows(scaled[:240], 10)
X_test, y_test = windows(scaled[240:], 10)
""" + FIT),
    "slices, then fit on the first": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
data = df[["close"]].values
n = int(len(data) * 0.8)
train, test = data[:n], data[n:]
scaler = MinMaxScaler()
train = scaler.fit_transform(train)
test = scaler.transform(test)
X_train, y_train = windows(train, 10)
""" + FIT),
    "fit on all, transform apart": (True, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv")["close"].values.reshape(-1, 1)
n = int(0.7 * len(data))
train, test = data[0:n, :], data[n:len(data), :]
scaler = StandardScaler().fit(data)
X_train, y_train = windows(scaler.transform(train), 10)
X_test, y_test = windows(scaler.transform(test), 10)
""" + FIT),
    "windows, then train_test_split": (True, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv").values
data = MinMaxScaler().fit_transform(data)
X, y = windows(data, 10)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
""" + FIT),
    "train_test_split, then fit": (False, HEAD + """
df = pd.read_csv("prices.csv")
X_train, X_test, y_train, y_test = train_test_split(df[["a", "b"]], df["y"], test_size=0.2, shuffle=False)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
X_train = X_train.reshape(-1, 1, 2)
""" + FIT),
    "train_test_split of rows after fit": (True, HEAD + """
df = pd.read_csv("prices.csv")
df[["a", "b"]] = StandardScaler().fit_transform(df[["a", "b"]])
train, test = train_test_split(df, test_size=0.2, shuffle=False)
X_train, y_train = train[["a", "b"]].values.reshape(-1, 1, 2), train["y"].values
""" + FIT),
    "negative bounds": (True, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv").values
scaled = MinMaxScaler().fit_transform(data)
X, y = windows(scaled, 10)
X_train, X_test = X[:-100], X[-100:]
y_train, y_test = y[:-100], y[-100:]
""" + FIT),
    "negative bounds, clean": (False, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv").values
train, test = data[:-100], data[-100:]
sc = MinMaxScaler()
X_train, y_train = windows(sc.fit_transform(train), 10)
X_test, y_test = windows(sc.transform(test), 10)
""" + FIT),
    "test keeps a window of the training rows": (True, HEAD + """
data = pd.read_csv("prices.csv").filter(["Close"])
dataset = data.values
training_data_len = int(np.ceil(len(dataset) * .95))
scaler = MinMaxScaler(feature_range=(0, 1))
scaled_data = scaler.fit_transform(dataset)
train_data = scaled_data[0:int(training_data_len), :]
x_train, y_train = [], []
for i in range(60, len(train_data)):
    x_train.append(train_data[i-60:i, 0])
    y_train.append(train_data[i, 0])
X_train, y_train = np.array(x_train), np.array(y_train)
X_train = np.reshape(X_train, (X_train.shape[0], X_train.shape[1], 1))
test_data = scaled_data[training_data_len - 60:, :]
""" + FIT),
    "test keeps a window of the training rows, clean": (False, HEAD + """
data = pd.read_csv("prices.csv").filter(["Close"]).values
n = int(np.ceil(len(data) * .95))
scaler = MinMaxScaler(feature_range=(0, 1))
train_data = scaler.fit_transform(data[:n])
test_data = scaler.transform(data[n - 60:])
x_train, y_train = [], []
for i in range(60, len(train_data)):
    x_train.append(train_data[i-60:i, 0])
    y_train.append(train_data[i, 0])
X_train, y_train = np.array(x_train), np.array(y_train)
""" + FIT),
    "training file and test file": (False, HEAD + """
dataset_train = pd.read_csv("Google_Stock_Price_Train.csv")
training_set = dataset_train.iloc[:, 1:2].values
sc = MinMaxScaler(feature_range=(0, 1))
training_set_scaled = sc.fit_transform(training_set)
X_train, y_train = [], []
for i in range(60, 1258):
    X_train.append(training_set_scaled[i-60:i, 0])
    y_train.append(training_set_scaled[i, 0])
X_train, y_train = np.array(X_train), np.array(y_train)
X_train = np.reshape(X_train, (X_train.shape[0], X_train.shape[1], 1))
""" + FIT + """
dataset_test = pd.read_csv("Google_Stock_Price_Test.csv")
dataset_total = pd.concat((dataset_train["Open"], dataset_test["Open"]), axis=0)
inputs = dataset_total[len(dataset_total) - len(dataset_test) - 60:].values.reshape(-1, 1)
inputs = sc.transform(inputs)
"""),
    "fitted again for a forecast after the training": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
train = pd.DataFrame(df["Close"][0:int(len(df) * 0.70)])
test = pd.DataFrame(df["Close"][int(len(df) * 0.70):int(len(df))])
scaler = MinMaxScaler()
X_train, y_train = windows(scaler.fit_transform(train), 100)
""" + FIT + """
final = pd.concat([train.tail(100), test], ignore_index=True)
inputs = scaler.fit_transform(final)
model.predict(inputs)
"""),
    "both files joined before the fit": (True, HEAD + """
train = pd.read_csv("train.csv")
n = len(train)
whole = pd.concat([train, pd.read_csv("test.csv")])
whole = MinMaxScaler().fit_transform(whole)
X_train, X_test = whole[:n], whole[n:]
y_train = X_train
""" + FIT),
    "iloc": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv", index_col="date")
df["close"] = MinMaxScaler().fit_transform(df[["close"]])
size = int(len(df) * 0.9)
train, test = df.iloc[0:size], df.iloc[size:len(df)]
X_train, y_train = windows(train[["close"]].values, 30)
""" + FIT),
    "iloc, clean": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv", index_col="date")
size = int(len(df) * 0.9)
train, test = df.iloc[0:size], df.iloc[size:len(df)]
scaler = MinMaxScaler()
scaler = scaler.fit(train[["close"]])
train["close"] = scaler.transform(train[["close"]])
test["close"] = scaler.transform(test[["close"]])
X_train, y_train = windows(train[["close"]].values, 30)
""" + FIT),
    "dates as bounds": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv", index_col=0, parse_dates=True)
df[["close"]] = MinMaxScaler().fit_transform(df[["close"]])
train, test = df[:"2018-12-31"], df["2019-01-01":]
X_train, y_train = windows(train.values, 30)
""" + FIT),
    "dates as bounds, clean": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv", index_col=0, parse_dates=True)
train, test = df.loc[:"2018"], df.loc["2019":]
scaler = StandardScaler()
X_train, y_train = windows(scaler.fit_transform(train), 30)
X_test, y_test = windows(scaler.transform(test), 30)
""" + FIT),
    "masks": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
df["close"] = StandardScaler().fit_transform(df[["close"]])
train = df[df["date"] < "2019-01-01"]
test = df[df["date"] >= "2019-01-01"]
X_train, y_train = windows(train["close"].values, 30)
""" + FIT),
    "masks, clean": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
df_train = df[df["user"] <= 30]
df_test = df[df["user"] > 30]
scaler = StandardScaler().fit(df_train[["x"]])
df_train.loc[:, ["x"]] = scaler.transform(df_train[["x"]])
df_test.loc[:, ["x"]] = scaler.transform(df_test[["x"]])
X_train, y_train = windows(df_train["x"].values, 30)
""" + FIT),
    "helper that splits": (True, HEAD + WINDOWS + """
def split(data, share):
    n = int(data.shape[0] * share)
    return data[:n], data[n:]
data = np.load("series.npy")
data = MinMaxScaler().fit_transform(data)
train, test = split(data, 0.8)
X_train, y_train = windows(train, 10)
""" + FIT),
    "helper that splits, clean": (False, HEAD + WINDOWS + """
def split(data, share):
    n = int(data.shape[0] * share)
    return data[:n], data[n:]
def scale(train, test):
    scaler = MinMaxScaler()
    return scaler.fit_transform(train), scaler.transform(test)
data = np.load("series.npy")
train, test = scale(*split(data, 0.8))
X_train, y_train = windows(train, 10)
""" + FIT),
    "helper that scales and returns the scaler": (True, HEAD + WINDOWS + """
def load(path):
    values = pd.read_csv(path).values.astype("float32")
    scaler = MinMaxScaler(feature_range=(0, 1))
    return scaler.fit_transform(values), scaler
dataset, scaler = load("airline.csv")
train_size = int(len(dataset) * 0.67)
test_size = len(dataset) - train_size
train, test = dataset[0:train_size, :], dataset[train_size:len(dataset), :]
X_train, y_train = windows(train, 3)
X_test, y_test = windows(test, 3)
""" + FIT),
    "only validation_split": (True, HEAD + WINDOWS + """
data = MinMaxScaler().fit_transform(pd.read_csv("prices.csv"))
X, y = windows(data, 10)
""" + KERAS + "model.fit(X, y, validation_split=0.2)\n"),
    "validation_split inside the training part": (False, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv").values
n = int(len(data) * 0.8)
train, test = data[:n], data[n:]
scaler = MinMaxScaler().fit(train)
X, y = windows(scaler.transform(train), 10)
""" + KERAS + "model.fit(X, y, validation_split=0.2)\n"),
    "column by column": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
scalers = {}
for column in ["open", "close"]:
    scaler = MinMaxScaler()
    df[column] = scaler.fit_transform(np.expand_dims(df[column].values, axis=1))
    scalers[column] = scaler
X, y = windows(df[["open", "close"]].values, 10)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
""" + FIT),
    "two scalers, one leaks": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
n = int(len(df) * 0.8)
y = MinMaxScaler().fit_transform(df[["y"]])
x_scaler = MinMaxScaler().fit(df[["x"]][:n])
X = x_scaler.transform(df[["x"]])
X_train, y_train = X[:n], y[:n]
X_test, y_test = X[n:], y[n:]
""" + FIT),
    "indices drawn at random": (True, HEAD + WINDOWS + """
X, y = windows(StandardScaler().fit_transform(np.loadtxt("a.txt")), 10)
idx = np.random.permutation(len(X))
n = int(0.8 * len(X))
X_train, X_test = X[idx[:n]], X[idx[n:]]
y_train, y_test = y[idx[:n]], y[idx[n:]]
""" + FIT),
    "TimeSeriesSplit": (True, HEAD + """
from sklearn.model_selection import TimeSeriesSplit
X = StandardScaler().fit_transform(pd.read_csv("a.csv"))
for train_index, test_index in TimeSeriesSplit(n_splits=5).split(X):
    X_train, X_test = X[train_index], X[test_index]
    y_train = X_train
""" + FIT.replace("\n", "\n    ")),
    "TimeSeriesSplit, clean": (False, HEAD + """
from sklearn.model_selection import TimeSeriesSplit
X = pd.read_csv("a.csv").values
for train_index, test_index in TimeSeriesSplit(n_splits=5).split(X):
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X[train_index])
    X_test = scaler.transform(X[test_index])
    y_train = X_train
""" + FIT.replace("\n", "\n    ")),
    # -- by hand -------------------------------------------------------------------------------------
    "mean and std of all": (True, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv")["close"].values
data = (data - np.mean(data)) / np.std(data)
n = int(len(data) * 0.8)
X_train, y_train = windows(data[:n], 10)
X_test, y_test = windows(data[n:], 10)
""" + FIT),
    "mean and std of the training rows": (False, HEAD + WINDOWS + """
data = pd.read_csv("prices.csv").values
n = int(len(data) * 0.8)
mean = data[:n].mean(axis=0)
data -= mean
std = data[:n].std(axis=0)
data /= std
X_train, y_train = windows(data[:n], 10)
X_test, y_test = windows(data[n:], 10)
""" + FIT),
    "statistics of the training frame": (False, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
n = len(df)
train_df = df[0:int(n * 0.7)]
val_df = df[int(n * 0.7):int(n * 0.9)]
test_df = df[int(n * 0.9):]
train_mean = train_df.mean()
train_std = train_df.std()
train_df = (train_df - train_mean) / train_std
val_df = (val_df - train_mean) / train_std
test_df = (test_df - train_mean) / train_std
X_train, y_train = windows(train_df.values, 10)
""" + FIT),
    "min and max of all": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
df = (df - df.min()) / (df.max() - df.min())
train, test = train_test_split(df, test_size=0.2, shuffle=False)
X_train, y_train = windows(train.values, 10)
""" + FIT),
    "divided by the largest": (True, HEAD + WINDOWS + """
series = np.load("a.npy")
series = series / np.max(series)
X, y = windows(series, 10)
split = int(len(X) * 0.8)
X_train, X_test = X[:split], X[split:]
y_train, y_test = y[:split], y[split:]
""" + FIT),
    "own scaler class": (True, HEAD + WINDOWS + """
class Scaler:
    def fit(self, data):
        self.mean = data.mean(0)
        self.std = data.std(0)
    def transform(self, data):
        return (data - self.mean) / self.std
data = np.load("a.npy")
scaler = Scaler()
scaler.fit(data)
data = scaler.transform(data)
n = int(len(data) * 0.8)
X_train, y_train = windows(data[:n], 10)
X_test, y_test = windows(data[n:], 10)
""" + FIT),
    "own scaler class, clean": (False, HEAD + WINDOWS + """
class Scaler:
    def fit(self, data):
        self.mean = data.mean(0)
        self.std = data.std(0)
    def transform(self, data):
        return (data - self.mean) / self.std
data = np.load("a.npy")
n = int(len(data) * 0.8)
scaler = Scaler()
scaler.fit(data[:n])
X_train, y_train = windows(scaler.transform(data[:n]), 10)
X_test, y_test = windows(scaler.transform(data[n:]), 10)
""" + FIT),
    "preprocessing.scale": (True, HEAD + WINDOWS + """
from sklearn import preprocessing
df = pd.read_csv("prices.csv")
df["close"] = preprocessing.scale(df["close"].values)
last_5pct = sorted(df.index.values)[-int(0.05 * len(df))]
validation = df[(df.index >= last_5pct)]
train = df[(df.index < last_5pct)]
X_train, y_train = windows(train.values, 10)
""" + FIT),
    "apply with a lambda": (True, HEAD + WINDOWS + """
df = pd.read_csv("prices.csv")
df = df.apply(lambda x: (x - x.mean()) / x.std())
n = int(len(df) * 0.8)
X_train, y_train = windows(df[:n].values, 10)
X_test, y_test = windows(df[n:].values, 10)
""" + FIT),
    # -- PyTorch --------------------------------------------------------------------------------------
    "random_split of a dataset that scales itself": (True, HEAD + TORCH + """
class Prices(Dataset):
    def __init__(self, path, steps):
        values = pd.read_csv(path)[["close"]].values
        self.data = MinMaxScaler().fit_transform(values)
        self.steps = steps
    def __len__(self):
        return len(self.data) - self.steps
    def __getitem__(self, i):
        return self.data[i:i + self.steps], self.data[i + self.steps]
dataset = Prices("prices.csv", 10)
n = int(len(dataset) * 0.8)
train_set, test_set = random_split(dataset, [n, len(dataset) - n])
train(DataLoader(train_set, batch_size=8, shuffle=True))
"""),
    "a dataset that cuts what it scaled": (True, HEAD + TORCH + """
class Prices(Dataset):
    def __init__(self, path, training=True):
        values = np.array(pd.read_csv(path)["close"])
        values = (values - np.mean(values)) / np.std(values)
        n = int(0.8 * len(values))
        self.data = values[:n] if training else values[n:]
    def __len__(self):
        return len(self.data) - 10
    def __getitem__(self, i):
        return self.data[i:i + 10], self.data[i + 10]
train(DataLoader(Prices("prices.csv"), batch_size=8, shuffle=True))
test_loader = DataLoader(Prices("prices.csv", training=False), batch_size=8)
"""),
    "a dataset that is given one part": (False, HEAD + TORCH + """
class Prices(Dataset):
    def __init__(self, values):
        self.data = values
    def __len__(self):
        return len(self.data) - 10
    def __getitem__(self, i):
        return self.data[i:i + 10], self.data[i + 10]
values = pd.read_csv("prices.csv")[["close"]].values
n = int(0.8 * len(values))
scaler = StandardScaler()
train_values = scaler.fit_transform(values[:n])
test_values = scaler.transform(values[n:])
train(DataLoader(Prices(train_values), batch_size=8, shuffle=True))
test_loader = DataLoader(Prices(test_values), batch_size=8)
"""),
    "borders by set type": (False, HEAD + TORCH + """
class Hours(Dataset):
    def __init__(self, path, flag="train", size=96):
        kind = {"train": 0, "val": 1, "test": 2}[flag]
        df = pd.read_csv(path)
        scaler = StandardScaler()
        num_train = int(len(df) * 0.7)
        num_test = int(len(df) * 0.2)
        num_vali = len(df) - num_train - num_test
        border1s = [0, num_train - size, len(df) - num_test - size]
        border2s = [num_train, num_train + num_vali, len(df)]
        train_data = df[border1s[0]:border2s[0]]
        scaler.fit(train_data.values)
        data = scaler.transform(df.values)
        self.data = data[border1s[kind]:border2s[kind]]
    def __len__(self):
        return len(self.data) - 96
    def __getitem__(self, i):
        return self.data[i:i + 96], self.data[i + 96]
train(DataLoader(Hours("a.csv"), batch_size=8, shuffle=True))
val_loader = DataLoader(Hours("a.csv", "val"), batch_size=8)
"""),
    "tensors, then slices": (True, HEAD + TORCH + WINDOWS + """
data = torch.tensor(np.loadtxt("a.txt"))
data = (data - data.mean()) / data.std()
X, y = windows(data, 10)
n = int(0.8 * len(X))
train_set = TensorDataset(X[:n], y[:n])
test_set = TensorDataset(X[n:], y[n:])
train(DataLoader(train_set, batch_size=8))
"""),
    # -- more ways to write the same --------------------------------------------------------------------
    "class loader with split attr": (True, HEAD+WINDOWS+"""
class DataLoader_():
    def __init__(self, path, split):
        df = pd.read_csv(path)
        self.scaler = MinMaxScaler()
        self.data = self.scaler.fit_transform(df[["close"]])
        self.split = int(len(self.data) * split)
    def train(self):
        return windows(self.data[:self.split], 10)
    def test(self):
        return windows(self.data[self.split:], 10)
d = DataLoader_("a.csv", 0.8)
X_train, y_train = d.train()
X_test, y_test = d.test()
"""+FIT),
    "class loader clean": (False, HEAD+WINDOWS+"""
class DataLoader_():
    def __init__(self, path, split):
        df = pd.read_csv(path)
        n = int(len(df) * split)
        self.scaler = MinMaxScaler()
        self.train_data = self.scaler.fit_transform(df[["close"]][:n])
        self.test_data = self.scaler.transform(df[["close"]][n:])
    def train(self):
        return windows(self.train_data, 10)
    def test(self):
        return windows(self.test_data, 10)
d = DataLoader_("a.csv", 0.8)
X_train, y_train = d.train()
X_test, y_test = d.test()
"""+FIT),
    "list comprehension windows": (True, HEAD+"""
s = pd.read_csv("a.csv", squeeze=True)
v = MinMaxScaler((-1, 1)).fit_transform(s.values.reshape(-1, 1)).flatten()
X = np.array([v[i:i+12] for i in range(len(v)-12)])
y = v[12:]
X_train, X_test, y_train, y_test = X[:-24], X[-24:], y[:-24], y[-24:]
X_train = X_train[..., None]
"""+FIT),
    "train_test_split with random_state then stacked": (True, HEAD+WINDOWS+"""
df = pd.read_excel("a.xlsx").dropna()
cols = list(df)[1:6]
df_for_training = df[cols].astype(float)
scaler = StandardScaler()
scaler = scaler.fit(df_for_training)
df_for_training_scaled = scaler.transform(df_for_training)
trainX, trainY = [], []
n_future, n_past = 1, 14
for i in range(n_past, len(df_for_training_scaled) - n_future + 1):
    trainX.append(df_for_training_scaled[i - n_past:i, 0:df_for_training.shape[1]])
    trainY.append(df_for_training_scaled[i + n_future - 1:i + n_future, 0])
X_train, y_train = np.array(trainX), np.array(trainY)
"""+KERAS+"model.fit(X_train, y_train, epochs=5, batch_size=16, validation_split=0.1)\n"),
    "walk forward supervised": (False, HEAD+"""
def timeseries_to_supervised(data, lag=1):
    df = pd.DataFrame(data)
    columns = [df.shift(i) for i in range(1, lag+1)]
    columns.append(df)
    df = pd.concat(columns, axis=1)
    df.fillna(0, inplace=True)
    return df
def difference(dataset, interval=1):
    diff = list()
    for i in range(interval, len(dataset)):
        diff.append(dataset[i] - dataset[i - interval])
    return pd.Series(diff)
def scale(train, test):
    scaler = MinMaxScaler(feature_range=(-1, 1))
    scaler = scaler.fit(train)
    train = train.reshape(train.shape[0], train.shape[1])
    train_scaled = scaler.transform(train)
    test = test.reshape(test.shape[0], test.shape[1])
    test_scaled = scaler.transform(test)
    return scaler, train_scaled, test_scaled
series = pd.read_csv('shampoo.csv', header=0)
raw_values = series.values
diff_values = difference(raw_values, 1)
supervised = timeseries_to_supervised(diff_values, 1)
supervised_values = supervised.values
train, test = supervised_values[0:-12], supervised_values[-12:]
scaler, train_scaled, test_scaled = scale(train, test)
X_train, y_train = train_scaled[:, 0:-1], train_scaled[:, -1]
X_train = X_train.reshape(X_train.shape[0], 1, X_train.shape[1])
"""+FIT),
    "TimeseriesGenerator clean": (False, HEAD+"""
from keras.preprocessing.sequence import TimeseriesGenerator
df = pd.read_csv("milk.csv", index_col="Date", parse_dates=True)
train = df.iloc[:156]
test = df.iloc[156:]
scaler = MinMaxScaler()
scaler.fit(train)
scaled_train = scaler.transform(train)
scaled_test = scaler.transform(test)
generator = TimeseriesGenerator(scaled_train, scaled_train, length=12, batch_size=1)
"""+KERAS+"model.fit(generator, epochs=5)\n"),
    "groups of stocks": (True, HEAD+WINDOWS+"""
frames = []
for name in ["a.csv", "b.csv"]:
    df = pd.read_csv(name)
    df["x"] = MinMaxScaler().fit_transform(df[["x"]])
    frames.append(df)
data = pd.concat(frames)
X, y = windows(data["x"].values, 10)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.1)
"""+FIT),
    "scaler dict per column, split by index": (True, HEAD+WINDOWS+"""
df = pd.read_csv("a.csv", index_col=0)
mu, sd = df.mean(), df.std()
norm = (df - mu) / sd
cut = int(.8 * len(norm))
X_train, y_train = windows(norm.iloc[:cut].values, 24)
X_val, y_val = windows(norm.iloc[cut:].values, 24)
"""+FIT),
    "loc dates mean of train": (False, HEAD+WINDOWS+"""
df = pd.read_csv("a.csv", index_col=0)
train = df.loc[:'2017-12-31']
valid = df.loc['2018-01-01':]
mu, sd = train.mean(), train.std()
train = (train - mu) / sd
valid = (valid - mu) / sd
X_train, y_train = windows(train.values, 24)
X_val, y_val = windows(valid.values, 24)
"""+FIT),
    "np.split": (True, HEAD+WINDOWS+"""
data = np.load("a.npy")
data = StandardScaler().fit_transform(data)
train, val, test = np.split(data, [int(.6*len(data)), int(.8*len(data))])
X_train, y_train = windows(train, 24)
"""+FIT),
    "sample frac": (False, HEAD+"""
df = pd.read_csv("a.csv")
train = df.sample(frac=0.8, random_state=0)
test = df.drop(train.index)
sc = StandardScaler().fit(train)
X_train = sc.transform(train).reshape(-1, 1, 4)
X_test = sc.transform(test).reshape(-1, 1, 4)
y_train = X_train
"""+FIT),
    "scale train and test apart, wrong but no leak": (False, HEAD+"""
df = pd.read_csv("a.csv").values
X_train, X_test, y_train, y_test = train_test_split(df[:, 1:], df[:, 0])
X_train = MinMaxScaler().fit_transform(X_train)
X_test = MinMaxScaler().fit_transform(X_test)
X_train = X_train[:, None]
"""+FIT),
    "two files both": (False, HEAD+WINDOWS+"""
train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
sc = StandardScaler()
X_train, y_train = windows(sc.fit_transform(train), 10)
X_test, y_test = windows(sc.transform(test), 10)
"""+FIT),
    "function returning many": (True, HEAD+"""
def get_data(ticker, window=50):
    df = pd.read_csv(ticker)
    scaler = MinMaxScaler()
    df["p"] = scaler.fit_transform(df[["p"]])
    vals = df["p"].values
    X = []
    for i in range(len(vals) - window):
        X.append(vals[i:i+window+1])
    X = np.array(X)
    row = round(0.9 * X.shape[0])
    train = X[:int(row), :]
    np.random.shuffle(train)
    x_train, y_train = train[:, :-1], train[:, -1]
    x_test, y_test = X[int(row):, :-1], X[int(row):, -1]
    return [x_train, y_train, x_test, y_test], scaler
(X_train, y_train, X_test, y_test), scaler = get_data("a.csv")
"""+FIT),
    "split first but fit on full": (True, HEAD+WINDOWS+"""
df = pd.read_csv("a.csv")[["x"]]
train_size = int(len(df)*.8)
train, test = df[:train_size], df[train_size:]
sc = MinMaxScaler()
sc.fit(df)
X_train, y_train = windows(sc.transform(train), 10)
X_test, y_test = windows(sc.transform(test), 10)
"""+FIT),
    "pipeline": (True, HEAD+"""
from sklearn.pipeline import Pipeline
pipe = Pipeline([("sc", StandardScaler())])
df = pd.read_csv("a.csv")
X = pipe.fit_transform(df.drop("y", axis=1))
X_train, X_test, y_train, y_test = train_test_split(X.reshape(-1, 1, 5), df["y"])
"""+FIT),
    "normalization layer": (False, HEAD+"""
import keras
X_train, X_test, y_train, y_test = train_test_split(np.load("x.npy"), np.load("y.npy"))
norm = keras.layers.Normalization()
norm.adapt(X_train)
from keras.models import Sequential
from keras.layers import LSTM, Dense
model = Sequential([norm, LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(X_train, y_train)
"""),
    "min max by train slice, three way": (False, HEAD+WINDOWS+"""
v = pd.read_csv("a.csv")["x"].values
n = len(v)
tr, va, te = v[:int(n*.7)], v[int(n*.7):int(n*.9)], v[int(n*.9):]
lo, hi = tr.min(), tr.max()
tr, va, te = (tr-lo)/(hi-lo), (va-lo)/(hi-lo), (te-lo)/(hi-lo)
X_train, y_train = windows(tr, 10)
"""+FIT),
    # -- not before a split ---------------------------------------------------------------------------
    "each window by itself": (False, HEAD + """
data = pd.read_csv("prices.csv").values
X, y = [], []
for i in range(len(data) - 50):
    window = data[i:i + 50]
    window = (window - window.mean()) / window.std()
    X.append(window[:-1])
    y.append(window[-1])
X, y = np.array(X), np.array(y)
n = int(0.8 * len(X))
X_train, X_test = X[:n], X[n:]
y_train, y_test = y[:n], y[n:]
""" + FIT),
}  # fmt: skip


def leaks(program: Program) -> list[object]:
    """What is said of each scaler."""
    return [plain(s.fit_before_split) for s in items(program.scaling)]


@pytest.mark.parametrize("name", CASES)
def test_fit_before_split(name: str, facts_of: FactsOf) -> None:
    expected, text = CASES[name]
    found = leaks(facts_of(text))
    assert found
    assert any(found) == expected
    assert None not in found


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "X_train = np.load('x.npy') / 255.0\ny_train = np.load('y.npy')\n" + FIT,
        HEAD + "X_train, y_train = np.load('x.npy'), np.load('y.npy')\n" + FIT
        + "rmse = np.sqrt(((model.predict(X_train) - y_train) ** 2).mean()) / (y_train.max() - y_train.min())\n",
        HEAD + "X_train, y_train = np.load('x.npy'), np.load('y.npy')\n" + FIT
        + "from sklearn.metrics import mean_squared_error\n"
        + "error = mean_squared_error(y_train, model.predict(X_train)) / np.std(y_train)\n",
        HEAD + "from sklearn.preprocessing import LabelEncoder\n"
        + "y = LabelEncoder().fit_transform(np.load('y.npy'))\nX = np.load('x.npy')\n"
        + "X_train, X_test, y_train, y_test = train_test_split(X, y)\n" + FIT,
    ],
)  # fmt: skip
def test_no_scaler(text: str, facts_of: FactsOf) -> None:
    assert facts_of(text).scaling == ()


def test_what_is_said(facts_of: FactsOf) -> None:
    (one,) = items(facts_of(CASES["fit_transform, then slices"][1]).scaling)
    assert plain(one.scaler) == "MinMaxScaler"
    assert plain(one.fit_on) == "all"
    assert one.at is not None
    assert one.at.line == 16


def test_pieces_scaled_by_themselves_are_not_judged(facts_of: FactsOf) -> None:
    text = (
        HEAD
        + "import glob\nX = []\nfor file in glob.glob('*.npy'):\n    x = np.load(file)\n"
        + "    X.append((x - x.mean()) / x.std())\n"
        + "X_train, X_test = train_test_split(np.array(X))\ny_train = X_train\n"
        + FIT
    )
    assert leaks(facts_of(text)) == [None]


def test_a_sample_scaled_by_itself(facts_of: FactsOf) -> None:
    text = (
        TORCH
        + HEAD
        + """
class Sounds(Dataset):
    def __init__(self, files):
        self.files = files
    def __len__(self):
        return len(self.files)
    def __getitem__(self, i):
        x = np.load(self.files[i])
        return x / np.abs(x).max(), 0
sounds = Sounds(open("files.txt").readlines())
train_set, test_set = random_split(sounds, [80, 20])
train(DataLoader(train_set, 8))
"""
    )
    assert leaks(facts_of(text)) == [False]


def test_unknown_split_is_not_guessed(facts_of: FactsOf) -> None:
    text = HEAD + "X_train = MinMaxScaler().fit_transform(np.load('x.npy'))\ny_train = np.load('y.npy')\n" + FIT
    assert leaks(facts_of(text)) == [None]
