"""By what number an epoch is judged on validation data: names and places for a fix that stops early."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import EpochLoop, Unknown, items, plain

HEAD = """\
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


criterion = nn.MSELoss()
model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
train_loader, val_loader = DataLoader(read("train")), DataLoader(read("val"))
"""
STEP = """\
for epoch in range(40):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""
SUMMED = """\
    total = 0.0
    with torch.no_grad():
        for x, y in val_loader:
            total += criterion(model(x), y).item()
"""
ASKED = """\
def evaluate(net, loader):
    net.eval()
    total, hits = 0.0, 0
    for x, y in loader:
        out = net(x)
        total += criterion(out, y).item()
        hits += (out.argmax(1) == y).sum().item()
    return total / len(loader), hits / len(loader)


"""


def loop_of(facts_of: FactsOf, body: str, before: str = "") -> EpochLoop:
    return facts_of(HEAD + before + STEP + body).epoch_loop


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


class TestTheMeasure:
    @pytest.mark.parametrize(
        ("last", "measure"),
        [
            ("", "total"),
            ("    val_loss = total / len(val_loader)\n", "val_loss"),
            ("    total /= len(val_loader)\n", "total"),
        ],
    )
    def test_a_sum_over_the_batches_in_the_loop(self, last: str, measure: str, facts_of: FactsOf) -> None:
        loop = loop_of(facts_of, SUMMED.replace("total", "total_loss") + last.replace("total", "total_loss"))
        assert plain(loop.measure) == measure.replace("total", "total_loss")
        assert (plain(loop.falls), plain(loop.measured), loop.measured_in) == (True, "every-turn", loop.at)

    def test_the_mean_of_a_list(self, facts_of: FactsOf) -> None:
        body = SUMMED.replace("total = 0.0", "losses = []").replace("total += ", "losses.append(")
        body = body.replace(".item()", ".item())") + "    val_loss = np.mean(losses)\n"
        assert plain(loop_of(facts_of, body).measure) == "val_loss"

    def test_the_loss_goes_before_the_score(self, facts_of: FactsOf) -> None:
        asked = "    train_loss, train_acc = evaluate(model, train_loader)\n"
        asked += "    val_loss, val_acc = evaluate(model, val_loader)\n"
        loop = loop_of(facts_of, asked, ASKED)
        assert (plain(loop.measure), plain(loop.falls)) == ("val_loss", True)
        loop = loop_of(facts_of, asked.replace("val_loss", "_"), ASKED)
        assert (plain(loop.measure), plain(loop.falls)) == ("val_acc", False)

    def test_an_attribute(self, facts_of: FactsOf) -> None:
        before = "class Notes:\n    pass\n\n\nnotes = Notes()\n" + ASKED
        loop = loop_of(facts_of, "    notes.val_loss, _ = evaluate(model, val_loader)\n", before)
        assert plain(loop.measure) == "notes.val_loss"

    @pytest.mark.parametrize(
        "body",
        [
            SUMMED.replace("total += ", "val_loss = "),  # the last batch only
            SUMMED.replace("val_loader", "test_loader"),
            "    train_loss, _ = evaluate(model, train_loader)\n",
            "    best_loss, _ = evaluate(model, val_loader)\n",
            "    val_gain = -evaluate(model, val_loader)[0]\n",
            "    try:\n        val_loss, _ = evaluate(model, val_loader)\n    except ValueError:\n        pass\n",
            "    print(evaluate(model, val_loader))\n",  # a loss and a score at once
            "    val_losses = evaluate(model, val_loader)\n",
            "    val = {'loss': evaluate(model, val_loader)[0]}\n",
            "    val_errors = np.abs(next(iter(val_loader))[1] - model(next(iter(val_loader))[0]))\n",
        ],
    )
    def test_what_judges_nothing(self, body: str, facts_of: FactsOf) -> None:
        before = 'test_loader = DataLoader(read("test"))\n' + ASKED
        assert isinstance(loop_of(facts_of, body, before).measure, Unknown)

    def test_data_without_a_telling_name_are_validation_where_the_measure_says_so(self, facts_of: FactsOf) -> None:
        body = SUMMED.replace("val_loader", "other")
        named = body + "    val_loss = total / len(other)\n"
        before = 'other = DataLoader(read("rest"))\n'
        assert plain(loop_of(facts_of, named, before).measure) == "val_loss"
        assert isinstance(loop_of(facts_of, body, before).measure, Unknown)

    def test_a_function_that_may_give_nothing(self, facts_of: FactsOf) -> None:
        before = ASKED.replace("    net.eval()\n", "    if loader is None:\n        return None\n    net.eval()\n")
        assert isinstance(loop_of(facts_of, "    val_loss, _ = evaluate(model, val_loader)\n", before).measure, Unknown)

    def test_a_function_that_only_prints(self, facts_of: FactsOf) -> None:
        before = ASKED.replace("return total / len(loader), hits / len(loader)", "val_loss = total / len(loader)")
        text = HEAD + before + STEP + "    evaluate(model, val_loader)\n"
        loop = facts_of(text).epoch_loop
        assert plain(loop.measure) == "val_loss"
        assert loop.measured_by is not None
        assert loop.measured_by.line == line_of(text, "    evaluate(model, val_loader)")
        assert loop.measured_at is not None
        assert loop.measured_at.line == line_of(text, "def evaluate")

    def test_what_is_only_shown(self, facts_of: FactsOf) -> None:
        before = ASKED.replace("return total / len(loader), hits / len(loader)", "return total / len(loader)")
        before = before.replace("def evaluate", "def mean_loss")
        text = HEAD + before + STEP + '    print(f"{mean_loss(model, train_loader)} {mean_loss(model, val_loader)}")\n'
        loop = facts_of(text).epoch_loop
        assert (plain(loop.measure), plain(loop.falls)) == ("mean_loss(model, val_loader)", True)
        assert loop.measured_by is not None
        assert loop.measured_at is None

    def test_a_list_whose_mean_has_no_name(self, facts_of: FactsOf) -> None:
        body = SUMMED.replace("total = 0.0", "losses = []").replace("total += ", "losses.append(")
        body = body.replace(".item()", ".item())") + "    print(np.mean(losses))\n"
        assert plain(loop_of(facts_of, body).measure) == "sum(losses) / len(losses)"


