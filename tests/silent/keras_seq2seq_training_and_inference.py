"""Character-level translation after the Keras example: teacher forcing in training, step by step in decoding."""
import keras
import numpy as np
from keras.layers import LSTM, Dense, Input, Masking
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(11)
batch_size = 64
epochs = 40
latent_dim = 256
num_samples = 10000

pairs = []
with open("data/fra.txt", encoding="utf-8") as f:
    for line in f.read().split("\n")[:num_samples]:
        source, target, *_ = line.split("\t")
        pairs.append((source, "\t" + target + "\n"))
train_pairs, val_pairs = train_test_split(pairs, test_size=0.1, random_state=11)

# rows of zeros behind the end are masked, and add nothing to the cross-entropy
input_chars = sorted({c for s, _ in pairs for c in s})
target_chars = sorted({c for _, t in pairs for c in t})
input_index = {c: i for i, c in enumerate(input_chars)}
target_index = {c: i for i, c in enumerate(target_chars)}
max_in = max(len(s) for s, _ in pairs)
max_out = max(len(t) for _, t in pairs)


def vectorize(some):
    enc = np.zeros((len(some), max_in, len(input_chars)), dtype="float32")
    dec = np.zeros((len(some), max_out, len(target_chars)), dtype="float32")
    tgt = np.zeros((len(some), max_out, len(target_chars)), dtype="float32")
    for i, (source, target) in enumerate(some):
        for t, c in enumerate(source):
            enc[i, t, input_index[c]] = 1.0
        for t, c in enumerate(target):
            dec[i, t, target_index[c]] = 1.0
            if t > 0:
                tgt[i, t - 1, target_index[c]] = 1.0
    return (enc, dec), tgt


encoder_inputs = Input(shape=(None, len(input_chars)))
_, state_h, state_c = LSTM(latent_dim, return_state=True, dropout=0.2)(Masking()(encoder_inputs))
encoder_states = [state_h, state_c]

decoder_inputs = Input(shape=(None, len(target_chars)))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(Masking()(decoder_inputs), initial_state=encoder_states)
decoder_dense = Dense(len(target_chars), activation="softmax")
model = keras.Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))

model.compile(optimizer=keras.optimizers.Adam(clipnorm=1.0), loss="categorical_crossentropy", metrics=["accuracy"])
x, y = vectorize(train_pairs)
x_val, y_val = vectorize(val_pairs)
model.fit(
    x, y, batch_size=batch_size, epochs=epochs, validation_data=(x_val, y_val),
    callbacks=[keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)],
)

encoder_model = keras.Model(encoder_inputs, encoder_states)
in_h, in_c = Input(shape=(latent_dim,)), Input(shape=(latent_dim,))
out, h, c = decoder_lstm(decoder_inputs, initial_state=[in_h, in_c])
decoder_model = keras.Model([decoder_inputs, in_h, in_c], [decoder_dense(out), h, c])


def decode(sequence):
    states = encoder_model.predict(sequence, verbose=0)
    target = np.zeros((1, 1, len(target_chars)))
    target[0, 0, target_index["\t"]] = 1.0
    decoded = ""
    while len(decoded) < max_out and not decoded.endswith("\n"):
        tokens, h, c = decoder_model.predict([target, *states], verbose=0)
        k = int(tokens[0, -1].argmax())
        decoded += target_chars[k]
        target = np.zeros((1, 1, len(target_chars)))
        target[0, 0, k] = 1.0
        states = [h, c]
    return decoded


for i in range(5):
    print(val_pairs[i][0], "->", decode(x_val[0][i : i + 1]))
