"""Measuring without a child process: a `with` block and callbacks share the core of `audit --probe`."""

import keras
import numpy as np
import torch
from torch import nn

import lstmadvisor
from lstmadvisor.probe.keras import KerasProbe

X = torch.randn(16, 9, 3)


def training(steps):
    rnn, head = nn.GRU(3, 5, batch_first=True), nn.Linear(5, 1)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)
    for _ in range(steps):
        yield optimizer
        optimizer.zero_grad()
        nn.functional.mse_loss(head(rnn(X)[0][:, -1]), X.mean(dim=(1, 2)).unsqueeze(1)).backward()
        optimizer.step()


def test_a_block_is_measured_and_leaves_no_hook():
    backward = torch.autograd.backward
    with lstmadvisor.probe(steps=100) as measuring:
        for _ in training(12):
            pass
    probe = measuring.result
    assert (probe.status, probe.steps) == ("completed", 12)
    assert len(probe.of("loss").values) == 12
    assert probe.layers[0].kind == "GRU"
    assert probe.statistics.norm_median > 0
    assert torch.autograd.backward is backward
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert not torch.nn.modules.module._global_forward_hooks


def test_it_measures_so_many_steps_and_lets_the_rest_run():
    with lstmadvisor.probe(steps=5) as measuring:
        ran = sum(1 for _ in training(9))
    assert ran == 9
    assert (measuring.result.status, measuring.result.steps) == ("step-limit", 5)


def test_only_the_optimizer_that_is_named_counts():
    first = training(6)
    optimizer = next(first)
    with lstmadvisor.probe(optimizer) as measuring:
        list(first)
        list(training(20))
    assert measuring.result.steps == 6


def test_an_error_is_told_and_goes_on():
    try:
        with lstmadvisor.probe() as measuring:
            list(training(3))
            raise ValueError("no more")
    except ValueError:
        pass
    assert (measuring.result.status, measuring.result.error) == ("failed", "ValueError: no more")
    assert measuring.result.steps == 3


def test_the_callback_of_keras():
    model = keras.Sequential([keras.Input((9, 3)), keras.layers.LSTM(5, dropout=0.1), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.01, global_clipnorm=0.5), loss="mse")
    callback = KerasProbe(steps=100)
    x = X.numpy()
    history = model.fit(
        x, x.mean((1, 2)), batch_size=4, epochs=3, validation_split=0.25, verbose=0, callbacks=[callback]
    )
    probe = callback.measuring.result
    assert probe.broken == ()
    assert (probe.steps, probe.optimizers[0].name, probe.optimizers[0].rates) == (9, "Adam", (np.float32(0.01),))
    assert probe.of("validation-loss").steps == (3, 6)
    epochs = [np.mean(probe.of("loss").values[i : i + 3]) for i in (0, 3, 6)]
    assert np.allclose(epochs, history.history["loss"], rtol=1e-4)
    (layer,) = probe.layers
    assert (layer.kind, layer.units, layer.sequence_length, layer.batch) == ("LSTM", 5, 9, 4)
    assert {h.name for h in probe.histograms} == {"gate-input", "gate-forget", "gate-cell", "gate-output", "hidden"}
    assert len(probe.profiles[0].values) == 9
    assert (probe.clipping[0].max, probe.clipping[0].before_step) == (0.5, 9)
    assert any(series.of.endswith("recurrent_kernel") for series in probe.series)
    assert probe.losses[0].name == "mse_loss"
