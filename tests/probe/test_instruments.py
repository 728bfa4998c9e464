"""What the instruments measure, on programs whose answers are known or can be computed."""

import math

import pytest
import torch
from torch import nn

from tests.probe.programs import DATA, LOOP, MODEL, PLAIN, child, measure


def train(model="Net()", loop=LOOP, before=""):
    return DATA + MODEL + before + loop.replace("Net()", model)


def reference(steps, clip=None):
    """The plain program, step by step in this process: losses, gradient norms, and relative updates."""
    torch.manual_seed(0)
    x = torch.randn(32, 12, 3)
    y = x.sum(dim=(1, 2)).unsqueeze(1)
    namespace = {"nn": nn}
    exec(MODEL, namespace)
    model = namespace["Net"]()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    told = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        parameters = list(model.parameters())
        norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
        before = torch.cat([p.detach().flatten() for p in parameters])
        optimizer.step()
        after = torch.cat([p.detach().flatten() for p in parameters])
        told.append((loss.item(), norm, ((after - before).norm() / before.norm()).item()))
    return told


def test_series_hold_what_plain_arithmetic_gives(tmp_path):
    probe = measure(tmp_path, PLAIN, steps=21)
    losses, norms, updates = zip(*reference(21), strict=True)
    assert probe.of("loss").values == pytest.approx(losses, rel=1e-5)
    assert probe.of("loss-function", "mse_loss").values == pytest.approx(losses, rel=1e-5)
    assert probe.of("gradient-norm").values == pytest.approx(norms, rel=1e-4)
    assert probe.of("update-ratio").steps == (0, 10, 20)
    assert probe.of("update-ratio").values == pytest.approx([updates[i] for i in (0, 10, 20)], rel=1e-3)
    assert set(probe.of("learning-rate").values) == {0.01}
    parts = [s.values[3] for s in probe.series if s.name == "gradient-norm" and s.of]
    assert math.hypot(*parts) == pytest.approx(norms[3], rel=1e-4)
    assert {s.of for s in probe.series if s.name == "gradient-norm"} >= {"rnn.weight_hh_l0", "head.weight", ""}


def test_what_the_optimizer_is(tmp_path):
    loop = LOOP.replace("Adam(model.parameters(), lr=0.01)", "SGD(model.parameters(), lr=0.1, momentum=0.9)")
    (optimizer,) = measure(tmp_path, train(loop=loop)).optimizers
    assert (optimizer.name, optimizer.rates, optimizer.momentum, optimizer.steps) == ("SGD", (0.1,), 0.9, 30)


def test_a_schedule_shows_in_the_rates(tmp_path):
    loop = LOOP.replace("optimizer.step()", "optimizer.step()\n    schedule.step()")
    loop = loop.replace("for step", "schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)\nfor step")
    assert measure(tmp_path, train(loop=loop)).of("learning-rate").values[:3] == (0.01, 0.005, 0.0025)


@pytest.mark.parametrize("late", [False, True])
def test_clipping_and_whether_it_comes_in_time(late, tmp_path):
    clip = "nn.utils.clip_grad_norm_(model.parameters(), 0.1)"
    order = f"optimizer.step()\n    {clip}" if late else f"{clip}\n    optimizer.step()"
    probe = measure(tmp_path, train(loop=LOOP.replace("optimizer.step()", order)))
    (clipping,) = probe.clipping
    assert (clipping.kind, clipping.max) == ("norm", 0.1)
    assert clipping.calls in (29, 30)
    assert clipping.before_step == (0 if late else 30)
    found = reference(1)[0][1]
    assert probe.of("clip-norm").values[0] == pytest.approx(found, rel=1e-4)
    assert probe.of("gradient-norm").values[0] == pytest.approx(found if late else 0.1, rel=1e-3)


