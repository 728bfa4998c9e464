"""What stands around the recurrent layers: dropouts, dense layers, the output, embeddings, normalisations, edges."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import Program, Unknown, items, known, plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_models import LOOP, UNSEEN_DATA, net, trained

STACK = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(100, 8, padding_idx=0)
        self.first = nn.Dropout(0.1)
        self.rnn = nn.LSTM(8, 16, batch_first=True)
        self.rnn2 = nn.LSTM(16, 16, batch_first=True)
        self.second = nn.Dropout(p=0.2)
        self.third = nn.Dropout(0.3)
        self.fourth = nn.Dropout(0.4)
        self.fifth = nn.Dropout()
        self.fc1 = nn.Linear(16, 32)
        self.fc = nn.Linear(32, 3)
        self.never = nn.Dropout(0.6)
    def forward(self, x):
        x = self.first(self.emb(x))
        x, _ = self.rnn(x)
        x = self.second(x)
        x, _ = self.rnn2(x)
        x = self.third(x[:, -1])
        x = torch.relu(self.fc1(x))
        x = self.fourth(x)
        x = self.fifth(self.fc(x))
        return F.log_softmax(x, dim=-1)
"""


def dropouts(program: Program) -> list[tuple[Any, ...]]:
    """(rate, kind, position) of each dropout."""
    return [(plain(d.rate), plain(d.kind), plain(d.position)) for d in items(program.dropouts)]


def dense(program: Program) -> list[tuple[Any, ...]]:
    """(input units, units, activation, role) of each dense layer."""
    fields = ("input_units", "units", "activation", "role")
    return [tuple(plain(getattr(d, f)) for f in fields) for d in items(program.dense_layers)]


def output(program: Program) -> tuple[Any, Any]:
    """(units, activation)."""
    return plain(program.output.units), plain(program.output.activation)


def test_positions_of_dropouts(facts_of: FactsOf) -> None:
    assert dropouts(facts_of(trained(STACK))) == [
        (0.1, "Dropout", "input"),
        (0.2, "Dropout", "between"),
        (0.3, "Dropout", "head"),
        (0.4, "Dropout", "pre-output"),
        (0.5, "Dropout", "output"),
        (0.6, "Dropout", "unused"),
    ]


def test_dropouts_by_their_names(facts_of: FactsOf) -> None:
    program = facts_of(trained(net("return self.fc(self.drop(self.rnn(x)[0][:, -1]))", "self.drop = nn.Dropout(0.3)")))
    assert [plain(each.called) for each in items(program.dropouts)] == ["self.drop"]


def test_dense_layers_and_output(facts_of: FactsOf) -> None:
    program = facts_of(trained(STACK))
    assert dense(program) == [(16, 32, "relu", "hidden"), (32, 3, "logsoftmax", "output")]
    assert output(program) == (3, "logsoftmax")
    assert plain(program.output.softmax_axis) == -1


def test_functional_dropouts_and_a_sigmoid(facts_of: FactsOf) -> None:
    forward = (
        "x = F.dropout(x, p=0.25, training=self.training)\nx, _ = self.rnn(x)\n"
        "x = F.dropout(x[:, -1])\nreturn torch.sigmoid(self.fc(x)).squeeze(1)"
    )
    program = facts_of(trained(net(forward)))
    assert dropouts(program) == [(0.25, "dropout", "input"), (0.5, "dropout", "pre-output")]
    assert output(program) == (3, "sigmoid")


def test_a_dropout_behind_an_option_is_not_called_unused(facts_of: FactsOf) -> None:
    model = net("x, _ = self.rnn(x)\nif self.use:\n    x = self.drop(x)\nreturn self.fc(x[:, -1])")
    model = model.replace("self.fc =", "self.use = False\n        self.drop = nn.Dropout(0.5)\n        self.fc =")
    (drop,) = items(facts_of(trained(model)).dropouts)
    assert not known(drop.position)


