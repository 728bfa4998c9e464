"""Named entities with Keras 3: masked embedding, bidirectional LSTM, time-distributed softmax, sample weights for padding."""
import json
import pathlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(99)
DATA = pathlib.Path("data/ner")
MAX_LEN = 75


def load(split):
    records = [json.loads(line) for line in (DATA / f"{split}.jsonl").open()]
    return [r["tokens"] for r in records], [r["tags"] for r in records]


vocabulary = sorted({w.lower() for sentence in load("train")[0] for w in sentence})
words = {w: i for i, w in enumerate(vocabulary, start=2)}  # 0 pads, 1 is unknown
tags = json.loads((DATA / "tags.json").read_text())
tag_index = {t: i for i, t in enumerate(tags)}


def encode(split):
    tokens, labels = load(split)
    x = keras.utils.pad_sequences(
        [[words.get(w.lower(), 1) for w in s] for s in tokens], maxlen=MAX_LEN, padding="post", truncating="post"
    )
    y = keras.utils.pad_sequences(
        [[tag_index[t] for t in s] for s in labels], maxlen=MAX_LEN, padding="post", truncating="post"
    )
    return x, y, (x != 0).astype("float32")


x_train, y_train, w_train = encode("train")
x_dev, y_dev, w_dev = encode("dev")

inputs = keras.Input((MAX_LEN,), dtype="int32")
h = layers.Embedding(len(words) + 2, 100, mask_zero=True)(inputs)
h = layers.Dropout(0.3)(h)
h = layers.Bidirectional(layers.LSTM(100, return_sequences=True))(h)
h = layers.Dropout(0.3)(h)
outputs = layers.TimeDistributed(layers.Dense(len(tags), activation="softmax"))(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)
model.fit(
    x_train,
    y_train,
    sample_weight=w_train,
    validation_data=(x_dev, y_dev, w_dev),
    batch_size=32,
    epochs=20,
    callbacks=[
        keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint("ner.keras", save_best_only=True),
    ],
)
