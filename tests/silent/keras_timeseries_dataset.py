"""Jena climate: temperature twelve hours ahead with timeseries_dataset_from_array."""
import os

import keras
import numpy as np
import pandas as pd

keras.utils.set_random_seed(2023)
SAMPLING, LENGTH, DELAY, BATCH = 6, 120, 6 * (120 + 12 - 1), 256

frame = pd.read_csv(os.path.join("data", "jena_climate_2009_2016.csv"))
temperature = frame["T (degC)"].to_numpy()
raw = frame.drop(columns="Date Time").to_numpy()
n_train, n_val = int(0.5 * len(raw)), int(0.25 * len(raw))

mean = raw[:n_train].mean(axis=0)
std = raw[:n_train].std(axis=0)
data = (raw - mean) / std


def windows(start, end, shuffle=False):
    return keras.utils.timeseries_dataset_from_array(
        data[:-DELAY],
        targets=temperature[DELAY:],
        sampling_rate=SAMPLING,
        sequence_length=LENGTH,
        shuffle=shuffle,
        batch_size=BATCH,
        start_index=start,
        end_index=end,
    )


train_ds = windows(0, n_train, shuffle=True)
val_ds = windows(n_train, n_train + n_val)
test_ds = windows(n_train + n_val, None)

inputs = keras.Input((LENGTH, raw.shape[-1]))
x = keras.layers.GRU(32, return_sequences=True)(inputs)
x = keras.layers.GRU(32)(x)
x = keras.layers.Dropout(0.5)(x)
model = keras.Model(inputs, keras.layers.Dense(1)(x))
model.compile(optimizer=keras.optimizers.RMSprop(1e-3, clipnorm=1.0), loss="mse", metrics=["mae"])
callbacks = [
    keras.callbacks.ModelCheckpoint("jena_gru.keras", save_best_only=True),
    keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True),
]
history = model.fit(train_ds, epochs=50, validation_data=val_ds, callbacks=callbacks)
model = keras.models.load_model("jena_gru.keras")
print(f"test MAE: {model.evaluate(test_ds)[1]:.2f} °C")
