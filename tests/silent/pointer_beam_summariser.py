"""Summaries with a shared-vocabulary encoder-decoder; scheduled sampling, beam search, warm-up then inverse square root."""
import argparse
import random

import sentencepiece as spm
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader


class Summariser(nn.Module):
    def __init__(self, vocab, dim, hidden, pad, dropout):
        super().__init__()
        self.pad = pad
        self.embed = nn.Embedding(vocab, dim, padding_idx=pad)
        self.encoder = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.bridge_h = nn.Linear(2 * hidden, hidden)
        self.bridge_c = nn.Linear(2 * hidden, hidden)
        self.decoder = nn.LSTMCell(dim + 2 * hidden, hidden)
        self.query = nn.Linear(hidden, 2 * hidden, bias=False)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(3 * hidden, dim)
        self.vocab = nn.Linear(dim, vocab, bias=False)
        self.vocab.weight = self.embed.weight

    def encode(self, source, lengths):
        packed = pack_padded_sequence(
            self.drop(self.embed(source)), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        memory, (h, c) = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, batch_first=True, total_length=source.size(1))
        h = torch.tanh(self.bridge_h(torch.cat([h[0], h[1]], dim=-1)))
        c = torch.tanh(self.bridge_c(torch.cat([c[0], c[1]], dim=-1)))
        return memory, (h, c), source == self.pad

    def step(self, token, state, context, memory, padding):
        h, c = self.decoder(torch.cat([self.drop(self.embed(token)), context], dim=-1), state)
        scores = (memory @ self.query(h).unsqueeze(-1)).squeeze(-1)
        weights = F.softmax(scores.masked_fill(padding, float("-inf")), dim=-1)
        context = (weights.unsqueeze(1) @ memory).squeeze(1)
        logits = self.vocab(self.drop(torch.tanh(self.out(torch.cat([h, context], dim=-1)))))
        return logits, (h, c), context

    def forward(self, source, lengths, target, sampling=0.0):
        memory, state, padding = self.encode(source, lengths)
        context = memory.new_zeros(source.size(0), memory.size(-1))
        token, steps = target[:, 0], []
        for t in range(1, target.size(1)):
            logits, state, context = self.step(token, state, context, memory, padding)
            steps.append(logits)
            token = logits.argmax(-1).detach() if random.random() < sampling else target[:, t]
        return torch.stack(steps, dim=1)

    @torch.no_grad()
    def beam(self, source, bos, eos, width=4, longest=60):
        memory, state, padding = self.encode(source, torch.tensor([source.size(1)]))
        beams = [(0.0, [bos], state, memory.new_zeros(1, memory.size(-1)))]
        for _ in range(longest):
            grown = []
            for score, tokens, state, context in beams:
                if tokens[-1] == eos:
                    grown.append((score, tokens, state, context))
                    continue
                last = torch.tensor([tokens[-1]], device=source.device)
                logits, new_state, new_context = self.step(last, state, context, memory, padding)
                top = F.log_softmax(logits, -1).topk(width)
                for value, index in zip(top.values[0].tolist(), top.indices[0].tolist()):
                    grown.append((score + value, [*tokens, index], new_state, new_context))
            beams = sorted(grown, key=lambda b: b[0] / len(b[1]), reverse=True)[:width]
        return beams[0][1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=2000)
    parser.add_argument("--clip", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    args = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)

    pieces = spm.SentencePieceProcessor(model_file="data/bpe.model")
    bos, eos, pad = pieces.bos_id(), pieces.eos_id(), pieces.pad_id()

    def collate(batch):
        source = [torch.tensor(pieces.encode(s)[:400]) for s, _ in batch]
        target = [torch.tensor([bos, *pieces.encode(t)[:100], eos]) for _, t in batch]
        lengths = torch.tensor([len(s) for s in source])
        return (pad_sequence(source, batch_first=True, padding_value=pad), lengths,
                pad_sequence(target, batch_first=True, padding_value=pad))

    loaders = {s: DataLoader(torch.load(f"data/{s}.pt"), args.batch, shuffle=s == "train", collate_fn=collate)
               for s in ("train", "valid")}
    model = Summariser(pieces.get_piece_size(), args.dim, args.hidden, pad, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, betas=(0.9, 0.98))
    schedule = LambdaLR(optimizer, lambda s: min((s + 1) / args.warmup, (args.warmup / (s + 1)) ** 0.5))
    criterion = nn.CrossEntropyLoss(ignore_index=pad, label_smoothing=args.label_smoothing)
    best = float("inf")
    for epoch in range(args.epochs):
        model.train()
        for source, lengths, target in loaders["train"]:
            logits = model(source, lengths, target, sampling=0.05 * epoch)
            loss = criterion(logits.flatten(0, 1), target[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), args.clip)
            optimizer.step()
            schedule.step()
        model.eval()
        total = 0.0
        with torch.no_grad():
            for source, lengths, target in loaders["valid"]:
                logits = model(source, lengths, target)
                total += criterion(logits.flatten(0, 1), target[:, 1:].flatten()).item()
        total /= len(loaders["valid"])
        print(f"epoch {epoch}: validation loss {total:.4f}")
        if total < best:
            best = total
            torch.save(model.state_dict(), "summariser.pt")


if __name__ == "__main__":
    main()
