"""Loops that libraries hide are measured like others, and learn what they would have learned unmeasured, bit for bit."""

import struct
import subprocess
import sys
from dataclasses import dataclass

import pytest

from lstmadvisor.probe.collect import collected
from tests.probe.programs import MODEL, child
from tests.probe.test_no_trace import LIMITED

DATA = """
import struct
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(64, 9, 3)
y = x.mean((1, 2)).unsqueeze(1)

def tell(loss):
    print("LOSS", struct.pack("d", float(loss)).hex(), flush=True)
"""
LIGHTNING = """
import lightning
from torch.utils.data import DataLoader, TensorDataset

class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def training_step(self, batch, index):
        loss = nn.functional.mse_loss(self.net(batch[0]), batch[1])
        tell(loss)
        return loss

    def validation_step(self, batch, index):
        self.log("validation", nn.functional.mse_loss(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)

data = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
trainer = lightning.Trainer(
    max_epochs=100, accelerator="cpu", gradient_clip_val=0.1, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(Module(), data, DataLoader(TensorDataset(x[:16], y[:16]), batch_size=16))
"""
TRAINER = """
from transformers import Trainer, TrainingArguments

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net(nn.GRU)

    def forward(self, x=None, labels=None):
        predicted = self.net(x)
        loss = nn.functional.mse_loss(predicted, labels)
        tell(loss)
        return {"loss": loss, "logits": predicted}

settings = TrainingArguments(
    "out", num_train_epochs=100, per_device_train_batch_size=8, gradient_accumulation_steps=2, learning_rate=0.01,
    use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
)
Trainer(Model(), settings, train_dataset=[{"x": a, "labels": b} for a, b in zip(x, y)]).train()
"""
ACCELERATE = """
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset

accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
model = Net(num_layers=2, dropout=0.2)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
data = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
model, optimizer, data = accelerator.prepare(model, optimizer, data)
for epoch in range(100):
    for a, b in data:
        with accelerator.accumulate(model):
            loss = nn.functional.mse_loss(model(a), b)
            tell(loss)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            optimizer.zero_grad()
"""
KERAS = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((9, 3)), keras.layers.LSTM(8, dropout=0.2), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01, global_clipnorm=0.5), loss="mse")
told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: tell(logs["loss"]))
model.fit(x.numpy(), y.numpy(), batch_size=8, epochs=100, validation_split=0.25, verbose=0, callbacks=[told])
"""


@dataclass(frozen=True)
class Case:
    """A program, and what is to be found of it."""

    code: str
    kind: str
    optimizer: str
    passes: int = 1
    """backward passes in one step"""
    clip: float | None = None
    evaluates: bool = False
    running: bool = False
    """whether it tells the mean of an epoch so far"""


CASES = {
    "lightning": Case(MODEL + LIGHTNING, "LSTM", "Adam", clip=0.1, evaluates=True),
    "transformers": Case(MODEL + TRAINER, "GRU", "AdamW", passes=2, clip=1.0),
    "accelerate": Case(MODEL + ACCELERATE, "LSTM", "AdamW", passes=2, clip=0.5),
    "keras": Case(KERAS, "LSTM", "Adam", clip=0.5, evaluates=True, running=True),
}
STEPS = 30


@pytest.mark.parametrize("name", CASES)
def test_a_hidden_loop_is_measured_and_left_as_it_is(name, tmp_path):
    case = CASES[name]
    records, measured = child(tmp_path, DATA + case.code, steps=STEPS)
    losses = _losses(measured.stdout)
    assert len(losses) >= STEPS * case.passes - case.running, measured.stderr
    (tmp_path / "bare.py").write_text(DATA + case.code, encoding="utf-8")
    command = [sys.executable, "-c", LIMITED, "bare.py", str(len(losses))]
    bare = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert _losses(bare.stdout) == losses

    probe = collected(records, status="step-limit", steps=STEPS)
    assert probe.broken == ()
    loss = probe.of("loss")
    assert loss.steps == probe.of("gradient-norm").steps == probe.of("clip-norm").steps == tuple(range(STEPS))
    if not case.running:
        told = [sum(losses[i : i + case.passes]) / case.passes for i in range(0, STEPS * case.passes, case.passes)]
        assert loss.values == pytest.approx(told, rel=1e-5)
    assert loss.values[0] == pytest.approx(sum(losses[: case.passes]) / case.passes, rel=1e-5)
    (layer,) = probe.layers
    assert (layer.kind, layer.units, layer.sequence_length, layer.batch) == (case.kind, 8, 9, 8)
    assert [optimizer.name for optimizer in probe.optimizers] == [case.optimizer]
    (clip,) = probe.clipping
    assert (clip.max, clip.calls, clip.before_step) == (case.clip, STEPS, STEPS)
    assert (probe.of("validation-loss") is not None) == case.evaluates
    (target,) = probe.losses
    assert target.name == "mse_loss"
    assert target.target_deviation is not None
    assert target.constant is not None
    assert probe.histograms
    assert {len(profile.values) for profile in probe.profiles} == {9}


def _losses(output: str) -> list[float]:
    return [
        struct.unpack("d", bytes.fromhex(line.split()[1]))[0] for line in output.splitlines() if line.startswith("LOSS")
    ]
