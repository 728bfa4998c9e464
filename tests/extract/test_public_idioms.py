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


@pytest.mark.parametrize(("called", "expected"), [("self.drop = nn.Dropout(0.3)", "unused"), ("", None)])
def test_a_dropout_that_some_method_mentions_may_be_called(
    called: str, expected: str | None, facts_of: FactsOf
) -> None:
    extra = "" if called else "    def head(self, x):\n        return self.fc(self.drop(x))\n"
    model = net("return self.fc(self.rnn(x)[0][:, -1])", init="self.drop = nn.Dropout(0.3)", extra=extra)
    (dropout,) = items(facts_of(trained(model)).dropouts)
    assert plain(dropout.position) == expected


def test_rows_put_back_in_order_are_all_steps(facts_of: FactsOf) -> None:
    model = net("out, _ = self.rnn(x); return self.fc(out.index_select(0, order))", BOTH)
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert [plain(read.what) for read in items(layer.reads)] == ["all-steps"]


APART = """
def clip(model, limit):
    total = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters()))
    for p in model.parameters():
        p.grad *= limit / total

def step(model, optimizer, x, y):
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
"""


def test_clipping_in_a_function_of_its_own_stands_nowhere(facts_of: FactsOf) -> None:
    (clip,) = items(facts_of(program(APART)).clipping)
    assert plain(clip.placement) is None


def test_attention_over_padded_steps_hands_on_no_padded_sequence(facts_of: FactsOf) -> None:
    model = net(
        """
steps, _ = pad_packed_sequence(self.rnn(pack_padded_sequence(x, lens))[0])
context = torch.bmm(weights, steps)
out, state = self.decoder(context)
return self.fc(state[0][-1])
""",
        init="self.decoder = nn.LSTM(16, 16)",
    )
    _, decoder = items(facts_of(trained(model)).recurrent_layers)
    assert [plain(read.after_padding) for read in items(decoder.reads)] == [None]


@pytest.mark.parametrize(("line", "known"), [("lib.clip_gradients(model, 1.0)", False), ("lib.log(model)", True)])
def test_a_function_that_is_called_clip_may_clip(line: str, known: bool, facts_of: FactsOf) -> None:
    step = STEP.replace("optimizer.step()", f"{line}\n        optimizer.step()")
    found = facts_of(program("import lib\n", ADAM, step)).clipping
    assert (found == ()) is known


def test_a_module_that_trains_nothing_leaves_clipping_to_its_trainer(facts_of: FactsOf) -> None:
    found = facts_of("""
import lightning as L
import torch
class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(8, 8)
    def training_step(self, batch):
        return self.rnn(batch)[0].mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=20.0)
""")
    assert get(found, "clipping") == "?"


def test_an_optimizer_that_a_function_returns_is_its_callers(facts_of: FactsOf) -> None:
    found = facts_of(
        KERAS.replace(
            "model.compile",
            """
class Module:
    def configure_optimizers(self):
        return keras.optimizers.SGD(self.lr)
model.compile""",
        ).replace("from keras.models", "import keras\nfrom keras.models")
    )
    assert items(found.dead_settings) == ()


def test_hyperparameters_that_are_saved_are_read(facts_of: FactsOf) -> None:
    found = facts_of(
        program(
            """
class Wrapped(Net):
    def __init__(self, lr, dropout):
        super().__init__()
        self.save_hyperparameters()
model = Wrapped(0.1, 0.5)
""",
            ADAM,
            STEP,
        )
    )
    assert items(found.dead_settings) == ()


@pytest.mark.parametrize(("trained_net", "known"), [("nn.Sequential(nn.Linear(8, 2))", False), ("Net()", True)])
def test_clipping_is_asked_where_a_recurrent_layer_is_trained(trained_net: str, known: bool, facts_of: FactsOf) -> None:
    text = f"lstm = nn.LSTM(8, 8)\nprint(lstm(torch.randn(5, 3, 8)))\nmodel = {trained_net}\n"
    assert (facts_of(program(text, ADAM, STEP)).clipping == ()) is known


@pytest.mark.parametrize(
    ("data", "expected"), [("[[1, 0], [0, 1], [1, 1]]", True), ("load()", False), ("[[1, 0]] * 200", False)]
)
def test_data_written_out_in_the_program(data: str, expected: bool, facts_of: FactsOf) -> None:
    found = facts_of(f"""
import torch
from torch import nn
x = torch.tensor({data}).float().view(1, -1, 2)
rnn = nn.RNN(2, 2, batch_first=True)
optimizer = torch.optim.Adam(rnn.parameters())
for epoch in range(100):
    optimizer.zero_grad()
    loss = rnn(x)[0].mean()
    loss.backward()
    optimizer.step()
""")
    assert plain(found.dataset.written_out) is expected


@pytest.mark.parametrize(
    ("fitted", "expected"), [("windows(scaled)", True), ("windows(series)", None)], ids=["trained on", "plotted"]
)
def test_what_is_scaled_for_a_plot_tells_nothing(fitted: str, expected: bool | None, facts_of: FactsOf) -> None:
    found = facts_of(
        KERAS
        + f"""
import numpy as np
from sklearn.preprocessing import minmax_scale
def windows(x):
    return np.array([x[i : i + 5] for i in range(len(x) - 5)])
series = np.loadtxt("prices.csv")
scaled = minmax_scale(series)
x = {fitted}
train, test = x[:400], x[400:]
model.fit(train, train[:, 0])
model.evaluate(test, test[:, 0])
"""
    )
    (scaling,) = items(found.scaling)
    assert plain(scaling.fit_before_split) is expected


def test_the_last_step_of_each_sample_is_picked_at_its_length(facts_of: FactsOf) -> None:
    model = net("""
lengths = [len(sentence) for sentence in x]
packed = pack_padded_sequence(pad_sequence(x, batch_first=True), lengths, batch_first=True)
out, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
return torch.stack([self.fc(out[i, length - 1]) for i, length in enumerate(lengths)])
""")
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert [plain(read.after_padding) for read in items(layer.reads)] in ([False], [None])


def test_modules_without_parameters_may_lie_in_a_list(facts_of: FactsOf) -> None:
    extra = "class Penalty(nn.Module):\n    def forward(self, x):\n        return x.abs().mean()\n"
    for built, count in (("Penalty()", 0), ("nn.Linear(3, 3)", 1)):
        model = net("return self.fc(self.rnn(x)[0][:, -1])", init=f"self.terms = [{built}]")
        assert len(items(facts_of(trained(extra + model)).unregistered)) == count


LIGHTNING = """
import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping
class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(8, 8, 2, dropout=0.5)
        self.stop = EarlyStopping("val_loss")
    def step(self, batch):
        return self.rnn(batch)[0].mean()
    def training_step(self, batch):
        return self.step(batch)
    def validation_step(self, batch):
        loss = self.step(batch)
        self.log("val_loss", loss)
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters())
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": "val_loss"}}
"""


def test_lightning_does_what_a_module_leaves_to_it(facts_of: FactsOf) -> None:
    found = facts_of(LIGHTNING)
    assert plain(found.training_step.eval_mode) is not False
    assert [plain(each.stepped) for each in items(found.schedules)] != ["never"]
    assert items(found.early_stopping) == ()
