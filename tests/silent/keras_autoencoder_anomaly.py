"""LSTM autoencoder: trained on healthy machines only, the threshold comes from healthy validation data."""
import keras
import numpy as np
from keras import layers
from sklearn.metrics import classification_report
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

keras.utils.set_random_seed(21)
STEPS, FEATURES = 30, 4


healthy_train, healthy_valid = np.load("data/healthy_1.npy"), np.load("data/healthy_2.npy")
preprocess = Pipeline([("log", FunctionTransformer(np.log1p)), ("scale", StandardScaler())]).fit(healthy_train)


def prepare(rows):
    scaled = preprocess.transform(rows)
    return np.stack([scaled[i : i + STEPS] for i in range(len(scaled) - STEPS + 1)])


x_train, x_valid = prepare(healthy_train), prepare(healthy_valid)

model = keras.Sequential([
    layers.Input((STEPS, FEATURES)),
    layers.LSTM(32),
    layers.RepeatVector(STEPS),
    layers.LSTM(32, return_sequences=True),
    layers.TimeDistributed(layers.Dense(FEATURES)),
])
model.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0), loss="mae")
model.fit(
    x_train, x_train, epochs=80, batch_size=64, validation_data=(x_valid, x_valid),
    callbacks=[keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)],
)


def errors(x):
    return np.abs(model.predict(x, verbose=0) - x).mean(axis=(1, 2))


threshold = np.quantile(errors(x_valid), 0.995)
test = np.load("data/test.npz")
flagged = errors(prepare(test["rows"])) > threshold
print(classification_report(test["label"][STEPS - 1 :], flagged))