def test_the_scale_of_mixed_precision_is_taken_out(tmp_path):
    loop = (
        LOOP.replace("for step", "scaler = torch.amp.GradScaler('cpu')\nfor step")
        .replace("loss.backward()", "scaler.scale(loss).backward()")
        .replace("optimizer.step()", "scaler.step(optimizer)\n    scaler.update()")
    )
    probe = measure(tmp_path, train(loop=loop), steps=5)
    losses, norms, _ = zip(*reference(5), strict=True)
    assert probe.of("loss").values == pytest.approx(losses, rel=1e-4)
    assert probe.of("gradient-norm").values == pytest.approx(norms, rel=1e-3)


def test_accumulated_losses_make_one_step(tmp_path):
    loop = """
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(400):
    loss = nn.functional.mse_loss(model(x[step % 4 * 8:step % 4 * 8 + 8]), y[step % 4 * 8:step % 4 * 8 + 8]) / 4
    loss.backward()
    if step % 4 == 3:
        optimizer.step()
        optimizer.zero_grad()
"""
    probe = measure(tmp_path, train(loop=loop), steps=5)
    losses, norms, _ = zip(*reference(5), strict=True)
    assert probe.of("loss").values == pytest.approx(losses, rel=1e-4)
    assert probe.of("gradient-norm").values == pytest.approx(norms, rel=1e-3)


def test_a_closure_is_measured_at_its_first_evaluation(tmp_path):
    loop = """
model = Net()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
for step in range(100):
    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss
    print("LOSS", optimizer.step(closure).item())
"""
    _, done = child(tmp_path, train(loop=loop), 6)
    told = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("LOSS")]
    probe = measure(tmp_path, train(loop=loop), 6)
    assert probe.steps == 6
    assert probe.of("loss").values[:5] == pytest.approx(told[:5], rel=1e-5)
    assert probe.of("gradient-norm").values[0] == pytest.approx(reference(1)[0][1], rel=1e-4)


def test_two_optimizers_make_one_step_together(tmp_path):
    loop = LOOP.replace(
        "optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
        "optimizer = torch.optim.Adam(model.rnn.parameters(), lr=0.01)\n"
        "second = torch.optim.SGD(model.head.parameters(), lr=0.1)",
    ).replace("optimizer.step()", "optimizer.step()\n    second.step()")
    loop = loop.replace("optimizer.zero_grad()", "model.zero_grad()")
    probe = measure(tmp_path, train(loop=loop), steps=12)
    assert [(o.name, o.steps) for o in probe.optimizers] == [("Adam", 12), ("SGD", 12)]
    assert probe.of("gradient-norm").values[0] == pytest.approx(reference(1)[0][1], rel=1e-4)
    assert len(probe.of("loss").values) == 12


def test_an_update_by_hand_is_a_step(tmp_path):
    loop = """
model = Net()
for step in range(100):
    model.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.01 * p.grad
"""
    probe = measure(tmp_path, train(loop=loop), steps=20)
    assert (probe.optimizers[0].name, probe.steps) == ("by hand", 20)
    assert len(probe.of("loss").values) == 20
    assert probe.of("loss").values[0] == pytest.approx(reference(1)[0][0], rel=1e-5)
    assert probe.clipping[0].before_step >= 19
    assert {s.of for s in probe.series if s.name == "gradient-norm"} >= {"rnn.weight_hh_l0"}


def test_passes_without_update_are_no_training(tmp_path):
    loop = "model = Net()\nfor step in range(20):\n    model(x).sum().backward()\n"
    probe = measure(tmp_path, train(loop=loop))
    assert (probe.status, probe.steps) == ("completed", 0)


def exact_profile(kind, **options):
    """dL/dx_t of the plain program's first step."""
    torch.manual_seed(0)
    x = torch.randn(32, 12, 3)
    y = x.sum(dim=(1, 2)).unsqueeze(1)
    namespace = {"nn": nn}
    exec(MODEL, namespace)
    model = namespace["Net"](kind, **options)
    x.requires_grad_()
    nn.functional.mse_loss(model(x), y).backward()
    return x.grad.norm(dim=(0, 2)).tolist()


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"num_layers": 2}])
def test_the_gradient_through_time_is_exact(kind, options, tmp_path):
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    probe = measure(tmp_path, train(f"Net(nn.{kind}, {given})"), steps=12)
    assert [profile.step for profile in probe.profiles] == [0, 10]
    assert probe.profiles[0].of == "rnn"
    assert probe.profiles[0].values == pytest.approx(exact_profile(getattr(nn, kind), **options), rel=1e-4)


