"""A GRU-VAE for sensor sequences: subclassed model with its own train_step."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(5)
STEPS, FEATURES, LATENT = 60, 6, 8


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(5)

    def call(self, inputs):
        mean, log_var = inputs
        return mean + keras.ops.exp(0.5 * log_var) * keras.random.normal(keras.ops.shape(mean), seed=self.seed)


class RecurrentVAE(keras.Model):
    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta
        self.encoder = layers.GRU(64)
        self.z_mean = layers.Dense(LATENT)
        self.z_log_var = layers.Dense(LATENT)
        self.sampling = Sampling()
        self.repeat = layers.RepeatVector(STEPS)
        self.decoder = layers.GRU(64, return_sequences=True)
        self.out = layers.TimeDistributed(layers.Dense(FEATURES))
        self.total = keras.metrics.Mean(name="loss")
        self.reconstruction = keras.metrics.Mean(name="reconstruction")
        self.kl = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.total, self.reconstruction, self.kl]

    def call(self, x):
        h = self.encoder(x)
        mean, log_var = self.z_mean(h), self.z_log_var(h)
        z = self.sampling([mean, log_var])
        return self.out(self.decoder(self.repeat(z))), mean, log_var

    def _losses(self, x):
        x_hat, mean, log_var = self(x)
        reconstruction = tf.reduce_mean(tf.reduce_sum(tf.square(x - x_hat), axis=(1, 2)))
        kl = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var), axis=1))
        return reconstruction + self.beta * kl, reconstruction, kl

    def _update(self, values):
        for metric, value in zip(self.metrics, values):
            metric.update_state(value)
        return {m.name: m.result() for m in self.metrics}

    def train_step(self, x):
        with tf.GradientTape() as tape:
            losses = self._losses(x)
        grads = tape.gradient(losses[0], self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return self._update(losses)

    def test_step(self, x):
        return self._update(self._losses(x))


data = np.load("data/sensors.npy").astype("float32")  # (machines, steps, features)
rng = np.random.default_rng(5)
order = rng.permutation(len(data))
cut = int(0.8 * len(data))
train, valid = data[order[:cut]], data[order[cut:]]
mean, std = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
train, valid = (train - mean) / std, (valid - mean) / std

model = RecurrentVAE(beta=0.5)
model.compile(optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=5.0))
stop = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", patience=10, restore_best_weights=True)
model.fit(train, epochs=150, batch_size=32, validation_data=(valid,), callbacks=[stop])
