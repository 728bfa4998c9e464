import os
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from convlstm import Nowcaster

EPOCHS = int(os.environ.get("EPOCHS", 40))


class RadarSequences(Dataset):
    """One file per event of rain: the split goes by event."""

    def __init__(self, folder, n_in=10, n_out=10):
        self.files = sorted(Path(folder).glob("*.npy"))
        self.n_in, self.n_out = n_in, n_out

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        frames = torch.from_numpy(np.load(self.files[i]).astype("float32") / 255.0).unsqueeze(1)
        return frames[: self.n_in], frames[self.n_in : self.n_in + self.n_out]


def run(model, loader, optimizer=None, device="cuda"):
    training = optimizer is not None
    model.train(training)
    total = 0.0
    with torch.set_grad_enabled(training):
        for past, future in loader:
            past, future = past.to(device), future.to(device)
            loss = torch.nn.functional.mse_loss(model(past), future)
            if training:
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
                optimizer.step()
            total += loss.item() * past.size(0)
    return total / len(loader.dataset)


def main():
    torch.manual_seed(0)
    np.random.seed(0)
    train_loader = DataLoader(RadarSequences("data/train"), batch_size=16, shuffle=True, num_workers=4)
    val_loader = DataLoader(RadarSequences("data/val"), batch_size=16, num_workers=4)
    test_loader = DataLoader(RadarSequences("data/test"), batch_size=16, num_workers=4)
    model = Nowcaster().cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    best, patience = float("inf"), 5
    for epoch in range(EPOCHS):
        train_loss = run(model, train_loader, optimizer)
        val_loss = run(model, val_loader)
        scheduler.step()
        print(f"{epoch:03d} train {train_loss:.5f} val {val_loss:.5f}")
        if val_loss < best:
            best, patience = val_loss, 5
            torch.save(model.state_dict(), "nowcaster.pth")
        else:
            patience -= 1
            if patience == 0:
                break
    model.load_state_dict(torch.load("nowcaster.pth"))
    print("test MSE", run(model, test_loader))


if __name__ == "__main__":
    main()
