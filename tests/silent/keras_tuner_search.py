"""Tunes a small LSTM forecaster on validation data, then scores the best one once on the test months."""
import keras
import keras_tuner
import numpy as np
import pandas as pd
from keras import layers

keras.utils.set_random_seed(3)
WINDOW = 24


def to_windows(values):
    x = np.lib.stride_tricks.sliding_window_view(values, WINDOW)[:-1]
    return x[..., None].astype("float32"), values[WINDOW:].astype("float32")


frame = pd.read_csv("data/sales.csv", index_col=0, parse_dates=True)
values = frame["sales"].to_numpy()
a, b = int(0.7 * len(values)), int(0.85 * len(values))
mean, std = values[:a].mean(), values[:a].std()
train, valid, test = ((part - mean) / std for part in (values[:a], values[a - WINDOW : b], values[b - WINDOW :]))
x_train, y_train = to_windows(train)
x_valid, y_valid = to_windows(valid)
x_test, y_test = to_windows(test)


def build_model(hp):
    model = keras.Sequential([keras.Input((WINDOW, 1))])
    for i in range(hp.Int("layers", 1, 2)):
        last = i == hp.get("layers") - 1
        model.add(layers.LSTM(hp.Int(f"units_{i}", 16, 128, step=16), return_sequences=not last))
    model.add(layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1)))
    model.add(layers.Dense(1))
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e-2, sampling="log"), clipnorm=1.0),
        loss="mse",
    )
    return model


tuner = keras_tuner.BayesianOptimization(
    build_model, objective="val_loss", max_trials=30, seed=3, directory="tuning", project_name="sales"
)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
tuner.search(x_train, y_train, epochs=40, batch_size=64, validation_data=(x_valid, y_valid), callbacks=[stop])

best = tuner.get_best_models(1)[0]
print(tuner.get_best_hyperparameters(1)[0].values)
rmse = np.sqrt(best.evaluate(x_test, y_test, verbose=0)) * std
print(f"test RMSE {rmse:.1f}")
