"""What is read of a recurrent layer's results: the code of a model's `forward` → `reads`."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import Program, items, known, plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_models import HEAD, LOOP, net, trained

ONE = "nn.LSTM(8, 16, batch_first=True)"
TWO = "nn.LSTM(8, 16, 2, batch_first=True)"
BOTH = "nn.LSTM(8, 16, batch_first=True, bidirectional=True)"
BOTH_TWICE = "nn.LSTM(8, 16, num_layers=2, batch_first=True, bidirectional=True)"
TIME_MAJOR = "nn.LSTM(8, 16)"
GRU = "nn.GRU(8, 16, batch_first=True)"
GRU_BOTH = "nn.GRU(8, 16, batch_first=True, bidirectional=True)"

STEPS = [
    ("last-step", ONE, "return self.fc(out[:, -1])"),
    ("last-step", ONE, "out = self.fc(out); return out[:, -1, :]"),
    ("last-step", ONE, "out = out.select(1, -1); return self.fc(out)"),
    ("last-step", ONE, "return self.fc(out[:, out.size(1) - 1, :])"),
    ("last-step", ONE, "return self.fc(out[:, -1:, :].squeeze(1))"),
    ("last-step", ONE, "return self.fc(out[..., -1, :])"),
    ("last-step", BOTH, "return self.fc(out[:, -1])"),
    ("states-joined", BOTH, "return self.fc(torch.cat([out[:, -1, :16], out[:, 0, 16:]], 1))"),
    (
        "states-joined",
        BOTH,
        "f = out[:, :, :16]; b = out[:, :, 16:]; return self.fc(torch.cat([f[:, -1], b[:, 0]], 1))",
    ),
    (
        "states-joined",
        BOTH,
        "out = out.view(x.size(0), -1, 2, 16); return self.fc(torch.cat([out[:, -1, 0], out[:, 0, 1]], 1))",
    ),
    ("last-step", BOTH, "out = out[:, :, :16] + out[:, :, 16:]; return self.fc(out[:, -1])"),
    ("pooled", ONE, "return self.fc(out.mean(dim=1))"),
    ("pooled", ONE, "return self.fc(torch.max(out, 1)[0])"),
    ("pooled", ONE, "out = F.max_pool1d(out.permute(0, 2, 1), out.size(1)).squeeze(2); return self.fc(out)"),
    ("all-steps", ONE, "return self.fc(out.contiguous().view(-1, 16))"),
    ("all-steps", ONE, "return self.fc(out)"),
    ("all-steps", ONE, "return self.fc(out.reshape(out.shape[0], -1))"),
    ("none", ONE, "return self.fc(x)"),
    ("last-step", ONE, "return self.fc(out[torch.arange(x.size(0)), lens - 1])"),
    (
        "last-step",
        ONE,
        "idx = (lens - 1).view(-1, 1).expand(len(lens), out.size(2)).unsqueeze(1); "
        "return self.fc(out.gather(1, idx).squeeze(1))",
    ),
]
STATES = [
    ("last-state", ONE, "return self.fc(h[-1])"),
    ("last-state", ONE, "return self.fc(h.squeeze(0))"),
    ("last-state", ONE, "return self.fc(h[0])"),
    ("last-state", ONE, "return self.fc(h.view(-1, 16))"),
    ("first-state", TWO, "return self.fc(h[0])"),
    ("viewed-state", TWO, "return self.fc(h.view(x.size(0), -1))"),
    ("states-joined", BOTH, "return self.fc(h.transpose(0, 1).reshape(x.size(0), -1))"),
    ("states-joined", BOTH_TWICE, "h = torch.cat((h[-2, :, :], h[-1, :, :]), dim=1); return self.fc(h)"),
    ("states-joined", BOTH, "h = torch.cat([h[0], h[1]], -1); return self.fc(h)"),
    ("first-state", BOTH_TWICE, "h = torch.cat([h[0], h[1]], -1); return self.fc(h)"),
    (
        "states-joined",
        BOTH_TWICE,
        "h = h.view(2, 2, x.size(0), 16)[-1]; h = torch.cat([h[0], h[1]], -1); return self.fc(h)",
    ),
    ("half-state", BOTH_TWICE, "return self.fc(h[-1])"),
    ("half-state", BOTH_TWICE, "return self.fc(h[:2])"),
    ("states-joined", BOTH_TWICE, "return self.fc(torch.cat(list(h[-2:]), -1))"),
    ("states-joined", BOTH_TWICE, "h = torch.cat([h[0:h.size(0):2], h[1:h.size(0):2]], 2); return self.fc(h[-1])"),
    ("last-state", ONE, "h = F.dropout(h, 0.3); return self.fc(h[-1])"),
    ("last-state", ONE, "return self.fc(h[-1:].transpose(0, 1).squeeze(1))"),
]
GRU_STATES = [
    ("last-state", GRU, "return self.fc(h[-1, :, :])"),
    ("viewed-state", GRU_BOTH, "return self.fc(h.reshape(-1, 32))"),
    ("states-joined", GRU_BOTH, "return self.fc(h.permute(1, 0, 2).flatten(1))"),
    ("states-joined", GRU_BOTH, "f, b = h; return self.fc(torch.cat([f, b], 1))"),
    ("states-joined", GRU_BOTH, "f, b = h.unbind(0); return self.fc(torch.cat([f, b], 1))"),
    ("states-joined", GRU_BOTH, "f, b = torch.chunk(h, 2, 0); return self.fc(torch.cat([f, b], 2).squeeze(0))"),
    ("states-joined", GRU_BOTH, "return self.fc(h.sum(0))"),
]
OTHER = [
    ("last-step", ONE, "out = self.rnn(x)[0]; return self.fc(F.relu(out)[:, -1, :])"),
    ("last-step", TIME_MAJOR, "out, _ = self.rnn(x.transpose(0, 1)); return self.fc(out[-1])"),
    (
        "last-step",
        TIME_MAJOR,
        "out, _ = self.rnn(x.permute(1, 0, 2)); out = out.permute(1, 0, 2); return self.fc(out[:, -1])",
    ),
    ("last-state", ONE, "out, hidden = self.rnn(x); return self.fc(hidden[0][-1])"),
    ("last-state", ONE, "out, hidden = self.rnn(x); h, c = hidden; return self.fc(h[-1])"),
    ("wrong-unpack", ONE, "out = self.rnn(x); return self.fc(out)"),
    ("wrong-unpack", GRU, "out, (h, c) = self.rnn(x); return self.fc(h)"),
    ("wrong-unpack", ONE, "out, h = self.rnn(x); return self.fc(h)"),
    (
        "last-step",
        ONE,
        "p = pack_padded_sequence(x, lens, batch_first=True); out, _ = self.rnn(p); "
        "out, _ = pad_packed_sequence(out, batch_first=True); return self.fc(out[:, -1])",
    ),
    (
        "last-state",
        ONE,
        "p = pack_padded_sequence(x, lens, batch_first=True); _, (h, c) = self.rnn(p); return self.fc(h[-1])",
    ),
]


def reads(program: Program, layer: int = 0) -> list[Any]:
    """What is read of a layer."""
    return [plain(r.what, "?") for r in items(items(program.recurrent_layers)[layer].reads)]


@pytest.mark.parametrize(("what", "rnn", "code"), STEPS)
def test_steps(facts_of: FactsOf, what: str, rnn: str, code: str) -> None:
    assert reads(facts_of(trained(net("out, _ = self.rnn(x); " + code, rnn)))) == [what]


@pytest.mark.parametrize(("what", "rnn", "code"), STATES)
def test_state_of_an_lstm(facts_of: FactsOf, what: str, rnn: str, code: str) -> None:
    assert reads(facts_of(trained(net("_, (h, c) = self.rnn(x); " + code, rnn)))) == [what]


@pytest.mark.parametrize(("what", "rnn", "code"), GRU_STATES)
def test_state_of_a_gru(facts_of: FactsOf, what: str, rnn: str, code: str) -> None:
    assert reads(facts_of(trained(net("_, h = self.rnn(x); " + code, rnn)))) == [what]


@pytest.mark.parametrize(("what", "rnn", "code"), OTHER)
def test_other_ways(facts_of: FactsOf, what: str, rnn: str, code: str) -> None:
    assert reads(facts_of(trained(net(code, rnn)))) == [what]


def test_a_read_stands_where_the_code_picks(facts_of: FactsOf) -> None:
    program = facts_of(trained(net("out, _ = self.rnn(x)\nout = self.fc(out)\nreturn out[:, -1, :]")))
    (read,) = items(items(program.recurrent_layers)[0].reads)
    assert read.at is not None
    assert (read.at.line, read.at.column, plain(read.expression)) == (19, 16, "out[:, -1, :]")


def test_a_state_that_is_handed_on_whole(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.GRU(8, 16, batch_first=True)
            self.decoder = nn.GRU(8, 16, batch_first=True)
            self.fc = nn.Linear(16, 3)
        def forward(self, x):
            _, h = self.encoder(x)
            out, _ = self.decoder(x, h)
            return self.fc(out)
    """
    program = facts_of(trained(model))
    assert (reads(program), reads(program, 1)) == (["whole-state"], ["all-steps"])


