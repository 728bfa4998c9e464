import torch
import torch.nn as nn
from torch.nn.functional import dropout, embedding


class LockedDropout(nn.Module):
    """One mask for all steps of a sequence (T, B, F)."""

    def forward(self, x, p):
        if not self.training or not p:
            return x
        mask = x.new_empty(1, x.size(1), x.size(2)).bernoulli_(1 - p) / (1 - p)
        return x * mask


def embedded_dropout(embed, words, p):
    if not p:
        return embed(words)
    mask = embed.weight.new_empty((embed.weight.size(0), 1)).bernoulli_(1 - p).expand_as(embed.weight) / (1 - p)
    return embedding(words, embed.weight * mask, embed.padding_idx)


class WeightDropLSTM(nn.Module):
    """An LSTM whose recurrent matrix loses a part of its entries, the same ones for a whole chunk."""

    def __init__(self, n_in, n_out, p):
        super().__init__()
        self.lstm = nn.LSTM(n_in, n_out)
        self.p = p
        raw = self.lstm.weight_hh_l0
        self.raw_weight_hh = nn.Parameter(raw.data.clone())
        del self.lstm._parameters["weight_hh_l0"]

    def forward(self, x, state):
        self.lstm.weight_hh_l0 = dropout(self.raw_weight_hh, p=self.p, training=self.training)
        return self.lstm(x, state)


class AWDLSTM(nn.Module):
    def __init__(self, ntoken, ninp=400, nhid=1150, nlayers=3, drop_in=0.4, drop_hid=0.25, drop_out=0.4,
                 drop_emb=0.1, wdrop=0.5):
        super().__init__()
        self.ninp, self.nhid, self.nlayers = ninp, nhid, nlayers
        self.drop_in, self.drop_hid, self.drop_out, self.drop_emb = drop_in, drop_hid, drop_out, drop_emb
        self.locked = LockedDropout()
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnns = nn.ModuleList(
            WeightDropLSTM(ninp if i == 0 else nhid, nhid if i < nlayers - 1 else ninp, wdrop) for i in range(nlayers)
        )
        self.decoder = nn.Linear(ninp, ntoken)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def init_hidden(self, batch_size):
        weight = next(self.parameters())
        sizes = [self.nhid if i < self.nlayers - 1 else self.ninp for i in range(self.nlayers)]
        return [(weight.new_zeros(1, batch_size, n), weight.new_zeros(1, batch_size, n)) for n in sizes]

    def forward(self, tokens, hidden):
        x = embedded_dropout(self.encoder, tokens, self.drop_emb if self.training else 0)
        x = self.locked(x, self.drop_in)
        new_hidden, raw = [], None
        for i, (rnn, state) in enumerate(zip(self.rnns, hidden)):
            x, state = rnn(x, state)
            new_hidden.append(state)
            raw = x
            if i < self.nlayers - 1:
                x = self.locked(x, self.drop_hid)
        dropped = self.locked(raw, self.drop_out)
        return self.decoder(dropped), new_hidden, raw, dropped
