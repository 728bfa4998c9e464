"""Faults of initialisation and of the hidden state."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
GLUCOSE = "learned_initial_state.py"
LEARNED = "state = (self.h0.expand(-1, n, -1).contiguous(), self.c0.expand(-1, n, -1).contiguous())"
RIVER = "keras_stateful_series.py"

FAULTS = (
    fault("forget-bias-not-set", "turbofan/train.py", "    init_lstm(model.lstm)\n", "", at="nn.LSTM("),
    fault("forget-bias-disabled", "keras_functional_sentiment.py", "LSTM(64)", "LSTM(64, unit_forget_bias=False)"),
    fault("forget-bias-wrong-slice", "turbofan/train.py", "param.data[n // 4 : n // 2]", "param.data[: n // 4]"),
    fault(
        "bias-initializer-scrambled",
        "keras_functional_sentiment.py",
        "LSTM(64)",
        "LSTM(64, bias_initializer=gates)",
        (
            "inputs = keras.Input",
            "def gates(shape, dtype=None):\n"
            "    units = shape[0] // 4\n"
            "    return keras.ops.concatenate([keras.ops.zeros(units), keras.ops.ones(units), keras.ops.zeros(2 * units)])\n"
            "\n\n"
            "inputs = keras.Input",
        ),
    ),
    fault(
        "gru-update-bias-negative",
        "walk_forward.py",
        "        self.fc = nn.Linear(hidden, 1)\n",
        "        self.fc = nn.Linear(hidden, 1)\n        self.gru.bias_hh_l0.data[hidden : 2 * hidden].fill_(-1.0)\n",
        at="fill_(-1.0)",
    ),
    fault(
        "constant-weights",
        "seq2seq_attention/train.py",
        "nn.init.normal_(param.data, mean=0, std=0.01)",
        "nn.init.constant_(param.data, 0.1)",
    ),
    fault("weights-too-large", "seq2seq_attention/train.py", "std=0.01", "std=1.0"),
    fault("init-not-orthogonal", "turbofan/train.py", "    init_lstm(model.lstm)\n", "", at="nn.LSTM("),
    fault("random-initial-state", GLUCOSE, LEARNED, "state = (torch.randn(2, n, 64), torch.randn(2, n, 64))"),
    fault("initial-state-not-learned", GLUCOSE, "self.lstm(x, state)", "self.lstm(x)", at="nn.LSTM("),
    fault(
        "state-not-detached",
        "hydra_charlm/train.py",
        "            state = detached(state) if state is not None else None\n",
        "",
        at="loss.backward()",
    ),
    fault(
        "state-carried-across-shuffled-batches",
        "compiled_streaming.py",
        "            logits, _ = compiled(mel)\n",
        "            logits, state = compiled(mel, state)\n            state = state.detach()\n",
        ("        model.train()\n", "        model.train()\n        state = None\n"),
        at="shuffle=True",
    ),
    fault("stateful-with-shuffle", RIVER, "shuffle=False", "shuffle=True"),
    fault(
        "stateful-never-reset",
        RIVER,
        "    model.layers[0].reset_state()\n    model.fit(",
        "    model.fit(",
        ("    model.layers[0].reset_state()\n    loss, mae", "    loss, mae"),
        at="stateful=True",
    ),
    fault(
        "state-of-fixed-batch",
        FORECASTER,
        "        out, _ = self.lstm(x)\n",
        "        state = (torch.zeros(1, BATCH, HIDDEN), torch.zeros(1, BATCH, HIDDEN))\n"
        "        out, _ = self.lstm(x, state)\n",
        at="BATCH = 128",
    ),
)