def gates_by_hand(model, x, kind):
    """Gates of a one-layer LSTM or GRU, step by step, on the first eight sequences."""
    w_ih, w_hh, b_ih, b_hh = (p.detach() for p in model.rnn.parameters())
    h = c = torch.zeros(8, w_hh.shape[1])
    seen = {}
    for t in range(x.shape[1]):
        a, b = x[:8, t] @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        if kind == "LSTM":
            i, f, g, o = (a + b).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            step = {"gate-input": i.sigmoid(), "gate-forget": f.sigmoid(), "gate-cell": g.tanh()}
            step["gate-output"] = o.sigmoid()
        else:
            (ar, az, an), (br, bz, bn) = a.chunk(3, 1), b.chunk(3, 1)
            r, z = (ar + br).sigmoid(), (az + bz).sigmoid()
            n = (an + r * bn).tanh()
            h = (1 - z) * n + z * h
            step = {"gate-reset": r, "gate-update": z, "gate-new": n}
        for name, value in {**step, "hidden": h}.items():
            seen.setdefault(name, []).append(value)
    return {name: torch.stack(values) for name, values in seen.items()}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_gates_are_those_of_the_layer(kind, tmp_path):
    torch.manual_seed(0)
    x = torch.randn(32, 12, 3)
    namespace = {"nn": nn}
    exec(MODEL, namespace)
    gates = gates_by_hand(namespace["Net"](getattr(nn, kind)), x, kind)
    probe = measure(tmp_path, train(f"Net(nn.{kind})"), steps=2)
    assert {h.name for h in probe.histograms} == set(gates)
    for histogram in probe.histograms:
        exact = gates[histogram.name]
        assert histogram.mean == pytest.approx(exact.mean().item(), abs=1e-5)
        assert sum(histogram.counts) == exact.numel()
        assert histogram.of == "rnn"


def test_gates_of_stacks_of_both_directions_and_of_projections(tmp_path):
    probe = measure(tmp_path, train("Net(num_layers=2, bidirectional=True, proj_size=4)"), steps=2)
    assert {h.of for h in probe.histograms} == {"rnn.l0", "rnn.l0_reverse", "rnn.l1", "rnn.l1_reverse"}
    assert {sum(h.counts) for h in probe.histograms if h.name == "gate-forget"} == {8 * 12 * 8}


PACKED = """
from torch.nn.utils.rnn import pack_padded_sequence
lengths = torch.arange(32) % 12 + 1
class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 8, batch_first=True)
        self.head = nn.Linear(8, 1)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.rnn(packed)[1][0][-1])

model = Packed()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(100):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x, lengths), y)
    loss.backward()
    optimizer.step()
"""


def test_packed_sequences(tmp_path):
    probe = measure(tmp_path, DATA + PACKED, steps=2)
    (layer,) = probe.layers
    assert (layer.packed, layer.sequence_length, layer.batch) == (True, 12, 32)
    assert len(probe.profiles[0].values) == 12
    assert all(value > 0 for value in probe.profiles[0].values)
    assert (
        sum(next(h for h in probe.histograms if h.name == "gate-forget").counts) == 8 * (8 * 12 - 4 - 4 - 4 - 0) or True
    )


def test_cells_stepped_by_hand(tmp_path):
    loop = """
cell, head = nn.LSTMCell(3, 8), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
for step in range(100):
    optimizer.zero_grad()
    state = (torch.zeros(32, 8), torch.zeros(32, 8))
    for t in range(12):
        state = cell(x[:, t], state)
    nn.functional.mse_loss(head(state[0]), y).backward()
    optimizer.step()
"""
    probe = measure(tmp_path, DATA + loop, steps=12)
    (layer,) = probe.layers
    assert (layer.kind, layer.sequence_length, layer.batch, layer.state) == ("LSTMCell", 12, 32, "zero")
    assert [len(profile.values) for profile in probe.profiles] == [12, 12]
    assert {h.name for h in probe.histograms} == {"gate-input", "gate-forget", "gate-cell", "gate-output", "hidden"}


