"""Trainers of libraries: Lightning, Hugging Face, ignite, fastai, skorch, Accelerate, Fabric."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import FactsOf
from tests.extract.torch_programs import ADAM, get, program

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "hf default": (
        """
import torch
from torch import nn
from transformers import Trainer, TrainingArguments, EarlyStoppingCallback
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)
    def forward(self, x, labels=None):
        out, _ = self.rnn(x)
        logits = self.fc(out[:, -1])
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}

args = TrainingArguments("out")
Trainer(model=Net(), args=args, train_dataset=train_set).train()
""",
        {
            "api": "hf-trainer",
            "optimizers.0.name": "AdamW",
            "optimizers.0.learning_rate": 5e-05,
            "clipping.0.max": 1.0,
            "clipping.0.kind": "norm",
            "epochs": 3,
            "losses.0.name": "cross_entropy",
            "validation.kind": "none",
            "training_step.zero_grad": True,
            "hidden_state.initial": "none",
        },
    ),
    "hf told": (
        """
import torch
from torch import nn
from transformers import Trainer, TrainingArguments, EarlyStoppingCallback
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)
    def forward(self, x, labels=None):
        out, _ = self.rnn(x)
        logits = self.fc(out[:, -1])
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}

args = TrainingArguments(
    output_dir="out",
    num_train_epochs=7,
    learning_rate=1e-3,
    max_grad_norm=0.3,
    evaluation_strategy="epoch",
    load_best_model_at_end=True,
    weight_decay=0.1,
    fp16=True,
)
stop = EarlyStoppingCallback(early_stopping_patience=4)
trainer = Trainer(model=Net(), args=args, train_dataset=train_set, eval_dataset=dev_set, callbacks=[stop])
trainer.train()
""",
        {
            "epochs": 7,
            "optimizers.0.learning_rate": 0.001,
            "optimizers.0.weight_decay": 0.1,
            "clipping.0.max": 0.3,
            "early_stopping.0.patience": 4,
            "early_stopping.0.restores_best": True,
            "validation.kind": "data",
            "training_step.mixed_precision": True,
            "training_step.eval_mode": True,
        },
    ),
    "hf own trainer": (
        """
import torch
from torch import nn
from transformers import Trainer, TrainingArguments, EarlyStoppingCallback
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)
    def forward(self, x, labels=None):
        out, _ = self.rnn(x)
        logits = self.fc(out[:, -1])
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}

class MyTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False):
        out = model(inputs["x"])
        return nn.MSELoss()(out["logits"], inputs["y"])
MyTrainer(model=Net(), args=TrainingArguments("out", num_train_epochs=2), train_dataset=train_set).train()
""",
        {"api": "hf-trainer", "epochs": 2, "losses.0.name": "MSELoss", "clipping.0.max": 1.0},
    ),
    "ignite supervised": (
        """
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from ignite.engine import Engine, Events, create_supervised_trainer, create_supervised_evaluator
from ignite.handlers import EarlyStopping
from ignite.metrics import Loss
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
model = Net()
train_loader, val_loader = DataLoader(a, batch_size=4), DataLoader(b, batch_size=4)
optimizer = optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

trainer = create_supervised_trainer(model, optimizer, criterion)
evaluator = create_supervised_evaluator(model, metrics={"nll": Loss(criterion)})
@trainer.on(Events.EPOCH_COMPLETED)
def validate(engine):
    evaluator.run(val_loader)
handler = EarlyStopping(patience=6, score_function=lambda e: -e.state.metrics["nll"], trainer=trainer)
evaluator.add_event_handler(Events.COMPLETED, handler)
trainer.run(train_loader, max_epochs=11)
""",
        {
            "api": "ignite",
            "epochs": 11,
            "losses.0.name": "CrossEntropyLoss",
            "training_step.zero_grad": True,
            "training_step.eval_mode": True,
            "early_stopping.0.patience": 6,
            "clipping.#": 0,
            "optimizers.#": 1,
        },
    ),
    "ignite engine": (
        """
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from ignite.engine import Engine, Events, create_supervised_trainer, create_supervised_evaluator
from ignite.handlers import EarlyStopping
from ignite.metrics import Loss
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
model = Net()
train_loader, val_loader = DataLoader(a, batch_size=4), DataLoader(b, batch_size=4)
optimizer = optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

def update(engine, batch):
    model.train()
    optimizer.zero_grad()
    x, y = batch
    loss = criterion(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    return loss.item()
trainer = Engine(update)
trainer.run(train_loader, max_epochs=4)
""",
        {
            "api": "ignite",
            "epochs": 4,
            "clipping.0.max": 2.0,
            "clipping.0.placement": "ok",
            "clipping.#": 1,
            "losses.#": 1,
        },
    ),
    "accelerate": (
        program("""
from accelerate import Accelerator
accelerator = Accelerator(mixed_precision="fp16")
optimizer = optim.Adam(model.parameters(), lr=0.01)

model, optimizer, train_loader = accelerator.prepare(model, optimizer, train_loader)
for epoch in range(8):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.5)
        optimizer.step()
