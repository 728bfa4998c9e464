"""Where an evaluation in training mode could switch the modes."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import TrainingStep, plain

HEAD = """\
import torch
from torch import nn
from torch.utils.data import DataLoader


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.drop(self.lstm(x)[0][:, -1]))


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
INLINE = """\
    with torch.no_grad():
        for x, y in val_loader:
            print(criterion(model(x), y))
"""
ASKED = """\
def evaluate(net, loader):
    total = 0.0
    for x, y in loader:
        total += criterion(net(x), y).item()
    return total


"""


def found(facts_of: FactsOf, text: str, statement: str) -> TrainingStep:
    """The training step, if its evaluation is where `statement` begins."""
    step = facts_of(text).training_step
    assert step.evaluation is not None
    assert step.evaluation.line == text[: text.index(statement)].count("\n") + 1
    return step


class TestTheEvaluation:
    def test_in_the_loop_over_the_epochs(self, facts_of: FactsOf) -> None:
        step = found(facts_of, HEAD + STEP + INLINE, "    with torch.no_grad")
        assert (plain(step.evaluates), plain(step.trains_on)) == (["model"], True)

    def test_in_a_function(self, facts_of: FactsOf) -> None:
        text = HEAD + ASKED + STEP + "    print(evaluate(model, val_loader))\n"
        step = found(facts_of, text, "    for x, y in loader")
        assert plain(step.evaluates) == ["net"]

    def test_under_a_condition(self, facts_of: FactsOf) -> None:
        inner = "".join(f"    {line}\n" for line in INLINE.splitlines())
        found(facts_of, HEAD + STEP + "    if epoch % 5 == 0:\n" + inner, "        with torch.no_grad")

    def test_after_the_training(self, facts_of: FactsOf) -> None:
        step = found(
            facts_of, HEAD + STEP + INLINE.replace("    ", "", 1).replace("\n    ", "\n"), "with torch.no_grad"
        )
        assert plain(step.trains_on) is False

    def test_where_every_epoch_begins_with_train(self, facts_of: FactsOf) -> None:
        text = HEAD + STEP.replace("    for x", "    model.train()\n    for x", 1) + INLINE
        assert plain(found(facts_of, text, "    with torch.no_grad").trains_on) is False

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("    with torch", "    model.eval()\n    with torch"),
            (INLINE, "    print(held['m'](x) - y)\n"),
            (INLINE, "    print((lambda x: model(x) - y)(x))\n"),
        ],
    )
    def test_nothing_to_switch_or_no_name(self, old: str, new: str, facts_of: FactsOf) -> None:
        text = (HEAD + "held = {'m': Model()}\n" + STEP + INLINE).replace(old, new)
        assert facts_of(text).training_step.evaluation is None