def test_a_helper_that_detaches_tuples_reads_nothing(facts_of: FactsOf) -> None:
    text = (
        HEAD
        + """
def repackage(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage(v) for v in h)
"""
        + net("out, hidden = self.rnn(x, self.hidden)\nself.hidden = repackage(hidden)\nreturn self.fc(out)")
        + LOOP.replace("    for x, y", "    model.hidden = model.init_hidden(8)\n    for x, y")
    )
    assert reads(facts_of(text)) == ["all-steps"]


PADDED = """
def collate(batch):
    xs, ys = zip(*batch)
    lens = torch.tensor([len(x) for x in xs])
    return pad_sequence([torch.tensor(x) for x in xs], batch_first=True), lens, torch.tensor(ys)
model = Net()
optimizer = torch.optim.Adam(model.parameters())
for x, lens, y in DataLoader(data, batch_size=8, collate_fn=collate):
    loss = F.cross_entropy(model(x, lens), y)
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        (True, "_, (h, c) = self.rnn(x)\nreturn self.fc(h[-1])"),
        (True, "out, _ = self.rnn(x)\nreturn self.fc(out[:, -1])"),
        (True, "out, _ = self.rnn(x)\nreturn self.fc(out.mean(1))"),
        (False, "out, _ = self.rnn(x)\nreturn self.fc(out[torch.arange(len(x)), lens - 1])"),
        (False, "_, (h, c) = self.rnn(pack_padded_sequence(x, lens, True, False))\nreturn self.fc(h[-1])"),
        (
            True,
            "out, _ = self.rnn(pack_padded_sequence(x, lens, batch_first=True, enforce_sorted=False))\n"
            "out, _ = pad_packed_sequence(out, batch_first=True)\nreturn self.fc(out[:, -1])",
        ),
    ],
)
def test_whether_padding_was_read(facts_of: FactsOf, expected: bool, code: str) -> None:
    model = net(code).replace("def forward(self, x):", "def forward(self, x, lens):")
    (read,) = items(items(facts_of(trained(model, PADDED)).recurrent_layers)[0].reads)
    assert plain(read.after_padding) is expected


@pytest.mark.parametrize(
    ("expected", "padded"), [(True, "x + [0] * (20 - len(x))"), (False, "[0] * (20 - len(x)) + x")]
)
def test_padding_by_hand_is_read_by_the_one_layer_there_is(facts_of: FactsOf, expected: bool, padded: str) -> None:
    loop = f"""
