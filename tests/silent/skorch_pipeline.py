"""Gas sensor drift with skorch: the GRU sits in a scikit-learn pipeline, the grid is searched on ordered folds."""
import numpy as np
import torch
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, GradientNormClipping
from skorch.dataset import ValidSplit
from torch import nn

torch.manual_seed(0)
np.random.seed(0)


class SensorGRU(nn.Module):
    def __init__(self, features=8, hidden=32, classes=6, dropout=0.2):
        super().__init__()
        self.gru = nn.GRU(features, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(self.dropout(h[-1]))


def normalise_each(x):
    """Each piece relative to its own first second."""
    base = x[:, :10].mean(axis=1, keepdims=True)
    return ((x - base) / (np.abs(base) + 1e-6)).astype("float32")


net = NeuralNetClassifier(
    SensorGRU,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=1e-3,
    batch_size=64,
    max_epochs=60,
    iterator_train__shuffle=True,
    train_split=ValidSplit(5, stratified=False),
    callbacks=[EarlyStopping(patience=6, load_best=True), GradientNormClipping(1.0)],
    verbose=0,
)
pipe = Pipeline([("relative", FunctionTransformer(normalise_each)), ("net", net)])

STEPS, STRIDE = 50, 10
data = np.load("data/gas.npz")  # one long recording, ten readings a second
readings, gas = data["readings"], data["gas"]
starts = range(0, len(readings) - STEPS, STRIDE)
x = np.stack([readings[i : i + STEPS] for i in starts])
y = np.array([gas[i + STEPS] for i in starts], dtype="int64")
cut = int(0.8 * len(x))

search = GridSearchCV(
    pipe,
    {"net__module__hidden": [16, 32, 64], "net__lr": [3e-4, 1e-3, 3e-3]},
    cv=TimeSeriesSplit(4, gap=STEPS // STRIDE),
    scoring="balanced_accuracy",
)
search.fit(x[:cut], y[:cut])
print(search.best_params_, search.best_score_)
print("held out:", search.score(x[cut + STEPS // STRIDE :], y[cut + STEPS // STRIDE :]))
