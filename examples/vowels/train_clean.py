"""Recognises which of nine speakers says a vowel, from its spectrum over time, with a bidirectional LSTM (Keras 3).

The recordings are the data set JapaneseVowels (Kudo, Toyama and Shimbo 1999), which the package sktime ships: 270 for
training and 370 for testing, each 7 to 29 frames of 12 numbers.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sktime.datasets import load_japanese_vowels

MAX_FRAMES = 29
FEATURES = 12
SPEAKERS = 9
BATCH_SIZE = 16
SEED = 0


def load(split):
    recordings, labels = load_japanese_vowels(split=split, return_X_y=True, return_type="df-list")
    return [recording.to_numpy() for recording in recordings], labels.astype(int) - 1


def pad(recordings, scaler):
    """Scales recordings and fills them up with zeros at the end, which the model masks."""
    scaled = [scaler.transform(recording) for recording in recordings]
    return keras.utils.pad_sequences(scaled, maxlen=MAX_FRAMES, dtype="float32", padding="post")


def build_model():
    model = keras.Sequential(
        [
            keras.Input(shape=(MAX_FRAMES, FEATURES)),
            layers.Masking(mask_value=0.0),
            layers.Bidirectional(layers.LSTM(32)),
            layers.Dropout(0.3),
            layers.Dense(SPEAKERS, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=3e-3, global_clipnorm=1.0),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()
    keras.utils.set_random_seed(SEED)

    recordings, y = load("train")
    x_train, x_val, y_train, y_val = train_test_split(recordings, y, test_size=0.2, stratify=y, random_state=SEED)
    scaler = StandardScaler().fit(np.concatenate(x_train))
    x_test, y_test = load("test")

    model = build_model()
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=12, restore_best_weights=True),
    ]
    model.fit(
        pad(x_train, scaler),
        y_train,
        validation_data=(pad(x_val, scaler), y_val),
        batch_size=BATCH_SIZE,
        epochs=args.epochs,
        callbacks=callbacks,
        verbose=2,
    )
    loss, accuracy = model.evaluate(pad(x_test, scaler), y_test, verbose=0)
    print(f"test loss {loss:.3f}, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
