"""One long series, cut into parallel streams and read in order by a stateful GRU, reset at each epoch."""
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)
BATCH, STEPS, EPOCHS = 16, 40, 25

series = np.loadtxt("data/river_level.csv", delimiter=",", skiprows=1, usecols=1)
n_train = int(0.8 * len(series))
mean, std = series[:n_train].mean(), series[:n_train].std()
train, valid = (series[:n_train] - mean) / std, (series[n_train:] - mean) / std


def streams(values):
    """Arrays (chunk, batch, steps, 1): row b of chunk k+1 goes on where row b of chunk k ends."""
    length = (len(values) - 1) // BATCH
    chunks = length // STEPS
    x = values[: BATCH * length].reshape(BATCH, length)[:, : chunks * STEPS]
    y = values[1 : BATCH * length + 1].reshape(BATCH, length)[:, : chunks * STEPS]
    shape = (BATCH, chunks, STEPS, 1)
    return (v.reshape(shape).transpose(1, 0, 2, 3).reshape(-1, STEPS, 1) for v in (x, y))


x_train, y_train = streams(train)
x_valid, y_valid = streams(valid)

model = keras.Sequential(
    [
        keras.Input(batch_shape=(BATCH, STEPS, 1)),
        layers.GRU(48, stateful=True, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1)),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(2e-3, clipnorm=1.0), loss="mse", metrics=["mae"])

best, best_weights, waited = np.inf, None, 0
for epoch in range(EPOCHS):
    model.layers[0].reset_state()
    model.fit(x_train, y_train, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    model.layers[0].reset_state()
    loss, mae = model.evaluate(x_valid, y_valid, batch_size=BATCH, verbose=0)
    print(f"epoch {epoch}: validation MAE {mae * std:.3f} m")
    if loss < best:
        best, best_weights, waited = loss, model.get_weights(), 0
    else:
        waited += 1
        if waited >= 5:
            break
model.set_weights(best_weights)
model.save("river.keras")
