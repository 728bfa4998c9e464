"""Electricity price forecasting with PyTorch Lightning."""
import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Dataset


class PriceWindows(Dataset):
    def __init__(self, series, history, horizon):
        self.series = torch.as_tensor(series, dtype=torch.float32)
        self.history, self.horizon = history, horizon

    def __len__(self):
        return len(self.series) - self.history - self.horizon + 1

    def __getitem__(self, i):
        j = i + self.history
        return self.series[i:j], self.series[j : j + self.horizon, 0]


class PriceDataModule(L.LightningDataModule):
    def __init__(self, path="data/prices.npy", history=168, horizon=24, batch_size=64):
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage=None):
        values = np.load(self.hparams.path)
        a, b = int(0.7 * len(values)), int(0.85 * len(values))
        train, val, test = values[:a], values[a:b], values[b:]
        self.mean, self.std = train.mean(0), train.std(0)
        h = self.hparams
        self.train_set = PriceWindows((train - self.mean) / self.std, h.history, h.horizon)
        self.val_set = PriceWindows((val - self.mean) / self.std, h.history, h.horizon)
        self.test_set = PriceWindows((test - self.mean) / self.std, h.history, h.horizon)

    def train_dataloader(self):
        return DataLoader(self.train_set, self.hparams.batch_size, shuffle=True, num_workers=4)

    def val_dataloader(self):
        return DataLoader(self.val_set, self.hparams.batch_size, num_workers=4)

    def test_dataloader(self):
        return DataLoader(self.test_set, self.hparams.batch_size, num_workers=4)


class PriceLSTM(L.LightningModule):
    def __init__(self, n_features=5, hidden=96, layers=2, horizon=24, dropout=0.2, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.lstm = nn.LSTM(n_features, hidden, layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(hidden, horizon)
        self.loss = nn.HuberLoss()

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])

    def _step(self, batch, name):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log(f"{name}_loss", loss, prog_bar=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._step(batch, "train")

    def validation_step(self, batch, batch_idx):
        self._step(batch, "val")

    def test_step(self, batch, batch_idx):
        self._step(batch, "test")

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=1e-2)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_loss"}}


if __name__ == "__main__":
    L.seed_everything(17, workers=True)
    data = PriceDataModule()
    model = PriceLSTM()
    checkpoint = ModelCheckpoint(monitor="val_loss", mode="min", save_top_k=1)
    trainer = L.Trainer(
        max_epochs=100,
        gradient_clip_val=1.0,
        callbacks=[EarlyStopping("val_loss", patience=8), checkpoint, LearningRateMonitor()],
        deterministic=True,
    )
    trainer.fit(model, datamodule=data)
    trainer.test(ckpt_path="best", datamodule=data)
