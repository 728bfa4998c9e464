"""What rules about training ask of a program: sums of losses, their shapes and activations, frozen parts, stopping."""

from __future__ import annotations

from textwrap import dedent

import pytest
from conftest import FactsOf

from lstmadvisor.facts import ABSENT, Loss, Program, Unknown, items, known, plain
from lstmadvisor.rule import active

NET = """\
import copy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

x = torch.randn(512, 20, 3)
y = x[:, -5:, 0].mean(dim=1, keepdim=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 32, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.dropout(self.lstm(x)[0][:, -1]))


model = Net()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""


def with_net(text: str) -> str:
    return NET + dedent(text)


def the_loss(program: Program) -> Loss:
    (loss,) = items(program.losses)
    return loss


class TestRunningTotals:
    def total(self, facts_of: FactsOf, inside: str, after: str = "") -> object:
        text = f"""
            for epoch in range(5):
                total = 0
                for batch in torch.randperm(512).split(32):
                    optimizer.zero_grad()
                    loss = criterion(model(x[batch]), y[batch])
                    loss.backward()
                    optimizer.step()
                    {inside}
                {after or "print(total)"}
            """
        return plain(the_loss(facts_of(with_net(text))).running_total)

    @pytest.mark.parametrize(
        "added", ["total += loss", "total = total + loss", "total = loss * len(batch) + total", "total += 2 * loss"]
    )
    def test_graph_is_kept(self, facts_of: FactsOf, added: str) -> None:
        assert self.total(facts_of, added) == "keeps-graph"

    @pytest.mark.parametrize(
        "added",
        [
            "total += loss.item()",
            "total = total + float(loss)",
            "total += loss.detach() * len(batch)",
            "total += loss.data",
            "total += loss.cpu().detach().numpy()",
        ],
    )
    def test_graph_is_let_go(self, facts_of: FactsOf, added: str) -> None:
        assert self.total(facts_of, added) == "detached"

    def test_evaluation_keeps_it_too(self, facts_of: FactsOf) -> None:
        text = """
            def evaluate():
                total = 0
                for batch in torch.arange(400, 512).split(32):
                    total += criterion(model(x[batch]), y[batch])
                return total

            for epoch in range(5):
                for batch in torch.randperm(400).split(32):
                    optimizer.zero_grad()
                    loss = criterion(model(x[batch]), y[batch])
                    loss.backward()
                    optimizer.step()
                {how}
            """
        kept = facts_of(with_net(dedent(text).format(how="print(evaluate())")))
        assert plain(the_loss(kept).running_total) == "keeps-graph"
        without = facts_of(with_net(dedent(text).format(how="with torch.no_grad():\n        print(evaluate())")))
        assert plain(the_loss(without).running_total) is None

    def test_a_sum_over_time_steps_is_none(self, facts_of: FactsOf) -> None:
        text = """
            cell = nn.LSTMCell(3, 1)
            for epoch in range(5):
                h = c = torch.zeros(32, 1)
                loss, shown = 0, 0
                for t in range(20):
                    h, c = cell(x[:32, t], (h, c))
                    each = criterion(h, y[:32])
                    loss += each
                    shown += each
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                print(shown)
            """
        assert plain(the_loss(facts_of(with_net(text))).running_total) is None


class TestAddedUp:
    def added_up(self, facts_of: FactsOf, each: str, end: str = "") -> Loss:
        text = f"""
            cell, head = nn.GRUCell(3, 16), nn.Linear(16, 1)
            for epoch in range(5):
                h, loss = torch.zeros(32, 16), 0
                for t in range(20):
                    h = cell(x[:32, t], h)
                    {each}
                {end or "pass"}
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            """
        return the_loss(facts_of(with_net(text)))

    def test_over_time(self, facts_of: FactsOf) -> None:
        loss = self.added_up(facts_of, "loss += criterion(head(h), y[:32])")
        assert plain(loss.added_up) is True
        assert loss.added_up.at is not None
        assert plain(loss.divided_by) is None

    @pytest.mark.parametrize(
        ("each", "end"),
        [
            ("loss += criterion(head(h), y[:32])", "loss = loss / 20"),
            ("loss += criterion(head(h), y[:32]) / 20", ""),
        ],
    )
    def test_divided(self, facts_of: FactsOf, each: str, end: str) -> None:
        assert plain(self.added_up(facts_of, each, end).added_up) is False

    def test_over_the_heads_of_a_net(self, facts_of: FactsOf) -> None:
        text = """
            heads = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
            for epoch in range(5):
                out = model(x)
                loss = 0
                for head in heads:
                    loss = loss + criterion(head(out), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            """
        assert plain(the_loss(facts_of(with_net(text))).added_up) is False

    def test_one_loss_for_all_steps(self, facts_of: FactsOf) -> None:
        loss = self.added_up(facts_of, "pass", "loss = criterion(head(h), y[:32])")
        assert plain(loss.added_up) is False


class TestShapes:
    def shapes(self, facts_of: FactsOf, targets: str, prediction: str = "model(inputs)") -> tuple[object, object]:
        text = f"""
            targets = {targets}
            loader = DataLoader(TensorDataset(x, targets), batch_size=32, shuffle=True)
            for inputs, wanted in loader:
                optimizer.zero_grad()
                loss = criterion({prediction}, wanted)
                loss.backward()
                optimizer.step()
            """
        loss = the_loss(facts_of(with_net(text)))
        return plain(loss.input_shape), plain(loss.target_shape)

    def test_column_and_row(self, facts_of: FactsOf) -> None:
        assert self.shapes(facts_of, "y") == ([32, 1], [32, 1])
        assert self.shapes(facts_of, "y.squeeze(1)") == ([32, 1], [32])
        assert self.shapes(facts_of, "y[:, 0]", "model(inputs).squeeze(1)") == ([32], [32])

    def test_unknown(self, facts_of: FactsOf) -> None:
        assert self.shapes(facts_of, "torch.load('targets.pt')") == ([32, 1], None)


class TestInputActivation:
    def activation(self, facts_of: FactsOf, prediction: str, before: str = "") -> object:
        text = f"""
            {before}
            for step in range(10):
                optimizer.zero_grad()
                loss = nn.functional.nll_loss({prediction}, torch.randint(2, (512,)))
                loss.backward()
                optimizer.step()
            """
        return the_loss(facts_of(with_net(text))).input_activation

    def test_followed_to_a_layer(self, facts_of: FactsOf) -> None:
        assert plain(self.activation(facts_of, "model(x)")) == "none"  # type: ignore[arg-type]
        assert plain(self.activation(facts_of, "model(x).squeeze(1).sigmoid()")) == "sigmoid"  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "prediction",
        [
            "torch.log_softmax(model(x), dim=1)",
            "torch.log(torch.softmax(model(x), dim=1))",
            "model(x).softmax(dim=1).clamp(1e-6, 1).log()",
        ],
    )
    def test_logarithms(self, facts_of: FactsOf, prediction: str) -> None:
        assert plain(self.activation(facts_of, prediction)) == "logsoftmax"  # type: ignore[arg-type]

    def test_a_network_from_elsewhere(self, facts_of: FactsOf) -> None:
        found = self.activation(facts_of, "net(model(x))", "from zoo import build; net = build('tagger')")
        assert isinstance(found, Unknown)

    def test_branches_that_disagree(self, facts_of: FactsOf) -> None:
        before = "import os; act = torch.softmax if os.path.exists('flag') else torch.log_softmax"
        assert isinstance(self.activation(facts_of, "act(model(x), 1)", before), Unknown)


class TestFrozenBackbone:
    def mode(self, facts_of: FactsOf, setup: str = "", use: str = "front(film).flatten(1)") -> object:
        text = f"""
            import torchvision

            front = nn.Sequential(*list(torchvision.models.resnet18(weights="DEFAULT").children())[:-1])
            lstm, head = nn.LSTM(512, 32, batch_first=True), nn.Linear(32, 1)
            {setup or "pass"}
            for step in range(10):
                film = torch.randn(20, 3, 224, 224)
                with torch.no_grad():
                    features = {use}
                loss = criterion(head(lstm(features.unsqueeze(0))[0][:, -1]), torch.randn(1, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            """
        return plain(facts_of(with_net(text)).training_step.frozen_backbone)

    def test_modes(self, facts_of: FactsOf) -> None:
        assert self.mode(facts_of) == "train"
        assert self.mode(facts_of, "front.eval()") == "eval"
        assert self.mode(facts_of, "front.eval(); front.train()") == "train"

    def test_none(self, facts_of: FactsOf) -> None:
        text = "front = torchvision.models.vgg16(weights='DEFAULT')"
        assert self.mode(facts_of, f"{text}", "front(film)") is None


class TestClearedGradients:
    def test_a_single_step(self, facts_of: FactsOf) -> None:
        program = facts_of(with_net("loss = criterion(model(x), y)\nloss.backward()\noptimizer.step()\n"))
        assert isinstance(program.training_step.zero_grad, Unknown)

    def test_an_optimizer_that_nobody_knows(self, facts_of: FactsOf) -> None:
        text = """
            from toolkit import build_optimizer
            optimizer = build_optimizer(model)
            for step in range(10):
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
            """
        assert isinstance(facts_of(with_net(text)).training_step.zero_grad, Unknown)

    def test_missing(self, facts_of: FactsOf) -> None:
        text = """
            for step in range(10):
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
            """
        assert plain(facts_of(with_net(text)).training_step.zero_grad) is False


def test_clipping_at_the_top_of_the_next_turn(facts_of: FactsOf) -> None:
    text = """
        for step in range(10):
            if step:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
        """
    (clip,) = items(facts_of(with_net(text)).clipping)
    assert plain(clip.placement) == "ok"


class TestEvaluation:
    def test_passes_that_feed_the_training_are_none(self, facts_of: FactsOf) -> None:
        text = """
            target = copy.deepcopy(model)
            for step in range(1000):
                with torch.no_grad():
                    wanted = target(x)
                loss = nn.functional.smooth_l1_loss(model(x), wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if step % 100 == 0:
                    target.load_state_dict(model.state_dict())
            """
        program = facts_of(with_net(text))
        assert program.training_step.eval_mode == ABSENT
        assert program.checkpoints == ()

    def test_a_test_after_the_training(self, facts_of: FactsOf) -> None:
        text = """
            for step in range(1000):
                loss = criterion(model(x[:400]), y[:400])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                print(criterion(model(x[400:]), y[400:]))
            """
        assert plain(facts_of(with_net(text)).training_step.eval_mode) is False


class TestStopping:
    LOOP = """
        best, waited = float("inf"), 0
        for epoch in range(100):
            model.train()
            train_loss = 0.0
            for batch in torch.randperm(400).split(32):
                optimizer.zero_grad()
                loss = criterion(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                train_loss += loss.item()
            model.eval()
            with torch.no_grad():
                val_loss = criterion(model(x[400:]), y[400:]).item()
            if {watched} < best:
                best, waited = {watched}, 0
                weights = {kept}
            else:
                waited += 1
                if waited == 5:
                    break
        model.load_state_dict(weights)
        """

    def program(self, facts_of: FactsOf, watched: str = "val_loss", kept: str = "model.state_dict()") -> Program:
        return facts_of(with_net(dedent(self.LOOP).format(watched=watched, kept=kept)))

    @pytest.mark.parametrize(("watched", "on"), [("val_loss", "validation"), ("train_loss", "training")])
    def test_which_data_decide(self, facts_of: FactsOf, watched: str, on: str) -> None:
        (stop,) = active(self.program(facts_of, watched).early_stopping)
        assert plain(stop.on) == on

    @pytest.mark.parametrize(
        ("kept", "aliased"),
        [
            ("model.state_dict()", True),
            ("copy.deepcopy(model.state_dict())", False),
            ("{key: value.clone() for key, value in model.state_dict().items()}", False),
        ],
    )
    def test_copies(self, facts_of: FactsOf, kept: str, aliased: bool) -> None:
        (checkpoint,) = items(self.program(facts_of, kept=kept).checkpoints)
        assert plain(checkpoint.aliased) is aliased

    def test_state_for_another_model(self, facts_of: FactsOf) -> None:
        text = """
            average = Net()
            for epoch in range(100):
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                weights = model.state_dict()
                for name, value in average.state_dict().items():
                    value.copy_(0.99 * value + 0.01 * weights[name])
            """
        assert all(plain(each.aliased) is not True for each in items(facts_of(with_net(text)).checkpoints))

    def test_a_copy_of_the_whole_model(self, facts_of: FactsOf) -> None:
        program = self.program(facts_of, kept="copy.deepcopy(model)")
        (checkpoint,) = items(program.checkpoints)
        assert (plain(checkpoint.on), plain(checkpoint.reloaded), plain(checkpoint.aliased)) == (
            "validation",
            True,
            False,
        )

    def test_a_tuner_that_prunes(self, facts_of: FactsOf) -> None:
        text = """
            import optuna

            def objective(trial):
                for epoch in range(100):
                    optimizer.zero_grad()
                    loss = criterion(model(x[:400]), y[:400])
                    loss.backward()
                    optimizer.step()
                    with torch.no_grad():
                        trial.report(criterion(model(x[400:]), y[400:]).item(), epoch)
                    if trial.should_prune():
                        raise optuna.TrialPruned()
                return 0.0

            optuna.create_study().optimize(objective, n_trials=20)
            """
        (stop,) = active(facts_of(with_net(text)).early_stopping)
        assert plain(stop.by_hand) is False


class TestKerasLoops:
    TEXT = """\
import keras
import numpy as np

x = np.random.randn(512, 20, 3).astype("float32")
model = keras.Sequential([keras.Input((20, 3)), keras.layers.LSTM(32), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
"""

    def test_fit_again_and_again(self, facts_of: FactsOf) -> None:
        program = facts_of(self.TEXT + "for turn in range(20):\n    model.fit(x, x[:, 0, 0], epochs=1)\n")
        assert plain(program.fits_in_a_loop) is True
        assert plain(program.epochs) == 20

    def test_fit_once(self, facts_of: FactsOf) -> None:
        assert plain(facts_of(self.TEXT + "model.fit(x, x[:, 0, 0], epochs=20)\n").fits_in_a_loop) is False

    def test_what_a_generator_yields_is_no_data_set(self, facts_of: FactsOf) -> None:
        text = """
def batches():
    while True:
        if np.random.rand() > 0.5:
            yield x[:32], x[:32, 0, 0]
        yield x[32:64], x[32:64, 0, 0]


model.fit(batches(), steps_per_epoch=10, epochs=20)
"""
        assert not known(facts_of(self.TEXT + text).dataset.size)
