"""IMDB reviews with a masked embedding and a bidirectional LSTM."""
import keras
from keras import layers

keras.utils.set_random_seed(42)

MAX_FEATURES = 20000
MAX_LEN = 200

(x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=MAX_FEATURES)
x_train = keras.utils.pad_sequences(x_train, maxlen=MAX_LEN, padding="post", truncating="post")
x_test = keras.utils.pad_sequences(x_test, maxlen=MAX_LEN, padding="post", truncating="post")

inputs = keras.Input(shape=(MAX_LEN,), dtype="int32")
x = layers.Embedding(MAX_FEATURES, 128, mask_zero=True)(inputs)
x = layers.SpatialDropout1D(0.2)(x)
x = layers.Bidirectional(layers.LSTM(64))(x)
x = layers.Dropout(0.3)(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.summary()

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3, clipnorm=1.0),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1),
]
model.fit(x_train, y_train, batch_size=64, epochs=10, validation_split=0.2, callbacks=callbacks)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=64)
print(f"test loss {loss:.4f}, accuracy {accuracy:.4f}")
model.save("imdb.keras")
