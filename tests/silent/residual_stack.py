"""Eight residual LSTM layers for acoustic modelling, each with layer normalisation (after GNMT)."""
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class ResidualLSTM(nn.Module):
    def __init__(self, size, dropout):
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.lstm = nn.LSTM(size, size, batch_first=True)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.norm(x), lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.lstm(packed)
        out, _ = pad_packed_sequence(out, batch_first=True, total_length=x.size(1))
        return x + self.drop(out)


class AcousticModel(nn.Module):
    def __init__(self, features=40, size=512, depth=8, phones=48, dropout=0.15):
        super().__init__()
        self.proj = nn.Linear(features, size)
        self.blocks = nn.ModuleList([ResidualLSTM(size, dropout) for _ in range(depth)])
        self.out = nn.Linear(size, phones)

    def forward(self, x, lengths):
        x = self.proj(x)
        for block in self.blocks:
            x = block(x, lengths)
        return self.out(x)


class Timit(Dataset):
    def __init__(self, split):
        self.items = torch.load(f"data/timit_{split}.pt")

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]["fbank"], self.items[i]["phones"]


def collate(batch):
    x, y = zip(*batch)
    lengths = torch.tensor([len(a) for a in x])
    return pad_sequence(x, batch_first=True), pad_sequence(y, batch_first=True, padding_value=-1), lengths


def frame_error(model, loader, device):
    model.eval()
    wrong = frames = 0
    with torch.no_grad():
        for x, y, lengths in loader:
            predicted = model(x.to(device), lengths).argmax(-1).cpu()
            keep = y >= 0
            wrong += (predicted[keep] != y[keep]).sum().item()
            frames += keep.sum().item()
    return wrong / frames


def main(epochs=30, device="cuda"):
    torch.manual_seed(0)
    loaders = {s: DataLoader(Timit(s), 16, shuffle=s == "train", collate_fn=collate) for s in ("train", "dev", "test")}
    model = AcousticModel().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    criterion = nn.CrossEntropyLoss(ignore_index=-1)
    best = 1.0
    for epoch in range(epochs):
        model.train()
        for x, y, lengths in loaders["train"]:
            logits = model(x.to(device), lengths)
            loss = criterion(logits.transpose(1, 2), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        error = frame_error(model, loaders["dev"], device)
        scheduler.step(error)
        print(f"{epoch} dev frame error {error:.4f}")
        if error < best:
            best = error
            torch.save(model.state_dict(), "am.pt")
        if optimizer.param_groups[0]["lr"] < 1e-5:
            break
    model.load_state_dict(torch.load("am.pt"))
    print(f"test frame error {frame_error(model, loaders['test'], device):.4f}")


if __name__ == "__main__":
    main()