def test_a_dropout_written_by_hand(facts_of: FactsOf) -> None:
    model = """
    class LockedDropout(nn.Module):
        def forward(self, x, p=0.5):
            if not self.training or not p:
                return x
            mask = x.new_empty(x.size(0), 1, x.size(2)).bernoulli_(1 - p)
            return x * mask / (1 - p)
    class Net(nn.Module):
        def __init__(self, p=0.4):
            super().__init__()
            self.p = p
            self.drop = LockedDropout()
            self.a = nn.LSTM(8, 16, batch_first=True)
            self.b = nn.LSTM(16, 16, batch_first=True)
            self.fc = nn.Linear(16, 3)
        def forward(self, x):
            x, _ = self.a(x)
            x, _ = self.b(self.drop(x, self.p))
            return self.fc(x[:, -1])
    """
    assert dropouts(facts_of(trained(model))) == [(0.4, "LockedDropout", "between")]


def test_layers_of_a_sequential_at_the_top(facts_of: FactsOf) -> None:
    model = """
    class Last(nn.Module):
        def forward(self, results):
            return results[0][:, -1]
    def Net():
        return nn.Sequential(
            nn.LSTM(8, 16, batch_first=True), Last(), nn.Dropout(0.3), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3),
            nn.LogSoftmax(dim=1))
    """
    program = facts_of(trained(model))
    assert dense(program) == [(16, 8, "relu", "hidden"), (8, 3, "logsoftmax", "output")]
    assert dropouts(program) == [(0.3, "Dropout", "head")]
    assert output(program) == (3, "logsoftmax")


def test_wrapped_and_extended_linear_layers(facts_of: FactsOf) -> None:
    model = """
    class TimeDistributed(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module
        def forward(self, x):
            y = self.module(x.contiguous().view(-1, x.size(-1)))
            return y.view(x.size(0), -1, y.size(-1))
    class Bottle(nn.Module):
        def forward(self, x):
            return super().forward(x)
    class Linear(Bottle, nn.Linear):
        pass
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(8, 16, batch_first=True)
            self.a = TimeDistributed(nn.Linear(16, 12))
            self.b = nn.Sequential(Linear(12, 6), nn.Tanh())
            self.c = nn.utils.weight_norm(nn.Linear(6, 3))
        def forward(self, x):
            return self.c(self.b(self.a(self.rnn(x)[0])))[:, -1]
    """
    program = facts_of(trained(model))
    assert dense(program) == [
        (16, 12, "none", "hidden"),
        (12, 6, "tanh", "hidden"),
        (6, 3, "none", "output"),
    ]
    assert [plain(r.what) for r in items(items(program.recurrent_layers)[0].reads)] == ["last-step"]


