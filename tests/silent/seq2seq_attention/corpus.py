from collections import Counter

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

PAD_IDX, UNK_IDX, SOS_IDX, EOS_IDX = 0, 1, 2, 3
SPECIALS = ["<pad>", "<unk>", "<sos>", "<eos>"]


def tokenize(line):
    return line.strip().lower().split()


def build_vocab(path, min_freq=2):
    counter = Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            counter.update(tokenize(line))
    words = SPECIALS + sorted(w for w, c in counter.items() if c >= min_freq)
    return {w: i for i, w in enumerate(words)}


class TranslationDataset(Dataset):
    def __init__(self, prefix, src_vocab, trg_vocab):
        self.pairs = []
        with open(f"{prefix}.de", encoding="utf-8") as de, open(f"{prefix}.en", encoding="utf-8") as en:
            for source, target in zip(de, en):
                self.pairs.append((self._encode(source, src_vocab), self._encode(target, trg_vocab)))

    @staticmethod
    def _encode(line, vocab):
        return torch.tensor([SOS_IDX] + [vocab.get(w, UNK_IDX) for w in tokenize(line)] + [EOS_IDX])

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        return self.pairs[i]


def collate_pairs(batch):
    sources, targets = zip(*batch)
    lengths = torch.tensor([len(s) for s in sources])
    return pad_sequence(sources, padding_value=PAD_IDX), lengths, pad_sequence(targets, padding_value=PAD_IDX)
