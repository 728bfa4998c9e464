from types import SimpleNamespace

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset


def read(path):
    sentence = []
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if not line or line.startswith("-DOCSTART-"):
            if sentence:
                yield sentence
                sentence = []
        else:
            columns = line.split()
            sentence.append((columns[0], columns[-1]))
    if sentence:
        yield sentence


class CoNLL(Dataset):
    def __init__(self, path, vocab=None):
        self.sentences = list(read(path))
        self.vocab = vocab or self._build()

    def _build(self):
        words = {"<pad>": 0, "<unk>": 1}
        chars = {"<pad>": 0, "<unk>": 1}
        tags = {}
        for sentence in self.sentences:
            for word, tag in sentence:
                words.setdefault(word.lower(), len(words))
                tags.setdefault(tag, len(tags))
                for c in word:
                    chars.setdefault(c, len(chars))
        return SimpleNamespace(words=words, chars=chars, tags=tags, n_words=len(words), n_chars=len(chars),
                               n_tags=len(tags), tag_names=list(tags))

    def __len__(self):
        return len(self.sentences)

    def __getitem__(self, i):
        v = self.vocab
        words = torch.tensor([v.words.get(w.lower(), 1) for w, _ in self.sentences[i]])
        chars = [torch.tensor([v.chars.get(c, 1) for c in w]) for w, _ in self.sentences[i]]
        tags = torch.tensor([v.tags.get(t, 0) for _, t in self.sentences[i]])
        return words, chars, tags


def collate(batch):
    lengths = torch.tensor([len(words) for words, _, _ in batch])
    words = pad_sequence([w for w, _, _ in batch], batch_first=True)
    tags = pad_sequence([t for _, _, t in batch], batch_first=True)
    longest = max(len(c) for _, chars, _ in batch for c in chars)
    chars = torch.zeros(len(batch), words.size(1), longest, dtype=torch.long)
    for i, (_, row, _) in enumerate(batch):
        for j, c in enumerate(row):
            chars[i, j, : len(c)] = c
    mask = torch.arange(words.size(1))[None, :] < lengths[:, None]
    return words, chars, lengths, tags, mask