class TestWhereItIsMeasured:
    def test_on_the_way_through_the_batches(self, facts_of: FactsOf) -> None:
        body = "        if x.steps % 100 == 0:\n            val_loss, _ = evaluate(model, val_loader)\n"
        text = HEAD + ASKED + STEP + body
        loop = facts_of(text).epoch_loop
        assert (plain(loop.measure), plain(loop.measured)) == ("val_loss", "within-turns")
        assert loop.measured_in is not None
        assert loop.measured_in.line == line_of(text, "        if x.steps")

    def test_not_in_every_turn(self, facts_of: FactsOf) -> None:
        body = "    if epoch % 5 == 0:\n        val_loss, _ = evaluate(model, val_loader)\n"
        text = HEAD + ASKED + STEP + body
        loop = facts_of(text).epoch_loop
        assert (plain(loop.measure), plain(loop.measured)) == ("val_loss", "some-turns")
        assert loop.measured_in is not None
        assert loop.measured_in.line == line_of(text, "    if epoch % 5")

    def test_under_a_condition_that_does_not_count(self, facts_of: FactsOf) -> None:
        loop = loop_of(facts_of, "    if val_loader:\n        val_loss, _ = evaluate(model, val_loader)\n", ASKED)
        assert plain(loop.measured) == "every-turn"
        assert loop.measured_in != loop.at

    def test_on_the_other_side_of_a_condition(self, facts_of: FactsOf) -> None:
        body = "    if x is None:\n        print()\n    else:\n        val_loss, _ = evaluate(model, val_loader)\n"
        assert isinstance(loop_of(facts_of, body, ASKED).measure, Unknown)

    def test_where_the_best_is_noted(self, facts_of: FactsOf) -> None:
        body = "    val_loss, _ = evaluate(model, val_loader)\n    if val_loss < best:\n        best = val_loss\n"
        text = HEAD + ASKED + 'best = float("inf")\n' + STEP + body
        improved = facts_of(text).epoch_loop.improved
        assert improved is not None
        assert improved.line == line_of(text, "        best = val_loss")
        assert loop_of(facts_of, SUMMED).improved is None