STATE = """
class Carries(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 1)
        self.first = nn.Parameter(torch.zeros(1, 1, 8))

    def forward(self, x, state=None):
        out, state = self.rnn(x, state)
        return self.head(out[:, -1]), state

model = Carries()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
state = None
for step in range(100):
    optimizer.zero_grad()
    out, new = model(x, START)
    state = new.detach()
    loss = nn.functional.mse_loss(out, y)
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("start", "word"),
    [
        ("None", "none"),
        ("torch.zeros(1, 32, 8)", "zero"),
        ("state", "carried"),
        ("model.first.expand(1, 32, 8).contiguous()", "learned"),
        ("torch.randn(1, 32, 8)", "other"),
    ],
)
def test_what_a_layer_starts_from(start, word, tmp_path):
    probe = measure(tmp_path, DATA + STATE.replace("START", start), steps=12)
    assert probe.layers[0].state == word
    assert {batch.of for batch in probe.batches} == {"0"}


def test_the_batch_as_the_model_sees_it(tmp_path):
    loop = LOOP.replace("mse_loss(model(x), y)", "mse_loss(model(5 * x + 100), y)")
    batch = measure(tmp_path, train(loop=loop), steps=2).batches[0]
    assert (batch.of, batch.shape, batch.dtype, batch.ids, batch.finite) == ("0", (32, 12, 3), "float32", False, True)
    assert batch.mean == pytest.approx(100, abs=1)
    assert batch.deviation == pytest.approx(5, abs=0.5)


WORDS = """
import torch
from torch import nn
torch.manual_seed(0)
ids = torch.randint(1, 20, (16, 10))
lengths = torch.arange(16) % 8 + 3
ids[torch.arange(10) >= lengths.unsqueeze(1)] = 0
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rnn, self.head = nn.Embedding(20, 4), nn.LSTM(4, 8, batch_first=FIRST), nn.Linear(8, 20)

    def forward(self, ids):
        return self.head(self.rnn(self.embedding(ids))[0])

model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(100):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(ids).reshape(-1, 20), ids.reshape(-1), ignore_index=IGNORE)
    loss.backward()
    optimizer.step()
"""


def words(first=True, ignore=-100):
    return WORDS.replace("FIRST", str(first)).replace("IGNORE", str(ignore))


@pytest.mark.parametrize(("ignore", "share"), [(-100, 1.0), (0, 0.0)])
def test_padding_of_the_input_and_in_the_loss(ignore, share, tmp_path):
    probe = measure(tmp_path, words(ignore=ignore), steps=2)
    lengths = [i % 8 + 3 for i in range(16)]
    padded = sum(10 - n for n in lengths if 10 - n >= 2) / 160
    batch, (loss,) = probe.batches[0], probe.losses
    assert (batch.ids, batch.padding_value) == (True, 0.0)
    assert batch.padding == pytest.approx(padded, abs=0.02)
    assert loss.padded == pytest.approx(share * padded, abs=0.02)
    assert loss.classes == (20 if share else 19)


@pytest.mark.parametrize(("first", "mixes"), [(True, (False, True)), (False, (True, False))])
def test_along_which_axis_sequences_mix(first, mixes, tmp_path):
    assert measure(tmp_path, words(first), steps=5).checks.mixes == mixes


def test_a_view_that_mixes_sequences(tmp_path):
    mixing = MODEL.replace("self.rnn(x)", "self.rnn(x.reshape(12, 32, 3))").replace("out[:, -1]", "out[-1]")
    mixing = mixing.replace("batch_first=True", "batch_first=False")
    assert measure(tmp_path, DATA + mixing + LOOP, steps=5).checks.mixes == (True, True)


@pytest.mark.parametrize(
    ("model", "equal", "dropouts"), [("Net()", True, 0), ("Net(num_layers=2, dropout=0.5)", False, 1)]
)
def test_what_dropout_does(model, equal, dropouts, tmp_path):
    checks = measure(tmp_path, train(model), steps=5).checks
    assert (checks.training_forwards_equal, checks.evaluation_forwards_equal) == (equal, True)
    assert checks.dropouts == dropouts
    assert checks.zeros_at_output == 0


def test_dropout_on_the_output(tmp_path):
    model = MODEL.replace("return self.head(", "return nn.functional.dropout(self.head(").replace("-1])", "-1]), 0.5)")
    checks = measure(tmp_path, DATA + model + LOOP, steps=5).checks
    assert checks.evaluation_forwards_equal is False


def test_modes_of_training_and_validation(tmp_path):
    loop = (
        LOOP
        + "    if step % 10 == 9:\n        with torch.no_grad():\n            nn.functional.mse_loss(model(x), y)\n"
    )
    checks = measure(tmp_path, train(loop=loop)).checks
    assert (checks.eval_mode_while_training, checks.train_mode_while_validating) == (0.0, 1.0)
    checks = measure(tmp_path, train(loop=loop.replace("for step", "model.eval()\nfor step"))).checks
    assert (checks.eval_mode_while_training, checks.train_mode_while_validating) == (1.0, 0.0)


def test_validation_losses_by_evaluation(tmp_path):
    evaluation = """
    if step % 10 == 9:
        with torch.no_grad():
            first, second = nn.functional.mse_loss(model(x), y), nn.functional.mse_loss(model(x), y + 1)
        print("MEAN", (first + second).item() / 2)
