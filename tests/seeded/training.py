"""Faults of the training loop."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
REVIEWS = "keras_functional_sentiment.py"
CLIPS = "        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
BACKWARD = "        loss.backward()\n"
STEP = "        optimizer.step()\n"
STOPPING = 'keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)'

FAULTS = (
    fault("gradient-not-clipped", FORECASTER, CLIPS, "", at="loss.backward()"),
    fault("clip-after-step", FORECASTER, CLIPS + STEP, STEP + CLIPS, at="clip_grad_norm_"),
    fault("clip-before-backward", FORECASTER, BACKWARD + CLIPS, CLIPS + BACKWARD, at="clip_grad_norm_"),
    fault(
        "clip-before-unscale",
        "amp_accumulation.py",
        "            scaler.unscale_(optimizer)\n",
        "",
        at="clip_grad_norm_",
    ),
    fault(
        "clip-exhausted-generator",
        FORECASTER,
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
        "parameters = model.parameters()\noptimizer = torch.optim.Adam(parameters, lr=1e-3)",
        ("clip_grad_norm_(model.parameters(), 1.0)", "clip_grad_norm_(parameters, 1.0)"),
        at="clip_grad_norm_",
    ),
    fault("clip-per-variable", "keras_stateful_inference_copy.py", "global_clipnorm=1.0", "clipnorm=1.0"),
    fault("clip-threshold-useless", FORECASTER, "model.parameters(), 1.0)", "model.parameters(), 0.0)"),
    fault("zero-grad-missing", FORECASTER, "        optimizer.zero_grad()\n", "", at="loss.backward()"),
    fault("eval-mode-missing", FORECASTER, "    model.eval()\n    val_loss", "    val_loss", at="model(xb)"),
    fault("loss-keeps-graph", "ner_crf/train.py", "running += loss.item()", "running += loss"),
    fault("loss-summed", FORECASTER, "nn.MSELoss()", 'nn.MSELoss(reduction="sum")'),
    fault("full-backpropagation-through-long-sequence", "lightning_forecaster.py", "history=168", "history=2000"),
    fault(
        "chunks-without-carried-state",
        "word_language_model.py",
        "hidden = repackage(hidden)",
        "hidden = model.init_hidden(source.size(1))",
        at="getattr(nn, rnn_type)(",
    ),
    fault(
        "softmax-before-cross-entropy",
        "amp_accumulation.py",
        "self.fc(self.dropout(out[:, -1]))",
        "torch.softmax(self.fc(self.dropout(out[:, -1])), dim=1)",
    ),
    fault(
        "sigmoid-before-logits-loss", "ddp_training.py", "return self.strong(x)", "return torch.sigmoid(self.strong(x))"
    ),
    fault("nll-without-log", "bucketing_sampler.py", "nn.CrossEntropyLoss()", "nn.NLLLoss()"),
    fault(
        "logits-into-probability-loss", REVIEWS, 'Dense(1, activation="sigmoid")', "Dense(1)", at="binary_crossentropy"
    ),
    fault("one-unit-softmax", REVIEWS, 'activation="sigmoid"', 'activation="softmax"'),
    fault("wrong-output-for-task", "keras_stateful_series.py", "layers.Dense(1)", 'layers.Dense(1, activation="relu")'),
    fault(
        "loss-shapes-broadcast",
        FORECASTER,
        "self.head(out[:, -1]).squeeze(-1)",
        "self.head(out[:, -1])",
        at="nn.MSELoss()",
    ),
    fault("no-early-stopping", REVIEWS, f"    {STOPPING},\n", "", ("epochs=10", "epochs=60"), at="epochs=60"),
    fault("best-weights-not-restored", REVIEWS, ", restore_best_weights=True", "", at="EarlyStopping("),
    fault(
        "best-weights-aliased",
        FORECASTER,
        "        best_weights = copy.deepcopy(model.state_dict())\n        epochs",
        "        best_weights = model.state_dict()\n        epochs",
        at="best_weights = model.state_dict()",
    ),
    fault("stops-on-training-loss", REVIEWS, 'monitor="val_loss", patience=2', 'monitor="loss", patience=2'),
)