def test_attention_is_no_output_and_no_bottleneck(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(8, 16, batch_first=True)
            self.score = nn.Linear(16, 1)
            self.fc = nn.Linear(16, 30)
        def forward(self, x):
            out, _ = self.rnn(x)
            weights = torch.softmax(self.score(out), dim=1)
            return self.fc((weights * out).sum(1)), weights
    """
    program = facts_of(trained(model, LOOP.replace("model(x)", "model(x)[0]")))
    assert dense(program) == [(16, 1, "softmax", "hidden"), (16, 30, "none", "output")]
    assert output(program) == (30, "none")


def test_a_narrow_hidden_layer_is_a_bottleneck_and_one_before_the_recurrence_a_projection(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.into = nn.Linear(100, 8)
            self.rnn = nn.GRU(8, 64, batch_first=True)
            self.narrow = nn.Linear(64, 4)
            self.fc = nn.Linear(4, 20)
        def forward(self, x):
            return self.fc(F.relu(self.narrow(self.rnn(self.into(x))[0][:, -1])))
    """
    assert [row[3] for row in dense(facts_of(trained(model)))] == ["projection", "bottleneck", "output"]


def test_outputs_stored_step_by_step(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.GRUCell(8, 16)
            self.fc = nn.Linear(16, 3)
        def forward(self, x):
            h = torch.zeros(len(x), 16)
            outs = torch.zeros(len(x), x.size(1), 3).to(x.device)
            for t in range(x.size(1)):
                h = self.cell(x[:, t], h)
                outs[:, t] = self.fc(h)
            return outs
    """
    program = facts_of(trained(model))
    assert (dense(program), output(program)) == ([(16, 3, "none", "output")], (3, "none"))


def test_a_model_that_gives_back_its_loss(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(8, 16)
            self.fc = nn.Linear(16, 50)
            self.criterion = nn.CrossEntropyLoss()
        def forward(self, x, y=None):
            logits = self.fc(self.rnn(x)[0])
            if y is not None:
                return self.criterion(logits.view(-1, 50), y.view(-1))
            return F.softmax(logits, -1)
    """
    program = facts_of(trained(model, UNSEEN_DATA.replace("F.cross_entropy(model(x), y)", "model(x, y)")))
    assert (dense(program), output(program)) == ([(16, 50, "none", "output")], (50, "none"))


def test_a_criterion_that_is_a_module_is_not_the_model(facts_of: FactsOf) -> None:
    model = net("return self.fc(self.rnn(x)[0][:, -1])", extra="""
class SmoothedLoss(nn.Module):
    def forward(self, x, y):
        return -(F.log_softmax(x, 1) * y).sum(1).mean()
""")  # fmt: skip
    program = facts_of(trained(model, LOOP.replace("F.cross_entropy", "SmoothedLoss()")))
    assert output(program) == (3, "none")


def test_lightning(facts_of: FactsOf) -> None:
    program = facts_of("""
import torch, torch.nn as nn
import pytorch_lightning as pl
class Lit(pl.LightningModule):
    def __init__(self, h=16):
        super().__init__()
        self.save_hyperparameters()
        self.lstm = nn.LSTM(8, self.hparams.h, batch_first=True)
        self.head = nn.Linear(h, 1)
    def forward(self, x):
        return torch.sigmoid(self.head(self.lstm(x)[1][0][-1]))
    def training_step(self, batch, i):
        x, y = batch
        return nn.functional.binary_cross_entropy(self(x), y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
pl.Trainer(max_epochs=5).fit(Lit(h=24), loader)
""")
    assert (dense(program), output(program)) == ([(24, 1, "sigmoid", "output")], (1, "sigmoid"))


def test_embeddings_and_normalisations(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self, vocab):
            super().__init__()
            self.emb = nn.Embedding(len(vocab) + 1, 8, padding_idx=0)
            self.rnn = nn.GRU(8, 16, batch_first=True)
            self.bn, self.ln = nn.BatchNorm1d(16), nn.LayerNorm(16)
            self.fc = nn.Linear(16, 3)
        def forward(self, x):
            return self.fc(self.ln(self.bn(self.rnn(self.emb(x))[0][:, -1])))
    """
    program = facts_of(trained(model, LOOP.replace("Net()", "Net(vocab)")))
    assert [(plain(e.dim), plain(e.padding), plain(e.vocabulary_offset)) for e in items(program.embeddings)] == [
        (8, 0, 1)
    ]
    assert [(plain(n.kind), plain(n.position)) for n in items(program.normalizations)] == [
        ("batch", "pre-output"),
        ("layer", "pre-output"),
    ]


def test_edges(facts_of: FactsOf) -> None:
    edges = items(facts_of(trained(STACK)).graph)
    assert [(e.from_.line, e.to.line, plain(e.via), plain(e.skip)) for e in edges if e.from_ and e.to] == [
        (10, 12, "dropout", False),
        (12, 13, "dropout", False),
        (13, 18, "dropout", False),
        (18, 19, "dropout", False),
    ]


def test_what_a_model_does_in_training_counts(facts_of: FactsOf) -> None:
    forward = "x = self.fc(self.rnn(x)[0][:, -1])\nif not self.training:\n    x = torch.softmax(x, -1)\nreturn x"
    assert output(facts_of(trained(net(forward)))) == (3, "none")


def test_two_ways_out_that_cannot_be_decided_are_unknown(facts_of: FactsOf) -> None:
    forward = "x = self.fc(self.rnn(x)[0][:, -1])\nif option():\n    x = torch.softmax(x, -1)\nreturn x"
    program = facts_of(trained(net(forward)))
    assert not known(program.output.activation)
    assert plain(program.output.units) == 3


def test_of_several_results_one_with_an_activation_is_named(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(8, 16, batch_first=True)
            self.mu, self.sigma = nn.Linear(16, 1), nn.Linear(16, 1)
        def forward(self, x):
            h = self.rnn(x)[0][:, -1]
            return self.mu(h), F.softplus(self.sigma(h))
    """
    loop = LOOP.replace("F.cross_entropy(model(x), y)", "-torch.distributions.Normal(*model(x)).log_prob(y).mean()")
    program = facts_of(trained(model, loop))
    assert output(program) == (1, "softplus")
    assert [row[2] for row in dense(program)] == ["none", "softplus"]


def test_copies_of_a_layer(facts_of: FactsOf) -> None:
    model = """
    import copy
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.GRU(8, 8, batch_first=True)
            self.rnns = nn.ModuleList([copy.deepcopy(layer) for _ in range(2)])
            self.fc = nn.Linear(8, 3)
        def forward(self, x):
            for rnn in self.rnns:
                x, _ = rnn(x)
            return self.fc(x[:, -1])
    """
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert sorted(plain(r.what) for r in items(layer.reads)) == ["all-steps", "last-step"]


def test_sizes_that_come_from_other_layers_and_the_standard_library(facts_of: FactsOf) -> None:
    model = """
    import string
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(8, 16, bidirectional=True, batch_first=True)
            width = self.rnn.hidden_size * (2 if self.rnn.bidirectional else 1)
            self.hidden = nn.Linear(width, len(string.ascii_lowercase + ".,"))
            self.fc = nn.Linear(self.hidden.out_features, len(string.printable))
        def forward(self, x):
            return self.fc(self.hidden(self.rnn(x)[0]))
    """
    assert [row[:2] for row in dense(facts_of(trained(model)))] == [(32, 28), (28, 100)]


@pytest.mark.parametrize(
    ("arguments", "forward"),
    [
        (["out[:, -1]"], "out, _ = self.rnn(x)\nreturn self.fc(out[:, -1])"),
        (["h.squeeze(0)"], "_, (h, _) = self.rnn(x)\nreturn self.fc(h.squeeze(0)).view(-1)"),
        (["a", "b"], "out, _ = self.rnn(x)\na, b = out[:, 0], out[:, -1]\nreturn self.fc(a) + self.fc(b)"),
        (["torch.cat([h, x], 1)"], "h = self.rnn(x)[0][:, -1]\nreturn self.fc(torch.cat([h, x], 1))"),
        ([], "return F.linear(self.rnn(x)[0][:, -1], self.fc.weight)"),
    ],
)
def test_what_heads_are_handed(facts_of: FactsOf, arguments: list[str], forward: str) -> None:
    text = trained(net(forward))
    (layer,) = items(facts_of(text).recurrent_layers)
    lines = text.split("\n")
    places = [head.at for head in items(layer.heads)]
    assert [lines[at.line - 1][at.column - 1 : (at.end_column or 0) - 1] for at in places if at] == arguments


def test_heads_of_a_layer_that_has_no_name_of_its_own(facts_of: FactsOf) -> None:
    model = net("for rnn in self.rnns: x, _ = rnn(x)\nreturn self.fc(x)", "nn.Identity()",
                init="self.rnns = nn.ModuleList([nn.LSTM(8, 16)])")  # fmt: skip
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert isinstance(layer.heads, Unknown)