"""),
        {
            "api": "accelerate",
            "epochs": 8,
            "clipping.0.max": 1.5,
            "clipping.0.placement": "ok",
            "losses.0.name": "CrossEntropyLoss",
            "training_step.mixed_precision": True,
            "optimizers.0.name": "Adam",
            "training_step.zero_grad": True,
        },
    ),
    "skorch": (
        program("""
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, GradientNormClipping
net = NeuralNetClassifier(
    Net,
    module__hidden=64,
    criterion=nn.CrossEntropyLoss,
    max_epochs=12,
    lr=0.05,
    optimizer=optim.Adam,
    callbacks=[EarlyStopping(patience=3), GradientNormClipping(gradient_clip_value=0.5)],
)
net.fit(X, y)
"""),
        {
            "api": "skorch",
            "epochs": 12,
            "optimizers.0.name": "Adam",
            "optimizers.0.learning_rate": 0.05,
            "losses.0.name": "CrossEntropyLoss",
            "early_stopping.0.patience": 3,
            "clipping.0.max": 0.5,
        },
    ),
    "fastai": (
        program("""
from fastai.vision.all import *
learn = Learner(dls, model, loss_func=nn.CrossEntropyLoss(), cbs=[GradientClip(0.4), EarlyStoppingCallback(patience=2)])
learn.fit_one_cycle(6, 3e-3)
"""),
        {
            "api": "fastai",
            "epochs": 6,
            "optimizers.0.name": "Adam",
            "optimizers.0.learning_rate": 0.003,
            "losses.0.name": "CrossEntropyLoss",
            "clipping.0.max": 0.4,
            "early_stopping.0.patience": 2,
        },
    ),
    "fabric": (
        program("""
from lightning.fabric import Fabric
fabric = Fabric()
optimizer = optim.Adam(model.parameters(), lr=0.01)

model, optimizer = fabric.setup(model, optimizer)
for epoch in range(8):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        fabric.backward(loss)
        fabric.clip_gradients(model, optimizer, max_norm=0.7)
        optimizer.step()
"""),
        {"epochs": 8, "clipping.0.max": 0.7, "clipping.0.placement": "ok", "losses.0.name": "CrossEntropyLoss"},
    ),
    "lightning": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

model = Net(lr=0.02)
trainer = pl.Trainer(max_epochs=9, gradient_clip_val=0.1, gradient_clip_algorithm="value")
trainer.fit(model, DataLoader(a, batch_size=4))
""",
        {
            "api": "lightning",
            "epochs": 9,
            "optimizers.0.learning_rate": 0.02,
            "losses.0.name": "mse_loss",
            "clipping.0.kind": "value",
            "clipping.0.max": 0.1,
            "schedules.0.gamma": 0.3,
            "schedules.0.stepped": "epoch",
            "training_step.zero_grad": True,
            "validation.kind": "none",
            "training_step.eval_mode": None,
            "optimizers.#": 1,
            "losses.#": 1,
        },
    ),
    "lightning default": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

pl.Trainer().fit(Net(), DataLoader(a, batch_size=4))
""",
        {"epochs": 1000, "clipping.#": 0, "early_stopping.#": 0, "optimizers.0.learning_rate": 0.001},
    ),
    "lightning module": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]
""",
        {
            "api": "lightning",
            "optimizers.0.name": "Adam",
            "losses.0.name": "mse_loss",
            "optimizers.0.learning_rate": 0.001,
        },
    ),
    "lightning manual": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.automatic_optimization = False
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        opt = self.optimizers()
        opt.zero_grad()
        self.manual_backward(loss)
        opt.step()
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

pl.Trainer(max_epochs=5).fit(Net(), DataLoader(a, batch_size=4))
""",
        {"epochs": 5, "losses.0.name": "mse_loss", "losses.#": 1, "training_step.zero_grad": True},
    ),
    "unknown trainer": (
        program("""
from somewhere import Runner
runner = Runner(model, criterion)
runner.fit(train_loader)
"""),
        {"clipping": "?", "optimizers": "?", "epochs": "?"},
    ),
    "missing module": (
        program(
            ADAM,
            """
from engine import train_epoch
for epoch in range(5):
    train_epoch(model, train_loader, optimizer)
""",
        ),
        {"clipping": "?"},
    ),
    "hparams": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.save_hyperparameters()
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

pl.Trainer(max_epochs=5).fit(Net(lr=0.007), DataLoader(a, batch_size=4))
""",
        {"optimizers.0.learning_rate": 0.007, "epochs": 5},
    ),
    "lightning args": (
        """
import torch
import argparse
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

parser = argparse.ArgumentParser()
parser = pl.Trainer.add_argparse_args(parser)
parser.set_defaults(max_epochs=33, gradient_clip_val=0.2)
args = parser.parse_args()
trainer = pl.Trainer.from_argparse_args(args)
trainer.fit(Net(), DataLoader(a, batch_size=4))
""",
        {"epochs": 33, "clipping.0.max": 0.2},
    ),
    "lightning stop not passed": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

