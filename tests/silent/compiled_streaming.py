"""Keyword spotting: trains a small GRU with torch.compile, then listens to a microphone stream frame by frame."""
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class KeywordGRU(nn.Module):
    def __init__(self, n_mels=40, hidden=64, words=12):
        super().__init__()
        self.gru = nn.GRU(n_mels, hidden, batch_first=True)
        self.out = nn.Linear(hidden, words)

    def forward(self, mel, state=None):
        h, state = self.gru(mel, state)
        return self.out(h[:, -1]), state


def train(path="kws.pt"):
    torch.manual_seed(8)
    splits = {name: TensorDataset(*torch.load(f"data/{name}.pt")) for name in ("train", "valid")}
    train_loader = DataLoader(splits["train"], batch_size=256, shuffle=True, drop_last=True)
    valid_loader = DataLoader(splits["valid"], batch_size=256)
    model = KeywordGRU()
    compiled = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=2)
    best = 0.0
    for epoch in range(20):
        model.train()
        for mel, word in train_loader:
            logits, _ = compiled(mel)
            loss = nn.functional.cross_entropy(logits, word)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            hits = sum((model(mel)[0].argmax(1) == word).sum().item() for mel, word in valid_loader)
        accuracy = hits / len(splits["valid"])
        scheduler.step(accuracy)
        print(epoch, accuracy)
        if accuracy > best:
            best = accuracy
            torch.save(model.state_dict(), path)


@torch.inference_mode()
def listen(frames, path="kws.pt", threshold=0.9):
    """`frames` yields log-mel frames of shape (40,); the state goes on from frame to frame."""
    model = KeywordGRU()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.eval()
    state = None
    for frame in frames:
        logits, state = model(frame.view(1, 1, -1), state)
        probability, word = logits.softmax(-1).max(-1)
        if probability.item() > threshold:
            yield word.item()
            state = None


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "listen":
        from microphone import log_mel_frames

        for word in listen(log_mel_frames()):
            print(word)
    else:
        train()
