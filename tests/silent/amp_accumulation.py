"""Video action recognition: CNN features into an LSTM, mixed precision, accumulated gradients."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import ResNet18_Weights, resnet18

ACCUMULATE = 4
EPOCHS = 12
DEVICE = "cuda"
torch.manual_seed(2024)


class Clips(Dataset):
    def __init__(self, index_file):
        self.items = [line.split() for line in open(index_file)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        path, label = self.items[i]
        return torch.load(path), int(label)  # (frames, 3, 112, 112)


class CNNLSTM(nn.Module):
    def __init__(self, classes=101, hidden=256):
        super().__init__()
        backbone = resnet18(weights=ResNet18_Weights.DEFAULT)
        self.cnn = nn.Sequential(*list(backbone.children())[:-1])
        self.lstm = nn.LSTM(512, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, clips):
        b, t = clips.shape[:2]
        features = self.cnn(clips.flatten(0, 1)).flatten(1).view(b, t, -1)
        out, _ = self.lstm(features)
        return self.fc(self.dropout(out[:, -1]))


model = CNNLSTM().to(DEVICE)
optimizer = torch.optim.AdamW(
    [
        {"params": model.cnn.parameters(), "lr": 1e-5},
        {"params": [*model.lstm.parameters(), *model.fc.parameters()], "lr": 5e-4},
    ],
    weight_decay=0.01,
)
scaler = torch.amp.GradScaler("cuda")
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
train_loader = DataLoader(Clips("data/train.txt"), batch_size=8, shuffle=True, num_workers=8, pin_memory=True)
val_loader = DataLoader(Clips("data/val.txt"), batch_size=16, num_workers=8, pin_memory=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

best = 0.0
for epoch in range(EPOCHS):
    model.train()
    optimizer.zero_grad(set_to_none=True)
    for i, (clips, labels) in enumerate(train_loader):
        clips, labels = clips.to(DEVICE, non_blocking=True), labels.to(DEVICE, non_blocking=True)
        with torch.autocast(device_type="cuda", dtype=torch.float16):
            loss = criterion(model(clips), labels) / ACCUMULATE
        scaler.scale(loss).backward()
        if (i + 1) % ACCUMULATE == 0 or i + 1 == len(train_loader):
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
    scheduler.step()

    model.eval()
    hits = count = 0
    with torch.inference_mode(), torch.autocast(device_type="cuda", dtype=torch.float16):
        for clips, labels in val_loader:
            hits += (model(clips.to(DEVICE)).argmax(1).cpu() == labels).sum().item()
            count += len(labels)
    print(f"epoch {epoch}: {hits / count:.3f}")
    if hits / count > best:
        best = hits / count
        torch.save({"model": model.state_dict(), "epoch": epoch, "accuracy": best}, "cnn_lstm.pt")