stop = EarlyStopping(monitor="val_loss", patience=2)
trainer = pl.Trainer(max_epochs=3)
trainer.fit(Net(), DataLoader(a, batch_size=4))
""",
        {"epochs": 3, "early_stopping.0.active": False, "early_stopping.0.patience": 2},
    ),
    "lightning validation": (
        """
import torch
from torch import nn
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader
class Net(pl.LightningModule):
    def __init__(self, hidden=64, lr=1e-3):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.lr = lr
    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])
    def training_step(self, batch, i):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}
    def validation_step(self, batch, i):
        x, y = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), y))
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.3)]

callbacks = [EarlyStopping("val_loss", patience=2), ModelCheckpoint(monitor="val_loss")]
trainer = pl.Trainer(max_epochs=3, callbacks=callbacks)
trainer.fit(Net(), DataLoader(a, batch_size=4), DataLoader(b, batch_size=4))
trainer.test(ckpt_path="best")
""",
        {
            "validation.kind": "data",
            "validation.selects": True,
            "early_stopping.0.patience": 2,
            "checkpoints.0.on": "validation",
            "checkpoints.0.reloaded": True,
            "early_stopping.0.restores_best": True,
            "training_step.eval_mode": True,
            "training_step.no_grad": True,
        },
    ),
    "lightning data module": (
        """
import pytorch_lightning as pl
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset
from pytorch_lightning.callbacks import ModelCheckpoint, EarlyStopping
N_EPOCHS = 8
BATCH_SIZE = 64
class DataModule(pl.LightningDataModule):
    def __init__(self, train_sequences, test_sequences, batch_size=8):
        super().__init__()
        self.train_sequences, self.test_sequences, self.batch_size = train_sequences, test_sequences, batch_size
    def setup(self, stage=None):
        self.train_dataset = Sequences(self.train_sequences)
        self.test_dataset = Sequences(self.test_sequences)
    def train_dataloader(self):
        return DataLoader(self.train_dataset, batch_size=self.batch_size, shuffle=False)
    def val_dataloader(self):
        return DataLoader(self.test_dataset, batch_size=1)
    def test_dataloader(self):
        return DataLoader(self.test_dataset, batch_size=1)
class Model(nn.Module):
    def __init__(self, n_features, n_hidden=128, n_layers=2):
        super().__init__()
        self.lstm = nn.LSTM(n_features, n_hidden, num_layers=n_layers, batch_first=True, dropout=0.2)
        self.regressor = nn.Linear(n_hidden, 1)
    def forward(self, x):
        self.lstm.flatten_parameters()
        _, (hidden, _) = self.lstm(x)
        return self.regressor(hidden[-1])
class Predictor(pl.LightningModule):
    def __init__(self, n_features):
        super().__init__()
        self.model = Model(n_features)
        self.criterion = nn.MSELoss()
    def forward(self, x, labels=None):
        output = self.model(x)
        loss = 0
        if labels is not None:
            loss = self.criterion(output, labels.unsqueeze(dim=1))
        return loss, output
    def training_step(self, batch, batch_idx):
        loss, outputs = self(batch["sequence"], batch["label"])
        self.log("train_loss", loss, prog_bar=True)
        return loss
    def validation_step(self, batch, batch_idx):
        loss, outputs = self(batch["sequence"], batch["label"])
        self.log("val_loss", loss, prog_bar=True)
        return loss
    def configure_optimizers(self):
        return optim.AdamW(self.parameters(), lr=0.0001)
data_module = DataModule(train_sequences, test_sequences, batch_size=BATCH_SIZE)
model = Predictor(9)
checkpoint = ModelCheckpoint(dirpath="checkpoints", filename="best", save_top_k=1, monitor="val_loss", mode="min")
stop = EarlyStopping(monitor="val_loss", patience=2)
trainer = pl.Trainer(checkpoint_callback=checkpoint, callbacks=[stop], max_epochs=N_EPOCHS, gpus=1)
trainer.fit(model, data_module)
trained = Predictor.load_from_checkpoint("checkpoints/best.ckpt", n_features=9)
""",
        {
            "epochs": 8,
            "optimizers.0.name": "AdamW",
            "optimizers.0.learning_rate": 0.0001,
            "losses.0.name": "MSELoss",
            "losses.#": 1,
            "validation.kind": "data",
            "validation.selects": True,
            "early_stopping.0.patience": 2,
            "early_stopping.0.restores_best": True,
            "hidden_state.initial": "none",
            "hidden_state.carried": False,
            "training_step.eval_mode": True,
            "clipping.#": 0,
            "api": "lightning",
            "checkpoints.0.reloaded": True,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_trainers(facts_of: FactsOf, name: str) -> None:
    source, want = CASES[name]
    facts = facts_of(source)
    assert {path: get(facts, path) for path in want} == want
