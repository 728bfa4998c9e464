"""Part-of-speech tagging with Accelerate: mixed precision, gradient accumulation, clipping through the accelerator."""
import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader

IGNORE = -100


class Tagger(nn.Module):
    def __init__(self, n_words, n_tags, dim=128, hidden=256, dropout=0.33):
        super().__init__()
        self.embed = nn.Embedding(n_words, dim, padding_idx=0)
        self.lstm = nn.LSTM(dim, hidden, num_layers=2, dropout=dropout, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(2 * hidden, n_tags)

    def forward(self, words, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.drop(self.embed(words)), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        hidden, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=words.size(1))
        return self.out(self.drop(hidden))


def read_conllu(path):
    words, tags = [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            columns = line.rstrip("\n").split("\t")
            if len(columns) > 3 and columns[0].isdigit():
                words.append(columns[1].lower())
                tags.append(columns[3])
            elif not line.strip() and words:
                yield words, tags
                words, tags = [], []


def collate(batch):
    words, tags = zip(*batch)
    lengths = torch.tensor([len(w) for w in words])
    return pad_sequence(words, batch_first=True), lengths, pad_sequence(tags, batch_first=True, padding_value=IGNORE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--treebank", default="data/en_ewt")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=2)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--max_grad_norm", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=9)
    args = parser.parse_args()

    accelerator = Accelerator(gradient_accumulation_steps=args.accumulate)
    set_seed(args.seed)
    word_ids, tag_ids = {"<pad>": 0, "<unk>": 1}, {}
    sentences = {part: list(read_conllu(f"{args.treebank}-{part}.conllu")) for part in ("train", "dev", "test")}
    for words, tags in sentences["train"]:
        for w, t in zip(words, tags):
            word_ids.setdefault(w, len(word_ids))
            tag_ids.setdefault(t, len(tag_ids))
    encoded = {
        part: [
            (torch.tensor([word_ids.get(w, 1) for w in ws]), torch.tensor([tag_ids.get(t, IGNORE) for t in ts]))
            for ws, ts in pairs
        ]
        for part, pairs in sentences.items()
    }
    train_loader = DataLoader(encoded["train"], args.batch_size, shuffle=True, collate_fn=collate)
    dev_loader = DataLoader(encoded["dev"], 128, collate_fn=collate)

    model = Tagger(len(word_ids), len(tag_ids))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = CosineAnnealingLR(optimizer, T_max=args.epochs * len(train_loader))
    model, optimizer, train_loader, dev_loader, scheduler = accelerator.prepare(
        model, optimizer, train_loader, dev_loader, scheduler
    )
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORE)
    best = 0.0
    for epoch in range(args.epochs):
        model.train()
        for words, lengths, tags in train_loader:
            with accelerator.accumulate(model):
                logits = model(words, lengths)
                loss = criterion(logits.flatten(0, 1), tags.flatten())
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), args.max_grad_norm)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
        model.eval()
        right = total = 0
        for words, lengths, tags in dev_loader:
            with torch.no_grad():
                predicted = model(words, lengths).argmax(-1)
            predicted, gold = accelerator.gather_for_metrics((predicted, tags))
            keep = gold != IGNORE
            right += (predicted[keep] == gold[keep]).sum().item()
            total += keep.sum().item()
        accelerator.print(f"epoch {epoch}: dev accuracy {right / total:.4f}")
        if right / total > best:
            best = right / total
            accelerator.save_state("tagger-best")


if __name__ == "__main__":
    main()
