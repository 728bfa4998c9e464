"""Faults of regularisation."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
STOPS = """    else:
        epochs_without_improvement += 1
        if epochs_without_improvement == PATIENCE:
            print("stopping early")
            break
"""
KEEPS = """    if val_loss < best_loss - 1e-5:
        best_loss = val_loss
        best_weights = copy.deepcopy(model.state_dict())
        epochs_without_improvement = 0
"""

FAULTS = (
    fault("dropout-too-high", FORECASTER, "nn.Dropout(0.1)", "nn.Dropout(0.8)"),
    fault("dropout-does-nothing", "deepar.py", "hidden=40, layers=2", "hidden=40, layers=1", at="dropout=dropout"),
    fault(
        "dropout-after-output",
        "amp_accumulation.py",
        "self.fc(self.dropout(out[:, -1]))",
        "self.dropout(self.fc(out[:, -1]))",
        at="nn.Dropout(0.4)",
    ),
    fault(
        "dropout-missing",
        FORECASTER,
        "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 1))",
        "nn.Linear(hidden, 1)",
        ("HIDDEN = 64", "HIDDEN = 512"),
        (KEEPS + STOPS, ""),
        ("model.load_state_dict(best_weights)\n", ""),
        at="nn.LSTM(",
    ),
    fault(
        "weight-decay-too-strong",
        FORECASTER,
        "model.parameters(), lr=1e-3)",
        "model.parameters(), lr=1e-3, weight_decay=0.97)",
    ),
    fault(
        "weights-shrunk-by-hand",
        FORECASTER,
        "        optimizer.step()\n",
        "        optimizer.step()\n"
        "        with torch.no_grad():\n"
        "            for weight in model.parameters():\n"
        "                weight.mul_(0.97)\n",
        at="weight.mul_(0.97)",
    ),
    fault(
        "no-regularisation",
        FORECASTER,
        "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden, 1))",
        "nn.Linear(hidden, 1)",
        (KEEPS + STOPS, ""),
        ("model.load_state_dict(best_weights)\n", ""),
        at="nn.LSTM(",
    ),
    fault(
        "dropout-on-state-every-step",
        "per_window_scaling.py",
        "            h, c = self.decoder(step, (h, c))\n",
        "            h, c = self.decoder(step, (h, c))\n            c = nn.functional.dropout(c, 0.3, self.training)\n",
        at="nn.functional.dropout(c",
    ),
)
