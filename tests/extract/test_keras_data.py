"""Keras: batch size, time steps and order where `fit` does not say them, by idiom."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import plain
from tests.extract.conftest import FactsOf

HEAD = """
import random
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.models import Sequential, Model
from tensorflow.keras.layers import *
"""
MODEL = """
model = Sequential([LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
"""
WINDOWS = """
def windows(data, steps):
    X, y = [], []
    for i in range(len(data) - steps):
        X.append(data[i:i + steps])
        y.append(data[i + steps])
    return np.array(X), np.array(y)
"""

CASES: dict[str, tuple[object, object, object, str]] = {
    # -- arrays --------------------------------------------------------------------------------------
    "windows from a helper": (32, 10, True, WINDOWS + """
data = pd.read_csv("a.csv")[["x"]].values
X, y = windows(data, 10)
model = Sequential()
model.add(LSTM(50, input_shape=(X.shape[1], X.shape[2])))
model.add(Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(X, y, epochs=5)
"""),
    "windows counted backwards": (32, 60, True, """
training_set = pd.read_csv("a.csv").iloc[:, 1:2].values
X_train, y_train = [], []
for i in range(60, 2035):
    X_train.append(training_set[i-60:i, 0])
    y_train.append(training_set[i, 0])
X_train, y_train = np.array(X_train), np.array(y_train)
X_train = np.reshape(X_train, (X_train.shape[0], X_train.shape[1], 1))
regressor = Sequential()
regressor.add(LSTM(units=50, return_sequences=True, input_shape=(X_train.shape[1], 1)))
regressor.add(Dropout(0.2))
regressor.add(LSTM(units=50))
regressor.add(Dense(units=1))
regressor.compile(optimizer="adam", loss="mean_squared_error")
regressor.fit(X_train, y_train, epochs=100, batch_size=32)
"""),
    "one step after a reshape": (1, 1, True, """
def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset)-look_back-1):
        a = dataset[i:(i+look_back), 0]
        dataX.append(a)
        dataY.append(dataset[i + look_back, 0])
    return np.array(dataX), np.array(dataY)
dataset = pd.read_csv("airline.csv", usecols=[1]).values
look_back = 3
trainX, trainY = create_dataset(dataset, look_back)
trainX = np.reshape(trainX, (trainX.shape[0], 1, trainX.shape[1]))
model = Sequential()
model.add(LSTM(4, input_shape=(1, look_back)))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(trainX, trainY, epochs=100, batch_size=1, verbose=2)
"""),
    "batch_input_shape": (1, 3, False, """
look_back, batch_size = 3, 1
X, y = np.load("x.npy"), np.load("y.npy")
model = Sequential()
model.add(LSTM(4, batch_input_shape=(batch_size, look_back, 1), stateful=True))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
for i in range(100):
    model.fit(X, y, epochs=1, batch_size=batch_size, shuffle=False)
    model.reset_states()
"""),
    "input layer": (32, 24, True, """
model = Sequential([Input(shape=(24, 3)), Bidirectional(LSTM(8)), Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(np.load("x.npy"), np.load("y.npy"))
"""),
    "functional model": (32, 24, True, """
inputs = keras.Input((24, 3))
x = Dropout(0.1)(inputs)
x = LSTM(8, return_sequences=True)(x)
x = LSTM(8)(x)
model = Model(inputs, Dense(1)(x))
model.compile(loss="mse", optimizer="adam")
model.fit(np.load("x.npy"), np.load("y.npy"))
"""),
    "input of any length": (32, 12, True, """
X = np.zeros((100, 12, 3))
inputs = keras.Input(shape=(None, 3))
model = Model(inputs, Dense(1)(LSTM(8)(inputs)))
model.compile(loss="mse", optimizer="adam")
model.fit(X, X[:, 0, 0])
"""),
    "padded ids": (128, 500, True, """
from keras.preprocessing import sequence
from keras.datasets import imdb
max_review_length = 500
(X_train, y_train), (X_test, y_test) = imdb.load_data(num_words=5000)
X_train = sequence.pad_sequences(X_train, maxlen=max_review_length)
model = Sequential()
model.add(Embedding(5000, 32, input_length=max_review_length))
model.add(LSTM(100))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(X_train, y_train, epochs=3, batch_size=128)
"""),
    "padded ids, embedding without a length": (32, 200, True, """
(x_train, y_train), _ = keras.datasets.imdb.load_data(num_words=20000)
x_train = keras.utils.pad_sequences(x_train, maxlen=200)
inputs = keras.Input(shape=(None,), dtype="int32")
x = Embedding(20000, 128)(inputs)
x = Bidirectional(LSTM(64, return_sequences=True))(x)
x = Bidirectional(LSTM(64))(x)
model = keras.Model(inputs, Dense(1, activation="sigmoid")(x))
model.compile("adam", "binary_crossentropy")
model.fit(x_train, y_train, batch_size=32, epochs=2)
"""),
    "behind a convolution": (30, 24, True, """
model = Sequential()
model.add(Embedding(1000, 128, input_length=100))
model.add(Dropout(0.25))
model.add(Conv1D(64, 5, padding="valid", activation="relu", strides=1))
model.add(MaxPooling1D(pool_size=4))
model.add(LSTM(70))
model.add(Dense(1))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(np.load("x.npy"), np.load("y.npy"), batch_size=30)
"""),
    "text cut into pieces": (128, 40, True, """
text = open("nietzsche.txt").read().lower()
chars = sorted(list(set(text)))
maxlen, step = 40, 3
sentences = []
for i in range(0, len(text) - maxlen, step):
    sentences.append(text[i: i + maxlen])
x = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
model = Sequential()
model.add(LSTM(128, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop")
model.fit(x, y, batch_size=128, epochs=60)
"""),
    "subclassed model": (16, 12, True, """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.lstm = LSTM(8)
        self.out = Dense(1)
    def call(self, x):
        return self.out(self.lstm(x))
X = np.zeros((100, 12, 3))
model = Net()
model.compile(loss="mse", optimizer="adam")
model.fit(X, X[:, 0, 0], batch_size=16)
"""),
    "rows of images": (64, 28, True, """
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
model = Sequential([LSTM(64, input_shape=(None, 28)), Dense(10)])
model.compile(loss="mse", optimizer="adam")
model.fit(x_train, y_train, batch_size=64)
"""),
    "pixels of images": (32, 784, True, """
(x_train, y_train), _ = keras.datasets.mnist.load_data()
x_train = x_train.reshape(x_train.shape[0], -1, 1)
model = Sequential()
model.add(SimpleRNN(100, input_shape=x_train.shape[1:]))
model.add(Dense(10))
model.compile(loss="mse", optimizer="adam")
model.fit(x_train, y_train, batch_size=32)
"""),
    # -- pipelines -----------------------------------------------------------------------------------
    "tf.data of tensors": (64, 12, True, """
X = np.zeros((100, 12, 3))
ds = tf.data.Dataset.from_tensor_slices((X, X[:, 0, 0])).shuffle(1000).batch(64).prefetch(1)
""" + MODEL + "model.fit(ds, epochs=3)\n"),
    "tf.data in order": (64, 12, False, """
X = np.zeros((100, 12, 3))
ds = tf.data.Dataset.from_tensor_slices((X, X[:, 0, 0]))
ds = ds.batch(batch_size=64, drop_remainder=True)
""" + MODEL + "model.fit(ds, epochs=3)\n"),
    "windows of tf.data": (32, 20, True, """
def windowed_dataset(series, window_size, batch_size, shuffle_buffer):
    dataset = tf.data.Dataset.from_tensor_slices(series)
    dataset = dataset.window(window_size + 1, shift=1, drop_remainder=True)
    dataset = dataset.flat_map(lambda window: window.batch(window_size + 1))
    dataset = dataset.shuffle(shuffle_buffer).map(lambda window: (window[:-1], window[-1]))
    return dataset.batch(batch_size).prefetch(1)
series = np.load("sunspots.npy")
window_size = 20
train_set = windowed_dataset(series, window_size, batch_size=32, shuffle_buffer=1000)
model = Sequential([Lambda(lambda x: tf.expand_dims(x, axis=-1), input_shape=[None]), LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(train_set, epochs=3)
"""),
    "timeseries_dataset_from_array": (256, 120, False, """
past, step = 720, 6
sequence_length = int(past / step)
x_train = pd.read_csv("climate.csv").values
dataset_train = keras.preprocessing.timeseries_dataset_from_array(
    x_train, x_train, sequence_length=sequence_length, sampling_rate=step, batch_size=256)
for batch in dataset_train.take(1):
    inputs, targets = batch
inputs = keras.layers.Input(shape=(inputs.shape[1], inputs.shape[2]))
model = keras.Model(inputs, Dense(1)(LSTM(32)(inputs)))
model.compile(loss="mse", optimizer="adam")
model.fit(dataset_train, epochs=3)
"""),
    "timeseries_dataset_from_array shuffled, default batch": (128, 24, True, """
ds = keras.utils.timeseries_dataset_from_array(np.load("a.npy"), None, sequence_length=24, shuffle=True)
ds = ds.map(lambda w: (w[:, :-1], w[:, -1]))
""" + MODEL.replace("LSTM(8)", "LSTM(8, input_shape=(24, 1))") + "model.fit(ds, epochs=3)\n"),
    "TimeseriesGenerator": (1, 12, False, """
from keras.preprocessing.sequence import TimeseriesGenerator
scaled_train = np.load("a.npy").reshape(-1, 1)
n_input, n_features = 12, 1
generator = TimeseriesGenerator(scaled_train, scaled_train, length=n_input, batch_size=1)
model = Sequential()
model.add(LSTM(100, activation="relu", input_shape=(n_input, n_features)))
model.add(Dense(1))
model.compile(optimizer="adam", loss="mse")
model.fit(generator, epochs=50)
"""),
    "text vectorised": (64, 300, True, """
raw_train_ds = keras.utils.text_dataset_from_directory("train", batch_size=64)
vectorize = TextVectorization(max_tokens=1000, output_sequence_length=300)
vectorize.adapt(raw_train_ds.map(lambda x, y: x))
train_ds = raw_train_ds.map(lambda x, y: (vectorize(x), y))
model = Sequential([Embedding(1000, 16), LSTM(8), Dense(1)])
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(train_ds, epochs=3)
"""),
    "tape around a pipeline": (64, 100, True, """
text = np.load("ids.npy")
seq_length = 100
sequences = tf.data.Dataset.from_tensor_slices(text).batch(seq_length + 1, drop_remainder=True)
dataset = sequences.map(lambda chunk: (chunk[:-1], chunk[1:])).shuffle(10000).batch(64, drop_remainder=True)
model = Sequential([Embedding(50, 8), GRU(16, return_sequences=True), Dense(50)])
optimizer = keras.optimizers.Adam()
def train_step(inp, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(target, model(inp), from_logits=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
for epoch in range(3):
    for n, (inp, target) in enumerate(dataset):
        train_step(inp, target)
"""),
    "parts of a window by themselves": (64, 4, True, """
trainX = np.load("x.npy")
n_steps, n_length, n_features = 4, 32, 9
trainX = trainX.reshape((trainX.shape[0], n_steps, n_length, n_features))
model = Sequential()
model.add(TimeDistributed(Conv1D(64, 3, activation="relu"), input_shape=(None, n_length, n_features)))
model.add(TimeDistributed(Flatten()))
model.add(LSTM(100))
model.add(Dense(6))
model.compile(loss="mse", optimizer="adam")
model.fit(trainX, trainX, batch_size=64)
"""),
    # -- generators ------------------------------------------------------------------------------------
    "random generator": (128, 240, True, """
def generator(data, lookback, delay, batch_size=128):
    while 1:
        rows = np.random.randint(lookback, len(data), size=batch_size)
        samples = np.zeros((len(rows), lookback, data.shape[-1]))
        targets = np.zeros((len(rows),))
        for j, row in enumerate(rows):
            samples[j] = data[range(rows[j] - lookback, rows[j])]
            targets[j] = data[rows[j] + delay][1]
        yield samples, targets
float_data = np.load("a.npy")
train_gen = generator(float_data, lookback=240, delay=144)
model = Sequential([LSTM(8, input_shape=(None, float_data.shape[-1])), Dense(1)])
model.compile(loss="mse", optimizer="rmsprop")
model.fit_generator(train_gen, steps_per_epoch=500, epochs=20)
"""),
    "generator in order": (16, 50, False, """
def generate(data, seq_len, batch_size):
    i = 0
    while True:
        xs, ys = [], []
        for b in range(batch_size):
            xs.append(data[i:i + seq_len])
            ys.append(data[i + seq_len])
            i += 1
        yield np.array(xs), np.array(ys)
data = np.load("a.npy")
model = Sequential([LSTM(8, input_shape=(50, 1)), Dense(1)])
model.compile(loss="mse", optimizer="rmsprop")
model.fit(generate(data, 50, 16), steps_per_epoch=100, epochs=2)
"""),
    "keras Sequence": (10, 30, None, """
class Batches(keras.utils.Sequence):
    def __init__(self, data, batch_size):
        self.data, self.batch_size = data, batch_size
    def __len__(self):
        return 100
    def __getitem__(self, i):
        x = np.zeros((self.batch_size, 30, 2))
        return x, x[:, 0]
""" + MODEL + """
model.fit(Batches(np.load("a.npy"), 10), epochs=2)
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_keras(name: str, facts_of: FactsOf) -> None:
    batch, steps, shuffled, text = CASES[name]
    program = facts_of(HEAD + text)
    assert (plain(program.batch_size), plain(program.sequence_length), plain(program.shuffle)) == (
        batch,
        steps,
        shuffled,
    )