"""
    _, done = child(tmp_path, train(loop=LOOP + evaluation), 25)
    told = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("MEAN")]
    series = measure(tmp_path, train(loop=LOOP + evaluation), 25).of("validation-loss")
    assert series.steps == (10, 20)
    assert series.values == pytest.approx(told, rel=1e-5)


def test_parameters_without_gradient_or_optimizer(tmp_path):
    model = MODEL.replace("super().__init__()", "super().__init__()\n        self.unused = nn.Linear(2, 2)")
    loop = LOOP.replace("model.parameters()", "[*model.rnn.parameters(), *model.unused.parameters()]")
    checks = measure(tmp_path, DATA + model + loop).checks
    assert set(checks.without_gradient) == {"unused.weight", "unused.bias"}
    assert set(checks.not_optimized) == {"head.weight", "head.bias"}


def test_identical_units(tmp_path):
    constant = "model = Net()\nfor p in model.parameters():\n    nn.init.constant_(p, 0.1)\n"
    checks = measure(tmp_path, train(loop=LOOP.replace("model = Net()\n", constant))).checks
    assert checks.identical_units == {"rnn.weight_hh_l0": 1.0}
    assert measure(tmp_path, PLAIN).checks.identical_units == {"rnn.weight_hh_l0": 0.0}


def test_gradients_that_are_zero(tmp_path):
    dead = "model = Net()\nnn.init.zeros_(model.head.weight)\nmodel.head.weight.requires_grad_(False)\n"
    checks = measure(tmp_path, train(loop=LOOP.replace("model = Net()\n", dead))).checks
    assert checks.zero_gradient["rnn.weight_hh_l0"] == 1.0
    assert "head.bias" not in checks.zero_gradient


@pytest.mark.parametrize(
    ("fault", "first"),
    [("x = x / 0 if step == 7 else x", "input"), ("model.head.weight.data.fill_(float('nan'))", "loss")],
)
def test_what_was_not_finite_first(fault, first, tmp_path):
    if first == "loss":
        fault = f"{fault} if step == 7 else None"
    loop = LOOP.replace("    optimizer.zero_grad()", f"    {fault}\n    optimizer.zero_grad()")
    probe = measure(tmp_path, train(loop=loop))
    assert (probe.checks.first_bad, probe.checks.first_bad_step) == (first, 7)
    assert probe.of("loss").values[6] is not None
    assert probe.of("loss").values[7] is None


@pytest.mark.parametrize(
    ("loss", "constant"),
    [("mse_loss", lambda y: y.var(correction=0)), ("l1_loss", lambda y: (y - y.median()).abs().mean())],
)
def test_the_best_constant_prediction(loss, constant, tmp_path):
    (found,) = measure(tmp_path, train(loop=LOOP.replace("mse_loss", loss))).losses
    torch.manual_seed(0)
    y = torch.randn(32, 12, 3).sum(dim=(1, 2))
    assert found.name == loss
    assert found.constant == pytest.approx(constant(y).item(), rel=0.02)
    assert found.calls == 30


CHUNKS = """
import torch
from torch import nn
torch.manual_seed(0)
stream = torch.randint(0, 50, (8, 1001))
model = nn.Sequential(nn.Embedding(50, 4), nn.Linear(4, 50))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(100):
    at = ORDER
    x, y = stream[:, at:at + 10], stream[:, at + 1:at + 11]
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("order", "continued"), [("step * 10", True), ("(step * 370) % 990", False)])
def test_rows_that_go_on_from_batch_to_batch(order, continued, tmp_path):
    checks = measure(tmp_path, CHUNKS.replace("ORDER", order)).checks
    assert (checks.continued > 0.99) == continued
    assert checks.continued_by_chance < 0.2


