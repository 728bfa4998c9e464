"""Arrhythmia from single beats: mixed precision, class weights, subclassed model, cosine schedule."""
import numpy as np
import tensorflow as tf
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils.class_weight import compute_class_weight
from tensorflow.keras import layers, mixed_precision

tf.keras.utils.set_random_seed(360)
mixed_precision.set_global_policy("mixed_float16")
EPOCHS, BATCH = 30, 128


class BeatNet(tf.keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.conv = layers.Conv1D(32, 5, strides=2, padding="same", activation="relu")
        self.pool = layers.MaxPooling1D(2)
        self.lstm = layers.Bidirectional(layers.LSTM(64))
        self.drop = layers.Dropout(0.3)
        self.out = layers.Dense(classes, dtype="float32")

    def call(self, x, training=False):
        x = self.pool(self.conv(x))
        return self.out(self.drop(self.lstm(x), training=training))


def split(x, y, patient, share, seed):
    chosen, rest = next(GroupShuffleSplit(1, test_size=share, random_state=seed).split(x, y, patient))
    return (x[chosen], y[chosen], patient[chosen]), (x[rest], y[rest], patient[rest])


def main():
    blob = np.load("data/mitbih.npz")
    beats, labels, patients = blob["beats"].astype("float32")[..., None], blob["label"], blob["patient"]
    development, test = split(beats, labels, patients, 0.2, seed=0)
    train, valid = split(*development, 0.2, seed=1)

    classes = np.unique(train[1])
    weights = compute_class_weight("balanced", classes=classes, y=train[1])
    steps = int(np.ceil(len(train[0]) / BATCH)) * EPOCHS
    schedule = tf.keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=steps)
    model = BeatNet(int(labels.max()) + 1)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(schedule, global_clipnorm=1.0),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        train[0], train[1], batch_size=BATCH, epochs=EPOCHS,
        validation_data=valid[:2],
        class_weight={int(c): float(w) for c, w in zip(classes, weights)},
        callbacks=[tf.keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)],
    )
    print(model.evaluate(*test[:2]))


if __name__ == "__main__":
    main()
