"""Keystroke dynamics: bidirectional GRU with an exponential moving average of its weights and a OneCycle schedule."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(31)
EPOCHS, BATCH, MAX_LR = 30, 128, 3e-3


class TypistNet(nn.Module):
    def __init__(self, features=5, hidden=96, users=51):
        super().__init__()
        self.gru = nn.GRU(features, hidden, num_layers=2, dropout=0.25, bidirectional=True, batch_first=True)
        self.attend = nn.Linear(2 * hidden, 1)
        self.out = nn.Linear(2 * hidden, users)

    def forward(self, x):
        h, _ = self.gru(x)
        weights = torch.softmax(self.attend(h), dim=1)
        return self.out((weights * h).sum(dim=1))


def load(name):
    blob = torch.load(f"data/{name}.pt")
    return TensorDataset(blob["x"], blob["y"])


train_loader = DataLoader(load("train"), BATCH, shuffle=True, drop_last=True)
valid_loader = DataLoader(load("valid"), 512)
test_loader = DataLoader(load("test"), 512)

model = TypistNet()
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
optimizer = torch.optim.AdamW(model.parameters(), lr=MAX_LR / 25, weight_decay=1e-2)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, MAX_LR, epochs=EPOCHS, steps_per_epoch=len(train_loader))
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)


@torch.no_grad()
def accuracy(net, loader):
    net.eval()
    return sum((net(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


best = 0.0
for epoch in range(EPOCHS):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        ema.update_parameters(model)
    score = accuracy(ema, valid_loader)
    if score > best:
        best = score
        torch.save(ema.module.state_dict(), "typist.pt")
    print(f"{epoch:2d} lr {scheduler.get_last_lr()[0]:.2e} validation {score:.4f}")

model.load_state_dict(torch.load("typist.pt"))
print("test", accuracy(model, test_loader))
