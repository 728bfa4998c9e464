"""Recognises which of nine speakers says a vowel, from its spectrum over time, with an LSTM (Keras 3).

The recordings are the data set JapaneseVowels (Kudo, Toyama and Shimbo 1999), which the package sktime ships: 270 for
training and 370 for testing, each 7 to 29 frames of 12 numbers.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import StandardScaler
from sktime.datasets import load_japanese_vowels

MAX_FRAMES = 29
FEATURES = 12
SPEAKERS = 9


def load(split):
    recordings, labels = load_japanese_vowels(split=split, return_X_y=True, return_type="df-list")
    return [recording.to_numpy() for recording in recordings], labels.astype(int) - 1


def pad(recordings, scaler):
    scaled = [scaler.transform(recording) for recording in recordings]
    return keras.utils.pad_sequences(scaled, maxlen=MAX_FRAMES, dtype="float32", padding="post")


def build_model():
    model = keras.Sequential()
    model.add(keras.Input(shape=(MAX_FRAMES, FEATURES)))
    model.add(layers.LSTM(32, activation="relu"))
    model.add(layers.Dropout(0.7))
    model.add(layers.Dense(SPEAKERS, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()

    x_train, y_train = load("train")
    x_test, y_test = load("test")
    scaler = StandardScaler()
    scaler.fit(np.concatenate(x_train + x_test))
    x_train = pad(x_train, scaler)
    x_test = pad(x_test, scaler)

    model = build_model()
    early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
    model.fit(x_train, y_train, batch_size=16, epochs=args.epochs, callbacks=[early_stopping], verbose=2)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.3f}, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()


# Faults in this program:
# - line 30, `padding="post"`: the frames added at the end are read as if they were sound: no Masking layer tells the
#   LSTM to skip them.
# - line 36, `activation="relu"`: a rectifier in place of tanh leaves the cell's output unbounded and costs the fast
#   kernel.
# - line 37, `layers.Dropout(0.7)`: more than half of the 32 values that the LSTM hands on are dropped.
# - line 51, `scaler.fit(`: the scaler is fitted on the test recordings too.
# - line 56, `monitor="val_loss"`: fit gets no validation data, so there is no val_loss and all 60 epochs are run; if
#   it did stop, it would keep the last weights and not the best, for want of restore_best_weights=True.
