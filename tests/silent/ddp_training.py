"""Distributed training of an audio event detector: one process per GPU, started by torchrun."""
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler


class Events(Dataset):
    """Ten seconds of log-mel frames (500, 64) and frame labels (500, 10)."""

    def __init__(self, index):
        with open(index) as f:
            self.paths = f.read().split()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        blob = torch.load(self.paths[i])
        return blob["mel"], blob["labels"].float()


class CRNN(nn.Module):
    def __init__(self, classes=10, hidden=128):
        super().__init__()
        blocks, channels = [], 1
        for out in (32, 64, 128):
            blocks += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d((1, 4)),
                       nn.Dropout(0.2)]
            channels = out
        self.cnn = nn.Sequential(*blocks)
        self.rnn = nn.GRU(128, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.strong = nn.Linear(2 * hidden, classes)

    def forward(self, mel):
        x = self.cnn(mel.unsqueeze(1))  # B, C, T, 1
        x = x.squeeze(-1).permute(0, 2, 1)
        x, _ = self.rnn(x)
        return self.strong(x)


def main(epochs=60, batch_size=24, lr=1e-3):
    dist.init_process_group("nccl")
    rank, local = dist.get_rank(), int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(local)
    torch.manual_seed(7 + rank)

    train_set = Events("data/train.lst")
    sampler = DistributedSampler(train_set)
    train_loader = DataLoader(train_set, batch_size, sampler=sampler, num_workers=4, pin_memory=True)
    valid_loader = DataLoader(Events("data/valid.lst"), batch_size, num_workers=4)

    model = DDP(nn.SyncBatchNorm.convert_sync_batchnorm(CRNN()).cuda(), device_ids=[local])
    optimizer = torch.optim.Adam(model.parameters(), lr=lr * dist.get_world_size())
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=5)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs - 5)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[5])
    criterion = nn.BCEWithLogitsLoss()
    best = float("inf")
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        model.train()
        for mel, labels in train_loader:
            mel, labels = mel.cuda(non_blocking=True), labels.cuda(non_blocking=True)
            optimizer.zero_grad()
            loss = criterion(model(mel), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        scheduler.step()
        if rank == 0:
            model.eval()
            total = 0.0
            with torch.no_grad():
                for mel, labels in valid_loader:
                    total += criterion(model.module(mel.cuda()), labels.cuda()).item() * len(mel)
            total /= len(valid_loader.dataset)
            print(f"epoch {epoch}: {total:.4f}", flush=True)
            if total < best:
                best = total
                torch.save(model.module.state_dict(), "crnn.pt")
        dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