rows = []
for x in texts:
    rows.append({padded})
X = torch.tensor(rows)
""" + LOOP.replace("model(x)", "model(x.float())")
    (read,) = items(
        items(facts_of(trained(net("return self.fc(self.rnn(x)[0][:, -1])"), loop)).recurrent_layers)[0].reads
    )
    assert plain(read.after_padding) is expected


def test_padding_is_unknown_where_nothing_tells(facts_of: FactsOf) -> None:
    (read,) = items(items(facts_of(trained(net("return self.fc(self.rnn(x)[0][:, -1])"))).recurrent_layers)[0].reads)
    assert not known(read.after_padding)


CELL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 16)
        self.fc = nn.Linear(16, 3)
    def forward(self, x):
        h, c = torch.zeros(len(x), 16), torch.zeros(len(x), 16)
        outs = []
        for t in range({steps}):
            h, c = self.cell(x[:, t], (h, c))
            outs.append(h)
        return {result}
"""


@pytest.mark.parametrize("steps", ["x.size(1)", "5"])
@pytest.mark.parametrize(
    ("what", "result"), [("last-state", "self.fc(h)"), ("all-steps", "self.fc(torch.stack(outs, 1))")]
)
def test_cells(facts_of: FactsOf, steps: str, what: str, result: str) -> None:
    program = facts_of(trained(CELL.format(steps=steps, result=result)))
    assert reads(program) == [what]
    assert plain(items(program.recurrent_layers)[0].stepped_by_hand) is True


def test_two_directions_by_hand_joined_without_turning_one_round(facts_of: FactsOf) -> None:
    model = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.ahead = nn.LSTMCell(8, 16)
            self.back = nn.LSTMCell(8, 16)
            self.fc = nn.Linear(32, 3)
        def forward(self, x):
            h = c = g = d = torch.zeros(len(x), 16)
            hs, gs = [], []
            for i in range(4):
                h, c = self.ahead(x[:, i], (h, c))
                hs.append(h)
            for i in reversed(range(4)):
                g, d = self.back(x[:, i], (g, d))
                gs.append(g)
            return self.fc(torch.stack([torch.cat((a, b), 1) for a, b in zip(hs, {backward})], 1))
    """
    wrong = facts_of(trained(model.format(backward="gs")))
    assert (reads(wrong), reads(wrong, 1)) == (["all-steps"], ["all-steps", "unreversed"])
    assert reads(facts_of(trained(model.format(backward="gs[::-1]"))), 1) == ["all-steps"]
