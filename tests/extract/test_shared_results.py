"""Results that are shared by many are looked at once."""

from __future__ import annotations

from lstmadvisor.facts import Known
from tests.extract.conftest import FactsOf

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, flag):
        super().__init__()
        self.rnn = nn.LSTM(1, 8)
        self.head = nn.Linear(8, 3)
        self.flag = flag

    def forward(self, x):
        y = x * 2
{steps}
        out, _ = self.rnn(y)
        z = self.head(out)
{more}
        return z

model = Net(bool(input()))
loss = model(torch.zeros(3, 2, 1)).sum()
loss.backward()
"""


def test_a_result_that_is_added_to_itself_again_and_again(facts_of: FactsOf) -> None:
    doubled = "        {0} = torch.where({0} > 0, {0} + {0}, {0} - {0}) if self.flag else {0} + {0}\n"
    code = CODE.format(steps=doubled.format("y") * 16, more=doubled.format("z") * 16)
    assert isinstance(facts_of(code).output.units, Known)
