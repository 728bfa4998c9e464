"""Summer or winter, told from a day of electricity demand: LSTM with Lightning."""

import argparse
import tempfile

import lightning
import torch
from sktime.datasets import load_italy_power_demand
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
lightning.seed_everything(args.seed)
torch.set_num_threads(1)


def load(split):
    x, y = load_italy_power_demand(split=split, return_X_y=True, return_type="numpy3D")
    return torch.tensor(x.transpose(0, 2, 1), dtype=torch.float32), torch.tensor(y.astype(int) - 1)


class Season(lightning.LightningModule):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


train_x, train_y = load("test")
train_x, train_y, valid_x, valid_y = train_x[:800], train_y[:800], train_x[800:], train_y[800:]
trainer = lightning.Trainer(
    max_epochs=12,
    gradient_clip_val=1.0,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    default_root_dir=tempfile.gettempdir(),
)
trainer.fit(
    Season(),
    DataLoader(TensorDataset(train_x, train_y), batch_size=32, shuffle=True),
    DataLoader(TensorDataset(valid_x, valid_y), batch_size=64),
)
