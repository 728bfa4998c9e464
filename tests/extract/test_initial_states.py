"""Where the state of recurrent layers starts, how long it lives, and for how many sequences it is made."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import Unknown, items, plain
from tests.extract.conftest import FactsOf

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 32
data = TensorDataset(torch.randn(500, 40, 3), torch.randn(500, 40, 1))
loader = DataLoader(data, batch_size=BATCH, shuffle=True)
rnn, head = nn.GRU(3, 16, batch_first=True), nn.Linear(16, 1)
encoder = nn.Linear(3, 16)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=1e-3)
"""
LOOP = """
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        {state}
        loss = nn.functional.mse_loss(head(rnn(x, h)[0]), y)
        loss.backward()
        optimizer.step()
"""
DOCUMENTS = """
for epoch in range(3):
    for x, y in loader:
        h = None
        for part, wanted in zip(x.split(10, 1), y.split(10, 1)):
            if h is not None:
                h = h.detach()
            optimizer.zero_grad()
            out, h = rnn(part, h)
            loss = nn.functional.mse_loss(head(out), wanted)
            loss.backward()
            optimizer.step()
"""
CARRIED = """
h = None
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        out, h = rnn(x, h)
        h = h.detach()
        loss = nn.functional.mse_loss(head(out), y)
        loss.backward()
        optimizer.step()
"""


def test_a_state_that_lives_as_long_as_a_document(facts_of: FactsOf) -> None:
    state = facts_of(HEAD + DOCUMENTS).hidden_state
    assert (plain(state.carried), plain(state.detached), plain(state.reset)) == (True, True, "sequence")


def test_a_state_that_goes_on_from_batch_to_batch(facts_of: FactsOf) -> None:
    state = facts_of(HEAD + CARRIED).hidden_state
    assert (plain(state.carried), plain(state.reset)) == (True, "never")


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        ("random", "h = torch.randn(1, x.size(0), 16)"),
        ("encoder", "m = encoder(x[:, 0]); h = (torch.randn_like(m) * torch.exp(m / 2) + m).unsqueeze(0)"),
        ("encoder", "m = encoder(x[:, 0]); h = (m + torch.randn_like(m)).unsqueeze(0)"),
        ("zeros", "h = torch.zeros(1, x.size(0), 16)"),
    ],
)
def test_what_a_state_starts_from(facts_of: FactsOf, expected: str, state: str) -> None:
    assert plain(facts_of(HEAD + LOOP.format(state=state)).hidden_state.initial) == expected


@pytest.mark.parametrize(
    ("functions", "state"),
    [
        (["randn"], "h = 0.1 * torch.randn(1, x.size(0), 16)"),
        (["kaiming_normal_"], "h = nn.init.kaiming_normal_(torch.empty(1, x.size(0), 16))"),
        ([None], "h = nn.init.normal_(torch.empty(1, x.size(0), 16), std=0.1)"),
        ([None], "h = torch.empty(1, x.size(0), 16).normal_()"),
        ([None], "h = torch.randn(1, x.size(0), 16, generator=generator)"),
        (["randn", "rand"], "h = torch.cat((torch.randn(1, 8, 16), torch.rand(1, 24, 16)), 1)"),
        ([], "h = torch.zeros(1, x.size(0), 16)"),
    ],
)
def test_the_calls_that_draw_a_state(facts_of: FactsOf, functions: list[str | None], state: str) -> None:
    drawn = items(facts_of(HEAD + LOOP.format(state=state)).hidden_state.drawn)
    assert [plain(draw.function) for draw in drawn] == functions


@pytest.mark.parametrize("made", ["h = torch.randn(1, BATCH, 16)", "h = torch.empty(1, BATCH, 16)\nnn.init.normal_(h)"])
def test_a_state_that_is_drawn_once_is_no_noise(facts_of: FactsOf, made: str) -> None:
    initial = facts_of(f"{HEAD}\n{made}\n" + LOOP.format(state="pass")).hidden_state.initial
    assert isinstance(initial, Unknown)


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        (32, "h = torch.zeros(1, BATCH, 16)"),
        (None, "h = torch.zeros(1, x.size(0), 16)"),
        (None, "h = torch.zeros(1, x.shape[0], 16)"),
        (None, "if x.size(0) != BATCH: continue\n        h = torch.zeros(1, BATCH, 16)"),
    ],
)
def test_the_batch_of_a_state(facts_of: FactsOf, expected: int | None, state: str) -> None:
    (layer,) = items(facts_of(HEAD + LOOP.format(state=state)).recurrent_layers)
    assert plain(layer.initial_batch) == expected


KERAS = """
import keras
import numpy as np
from elsewhere import Unseen


class Reset(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        {reset}


x, y = np.random.randn(320, 20, 3), np.random.randn(320)
model = keras.Sequential()
model.add(keras.Input(batch_shape=(32, 20, 3)))
model.add(keras.layers.LSTM(16, stateful=True))
model.add(keras.layers.Dense(1))
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=10, batch_size=32, shuffle=False, callbacks=[{callback}])
"""


@pytest.mark.parametrize(
    ("expected", "reset", "callback"),
    [
        (True, "self.model.layers[0].reset_state()", "Reset()"),
        (False, "print(epoch)", "Reset()"),
        (False, "pass", "keras.callbacks.TerminateOnNaN()"),
        (None, "pass", "Unseen()"),
    ],
)
def test_the_reset_of_a_stateful_layer(facts_of: FactsOf, expected: bool | None, reset: str, callback: str) -> None:
    assert plain(facts_of(KERAS.format(reset=reset, callback=callback)).hidden_state.reset) == expected


def test_a_loop_over_all_pieces_of_a_matrix(facts_of: FactsOf) -> None:
    init = "for gate in rnn.weight_hh_l0.chunk(3):\n    nn.init.orthogonal_(gate)\nh = None\n"
    (found,) = items(facts_of(HEAD + init + LOOP.format(state="pass")).initializations)
    assert (plain(found.target), plain(found.scheme)) == ("recurrent-weights", "orthogonal")
