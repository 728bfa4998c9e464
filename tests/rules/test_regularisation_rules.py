"""Rules about dropout, weight decay and other restraint."""

from __future__ import annotations

import pytest
from literals import UNCLEAR, at, given, judge, program

from lstmadvisor.facts import UNSEEN, DeadSetting, Dropout, Edge, Embedding, RecurrentLayer


def stack(dropout: object, layers: int = 2, line: int = 5, **more: object) -> RecurrentLayer:
    """A stack of PyTorch layers."""
    rate = given(dropout, line) if isinstance(dropout, float | int) else dropout
    return RecurrentLayer(kind=given("LSTM"), dropout=rate, num_layers=given(layers), at=at(line), **more)


def keras_layer(line: int = 5, **more: object) -> RecurrentLayer:
    return RecurrentLayer(kind=given("LSTM"), return_sequences=given(False), at=at(line), **more)


PLAIN = RecurrentLayer(kind=given("LSTM"), at=at(90))
"""A layer of which nothing matters but that it is there: programs without one are not judged."""


class TestDropoutTooHigh:
    def verdict(self, framework: str = "pytorch", **facts: object) -> object:
        return judge("dropout-too-high", program(framework, **({"dropouts": (), "recurrent_layers": (PLAIN,)} | facts)))

    @pytest.mark.parametrize("rate", [0, 0.0, 0.2, 0.5])
    def test_up_to_a_half(self, rate: float) -> None:
        assert self.verdict(dropouts=(Dropout(rate=given(rate, 3), at=at(3)),)).state == "passed"

    def test_above_a_half(self) -> None:
        finding = self.verdict(dropouts=(Dropout(rate=given(0.8, 2), at=at(9)),)).only
        assert (finding.severity, finding.at.line) == ("warning", 2)
        assert finding.message == "a dropout of 0.8 throws 80% of the values away in training"
        assert finding.help == "lower the rate to 0.2"
        assert [evidence.at.line for evidence in finding.evidence] == [9]

    @pytest.mark.parametrize(
        ("framework", "rate", "help"),
        [
            ("pytorch", 1.0, "write a fraction: 0.2"),
            ("pytorch", 20, "write a fraction: 0.2"),
            ("keras", 30, "write a fraction: 0.3"),
            ("keras", 80, "write a fraction: 0.2"),
            ("keras", -0.1, "write a fraction: 0.2"),
        ],
    )
    def test_no_rate_at_all(self, framework: str, rate: float, help: str) -> None:
        finding = self.verdict(framework, dropouts=(Dropout(rate=given(rate, 3), at=at(3)),)).only
        assert (finding.severity, finding.help) == ("error", help)
        assert f"{rate:g}" in finding.message

    def test_keras_clips_the_rates_of_recurrent_layers(self) -> None:
        layers = (
            keras_layer(1, dropout=given(20, 1), recurrent_dropout=given(0)),
            keras_layer(2, dropout=given(0), recurrent_dropout=given(20, 2)),
            keras_layer(3, dropout=given(-1, 3), recurrent_dropout=given(0)),
        )
        verdict = self.verdict("keras", recurrent_layers=layers)
        assert [finding.severity for finding in verdict.findings] == ["error"] * 3
        assert [finding.message for finding in verdict.findings] == [
            "a dropout of 20 is taken for 1 without a word: all inputs are zeroed in training, or nothing is dropped",
            "a recurrent dropout of 20 is taken for 1 without a word: nothing is dropped",
            "a dropout of -1 is clipped to 0 without a word: nothing is dropped",
        ]

    def test_between_stacked_layers(self) -> None:
        assert self.verdict(recurrent_layers=(stack(0.8),)).lines == [5]

    def test_silent_where_it_has_no_effect_anyway(self) -> None:
        unused = Dropout(rate=given(0.8, 3), position=given("unused"), at=at(3))
        assert self.verdict(recurrent_layers=(stack(0.8, layers=1),), dropouts=(unused,)).state == "passed"

    def test_advice_for_the_input_of_language_models(self) -> None:
        words = (Embedding(at=at(1)),)
        first = Dropout(rate=given(0.65, 3), position=given("input"), at=at(3))
        assert self.verdict(dropouts=(first,), embeddings=words).only.severity == "advice"
        assert self.verdict(dropouts=(first,), embeddings=()).only.severity == "warning"

    def test_advice_for_a_keras_layer_behind_an_embedding(self) -> None:
        layers = (keras_layer(2, dropout=given(0.65, 2)), keras_layer(3, dropout=given(0.65, 3)))
        verdict = self.verdict(
            "keras",
            recurrent_layers=layers,
            embeddings=(Embedding(at=at(1)),),
            graph=(Edge(from_=at(1), to=at(2)), Edge(from_=at(2), to=at(3))),
        )
        assert [finding.severity for finding in verdict.findings] == ["advice", "warning"]

    def test_a_rate_shared_by_several_layers_is_reported_once(self) -> None:
        shared = given(0.7, 1, via="constant")
        verdict = self.verdict(dropouts=(Dropout(rate=shared, at=at(3)), Dropout(rate=shared, at=at(4))))
        assert verdict.lines == [1]

    def test_inactive_layers_matter_only_if_they_are_broken(self) -> None:
        def off(rate: float) -> Dropout:
            return Dropout(rate=given(rate, 3), at=at(3), active=False)

        assert self.verdict(dropouts=(off(0.8),)).state == "passed"
        assert "defaults do not take" in self.verdict(dropouts=(off(20),)).only.message

    def test_unknown(self) -> None:
        verdict = self.verdict(dropouts=(Dropout(rate=UNCLEAR, at=at(3)),))
        assert (verdict.state, verdict.reason) == ("undecided", "dropout: **kwargs")

    def test_search_ranges_and_what_has_no_rate_are_no_riddles(self) -> None:
        searched = given({"low": 0.1, "high": 0.9}, 3, via="search")
        cell = RecurrentLayer(kind=given("LSTMCell"), dropout=UNSEEN, at=at(4))
        verdict = self.verdict(dropouts=(Dropout(rate=searched, at=at(3)),), recurrent_layers=(cell,))
        assert verdict.state == "passed"

    def test_not_applicable_without_any_layer(self) -> None:
        assert self.verdict(recurrent_layers=()).state == "not-applicable"

    def test_options(self) -> None:
        facts = program(dropouts=(Dropout(rate=given(0.6, 3), at=at(3)),), recurrent_layers=(PLAIN,))
        assert judge("dropout-too-high", facts, most=0.6).state == "passed"
        assert judge("dropout-too-high", facts, instead=0.1).only.help == "lower the rate to 0.1"


