"""Recurrent layers of PyTorch programs, however they are made."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import ABSENT, Program, Unknown, items, plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_models import HEAD, LOOP, UNSEEN_DATA, net, trained

LAYERS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "positional arguments": (
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(8, 16, 2, True, True, 0.1, True)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("LSTM", 8, 16, 2, 0.1, True, True)],
    ),
    "defaults": (
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.RNN(8, 16)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("RNN", 8, 16, 1, 0.0, False, False)],
    ),
    "getattr, the other branch inactive": (
        """
        class Net(nn.Module):
            def __init__(self, kind="LSTM"):
                super().__init__()
                if kind in ["LSTM", "GRU"]:
                    self.rnn = getattr(nn, kind)(8, 16, 2, dropout=0.3)
                else:
                    self.rnn = nn.RNN(8, 16, 2, nonlinearity="relu", dropout=0.3)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("LSTM", 8, 16, 2, 0.3, False, False)],
    ),
    "a dict of classes": (
        """
        CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
        class Net(nn.Module):
            def __init__(self, cell="GRU"):
                super().__init__()
                rnn = CELLS[cell.lower()]
                self.rnn = rnn(8, 16, batch_first=True)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("GRU", 8, 16, 1, 0.0, False, True)],
    ),
    "an enumeration of classes and of names": (
        """
        from enum import Enum
        class Kind(Enum):
            LSTM = nn.LSTM
            GRU = nn.GRU
        class Name(Enum):
            FIRST = "LSTM"
        class Net(nn.Module):
            def __init__(self, kind=Kind.GRU, name=Name.FIRST):
                super().__init__()
                self.a = kind.value(8, 16)
                self.b = getattr(nn, name.value)(16, 4)
            def forward(self, x):
                return self.b(self.a(x)[0])[0]
        """,
        [("GRU", 8, 16, 1, 0.0, False, False), ("LSTM", 16, 4, 1, 0.0, False, False)],
    ),
    "eval of a name": (
        """
        class Net(nn.Module):
            def __init__(self, name="GRU"):
                super().__init__()
                self.rnn = eval("nn." + name)(8, 16)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("GRU", 8, 16, 1, 0.0, False, False)],
    ),
    "a comprehension in a ModuleList": (
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                sizes = [8, 32, 16]
                self.rnns = nn.ModuleList([nn.LSTM(a, b, batch_first=True) for a, b in zip(sizes, sizes[1:])])
            def forward(self, x):
                for rnn in self.rnns:
                    x, _ = rnn(x)
                return x
        """,
        [("LSTM", 8, 32, 1, 0.0, False, True), ("LSTM", 32, 16, 1, 0.0, False, True)],
    ),
    "appended in a loop": (
        """
        class Net(nn.Module):
            def __init__(self, n=3):
                super().__init__()
                self.rnns = nn.ModuleList()
                for i in range(n):
                    self.rnns.append(nn.GRU(8 if i == 0 else 16, 16))
            def forward(self, x):
                for i in range(len(self.rnns)):
                    x, _ = self.rnns[i](x)
                return x
        """,
        [("GRU", 8, 16, 1, 0.0, False, False), *[("GRU", 16, 16, 1, 0.0, False, False)] * 2],
    ),
    "blocks of one class": (
        """
        class Block(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.rnn = nn.GRU(n, n)
            def forward(self, x):
                return x + self.rnn(x)[0]
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.Sequential(*[Block(8) for _ in range(2)])
            def forward(self, x):
                return self.blocks(x)
        """,
        [("GRU", 8, 8, 1, 0.0, False, False)] * 2,
    ),
    "setattr and add_module": (
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                setattr(self, "rnn%d" % 0, nn.LSTM(8, 16))
                self.add_module("other", nn.LSTM(16, 4))
            def forward(self, x):
                return self.other(getattr(self, "rnn0")(x)[0])[0]
        """,
        [("LSTM", 8, 16, 1, 0.0, False, False), ("LSTM", 16, 4, 1, 0.0, False, False)],
    ),
    "a ModuleDict": (
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.parts = nn.ModuleDict({"rnn": nn.LSTM(8, 16)})
            def forward(self, x):
                return self.parts["rnn"](x)[0]
        """,
        [("LSTM", 8, 16, 1, 0.0, False, False)],
    ),
    "a class that extends nn.LSTM": (
        """
        class Mine(nn.LSTM):
            def __init__(self, i, h, drop=0.25):
                super(Mine, self).__init__(i, h, num_layers=2, dropout=drop, batch_first=True)
            def forward(self, x, hx=None):
                out, _ = super().forward(x, hx)
                return out
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = Mine(8, 16)
            def forward(self, x):
                return self.rnn(x)
        """,
        [("LSTM", 8, 16, 2, 0.25, False, True)],
    ),
    "** of a known dict": (
        """
        class Net(nn.Module):
            def __init__(self, **given):
                super().__init__()
                args = dict(hidden_size=16, num_layers=2, batch_first=True)
                args.update(given)
                self.rnn = nn.LSTM(8, **args)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("LSTM", 8, 16, 2, 0.0, False, True)],
    ),
    "a user's class called LSTM": (
        """
        class LSTM(nn.Module):
            def __init__(self, i, h):
                super().__init__()
                self.lstm = nn.LSTM(i, h)
            def forward(self, x):
                return self.lstm(x)[0]
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = LSTM(8, 16)
            def forward(self, x):
                return self.rnn(x)
        """,
        [("LSTM", 8, 16, 1, 0.0, False, False)],
    ),
    "the second __init__ counts": (
        """
        class Net(nn.Module):
            def __init__(self, a):
                super().__init__()
                self.rnn = nn.LSTM(8, 99)
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(8, 16)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("LSTM", 8, 16, 1, 0.0, False, False)],
    ),
    "a factory function": (
        """
        def build(kind, i, h, **more):
            return dict(lstm=nn.LSTM, gru=nn.GRU)[kind](i, h, **more)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = build("lstm", 8, 16, num_layers=2)
            def forward(self, x):
                return self.rnn(x)[0]
        """,
        [("LSTM", 8, 16, 2, 0.0, False, False)],
    ),
    "forward called by name": (
        """
        class Inner(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(8, 16)
            def forward(self, x):
                return self.rnn.forward(x)[0]
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = Inner()
            def forward(self, x):
                return self.inner.forward(x)
        """,
        [("LSTM", 8, 16, 1, 0.0, False, False)],
    ),
}


def layers(program: Program) -> list[tuple[Any, ...]]:
    """(kind, input size, units, layers, dropout, bidirectional, batch first) of each active layer."""
    fields = ("kind", "input_size", "units", "num_layers", "dropout", "bidirectional", "batch_first")
    return [tuple(plain(getattr(r, f)) for f in fields) for r in items(program.recurrent_layers) if r.active]


@pytest.mark.parametrize(("model", "expected"), LAYERS.values(), ids=list(LAYERS))
def test_layers(facts_of: FactsOf, model: str, expected: list[tuple[Any, ...]]) -> None:
    program = facts_of(trained(model))
    assert layers(program) == expected
    for layer in items(program.recurrent_layers):
        assert not layer.active or {plain(r.what) for r in items(layer.reads)} == {"all-steps"}


def test_a_branch_that_the_defaults_do_not_take_is_listed_as_inactive(facts_of: FactsOf) -> None:
    model = LAYERS["getattr, the other branch inactive"][0]
    inactive = [r for r in items(facts_of(trained(model)).recurrent_layers) if not r.active]
    assert [(plain(r.kind), plain(r.activation)) for r in inactive] == [("RNN", "relu")]


def test_of_several_models_of_one_class_the_trained_one_counts(facts_of: FactsOf) -> None:
    text = HEAD + net("return self.fc(self.rnn(x)[0][:, -1])", "nn.LSTM(8, hidden, batch_first=True)")
    text += "Net(4)(torch.zeros(1, 1, 8))\n" + LOOP.replace("Net()", "Net(64)")
    assert layers(facts_of(text)) == [("LSTM", 8, 64, 1, 0.0, False, True)]


def test_a_model_rebuilt_and_trained_again_the_last_one_comes_first(facts_of: FactsOf) -> None:
    text = HEAD + net("return self.fc(self.rnn(x)[0][:, -1])", "nn.LSTM(8, hidden, batch_first=True)")
    text += LOOP + LOOP.replace("Net()", "Net(32)")
    assert [row[2] for row in layers(facts_of(text))] == [32, 16]


def test_a_model_whose_making_is_not_read_is_unknown_not_absent(facts_of: FactsOf) -> None:
    program = facts_of(
        "import torch\nfrom zoo import Net\n" + UNSEEN_DATA.replace("F.cross", "torch.nn.functional.cross")
    )
    assert program.recurrent_layers == Unknown(unknown="the model is not made in what was read")
    assert program.dropouts == program.recurrent_layers


def test_where_a_layer_stands_and_whose_it_is(facts_of: FactsOf) -> None:
    program = facts_of(trained(net("return self.fc(self.rnn(x)[0][:, -1])", "nn.LSTM(\n    8, 16)")))
    (layer,) = items(program.recurrent_layers)
    assert layer.at is not None
    assert (layer.at.line, layer.at.column, plain(layer.model)) == (11, 20, "Net")


LAYOUT = {
    "a loader's batch": ("batch-major", "return self.fc(self.rnn(x)[0][:, -1])", LOOP),
    "transposed": ("time-major", "return self.fc(self.rnn(x.transpose(0, 1))[0][-1])", LOOP),
    "ids, embedded and permuted": ("time-major", "return self.fc(self.rnn(self.emb(x).permute(1, 0, 2))[0][-1])", LOOP),
    "ids turned by t()": ("time-major", "return self.fc(self.rnn(self.emb(x.t()))[0][-1])", LOOP),
    "a feature axis added": ("batch-major", "return self.fc(self.rnn(x.unsqueeze(-1))[0][:, -1])", LOOP),
    "the state's batch is axis 1": (
        "time-major",
        "return self.fc(self.rnn(self.emb(x), self.init_hidden(x.size(1)))[0][-1])",
        UNSEEN_DATA,
    ),
    "the state's batch is axis 0": (
        "batch-major",
        "return self.fc(self.rnn(self.emb(x), self.init_hidden(len(x)))[0][-1])",
        UNSEEN_DATA,
    ),
    "packed": ("time-major", "return self.fc(self.rnn(pack_padded_sequence(x, lens))[1][0][-1])", UNSEEN_DATA),
    "not seen": (None, "return self.fc(self.rnn(self.emb(x))[0][-1])", UNSEEN_DATA),
    "padded by a collate function": (
        "time-major",
        "return self.fc(self.rnn(self.emb(x))[0][-1])",
        "def collate(rows):\n    xs, ys = zip(*rows)\n    return pad_sequence([torch.tensor(x) for x in xs]), ys\n"
        + LOOP.replace("TensorDataset(X, Y), batch_size=8", "data, batch_size=8, collate_fn=collate"),
    ),
}


@pytest.mark.parametrize(("expected", "forward", "loop"), LAYOUT.values(), ids=list(LAYOUT))
def test_layout_of_the_input(facts_of: FactsOf, expected: str | None, forward: str, loop: str) -> None:
    (layer,) = items(facts_of(trained(net(forward, "nn.LSTM(8, 16)"), loop)).recurrent_layers)
    assert plain(layer.input_layout) == expected


@pytest.mark.parametrize(
    ("swaps", "steps", "forward"),
    [
        (False, 1, "x = x.view(-1, 1, 8)\nreturn self.fc(self.rnn(x)[0][:, -1])"),
        (True, None, "x = x.view(x.size(1), x.size(0), 8)\nreturn self.fc(self.rnn(x)[0][:, -1])"),
        (True, None, "b, t = x.shape\nx = self.emb(x).view(t, b, -1)\nreturn self.fc(self.rnn(x)[0][:, -1])"),
        (False, 28, "return self.fc(self.rnn(x.reshape(-1, 28, 8))[0][:, -1])"),
    ],
)
def test_reshapes(facts_of: FactsOf, swaps: bool, steps: int | None, forward: str) -> None:
    (reshape,) = items(facts_of(trained(net(forward))).reshapes)
    assert (plain(reshape.swaps_batch_and_time), plain(reshape.time_steps)) == (swaps, steps)


@pytest.mark.parametrize(
    ("of", "forward"),
    [
        ("x", "x = x.view(x.size(1), x.size(0), -1)\nreturn self.fc(self.rnn(x)[0][-1])"),
        (None, "x = x.view(x.size(1), x.size(0), 8)\nreturn self.fc(self.rnn(x)[0][-1])"),
        (None, "x = x[:, 0]\nx = x.view(1, x.size(0), -1)\nreturn self.fc(self.rnn(x)[0][-1])"),
        ("self.emb(x)", "b, t = x.shape\nx = self.emb(x).view(t, b, -1)\nreturn self.fc(self.rnn(x)[0][:, -1])"),
    ],
)
def test_what_could_be_transposed_instead(facts_of: FactsOf, of: str | None, forward: str) -> None:
    inputs = "torch.randint(50, (64, 9))" if "emb" in forward else "torch.randn(64, 9, 8)"
    data = f"X, Y = {inputs}, torch.randint(3, (64,))\n"
    reshape = items(facts_of(trained(data + net(forward))).reshapes)[0]
    assert plain(reshape.of) == of


@pytest.mark.parametrize(("expected", "batch"), [(32, "32"), (None, "x.size(0)"), (None, "len(x)")])
def test_batch_of_a_state_by_hand(facts_of: FactsOf, expected: int | None, batch: str) -> None:
    model = net(f"return self.fc(self.rnn(x, self.init_hidden({batch}))[0][:, -1])")
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert layer.initial_batch == ABSENT if expected is None else plain(layer.initial_batch) == expected


STEPPED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 3)
    def forward(self, x):
        h, outs = None, []
        for t in range(x.size(1)):
            out, h = self.rnn(x[:, t:t + 1], h)
            outs.append(self.fc(out))
        return torch.cat(outs, 1)
"""
CARRIED = LOOP.replace("model(x)", "step(x)").replace("for epoch", "h = [None]\nfor epoch") + (
    "def step(x):\n    out, h[0] = model.rnn(x, h[0])\n    return model.fc(out)\n"
)


def test_a_fused_layer_stepped_by_hand(facts_of: FactsOf) -> None:
    (layer,) = items(facts_of(trained(STEPPED)).recurrent_layers)
    assert plain(layer.stepped_by_hand) is True


def test_a_state_carried_from_batch_to_batch_is_not_stepping(facts_of: FactsOf) -> None:
    model = net("out, self.state = self.rnn(x, self.state)\nreturn self.fc(out)", init="self.state = None")
    (layer,) = items(facts_of(trained(model)).recurrent_layers)
    assert plain(layer.stepped_by_hand) is False


def test_modules_in_plain_lists_are_not_registered(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnns = [nn.LSTM(8, 16), nn.LSTM(16, 16)]
            self.heads = {"a": nn.Linear(16, 3)}
            self.layers = [nn.Linear(16, 16)]
            self.body = nn.Sequential(*self.layers)
            self.kept = nn.ModuleList([nn.Linear(16, 16)])
        def forward(self, x):
            for r in self.rnns:
                x, _ = r(x)
            return self.heads["a"](self.body(x[-1]))
    """
    found = items(facts_of(trained(model)).unregistered)
    assert [(plain(u.kind), u.at.line if u.at else 0) for u in found] == [("list", 10), ("dict", 11)]


def test_sizes_read_off_the_data(facts_of: FactsOf) -> None:
    model = """
    import numpy as np
    X = np.zeros((100, 20, 7), dtype=np.float32)
    class Net(nn.Module):
        def __init__(self, n=X.shape[2], hidden=16):
            super().__init__()
            self.rnn = nn.LSTM(n, hidden, batch_first=True)
        def forward(self, x):
            return self.rnn(x)[0]
    """
    assert layers(facts_of(trained(model))) == [("LSTM", 7, 16, 1, 0.0, False, True)]


@pytest.mark.parametrize(
    ("statement", "alone"),
    [
        ("x = nn.functional.dropout(x, 0.1)", True),
        ("x = nn.functional.dropout(h, 0.1)", False),
        ("return nn.functional.dropout(x, 0.1)", False),
    ],
)
def test_a_dropout_in_a_statement_of_its_own(facts_of: FactsOf, statement: str, alone: bool) -> None:
    forward = f"x = h = self.fc(self.rnn(x)[0][:, -1])\n{statement}\nreturn x"
    (drop,) = items(facts_of(trained(net(forward))).dropouts)
    assert plain(drop.alone) == alone
