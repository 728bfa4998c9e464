"""A peephole LSTM cell for keras.layers.RNN, and a PyDataset that reads recordings from disk."""
import math
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable()
class PeepholeLSTMCell(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 4 * self.units), name="kernel")
        self.recurrent = self.add_weight(
            shape=(self.units, 4 * self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.peephole = self.add_weight(shape=(3, self.units), initializer="zeros", name="peephole")
        self.bias = self.add_weight(shape=(4 * self.units,), initializer=self._bias, name="bias")

    def _bias(self, shape, dtype=None):
        one = np.zeros(shape, dtype or "float32")
        one[self.units : 2 * self.units] = 1.0
        return ops.convert_to_tensor(one)

    def call(self, inputs, states):
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent) + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        i = ops.sigmoid(i + self.peephole[0] * c)
        f = ops.sigmoid(f + self.peephole[1] * c)
        c = f * c + i * ops.tanh(g)
        o = ops.sigmoid(o + self.peephole[2] * c)
        h = o * ops.tanh(c)
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Recordings(keras.utils.PyDataset):
    def __init__(self, files, batch_size, shuffle=False, **kwargs):
        super().__init__(**kwargs)
        self.files, self.batch_size, self.shuffle = list(files), batch_size, shuffle
        self.rng = np.random.default_rng(0)
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.files) / self.batch_size)

    def __getitem__(self, index):
        part = self.files[index * self.batch_size : (index + 1) * self.batch_size]
        blobs = [np.load(f) for f in part]
        return np.stack([b["signal"] for b in blobs]), np.array([b["label"] for b in blobs])

    def on_epoch_end(self):
        if self.shuffle:
            self.rng.shuffle(self.files)


def main():
    keras.utils.set_random_seed(0)
    train = Recordings(sorted(Path("data/train").glob("*.npz")), 32, shuffle=True)
    valid = Recordings(sorted(Path("data/valid").glob("*.npz")), 32)
    model = keras.Sequential([
        keras.Input((200, 3)),
        layers.Normalization(),
        layers.RNN(PeepholeLSTMCell(64)),
        layers.Dropout(0.2),
        layers.Dense(4, activation="softmax"),
    ])
    model.layers[0].adapt(np.concatenate([train[i][0] for i in range(len(train))]))
    model.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, validation_data=valid, epochs=25, callbacks=[
        keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=5, restore_best_weights=True),
    ])
    model.save("gestures.keras")


if __name__ == "__main__":
    main()
