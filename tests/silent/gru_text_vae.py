"""Sentence VAE (Bowman et al. 2016): KL annealing, word dropout, summed token losses over the batch size."""
import math
from collections import Counter

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

PAD, BOS, EOS, UNK = range(4)


class SentenceVAE(nn.Module):
    def __init__(self, vocab, emb=300, hidden=256, latent=16, word_dropout=0.25, dropout=0.3):
        super().__init__()
        self.word_dropout = word_dropout
        self.embedding = nn.Embedding(vocab, emb, padding_idx=PAD)
        self.encoder = nn.GRU(emb, hidden, batch_first=True)
        self.to_mean = nn.Linear(hidden, latent)
        self.to_logvar = nn.Linear(hidden, latent)
        self.to_hidden = nn.Linear(latent, hidden)
        self.decoder = nn.GRU(emb, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, vocab)

    def encode(self, tokens, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(tokens), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, h = self.encoder(packed)
        return self.to_mean(h[-1]), self.to_logvar(h[-1])

    def forward(self, tokens, lengths):
        mean, logvar = self.encode(tokens, lengths)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar) if self.training else mean
        inputs = tokens[:, :-1]
        if self.training and self.word_dropout > 0:
            drop = torch.rand(inputs.shape, device=inputs.device) < self.word_dropout
            drop &= (inputs != PAD) & (inputs != BOS)
            inputs = inputs.masked_fill(drop, UNK)
        h0 = torch.tanh(self.to_hidden(z)).unsqueeze(0)
        out, _ = self.decoder(self.dropout(self.embedding(inputs)), h0)
        return self.out(self.dropout(out)), mean, logvar


def elbo(logits, targets, mean, logvar, beta):
    nll = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD, reduction="sum") / targets.size(0)
    kl = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp()) / targets.size(0)
    return nll + beta * kl, nll, kl


def collate(batch):
    lengths = torch.tensor([len(s) for s in batch])
    return nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=PAD), lengths


def read(path, vocab=None):
    lines = [line.split() for line in open(path, encoding="utf-8")]
    if vocab is None:
        common = Counter(w for line in lines for w in line).most_common(10000)
        vocab = {w: i + 4 for i, (w, _) in enumerate(common)}
    return [torch.tensor([BOS, *(vocab.get(w, UNK) for w in line), EOS]) for line in lines], vocab


def main(epochs=25, batch_size=32, lr=1e-3, steps_to_full_kl=5000):
    torch.manual_seed(5)
    train, vocab = read("data/ptb.train.txt")
    valid, _ = read("data/ptb.valid.txt", vocab)
    train_loader = DataLoader(train, batch_size, shuffle=True, collate_fn=collate)
    valid_loader = DataLoader(valid, batch_size, collate_fn=collate)
    model = SentenceVAE(len(vocab) + 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    step, best = 0, math.inf
    for epoch in range(epochs):
        model.train()
        for tokens, lengths in train_loader:
            beta = 1 / (1 + math.exp(-0.0025 * (step - steps_to_full_kl / 2)))
            logits, mean, logvar = model(tokens, lengths)
            loss, nll, kl = elbo(logits, tokens[:, 1:], mean, logvar, beta)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            step += 1
        model.eval()
        total = 0.0
        with torch.no_grad():
            for tokens, lengths in valid_loader:
                logits, mean, logvar = model(tokens, lengths)
                loss, _, _ = elbo(logits, tokens[:, 1:], mean, logvar, 1.0)
                total += loss.item() * len(tokens)
        total /= len(valid)
        print(f"epoch {epoch}: -ELBO {total:.2f}")
        if total < best:
            best = total
            torch.save(model.state_dict(), "vae.pt")


if __name__ == "__main__":
    main()