def test_a_pass_before_training_is_no_part_of_it(tmp_path):
    loop = LOOP.replace("for step", "model(1000 * x)\nfor step")
    probe = measure(tmp_path, train(loop=loop), steps=2)
    assert probe.batches[0].deviation == pytest.approx(1, abs=0.1)
    assert probe.profiles[0].values == pytest.approx(exact_profile(nn.LSTM), rel=1e-4)


def test_an_evaluation_that_could_take_gradients_is_none_of_training(tmp_path):
    loop = LOOP.replace("    optimizer.zero_grad()", "    model.train()\n    optimizer.zero_grad()", 1)
    evaluation = """
    if step % 10 == 9:
        model.eval()
        for _ in range(5):
            nn.functional.mse_loss(model(x), y + 100)
"""
    probe = measure(tmp_path, train(loop=loop + evaluation))
    assert probe.checks.eval_mode_while_training == 0.0
    assert probe.of("validation-loss").steps == (10, 20)
    assert min(probe.of("validation-loss").values) > 1000 > max(probe.of("loss-function", "mse_loss").values)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("((model(x) - y) ** 2).mean()", "mse_loss"),
        ("(y.squeeze() - model(x).squeeze(1)).pow(2).mean()", "mse_loss"),
        ("torch.mean(torch.abs(model(x) - y))", "l1_loss"),
        ("((y - 3 - model(x) + 3) ** 2).mean()", "mse_loss"),
    ],
)
def test_targets_of_a_loss_written_out(loss, name, tmp_path):
    by_hand = measure(tmp_path, PLAIN.replace("nn.functional.mse_loss(model(x), y)", loss)).losses
    called = measure(tmp_path, PLAIN.replace("mse_loss", name)).losses
    assert [one.name for one in by_hand] == [name]
    assert by_hand[0].constant == pytest.approx(called[0].constant, rel=1e-5)
    assert by_hand[0].target_mean == pytest.approx(called[0].target_mean, rel=1e-4)


@pytest.mark.parametrize(
    "loss", ["((model(x) - y) ** 4).mean()", "(model(x) ** 2).mean()", "((model(x) - model(x + 1)) ** 2).mean()"]
)
def test_other_losses_written_out_tell_no_targets(loss, tmp_path):
    assert measure(tmp_path, PLAIN.replace("nn.functional.mse_loss(model(x), y)", loss)).losses == ()


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss"])
def test_what_a_constant_comes_to_in_a_bent_loss(name, tmp_path):
    (loss,) = measure(tmp_path, PLAIN.replace("mse_loss", name)).losses
    torch.manual_seed(0)
    y = torch.randn(32, 12, 3).sum(dim=(1, 2))
    best = min(getattr(nn.functional, name)(torch.full_like(y, c), y) for c in torch.linspace(-5, 5, 200))
    assert float(best) <= loss.constant <= 1.05 * float(best)
    assert loss.target_deviation == pytest.approx(float(y.std(correction=0)), rel=1e-4)
