"""Sentiment classification of reviews with a bidirectional LSTM; the training lives in a Trainer class."""
import argparse
import copy
import json
import logging
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

logger = logging.getLogger(__name__)
PAD, UNK = 0, 1


class ReviewDataset(Dataset):
    def __init__(self, path, vocab, max_len=400):
        self.examples = []
        with open(path) as f:
            for line in f:
                record = json.loads(line)
                ids = [vocab.get(w, UNK) for w in record["text"].lower().split()][:max_len]
                if ids:
                    self.examples.append((ids, record["label"]))

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, idx):
        ids, label = self.examples[idx]
        return torch.tensor(ids), torch.tensor(label)


def collate(batch):
    texts, labels = zip(*batch)
    lengths = torch.tensor([len(t) for t in texts])
    return pad_sequence(texts, batch_first=True, padding_value=PAD), lengths, torch.stack(labels)


class SentimentLSTM(nn.Module):
    def __init__(self, vocab_size, embed_dim=100, hidden=128, layers=2, classes=2, dropout=0.3):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=PAD)
        self.lstm = nn.LSTM(embed_dim, hidden, num_layers=layers, bidirectional=True, batch_first=True,
                            dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, x, lengths):
        embedded = self.dropout(self.embedding(x))
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (h_n, _) = self.lstm(packed)
        final = torch.cat([h_n[-2], h_n[-1]], dim=1)
        return self.fc(self.dropout(final))


class Trainer:
    def __init__(self, model, train_loader, val_loader, lr=1e-3, max_norm=5.0, patience=3, device="cpu"):
        self.model = model.to(device)
        self.train_loader = train_loader
        self.val_loader = val_loader
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer, factor=0.5, patience=1)
        self.criterion = nn.CrossEntropyLoss()
        self.max_norm = max_norm
        self.patience = patience
        self.device = device

    def _clip_gradients(self):
        return nn.utils.clip_grad_norm_(self.model.parameters(), self.max_norm)

    def train_epoch(self):
        self.model.train()
        total, n = 0.0, 0
        for x, lengths, y in self.train_loader:
            x, y = x.to(self.device), y.to(self.device)
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x, lengths), y)
            loss.backward()
            self._clip_gradients()
            self.optimizer.step()
            total += loss.item() * y.size(0)
            n += y.size(0)
        return total / n

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        total, correct, n = 0.0, 0, 0
        for x, lengths, y in loader:
            x, y = x.to(self.device), y.to(self.device)
            logits = self.model(x, lengths)
            total += self.criterion(logits, y).item() * y.size(0)
            correct += (logits.argmax(1) == y).sum().item()
            n += y.size(0)
        return total / n, correct / n

    def fit(self, epochs):
        best, best_state, bad = float("inf"), None, 0
        for epoch in range(epochs):
            train_loss = self.train_epoch()
            val_loss, val_acc = self.evaluate(self.val_loader)
            self.scheduler.step(val_loss)
            logger.info("epoch %d train %.4f val %.4f acc %.4f", epoch, train_loss, val_loss, val_acc)
            if val_loss < best:
                best, bad = val_loss, 0
                best_state = copy.deepcopy(self.model.state_dict())
            else:
                bad += 1
                if bad >= self.patience:
                    break
        self.model.load_state_dict(best_state)
        return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data/imdb"))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=13)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)

    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    vocab = json.loads((args.data / "vocab.json").read_text())
    train = ReviewDataset(args.data / "train.jsonl", vocab)
    valid = ReviewDataset(args.data / "valid.jsonl", vocab)
    test = ReviewDataset(args.data / "test.jsonl", vocab)
    train_loader = DataLoader(train, args.batch_size, shuffle=True, collate_fn=collate)
    val_loader = DataLoader(valid, args.batch_size, collate_fn=collate)
    test_loader = DataLoader(test, args.batch_size, collate_fn=collate)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = SentimentLSTM(len(vocab))
    trainer = Trainer(model, train_loader, val_loader, lr=args.lr, device=device)
    trainer.fit(args.epochs)
    test_loss, test_acc = trainer.evaluate(test_loader)
    print(f"test loss {test_loss:.4f} accuracy {test_acc:.4f}")


if __name__ == "__main__":
    main()