class TestDropoutDoesNothing:
    def verdict(self, **facts: object) -> object:
        basis = {"dropouts": (), "recurrent_layers": (PLAIN,), "dead_settings": ()}
        return judge("dropout-does-nothing", program(**(basis | facts)))

    def test_one_layer(self) -> None:
        layer = RecurrentLayer(
            kind=given("GRU"), dropout=given(0.3, 1, via="constant"), num_layers=given(1, via="default"), at=at(5)
        )
        finding = self.verdict(recurrent_layers=(layer,)).only
        assert (finding.severity, finding.at.line) == ("warning", 5)
        assert finding.message == "`dropout=0.3` does nothing in a one-layer GRU: PyTorch drops only between layers"
        assert [evidence.at.line for evidence in finding.evidence] == [1]

    @pytest.mark.parametrize(("rate", "layers"), [(0.3, 2), (0.0, 1), (0, 1), (0.0, 3)])
    def test_silent_with_a_stack_or_without_a_rate(self, rate: float, layers: int) -> None:
        assert self.verdict(recurrent_layers=(stack(rate, layers),)).state == "passed"

    def test_silent_where_a_guard_made_the_rate_zero(self) -> None:
        guarded = RecurrentLayer(dropout=given(0, 4, via="arithmetic"), num_layers=given(1, 2), at=at(5))
        assert self.verdict(recurrent_layers=(guarded,)).state == "passed"

    def test_silent_where_callers_choose_the_number_of_layers(self) -> None:
        layer = RecurrentLayer(dropout=given(0.3, 1), num_layers=given(1, 1, via="function-default"), at=at(5))
        assert self.verdict(recurrent_layers=(layer,), api="module").state == "passed"
        assert self.verdict(recurrent_layers=(layer,), api="loop").lines == [5]

    def test_silent_on_keras_layers_of_a_mixed_program(self) -> None:
        layer = keras_layer(dropout=given(0.3, 5), num_layers=given(1, via="default"))
        assert self.verdict(framework="both", recurrent_layers=(layer,)).state == "passed"

    def test_never_called(self) -> None:
        finding = self.verdict(dropouts=(Dropout(rate=given(0.25, 7), position=given("unused"), at=at(7)),)).only
        assert (finding.at.line, finding.message) == (7, "this dropout of 0.25 is built and never called")

    def test_silent_on_dropout_in_use_or_switched_off(self) -> None:
        used = Dropout(rate=given(0.25, 7), position=given("pre-output"), at=at(7))
        off = Dropout(rate=given(0.0, 8), position=given("unused"), at=at(8))
        elsewhere = Dropout(rate=given(0.25, 9), position=given("unused"), at=at(9), active=False)
        assert self.verdict(dropouts=(used, off, elsewhere)).state == "passed"

    def test_zeroed_by_its_own_guard(self) -> None:
        dead = DeadSetting(kind=given("zeroed-by-guard"), name=given("dropout"), setting=given("dropout"), at=at(4))
        layers = (stack(0, 2),)
        finding = self.verdict(recurrent_layers=layers, dead_settings=(dead,)).only
        assert (finding.at.line, finding.message) == (4, "the guard around `dropout` makes it 0 in every case")

    def test_other_dead_settings_have_their_own_rules(self) -> None:
        dead = DeadSetting(kind=given("never-read"), name=given("dropout"), setting=given("dropout"), at=at(4))
        assert self.verdict(recurrent_layers=(stack(0, 2),), dead_settings=(dead,)).state == "passed"

    @pytest.mark.parametrize(
        "layer",
        [
            RecurrentLayer(dropout=UNCLEAR, num_layers=given(1), at=at(5)),
            RecurrentLayer(dropout=given(0.3, 5), num_layers=UNCLEAR, at=at(5)),
        ],
    )
    def test_unknown(self, layer: RecurrentLayer) -> None:
        assert self.verdict(recurrent_layers=(layer,)).state == "undecided"

    def test_unknown_number_of_layers_does_not_matter_without_a_rate(self) -> None:
        layer = RecurrentLayer(dropout=given(0.0, 5), num_layers=UNCLEAR, at=at(5))
        assert self.verdict(recurrent_layers=(layer,)).state == "passed"

    def test_unknown_position(self) -> None:
        assert self.verdict(dropouts=(Dropout(rate=given(0.3), position=UNCLEAR, at=at(5)),)).state == "undecided"
