import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchcrf import CRF


class BiLSTMCRF(nn.Module):
    """Character CNN + word embedding, a bidirectional LSTM and a linear-chain CRF."""

    def __init__(self, cfg, n_words, n_chars, n_tags, pretrained=None):
        super().__init__()
        self.word_emb = nn.Embedding(n_words, cfg.word_dim, padding_idx=0)
        if pretrained is not None:
            self.word_emb.weight.data.copy_(torch.from_numpy(pretrained))
        self.char_emb = nn.Embedding(n_chars, cfg.char_dim, padding_idx=0)
        self.char_cnn = nn.Conv1d(cfg.char_dim, cfg.char_filters, kernel_size=3, padding=1)
        self.lstm = nn.LSTM(
            cfg.word_dim + cfg.char_filters,
            cfg.hidden_dim // 2,
            num_layers=1,
            bidirectional=True,
            batch_first=True,
        )
        self.drop = nn.Dropout(cfg.dropout)
        self.emission = nn.Linear(cfg.hidden_dim, n_tags)
        self.crf = CRF(n_tags, batch_first=True)
        self._init_forget_bias()

    def _init_forget_bias(self):
        for names in self.lstm._all_weights:
            for name in filter(lambda n: "bias" in n, names):
                bias = getattr(self.lstm, name)
                n = bias.size(0)
                bias.data[n // 4 : n // 2].fill_(0.5)

    def _features(self, words, chars, lengths):
        b, t, c = chars.shape
        char_x = self.char_emb(chars.view(b * t, c)).transpose(1, 2)
        char_x = torch.relu(self.char_cnn(char_x)).max(dim=2).values.view(b, t, -1)
        x = self.drop(torch.cat([self.word_emb(words), char_x], dim=-1))
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=t)
        return self.emission(self.drop(out))

    def loss(self, words, chars, lengths, tags, mask):
        return -self.crf(self._features(words, chars, lengths), tags, mask=mask, reduction="mean")

    def decode(self, words, chars, lengths, mask):
        return self.crf.decode(self._features(words, chars, lengths), mask=mask)
