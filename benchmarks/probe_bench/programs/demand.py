"""Forecasts the rest of a day of electricity demand from its first 16 hours (Keras 3)."""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
from keras import layers
from sktime.datasets import load_italy_power_demand

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
keras.utils.set_random_seed(args.seed)

HOURS = 16
days, _ = load_italy_power_demand(split="test", return_X_y=True, return_type="numpy3D")
days = days[:, 0].astype("float32")
x, y = days[:, :HOURS, None], days[:, HOURS:]

model = keras.Sequential(
    [
        keras.Input((HOURS, 1)),
        layers.LSTM(32, return_sequences=True),
        layers.LSTM(24),
        layers.Dense(days.shape[1] - HOURS),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(3e-3, global_clipnorm=1.0), loss="mse")
model.fit(x[:800], y[:800], validation_data=(x[800:], y[800:]), epochs=12, batch_size=32, verbose=0)
print(model.evaluate(x[800:], y[800:], verbose=0))
