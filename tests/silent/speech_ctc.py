"""A small DeepSpeech: a convolutional front end that halves time twice, bidirectional LSTMs, CTC."""
import argparse

import torch
import torch.nn.functional as F
import torchaudio
from torch import nn
from torch.utils.data import DataLoader

ALPHABET = "_'abcdefghijklmnopqrstuvwxyz "  # index 0 is the blank
INDEX = {c: i for i, c in enumerate(ALPHABET)}

train_audio = nn.Sequential(
    torchaudio.transforms.MelSpectrogram(sample_rate=16000, n_mels=80),
    torchaudio.transforms.FrequencyMasking(freq_mask_param=15),
    torchaudio.transforms.TimeMasking(time_mask_param=35),
)
valid_audio = torchaudio.transforms.MelSpectrogram(sample_rate=16000, n_mels=80)


def encode(text):
    return torch.tensor([INDEX[c] for c in text.lower() if c in INDEX])


def make_collate(transform):
    def collate(batch):
        specs, labels = [], []
        for waveform, _, utterance, *_ in batch:
            specs.append(transform(waveform).squeeze(0).transpose(0, 1).clamp(min=1e-5).log())
            labels.append(encode(utterance))
        spec_lengths = torch.tensor([s.shape[0] for s in specs])
        label_lengths = torch.tensor([len(y) for y in labels])
        specs = nn.utils.rnn.pad_sequence(specs, batch_first=True)
        labels = nn.utils.rnn.pad_sequence(labels, batch_first=True)
        return specs, labels, spec_lengths, label_lengths

    return collate


class AcousticModel(nn.Module):
    def __init__(self, n_mels=80, hidden=320, layers=3, n_class=len(ALPHABET), dropout=0.2):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.GELU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.GELU(),
        )
        self.proj = nn.Linear(32 * (n_mels // 4), hidden)
        self.rnn = nn.LSTM(hidden, hidden, layers, dropout=dropout, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(2 * hidden)
        self.fc = nn.Linear(2 * hidden, n_class)

    @staticmethod
    def output_lengths(lengths):
        for _ in range(2):
            lengths = (lengths - 1) // 2 + 1
        return lengths

    def forward(self, x, lengths):
        x = self.conv(x.unsqueeze(1))
        b, c, t, f = x.shape
        x = self.proj(x.permute(0, 2, 1, 3).reshape(b, t, c * f))
        lengths = self.output_lengths(lengths)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, _ = self.rnn(packed)
        x, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=t)
        return F.log_softmax(self.fc(self.norm(x)), dim=-1), lengths


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--root", default="./data")
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--batch-size", type=int, default=20)
    p.add_argument("--lr", type=float, default=5e-4)
    p.add_argument("--max-norm", type=float, default=400.0)
    args = p.parse_args()

    torch.manual_seed(7)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_set = torchaudio.datasets.LIBRISPEECH(args.root, url="train-clean-100", download=True)
    dev_set = torchaudio.datasets.LIBRISPEECH(args.root, url="dev-clean", download=True)
    train_loader = DataLoader(train_set, args.batch_size, shuffle=True, collate_fn=make_collate(train_audio))
    dev_loader = DataLoader(dev_set, args.batch_size, collate_fn=make_collate(valid_audio))

    model = AcousticModel().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.lr, steps_per_epoch=len(train_loader), epochs=args.epochs, anneal_strategy="linear"
    )
    criterion = nn.CTCLoss(blank=0, zero_infinity=True)

    best = float("inf")
    for epoch in range(1, args.epochs + 1):
        model.train()
        for step, (specs, labels, spec_lengths, label_lengths) in enumerate(train_loader):
            specs, labels = specs.to(device), labels.to(device)
            optimizer.zero_grad()
            log_probs, out_lengths = model(specs, spec_lengths)
            loss = criterion(log_probs.transpose(0, 1), labels, out_lengths, label_lengths)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), args.max_norm)
            optimizer.step()
            scheduler.step()
            if step % 100 == 0:
                print(f"{epoch} {step}/{len(train_loader)} {loss.item():.4f}")
        model.eval()
        total = 0.0
        with torch.no_grad():
            for specs, labels, spec_lengths, label_lengths in dev_loader:
                log_probs, out_lengths = model(specs.to(device), spec_lengths)
                total += criterion(log_probs.transpose(0, 1), labels.to(device), out_lengths, label_lengths).item()
        total /= len(dev_loader)
        print(f"epoch {epoch}: dev loss {total:.4f}")
        if total < best:
            best = total
            torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, "asr.pt")


if __name__ == "__main__":
    main()
