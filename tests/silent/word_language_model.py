"""Word language model on Penn Treebank: the state is carried from chunk to chunk and detached in between."""
import math
import pathlib

import click
import torch
from torch import nn


class RNNModel(nn.Module):
    def __init__(self, rnn_type, ntoken, ninp, nhid, nlayers, dropout=0.5, tie_weights=False):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = getattr(nn, rnn_type)(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            if nhid != ninp:
                raise ValueError("with tied weights nhid must equal emsize")
            self.decoder.weight = self.encoder.weight
        self.rnn_type, self.nhid, self.nlayers, self.ntoken = rnn_type, nhid, nlayers, ntoken
        self.init_weights()

    def init_weights(self):
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        for name, p in self.rnn.named_parameters():
            if name.startswith("bias_hh"):
                with torch.no_grad():
                    p[self.nhid : 2 * self.nhid] = 0
            elif name.startswith("bias_ih"):
                nn.init.zeros_(p)
                if self.rnn_type == "LSTM":
                    with torch.no_grad():
                        p[self.nhid : 2 * self.nhid] = 1.0

    def forward(self, tokens, hidden):
        emb = self.drop(self.encoder(tokens))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output))
        return decoded.view(-1, self.ntoken), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        if self.rnn_type == "LSTM":
            return (weight.new_zeros(self.nlayers, bsz, self.nhid), weight.new_zeros(self.nlayers, bsz, self.nhid))
        return weight.new_zeros(self.nlayers, bsz, self.nhid)


def repackage(h):
    return h.detach() if torch.is_tensor(h) else tuple(repackage(v) for v in h)


def load(folder, vocab, split):
    ids = []
    for line in (folder / f"ptb.{split}.txt").read_text().splitlines():
        for word in [*line.split(), "<eos>"]:
            ids.append(vocab.setdefault(word, len(vocab)))
    return torch.tensor(ids)


def batchify(ids, bsz):
    n = len(ids) // bsz
    return ids[: n * bsz].view(bsz, n).t().contiguous()


def run_epoch(model, source, bptt, criterion, optimizer=None, clip=0.25):
    training = optimizer is not None
    model.train(training)
    hidden = model.init_hidden(source.size(1))
    total = 0.0
    with torch.set_grad_enabled(training):
        for i in range(0, source.size(0) - 1, bptt):
            n = min(bptt, source.size(0) - 1 - i)
            x, y = source[i : i + n], source[i + 1 : i + 1 + n].reshape(-1)
            hidden = repackage(hidden)
            output, hidden = model(x, hidden)
            loss = criterion(output, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
            total += loss.item() * n
    return total / (source.size(0) - 1)


@click.command()
@click.option("--data", type=click.Path(path_type=pathlib.Path), default="data/ptb")
@click.option("--model", "rnn_type", type=click.Choice(["LSTM", "GRU"]), default="LSTM")
@click.option("--emsize", default=650)
@click.option("--nhid", default=650)
@click.option("--nlayers", default=2)
@click.option("--lr", default=20.0)
@click.option("--clip", default=0.25)
@click.option("--epochs", default=40)
@click.option("--batch-size", default=20)
@click.option("--bptt", default=35)
@click.option("--dropout", default=0.5)
@click.option("--tied/--untied", default=True)
@click.option("--seed", default=1111)
def main(data, rnn_type, emsize, nhid, nlayers, lr, clip, epochs, batch_size, bptt, dropout, tied, seed):
    torch.manual_seed(seed)
    vocab = {}
    train, valid, test = (load(data, vocab, s) for s in ("train", "valid", "test"))
    train, valid, test = batchify(train, batch_size), batchify(valid, 10), batchify(test, 10)
    model = RNNModel(rnn_type, len(vocab), emsize, nhid, nlayers, dropout, tied)
    criterion = nn.CrossEntropyLoss()
    best = None
    for epoch in range(1, epochs + 1):
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)  # no momentum, so nothing is lost
        run_epoch(model, train, bptt, criterion, optimizer, clip)
        val_loss = run_epoch(model, valid, bptt, criterion)
        print(f"epoch {epoch} valid ppl {math.exp(val_loss):.2f} lr {lr}")
        if best is None or val_loss < best:
            torch.save(model.state_dict(), "lm.pt")
            best = val_loss
        else:
            lr /= 4.0
    model.load_state_dict(torch.load("lm.pt"))
    print(f"test ppl {math.exp(run_epoch(model, test, bptt, criterion)):.2f}")


if __name__ == "__main__":
    main()