class TestTheModels:
    def test_what_they_are_called_beside_the_loop(self, facts_of: FactsOf) -> None:
        assert plain(facts_of(HEAD + STEP).epoch_loop.models) == ["model"]

    def test_an_attribute_and_another_device(self, facts_of: FactsOf) -> None:
        steps = "".join(f"        {line}\n" for line in STEP.replace("optimizer", "self.optimizer").splitlines())
        text = (
            HEAD
            + "class Trainer:\n    def __init__(self, net):\n        self.net = net.to('cpu')\n"
            + "        self.optimizer = torch.optim.Adam(net.parameters())\n\n"
            + "    def fit(self):\n"
            + steps.replace("model(x)", "self.net(x)")
            + "\n\nTrainer(Model()).fit()\n"
        )
        assert plain(facts_of(text).epoch_loop.models) == ["self.net"]

    def test_several_with_an_optimizer_each(self, facts_of: FactsOf) -> None:
        more = "other = Model()\nsecond = torch.optim.Adam(other.parameters())\n"
        step = STEP.replace("model(x)", "model(x) + other(x)") + "        second.step()\n"
        assert plain(facts_of(HEAD + more + step).epoch_loop.models) == ["model", "other"]

    def test_one_without_a_name(self, facts_of: FactsOf) -> None:
        text = (HEAD + STEP).replace("model = Model()", "held = {'m': Model()}").replace("model", "held['m']")
        assert isinstance(facts_of(text).epoch_loop.models, Unknown)


class TestSchedules:
    def test_whether_it_is_mentioned_again_and_what_it_waits_for(self, facts_of: FactsOf) -> None:
        made = "plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)\n"
        (schedule,) = items(facts_of(HEAD + made + STEP).schedules)
        assert (plain(schedule.mentioned), plain(schedule.mode)) == (False, "min")
        other = made.replace("(optimizer)", '(optimizer, "max")') + "print(plateau)\n"
        (schedule,) = items(facts_of(HEAD + other + STEP).schedules)
        assert (plain(schedule.mentioned), plain(schedule.mode)) == (True, "max")

    @pytest.mark.parametrize(
        ("made", "name", "condition"),
        [
            ("optimizer = torch.optim.Adam(model.parameters(), lr=rate)\n", "optimizer", None),
            ("if FAST:\n    quick = torch.optim.Adam(model.parameters(), lr=rate)\n", "quick", "FAST"),
            ("if SLOW:\n    pass\nelse:\n    quick = torch.optim.Adam(model.parameters(), lr=rate)\n", None, None),
        ],
    )
    def test_who_took_a_rate_that_is_lowered_in_a_variable(
        self, made: str, name: str | None, condition: str | None, facts_of: FactsOf
    ) -> None:
        given = "FAST, SLOW, rate = False, True, 0.01\n"
        text = HEAD.replace("optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n", given)
        if "quick" in made:
            made = "optimizer = torch.optim.SGD(model.parameters(), lr=0.5)\n" + made
        facts = facts_of(text + made + STEP + "    if epoch == 9:\n        rate *= 0.5\n")
        (schedule,) = items(facts.schedules)
        assert plain(schedule.variable) == "rate"
        assert (plain(schedule.given_to), plain(schedule.given_if)) == (name, condition)
