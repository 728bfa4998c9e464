"""Idioms of public programs that look like a fault and are none."""

from __future__ import annotations

import pytest

from lstmadvisor.facts import items, plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_models import HEAD, LOOP, net, trained
from tests.extract.torch_programs import ADAM, STEP, get, program

BOTH = "nn.LSTM(8, 16, batch_first=True, bidirectional=True)"


def test_modules_set_under_computed_names_are_registered(facts_of: FactsOf) -> None:
    init = """
self.cells = []
for i in range(len(sizes)):
    cell = nn.LSTMCell(8, 8)
    setattr(self, f"cell_{i}", cell)
    self.cells.append(cell)
"""
    assert items(facts_of(trained("sizes = load()\n" + net("return self.fc(x)", init=init))).unregistered) == ()


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        ("out, _ = self.rnn(x); return self.fc(torch.cat((out[:, 0], out[:, -1]), -1))", "states-joined"),
        ("out, _ = self.rnn(x); return self.fc(out[:, -1])", "last-step"),
    ],
)
def test_both_ends_of_a_bidirectional_output_have_read_everything(
    forward: str, expected: str, facts_of: FactsOf
) -> None:
    (layer,) = items(facts_of(trained(net(forward, BOTH))).recurrent_layers)
    assert [plain(read.what) for read in items(layer.reads)] == [expected]


def test_a_state_is_taken_apart_according_to_the_kind_that_was_asked_for(facts_of: FactsOf) -> None:
    text = net(
        """
out, state = self.rnn(x)
if self.kind == "LSTM":
    state = (self.fc(state[0]), self.fc(state[1]))
else:
    state = self.fc(torch.cat(state.split(1, dim=0), dim=2).squeeze(0))
return out[:, -1], state
""",
        init="self.kind = kind\nif kind == 'LSTM':\n    self.rnn = nn.LSTM(8, 16, batch_first=True)",
    ).replace("hidden=16", "kind, hidden=16")
    (layer, *_) = items(facts_of(HEAD + text).recurrent_layers)
    assert "wrong-unpack" not in [plain(read.what) for read in items(layer.reads)]


TRIED = """
net = Net()
print(net({given}).shape)
"""


@pytest.mark.parametrize(
    ("given", "expected"), [("torch.zeros((4, 7, 8))", None), ("torch.randn(4, 7, 8).cuda()", None), ("x_test", False)]
)
def test_a_model_is_tried_out_with_made_up_data(given: str, expected: bool | None, facts_of: FactsOf) -> None:
    found = facts_of(program(ADAM, STEP, TRIED.format(given=given)))
    assert get(found, "training_step.eval_mode") is expected


def test_a_layer_that_is_not_trained_is_not_evaluated(facts_of: FactsOf) -> None:
    found = facts_of(program("layer = nn.Linear(8, 2)\nprint(layer(x_test))\n", ADAM, STEP))
    assert get(found, "training_step.eval_mode") is None


@pytest.mark.parametrize(
    ("reduction", "targets", "expected"),
    [("", "tags", True), ("reduction='none'", "tags", None), ("", "labels[: words.shape[0]]", None)],
    ids=["plain", "masked by hand", "a size is no data"],
)
def test_padded_targets_that_a_loss_counts(
    reduction: str, targets: str, expected: bool | None, facts_of: FactsOf
) -> None:
    found = facts_of(f"""
{HEAD}
def collate(batch):
    words = pad_sequence([w for w, _, _ in batch], batch_first=True)
    tags = pad_sequence([t for _, t, _ in batch], batch_first=True)
    return words, tags, torch.tensor([label for _, _, label in batch])

lstm, head = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 5)
criterion = nn.CrossEntropyLoss({reduction})
optimizer = torch.optim.Adam(lstm.parameters())
for words, tags, labels in DataLoader(load(), 32, collate_fn=collate):
    optimizer.zero_grad()
    loss = criterion(head(lstm(words)[0]).transpose(1, 2), {targets})
    loss.sum().backward()
    optimizer.step()
""")
    assert plain(found.padding.in_loss) is expected


COLLATE = """
def collate(batch):
    labels = torch.LongTensor(len(batch), 1)
    for i, (_, y) in enumerate(batch):
        labels[i, 0] = y
    return pad_sequence([w for w, _ in batch], batch_first=True), labels
"""


def test_a_tensor_of_given_sizes_holds_no_lengths(facts_of: FactsOf) -> None:
    model = net("return self.fc(self.rnn(self.emb(x))[1][0][-1])")
    found = facts_of(trained(COLLATE + model, LOOP.replace("shuffle=True", "collate_fn=collate")))
    assert (plain(found.padding.padded), plain(found.padding.lengths_known)) == (True, False)


def test_one_sequence_is_no_batch_of_single_steps(facts_of: FactsOf) -> None:
    model = net("out, _ = self.rnn(self.emb(x).view(len(x), 1, -1)); return self.fc(out[-1])", "nn.LSTM(8, 16)")
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert plain(layer.input_layout) is None


KERAS = """
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import LSTM, Dense
from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences
from sklearn.preprocessing import MinMaxScaler
model = Sequential([LSTM(8), Dense(1)])
model.compile(loss="mse", optimizer="adam")
"""


def test_a_share_held_out_of_ready_training_data(facts_of: FactsOf) -> None:
    found = facts_of(
        KERAS
        + """
(x_train, y_train), (x_test, y_test) = mnist.load_data()
scaler = MinMaxScaler()
x_train = scaler.fit_transform(x_train.reshape(60000, 784))
x_test = scaler.transform(x_test.reshape(10000, 784))
model.fit(x_train, y_train, validation_split=0.1)
model.evaluate(x_test, y_test)
"""
    )
    (scaling,) = items(found.scaling)
    assert plain(scaling.fit_before_split) is False


def test_texts_written_in_the_program_are_counted(facts_of: FactsOf) -> None:
    found = facts_of(
        KERAS
        + """
docs = ["well done", "poor", "great work", "bad"]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(docs)
ids = pad_sequences(tokenizer.texts_to_sequences(docs), maxlen=4)
model.fit(ids, [1, 0, 1, 0], epochs=50)
"""
    )
    assert plain(found.dataset.size) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a, b = train_test_split(x, random_state=42)  # for reproducibility", False),
        ("x = 1  # for reproducibility", True),
    ],
)
def test_a_promise_beside_a_seed_is_kept(line: str, expected: bool, facts_of: FactsOf) -> None:
    text = KERAS + f"from sklearn.model_selection import train_test_split\n{line}\nmodel.fit(x_train, y_train)\n"
    assert plain(facts_of(text).reproducibility) is expected
