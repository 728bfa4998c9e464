"""Character model: trained stateless on chunks, generates with a stateful copy of batch size one."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

SEQ_LEN = 100
BATCH = 64
BUFFER = 10000
UNITS = 512

tf.random.set_seed(1)
np.random.seed(1)

path = keras.utils.get_file(
    "shakespeare.txt", "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt"
)
text = open(path, encoding="utf-8").read()
vocab = sorted(set(text))
char2idx = {c: i for i, c in enumerate(vocab)}
ids = np.array([char2idx[c] for c in text], dtype=np.int32)
split = int(0.9 * len(ids))


def make_dataset(part, shuffle):
    ds = tf.data.Dataset.from_tensor_slices(part).batch(SEQ_LEN + 1, drop_remainder=True)
    ds = ds.map(lambda chunk: (chunk[:-1], chunk[1:]), num_parallel_calls=tf.data.AUTOTUNE)
    if shuffle:
        ds = ds.shuffle(BUFFER)
    return ds.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def build_model(batch_size=None, stateful=False):
    inputs = keras.Input(batch_shape=(batch_size, None), dtype="int32")
    x = layers.Embedding(len(vocab), 256)(inputs)
    x = layers.LSTM(UNITS, return_sequences=True, stateful=stateful)(x)
    x = layers.Dropout(0.2)(x)
    logits = layers.Dense(len(vocab))(x)
    return keras.Model(inputs, logits)


train_ds = make_dataset(ids[:split], shuffle=True)
val_ds = make_dataset(ids[split:], shuffle=False)

model = build_model()
model.compile(
    optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
checkpoint = keras.callbacks.ModelCheckpoint("char.weights.h5", save_weights_only=True, save_best_only=True)
stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
model.fit(train_ds, validation_data=val_ds, epochs=30, callbacks=[checkpoint, stopping])

generator = build_model(batch_size=1, stateful=True)
generator.set_weights(model.get_weights())


def generate(start, length=500, temperature=0.8):
    for layer in generator.layers:
        if hasattr(layer, "reset_states"):
            layer.reset_states()
    out = list(start)
    x = tf.constant([[char2idx[c] for c in start]])
    for _ in range(length):
        logits = generator(x)[0, -1] / temperature
        nxt = tf.random.categorical(logits[None], 1)[0, 0]
        out.append(vocab[int(nxt)])
        x = tf.reshape(nxt, (1, 1))
    return "".join(out)


print(generate("ROMEO: "))
