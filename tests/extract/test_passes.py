"""The one call of a recurrent layer, with the names that packing its input would need."""

from __future__ import annotations

import pytest
from conftest import FactsOf
from torch_models import net, trained

from lstmadvisor.facts import ABSENT, Pass, items, plain


def the_pass(facts_of: FactsOf, forward: str, parameters: str = "") -> Pass:
    text = trained(net(forward).replace("forward(self, x)", f"forward(self, x{parameters})"))
    (layer,) = items(facts_of(text).recurrent_layers)
    return layer.only_pass


@pytest.mark.parametrize(
    ("forward", "given", "output", "ids"),
    [
        ("out, _ = self.rnn(self.emb(x))\nreturn self.fc(out[:, -1])", "self.emb(x)", "out", "x"),
        ("e = self.emb(x)\nout, (h, c) = self.rnn(e)\nreturn self.fc(h[-1])", "e", "out", "x"),
        ("x = self.emb(x)\nout, _ = self.rnn(x)\nreturn self.fc(out[:, -1])", "x", "out", None),
        ("out, _ = self.rnn(x)\nreturn self.fc(out[:, -1])", "x", "out", None),
        ("return self.fc(self.rnn(self.emb(x))[0][:, -1])", "self.emb(x)", None, "x"),
    ],
)
def test_names(facts_of: FactsOf, forward: str, given: str, output: str | None, ids: str | None) -> None:
    call = the_pass(facts_of, forward)
    assert (plain(call.input), plain(call.output), plain(call.ids)) == (given, output, ids)


def test_outputs_that_are_thrown_away(facts_of: FactsOf) -> None:
    assert the_pass(facts_of, "_, (h, _) = self.rnn(x)\nreturn self.fc(h[-1])").output == ABSENT


@pytest.mark.parametrize(
    ("forward", "names"),
    [
        ("out, (h, c) = self.rnn(x)\nreturn self.fc(h[-1])", "out, h"),
        ("_, (h, _) = self.rnn(x)\nreturn self.fc(h[-1])", "_, h"),
        ("out, (h, c) = self.rnn(x)\nreturn self.fc((h + c)[-1])", None),
        ("out, h = self.rnn(x)\nreturn self.fc(h[-1])", None),
    ],
)
def test_names_without_a_cell_state(facts_of: FactsOf, forward: str, names: str | None) -> None:
    assert plain(the_pass(facts_of, forward).without_cell) == names


@pytest.mark.parametrize(
    ("parameters", "before", "name"),
    [
        (", lengths=None", "", "lengths"),
        (", x_lens=None", "", "x_lens"),
        (", lengths=None", "lengths = lengths.tolist()\n", None),
        (", lengths=None, other_lengths=None", "", None),
        (", max_len=5", "", None),
    ],
)
def test_lengths(facts_of: FactsOf, parameters: str, before: str, name: str | None) -> None:
    forward = f"{before}_, (h, _) = self.rnn(self.emb(x))\nreturn self.fc(h[-1])"
    assert plain(the_pass(facts_of, forward, parameters).lengths) == name


def test_called_twice(facts_of: FactsOf) -> None:
    forward = "a, _ = self.rnn(x)\nb, _ = self.rnn(x)\nreturn self.fc((a + b)[:, -1])"
    assert the_pass(facts_of, forward) == Pass()
