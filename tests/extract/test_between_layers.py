"""What stands between layers, and what they are fed with: source text → facts."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Program, items, plain
from tests.extract.conftest import FactsOf

KERAS = """
import keras
import numpy as np
from keras import layers

x, y = np.zeros((600, 20, 4)), {target}
{model}
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=3)
"""
TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.randn(640, 20, 8), torch.randint(3, (640,))), batch_size={size})


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16)
        self.hidden = nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        out, _ = self.lstm(x)
        hidden = self.hidden(out[-1])
        return self.head({given})


net = Net()
optimizer = torch.optim.Adam(net.parameters())
for inputs, targets in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(inputs), targets).backward()
    optimizer.step()
"""


def ways(program: Program) -> list[object]:
    return [plain(edge.via) for edge in items(program.graph)]


def test_a_state_is_not_an_input(facts_of: FactsOf) -> None:
    model = """i, j = layers.Input((20, 4)), layers.Input((20, 4))
state = layers.GRU(8)(i)
model = keras.Model([i, j], layers.Dense(1)(layers.GRU(8)(j, initial_state=state)))"""
    assert ways(facts_of(KERAS.format(target="np.zeros(600)", model=model))) == ["state", None]


def test_time_distributed(facts_of: FactsOf) -> None:
    model = "model = keras.Sequential([layers.TimeDistributed(layers.LSTM(8)), layers.LSTM(8), layers.Dense(1)])"
    assert ways(facts_of(KERAS.format(target="np.zeros(600)", model=model))) == ["time-distributed", None]


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("np.zeros(600)", [None]),
        ("np.zeros((600, 1))", [None, 1]),
        ("np.zeros((600, 20, 1))", [None, 20, 1]),
        ("np.array([i % 2 for i in range(600)])", [None]),
        ("load_targets()", None),
    ],
)
def test_shape_of_the_targets(facts_of: FactsOf, target: str, shape: list[int | None] | None) -> None:
    model = "model = keras.Sequential([layers.LSTM(8), layers.Dense(1)])"
    assert plain(facts_of(KERAS.format(target=target, model=model)).targets.shape) == shape


@pytest.mark.parametrize(
    "model",
    [
        "model = keras.Sequential([layers.LSTM(8, input_shape=(20, 4)), layers.Dense(1)])",
        "model = keras.Sequential([layers.Input((20, 4)), layers.Bidirectional(layers.LSTM(8)), layers.Dense(1)])",
        "i = keras.Input(shape=(20, x.shape[2]))\nmodel = keras.Model(i, layers.Dense(1)(layers.LSTM(8)(i)))",
    ],
)
def test_features_that_a_layer_reads(facts_of: FactsOf, model: str) -> None:
    (layer,) = items(facts_of(KERAS.format(target="np.zeros(600)", model=model)).recurrent_layers)
    assert plain(layer.input_size) == 4


def test_features_behind_another_layer_are_not_declared(facts_of: FactsOf) -> None:
    model = "model = keras.Sequential([layers.Input((20, 4)), layers.Dense(9), layers.LSTM(8), layers.Dense(1)])"
    (layer,) = items(facts_of(KERAS.format(target="np.zeros(600)", model=model)).recurrent_layers)
    assert plain(layer.input_size) is None


@pytest.mark.parametrize(
    ("given", "via"),
    [
        ("hidden", "direct"),
        ("torch.relu(hidden)", "activation"),
        ("hidden.clamp(min=0)", "operation"),
        ("hidden**2", "operation"),
        ("torch.maximum(hidden, torch.zeros(1))", "operation"),
    ],
)
def test_operations_between_linear_layers(facts_of: FactsOf, given: str, via: str) -> None:
    assert ways(facts_of(TORCH.format(size=32, given=given)))[-1] == via


@pytest.mark.parametrize(("size", "layout"), [("32", "batch-major"), ("None", None)])
def test_a_loader_that_does_not_batch(facts_of: FactsOf, size: str, layout: str | None) -> None:
    (layer,) = items(facts_of(TORCH.format(size=size, given="hidden")).recurrent_layers)
    assert plain(layer.input_layout) == layout
