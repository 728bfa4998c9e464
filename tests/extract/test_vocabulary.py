"""Where the ids of tokens begin, and whether the padding has an id of its own."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import Embedding, items, plain

TORCH = """
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

text = open("corpus.txt").read()
words = text.split()
{ids}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding({rows}, 8{padding})
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.head = nn.Linear(16, 2)
    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0][:, -1])

net = Net()
optimizer = torch.optim.Adam(net.parameters())
x = pad_sequence([torch.tensor([index[w] for w in line.split()]) for line in text.splitlines()], batch_first=True)
loss = nn.functional.cross_entropy(net(x), torch.randint(2, (len(x),)))
loss.backward()
optimizer.step()
"""

NUMBERED = {
    # how the dictionary is made → the lowest id, and whether 0 is a real token
    "comprehension": ("index = {w: i for i, w in enumerate(sorted(set(words)))}", 0, True),
    "comprehension from 1": ("index = {w: i for i, w in enumerate(sorted(set(words)), 1)}", 1, False),
    "start=1": ("index = {w: i for i, w in enumerate(sorted(set(words)), start=1)}", 1, False),
    "plus one": ("index = {w: i + 1 for i, w in enumerate(sorted(set(words)))}", 1, False),
    "dict of pairs": ("index = dict((w, i) for i, w in enumerate(sorted(set(words))))", 0, True),
    "written in a loop": ("index = {}\nfor w in words:\n  if w not in index:\n    index[w] = len(index)\n", 0, True),
    "counted": ("index = {}\nn = 0\nfor w in words:\n  if w not in index:\n    index[w] = n\n    n += 1\n", 0, True),
    "filler first": ("index = {'<pad>': 0}\nfor w in words:\n    index[w] = len(index)\n", 0, False),
    "filler in front": ("index = {w: i for i, w in enumerate(['<pad>'] + sorted(set(words)))}", 0, False),
}  # fmt: skip


def embedding(found: object) -> Embedding:
    (one,) = items(found)  # type: ignore[arg-type]
    assert isinstance(one, Embedding)
    return one


@pytest.mark.parametrize("name", NUMBERED)
def test_where_ids_begin(name: str, facts_of: FactsOf) -> None:
    ids, first, real = NUMBERED[name]
    program = facts_of(TORCH.format(ids=ids, rows="len(index)", padding=", padding_idx=0"))
    layer = embedding(program.embeddings)
    assert (plain(layer.first_id), plain(layer.vocabulary_offset)) == (first, 0)
    assert plain(program.padding.value_is_token) is real


def test_one_row_more(facts_of: FactsOf) -> None:
    ids = "index = {w: i + 1 for i, w in enumerate(sorted(set(words)))}"
    program = facts_of(TORCH.format(ids=ids, rows="len(index) + 1", padding=""))
    assert plain(embedding(program.embeddings).vocabulary_offset) == 1
    assert plain(program.padding.value_is_token) is False


def test_a_dictionary_of_labels_numbers_no_tokens(facts_of: FactsOf) -> None:
    ids = "labels = {'neg': 0, 'pos': 1}\nindex = __import__('vocabulary').load()"
    program = facts_of(TORCH.format(ids=ids, rows="50000", padding=", padding_idx=0"))
    assert plain(program.padding.value_is_token) is None


def test_tokenizer_of_keras(facts_of: FactsOf) -> None:
    text = """
from tensorflow.keras.preprocessing.text import Tokenizer
from tensorflow import keras
tokenizer = Tokenizer({limit})
tokenizer.fit_on_texts(open("corpus.txt"))
size = len(tokenizer.word_index)
model = keras.Sequential([keras.layers.Embedding(size{more}, 8), keras.layers.LSTM(4), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y)
"""
    plain_one = embedding(facts_of(text.format(limit="", more="")).embeddings)
    assert (plain(plain_one.first_id), plain(plain_one.vocabulary_offset)) == (1, 0)
    assert plain(embedding(facts_of(text.format(limit="", more=" + 1")).embeddings).vocabulary_offset) == 1
    limited = embedding(facts_of(text.format(limit="num_words=500", more="")).embeddings)
    assert plain(limited.first_id) is None
