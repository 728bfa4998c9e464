"""Image captioning style decoder: GRU with attention over encoder states, GradientTape, masked loss."""
import os
import time

import numpy as np
import tensorflow as tf

BATCH_SIZE, EMBEDDING, UNITS, VOCAB, EPOCHS = 64, 256, 512, 5000, 20
tf.keras.utils.set_random_seed(2)


class Encoder(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.fc = tf.keras.layers.Dense(units, activation="relu")

    def call(self, x):
        return self.fc(x)


class BahdanauAttention(tf.keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.W1 = tf.keras.layers.Dense(units)
        self.W2 = tf.keras.layers.Dense(units)
        self.V = tf.keras.layers.Dense(1)

    def call(self, features, hidden):
        score = self.V(tf.nn.tanh(self.W1(features) + self.W2(tf.expand_dims(hidden, 1))))
        weights = tf.nn.softmax(score, axis=1)
        return tf.reduce_sum(weights * features, axis=1), weights


class Decoder(tf.keras.Model):
    def __init__(self, embedding_dim, units, vocab_size):
        super().__init__()
        self.units = units
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.fc1 = tf.keras.layers.Dense(units, activation="relu")
        self.fc2 = tf.keras.layers.Dense(vocab_size)
        self.dropout = tf.keras.layers.Dropout(0.3)
        self.attention = BahdanauAttention(units)

    def call(self, x, features, hidden, training=False):
        context, _ = self.attention(features, hidden)
        x = tf.concat([tf.expand_dims(context, 1), self.embedding(x)], axis=-1)
        output, state = self.gru(x, initial_state=hidden)
        x = self.dropout(self.fc1(tf.squeeze(output, 1)), training=training)
        return self.fc2(x), state


loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def loss_function(real, pred):
    mask = tf.cast(tf.not_equal(real, 0), tf.float32)
    loss = loss_object(real, pred) * mask
    return tf.reduce_sum(loss), tf.reduce_sum(mask)


encoder, decoder = Encoder(EMBEDDING), Decoder(EMBEDDING, UNITS, VOCAB)
optimizer = tf.keras.optimizers.Adam(1e-3)


def unroll(features, target, training):
    features = encoder(features)
    hidden = tf.zeros((tf.shape(target)[0], UNITS))
    total, count = 0.0, 0.0
    for t in range(1, target.shape[1]):
        logits, hidden = decoder(tf.expand_dims(target[:, t - 1], 1), features, hidden, training=training)
        loss, n = loss_function(target[:, t], logits)
        total += loss
        count += n
    return total / tf.maximum(count, 1.0)


@tf.function
def train_step(features, target):
    with tf.GradientTape() as tape:
        loss = unroll(features, target, training=True)
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 5.0)
    optimizer.apply_gradients(zip(gradients, variables))
    return loss


def dataset(split):
    features = np.load(f"data/{split}_features.npy")
    captions = np.load(f"data/{split}_captions.npy")  # padded with 0 behind
    ds = tf.data.Dataset.from_tensor_slices((features, captions))
    return ds.shuffle(len(features)).batch(BATCH_SIZE) if split == "train" else ds.batch(BATCH_SIZE)


train_ds, val_ds = dataset("train"), dataset("val")
checkpoint = tf.train.Checkpoint(encoder=encoder, decoder=decoder, optimizer=optimizer)
manager = tf.train.CheckpointManager(checkpoint, "checkpoints", max_to_keep=1)
best = np.inf
for epoch in range(EPOCHS):
    start = time.time()
    train_loss = tf.keras.metrics.Mean()
    for features, target in train_ds:
        train_loss(train_step(features, target))
    val_loss = tf.keras.metrics.Mean()
    for features, target in val_ds:
        val_loss(unroll(features, target, training=False))
    print(f"epoch {epoch + 1} train {train_loss.result():.4f} val {val_loss.result():.4f} {time.time() - start:.0f} s")
    if val_loss.result() < best:
        best = val_loss.result()
        manager.save()
checkpoint.restore(manager.latest_checkpoint)
