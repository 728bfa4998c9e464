"""Initialisation by any idiom, and the forget-gate bias that it leaves in force."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import ABSENT, Program, Unknown, items, plain
from tests.extract.conftest import FactsOf
from tests.extract.torch_models import LOOP, net, trained

TWO = "nn.LSTM(8, 16, 2, batch_first=True)"
ONE = "nn.LSTM(8, 16, batch_first=True)"
READ = "return self.fc(self.rnn(x)[0][:, -1])"
INIT_FUNCTION = """
def init_weights(m):
    if isinstance(m, nn.LSTM):
        for name, p in m.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(p.data)
            elif "weight_hh" in name:
                nn.init.orthogonal_(p.data)
            elif "bias_ih" in name:
                p.data.fill_(0)
                n = p.size(0)
                p.data[(n // 4):(n // 2)].fill_(1)
            elif "bias_hh" in name:
                p.data.fill_(0)
    elif isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
        nn.init.zeros_(m.bias)
"""

FORGET_BIAS = {
    "nothing": (None, TWO, ""),
    "one vector by name and quarter": (
        1.0,
        TWO,
        "for name, p in self.rnn.named_parameters():\n"
        "    if 'bias_ih' in name:\n        n = p.size(0)\n        p.data[n // 4:n // 2].fill_(1)",
    ),
    "both vectors add up": (
        2.0,
        TWO,
        "for name, p in self.rnn.named_parameters():\n"
        "    if 'bias' in name:\n        n = p.size(0)\n        nn.init.constant_(p[n // 4:n // 2], 1.0)",
    ),
    "halves in both vectors, by hidden size": (
        1.0,
        TWO,
        "for name, p in self.rnn.named_parameters():\n"
        "    if 'bias' in name:\n        nn.init.zeros_(p)\n        h = self.hidden_size\n"
        "        p.data[h:2 * h] = 0.5",
    ),
    "names of _all_weights, filtered": (
        1.0,
        TWO,
        "for names in self.rnn._all_weights:\n"
        "    for name in filter(lambda n: 'bias_hh' in n, names):\n"
        "        bias = getattr(self.rnn, name)\n        n = bias.size(0)\n"
        "        start, end = n // 4, n // 2\n        bias.data[start:end].fill_(1.)",
    ),
    "getattr with a made name": (
        1.0,
        TWO,
        "for l in range(2):\n"
        "    getattr(self.rnn, f'bias_ih_l{l}').data[16:32] = 1.0\n"
        "    getattr(self.rnn, 'bias_hh_l%d' % l).data[16:32] = 0.0",
    ),
    "__getattr__ and the layer's own sizes": (
        1.0,
        TWO,
        "h = self.rnn.hidden_size\nfor k in range(self.rnn.num_layers):\n"
        "    self.rnn.__getattr__('bias_ih_l' + str(k)).data[h:h * 2] = 1.",
    ),
    "chunk": (1.0, ONE, "self.rnn.bias_ih_l0.data.chunk(4)[1].fill_(1.0)"),
    "chunk, unpacked": (1.0, ONE, "i, f, g, o = self.rnn.bias_ih_l0.chunk(4)\nnn.init.ones_(f)"),
    "split": (1.0, ONE, "torch.split(self.rnn.bias_ih_l0.data, 16)[1].fill_(1.0)"),
    "viewed as rows": (1.0, ONE, "self.rnn.bias_ih_l0.data.view(4, -1)[1] = 1"),
    "narrow": (1.0, ONE, "self.rnn.bias_ih_l0.data.narrow(0, 16, 16).fill_(1)"),
    "copied from joined pieces": (
        1.0,
        ONE,
        "with torch.no_grad():\n"
        "    self.rnn.bias_ih_l0.copy_(torch.cat([torch.zeros(16), torch.ones(16), torch.zeros(32)]))",
    ),
    "assigned from joined pieces": (
        1.0,
        ONE,
        "z = torch.zeros(16)\nself.rnn.bias_ih_l0.data = torch.cat([z, torch.ones(16), z, z])",
    ),
    "a cell": (3.0, "nn.LSTMCell(8, 16)", "self.rnn.bias_ih[16:32].data.fill_(3)"),
    "added": (1.0, ONE, "nn.init.zeros_(self.rnn.bias_ih_l0)\nself.rnn.bias_ih_l0.data[16:32] += 1"),
    "zeros by rank": (
        0.0,
        TWO,
        "for p in self.rnn.parameters():\n"
        "    if p.dim() > 1:\n        nn.init.orthogonal_(p)\n    else:\n        nn.init.zeros_(p)",
    ),
    "uniform everywhere is no forget bias": (
        None,
        TWO,
        "for p in self.parameters():\n    nn.init.uniform_(p, -0.1, 0.1)",
    ),
    "all_weights": (None, TWO, "for w in self.rnn.all_weights:\n    for p in w:\n        nn.init.normal_(p, 0, 0.05)"),
    "apply of a function": (1.0, TWO, "self.apply(init_weights)"),
    "names of the whole model": (
        1.0,
        ONE,
        "for n, p in self.named_parameters():\n"
        "    if n.startswith('rnn') and 'bias_ih' in n:\n        p.data[16:32] = 1",
    ),
    "a state_dict": (
        1.0,
        TWO,
        "for m in self.modules():\n    if type(m) == nn.LSTM:\n"
        "        for k, v in m.state_dict().items():\n            if 'bias_ih' in k:\n                v[16:32] = 1",
    ),
}


@pytest.mark.parametrize(("expected", "rnn", "init"), FORGET_BIAS.values(), ids=list(FORGET_BIAS))
def test_forget_bias(facts_of: FactsOf, expected: float | None, rnn: str, init: str) -> None:
    program = facts_of(trained(net(READ, rnn, init=init, extra=INIT_FUNCTION)))
    found = program.forget_bias
    assert found == ABSENT if expected is None else plain(found) == expected


def test_layers_that_differ_have_no_common_forget_bias(facts_of: FactsOf) -> None:
    program = facts_of(trained(net(READ, TWO, init="self.rnn.bias_ih_l0.data[16:32] = 1")))
    assert program.forget_bias == Unknown(unknown="layers or directions differ")


def test_biases_by_gate(facts_of: FactsOf) -> None:
    init = (
        "nn.init.zeros_(self.rnn.bias_ih_l0)\nnn.init.zeros_(self.rnn.bias_hh_l0)\nself.rnn.bias_ih_l0.data[:16] = -1"
    )
    (layer,) = items(facts_of(trained(net(READ, "nn.GRU(8, 16)", init=init))).recurrent_layers)
    assert plain(layer.gate_biases) == [{"layer": 0, "direction": "forward", "reset": -1.0, "update": 0.0, "new": 0.0}]


def written(program: Program) -> list[tuple[Any, ...]]:
    """(target, scheme, scale) of each initialisation."""
    return [(plain(i.target), plain(i.scheme), plain(i.scale)) for i in items(program.initializations)]


def test_what_is_initialised(facts_of: FactsOf) -> None:
    assert written(facts_of(trained(net(READ, init="self.apply(init_weights)", extra=INIT_FUNCTION)))) == [
        ("input-weights", "xavier_uniform", 1.0),
        ("recurrent-weights", "orthogonal", 1.0),
        ("recurrent-bias", "constant", 0),
        ("forget-bias", "constant", 1),
        ("recurrent-bias", "constant", 0),
        ("dense-weights", "xavier_normal", 1.0),
        ("dense-bias", "zeros", 0.0),
    ]


def test_embedding_and_head_by_data(facts_of: FactsOf) -> None:
    init = (
        "r = 0.1\nself.emb.weight.data.uniform_(-r, r)\nself.fc.bias.data.zero_()\n"
        "self.fc.weight.data.normal_(0.0, 0.02)\nself.emb.weight.data.copy_(vectors)"
    )
    assert written(facts_of(trained(net(READ, init=init)))) == [
        ("embedding", "uniform", 0.1),
        ("dense-bias", "zeros", 0.0),
        ("dense-weights", "normal", 0.02),
        ("embedding", "copy", None),
    ]


def test_noise_as_initial_state_is_an_initialisation_of_the_state(facts_of: FactsOf) -> None:
    forward = (
        "h, c = self.init_hidden(len(x))\ntorch.nn.init.kaiming_normal_(h)\n"
        "return self.fc(self.rnn(x, (h, c))[0][:, -1])"
    )
    assert written(facts_of(trained(net(forward)))) == [("state", "kaiming_normal", None)]


def test_an_update_by_hand_is_no_initialisation(facts_of: FactsOf) -> None:
    loop = LOOP.replace("optimizer.step()", "for p in model.parameters():\n            p.data = p.data - 0.1 * p.grad")
    program = facts_of(trained(net(READ), loop))
    assert (program.forget_bias, program.initializations) == (ABSENT, ())


def test_shared_and_partly_written_weights(facts_of: FactsOf) -> None:
    init = "self.fc.weight = self.emb.weight\nself.emb.weight.data[0] = torch.zeros(8)"
    assert [row[:2] for row in written(facts_of(trained(net(READ, init=init))))] == [
        ("dense-weights", "tied"),
        ("embedding-rows", "constant"),
    ]


@pytest.mark.parametrize(
    ("of", "init"),
    [
        ("self.rnn", "for name, p in self.rnn.named_parameters():\n    if 'bias' in name: nn.init.zeros_(p)"),
        ("self.rnn", "for n, p in self.rnn.named_parameters():\n    nn.init.constant_(p, 0) if 'bias' in n else None"),
        (None, "for name, p in self.named_parameters():\n    if 'bias' in name: nn.init.zeros_(p)"),
        (None, "for p in (self.rnn.bias_ih_l0, self.rnn.bias_hh_l0): nn.init.zeros_(p)"),
        (None, "nn.init.zeros_(self.rnn.bias_ih_l0)"),
    ],
)
def test_loops_over_the_parameters_of_a_layer(facts_of: FactsOf, of: str | None, init: str) -> None:
    program = facts_of(trained(net("return self.fc(self.rnn(x)[0][:, -1])", init=init)))
    found = [each for each in items(program.initializations) if plain(each.target) == "recurrent-bias"]
    assert [plain(each.of) for each in found] == [of] * len(found)
    assert found
