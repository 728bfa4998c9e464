"""Faults of the architecture."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
LISTENER = "compiled_streaming.py"

FAULTS = (
    fault("too-many-recurrent-layers", "sentiment_trainer_class.py", "layers=2, classes=2", "layers=5, classes=2"),
    fault("units-extreme", LISTENER, "hidden=64", "hidden=3"),
    fault(
        "dense-bottleneck",
        "ema_onecycle.py",
        "self.out = nn.Linear(2 * hidden, users)",
        "self.out = nn.Sequential(nn.Linear(2 * hidden, 12), nn.ReLU(), nn.Linear(12, users))",
    ),
    fault(
        "dense-units-outside-folklore",
        LISTENER,
        "self.out = nn.Linear(hidden, words)",
        "self.out = nn.Sequential(nn.Linear(hidden, 48), nn.ReLU(), nn.Linear(48, words))",
    ),
    fault("activation-in-gated-cell", "keras_functional_sentiment.py", "LSTM(64)", 'LSTM(64, activation="relu")'),
    fault(
        "relu-in-plain-rnn",
        "irnn_adding.py",
        "            self.rnn.weight_hh_l0.copy_(torch.eye(n_hidden))\n",
        "",
        at='nonlinearity="relu"',
    ),
    fault("fast-kernel-lost", "keras_functional_sentiment.py", "LSTM(64)", "LSTM(64, recurrent_dropout=0.2)"),
    fault("missing-return-sequences", "keras_timeseries_dataset.py", "GRU(32, return_sequences=True)(", "GRU(32)("),
    fault("sequence-into-single-target", "keras_tuner_search.py", "return_sequences=not last", "return_sequences=True"),
    fault("bidirectional-last-step", "group_kfold.py", "out.max(dim=1).values", "out[:, -1]"),
    fault(
        "bidirectional-half-state",
        "hf_trainer_gru.py",
        "torch.cat([h[0], h[1]], dim=-1)",
        "h[-1]",
        ("nn.Linear(2 * hidden, num_labels)", "nn.Linear(hidden, num_labels)"),
    ),
    fault(
        "state-view-mixes-batch",
        "hf_trainer_gru.py",
        "torch.cat([h[0], h[1]], dim=-1)",
        "h.view(input_ids.size(0), -1)",
    ),
    fault("head-width-mismatch", FORECASTER, "nn.Linear(hidden, 1))", "nn.Linear(2 * hidden, 1))"),
    fault("batch-first-mismatch", FORECASTER, "hidden, batch_first=True)", "hidden)", at="nn.LSTM("),
    fault(
        "view-swaps-axes",
        FORECASTER,
        "self.lstm(x)",
        "self.lstm(x.view(x.size(1), x.size(0), -1))",
        ("hidden, batch_first=True)", "hidden)"),
        ("out[:, -1]", "out[-1]"),
    ),
    fault("wrong-state-unpacking", "walk_forward.py", "_, h = self.gru(x)", "_, (h, _) = self.gru(x)"),
    fault(
        "single-time-step",
        FORECASTER,
        "self.lstm(x)",
        "self.lstm(x.reshape(x.size(0), 1, -1))",
        ("nn.LSTM(n_features,", "nn.LSTM(n_features * LOOKBACK,"),
    ),
    fault("plain-rnn-on-long-sequence", FORECASTER, "nn.LSTM(", "nn.RNN("),
    fault("gru-alternative", LISTENER, "nn.GRU(", "nn.LSTM("),
    fault(
        "batchnorm-on-recurrent-output",
        "keras_timeseries_dataset.py",
        "x = keras.layers.GRU(32)(x)",
        "x = keras.layers.BatchNormalization()(x)\nx = keras.layers.GRU(32)(x)",
        at="BatchNormalization()",
    ),
    fault("no-layer-norm", "learned_initial_state.py", "layers=2", "layers=3", at="nn.LSTM("),
    fault("no-input-projection", "lightning_forecaster.py", "n_features=5", "n_features=2000"),
    fault(
        "cell-loop-by-hand",
        FORECASTER,
        "self.lstm = nn.LSTM(n_features, hidden, batch_first=True)",
        "self.lstm = nn.LSTMCell(n_features, hidden)",
        (
            "        out, _ = self.lstm(x)\n        return self.head(out[:, -1])",
            "        h = c = x.new_zeros(x.size(0), HIDDEN)\n"
            "        for step in x.unbind(1):\n"
            "            h, c = self.lstm(step, (h, c))\n"
            "        return self.head(h)",
        ),
    ),
    fault(
        "modules-in-plain-list",
        "residual_stack.py",
        "nn.ModuleList([ResidualLSTM(size, dropout) for _ in range(depth)])",
        "[ResidualLSTM(size, dropout) for _ in range(depth)]",
    ),
    fault(
        "linear-layers-stacked",
        FORECASTER,
        "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 1))",
        "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 32), nn.Linear(32, 1))",
    ),
)
