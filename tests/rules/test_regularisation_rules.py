"""Rules about dropout, weight decay and other restraint."""

from __future__ import annotations

import pytest
from literals import UNCLEAR, at, given, judge, program

from lstmadvisor.edits import InsertStatements, RemoveStatement, ReplaceExpression, SetArgument, UnwrapCall
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Checkpoint,
    Dataset,
    DeadSetting,
    Dropout,
    EarlyStopping,
    Edge,
    Embedding,
    Item,
    Loss,
    Optimizer,
    Output,
    RecurrentLayer,
    Regularizer,
    TrainingStep,
    Value,
)


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

    @pytest.mark.parametrize(("name", "fixed"), [(given("self.drop"), True), (ABSENT, False)])
    def test_deletes_what_is_never_called(self, name: Value, fixed: bool) -> None:
        drop = Dropout(rate=given(0.3), position=given("unused"), called=name, at=at(7))
        fix = self.verdict(dropouts=(drop,)).only.fix
        assert (fix is not None) == fixed
        assert fix is None or (fix.edits, fix.applicability) == ((RemoveStatement(at=at(7)),), "safe")

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


class TestDropoutAfterOutput:
    def verdict(self, framework: str = "pytorch", position: object = "output", **facts: object) -> object:
        drop = Dropout(rate=given(0.2, 7), position=given(position), at=at(8))
        basis = {"dropouts": (drop,), "recurrent_layers": (PLAIN,), "output": Output(at=at(6))}
        return judge("dropout-after-output", program(framework, **(basis | facts)))

    def test_behind_the_output(self) -> None:
        finding = self.verdict(losses=(Loss(name=given("MSELoss")),)).only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == (
            "this dropout zeroes 20% of the predictions in training: it stands behind the output layer"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [6, 7]

    @pytest.mark.parametrize(
        ("kind", "alone", "edits"),
        [
            ("Dropout", True, (RemoveStatement(at=at(8)),)),
            ("dropout", True, (RemoveStatement(at=at(8)),)),
            ("dropout", False, (UnwrapCall(at=at(8), was="dropout"),)),
            ("Dropout", False, None),
        ],
    )
    def test_is_removed(self, kind: str, alone: bool, edits: object) -> None:
        drop = Dropout(rate=given(0.2), kind=given(kind), alone=given(alone), position=given("output"), at=at(8))
        fix = self.verdict(dropouts=(drop,)).only.fix
        assert (fix.edits if fix else None) == edits
        inner = drop.model_copy(update={"position": given("between")})
        assert self.verdict(dropouts=(drop, inner)).only.fix is None

    @pytest.mark.parametrize("position", ["input", "between", "pre-output", "head", "unused"])
    def test_silent_anywhere_else(self, position: str) -> None:
        assert self.verdict(position=position).state == "passed"

    def test_a_warning_where_a_cross_entropy_follows(self) -> None:
        finding = self.verdict(losses=(Loss(name=given("CrossEntropyLoss")),)).only
        assert finding.severity == "warning"
        assert "20% of the logits" in finding.message
        logits = Loss(name=given("sparse_categorical_crossentropy"), from_logits=given(True))
        assert self.verdict("keras", losses=(logits,)).only.severity == "warning"

    def test_an_error_behind_a_softmax_of_keras(self) -> None:
        probabilities = Loss(name=given("categorical_crossentropy"), from_logits=given(False))
        assert self.verdict("keras", losses=(probabilities,)).only.severity == "error"

    def test_a_rate_that_is_not_known(self) -> None:
        drop = Dropout(rate=UNCLEAR, position=given("output"), at=at(8))
        assert "zeroes a part of the predictions" in self.verdict(dropouts=(drop,)).only.message

    def test_silent_without_a_rate_in_modules_and_where_the_position_is_unknown(self) -> None:
        off = Dropout(rate=given(0.0), position=given("output"), at=at(8))
        assert self.verdict(dropouts=(off,)).state == "passed"
        assert self.verdict(api="module").state == "passed"
        assert self.verdict(dropouts=(Dropout(rate=given(0.2), position=UNCLEAR, at=at(8)),)).state == "passed"

    def test_inactive(self) -> None:
        drop = Dropout(rate=given(0.2), position=given("output"), at=at(8), active=False)
        assert "defaults do not take" in self.verdict(dropouts=(drop,)).only.message
        classes = (Loss(name=given("cross_entropy")),)
        assert self.verdict(dropouts=(drop,), losses=classes).state == "passed"

    def test_undecided_and_not_applicable(self) -> None:
        assert self.verdict(dropouts=UNCLEAR).state == "undecided"
        assert self.verdict(dropouts=()).state == "not-applicable"


class _Unrestrained:
    """What dropout-missing and no-regularisation have in common: the means that silence them."""

    name: str
    units: int
    epochs: int = 40

    def verdict(self, framework: str = "pytorch", **facts: object) -> object:
        options = facts.pop("options", {})
        units = facts.pop("units", self.units)
        basis = {
            "recurrent_layers": (self.layer(units),),
            "dropouts": (),
            "optimizers": (Optimizer(weight_decay=given(0, via="default"), at=at(20)),),
            "early_stopping": (),
            "checkpoints": (),
            "epochs": given(self.epochs, 30),
        }
        return judge(self.name, program(framework, **(basis | facts)), **options)

    def layer(self, units: object, line: int = 5, **more: object) -> RecurrentLayer:
        sizes = {"kind": given("LSTM"), "units": given(units), "input_size": given(0), "num_layers": given(1)}
        return RecurrentLayer(**(sizes | {"at": at(line)} | more))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 5)

    @pytest.mark.parametrize(
        "facts",
        [
            {"dropouts": (Dropout(rate=given(0.2), at=at(7)),)},
            {"dropouts": (Dropout(rate=given(0.2), at=at(7), active=False),)},
            {"optimizers": (Optimizer(weight_decay=given(0.01), at=at(20)),)},
            {"optimizers": (Optimizer(weight_decay=UNCLEAR, at=at(20)),)},
            {"regularizers": (Regularizer(kind=given("l2"), amount=given(1e-4), at=at(5)),)},
            {"early_stopping": (EarlyStopping(at=at(25)),)},
            {"checkpoints": (Checkpoint(on=given("validation"), at=at(25)),)},
            {"checkpoints": (Checkpoint(on=UNCLEAR, at=at(25)),)},
        ],
    )
    def test_silent_where_something_restrains_it_or_may(self, facts: dict[str, object]) -> None:
        assert self.verdict(**facts).state == "passed"

    def test_silent_with_dropout_in_the_layer(self) -> None:
        for more in ({"dropout": given(0.2)}, {"recurrent_dropout": given(0.2)}, {"dropout": UNCLEAR}):
            assert self.verdict(recurrent_layers=(self.layer(self.units, **more),)).state == "passed"

    def test_states_that_are_saved_now_and_then_restrain_nothing(self) -> None:
        for on in (ABSENT, given("training")):
            assert self.verdict(checkpoints=(Checkpoint(on=on, at=at(25)),)).state == "failed"

    def test_silent_where_there_are_more_samples_than_parameters(self) -> None:
        parameters = 4 * self.units**2
        for size, state in ((parameters, "passed"), (parameters - 1, "failed")):
            assert self.verdict(dataset=Dataset(size=given(size))).state == state

    def test_silent_in_modules_and_without_a_known_size_or_length(self) -> None:
        assert self.verdict(api="module").state == "passed"
        assert self.verdict(epochs=UNCLEAR).state == "passed"
        assert self.verdict(recurrent_layers=(RecurrentLayer(units=UNCLEAR, at=at(5)),)).state == "passed"
        assert self.verdict(units={"low": 600, "high": 900}).state == "passed"

    def test_undecided(self) -> None:
        assert self.verdict(dropouts=UNCLEAR).state == "undecided"
        assert self.verdict(optimizers=UNCLEAR).state == "undecided"


class TestDropoutMissing(_Unrestrained):
    name = "dropout-missing"
    units = 512

    def test_message(self) -> None:
        assert self.verdict().only.message == (
            "at least 1,048,576 recurrent parameters are trained without any dropout"
        )

    def test_threshold(self) -> None:
        assert self.verdict(units=249).state == "passed"
        assert self.verdict(units=250).state == "failed"
        assert self.verdict(units=249, options={"parameters": 200_000}).state == "failed"

    def test_epochs(self) -> None:
        assert [self.verdict(epochs=given(n)).state for n in (2, 3)] == ["passed", "failed"]

    def test_drops_between_layers(self) -> None:
        fix = self.verdict(recurrent_layers=(self.layer(512, num_layers=given(2)),)).only.fix
        assert fix is not None
        assert fix.edits == (SetArgument(at=at(5), name="dropout", code="0.2"),)

    def test_drops_in_front_of_what_reads_a_single_layer(self) -> None:
        layer = self.layer(512, heads=(Item(at=at(14)),))
        fix = self.verdict(recurrent_layers=(layer,)).only.fix
        assert fix is not None
        assert fix.edits == (
            InsertStatements(at=at(5), side="after", code="self.dropout = `torch.nn.Dropout`(0.2)"),
            ReplaceExpression(at=at(14), code="self.dropout($)"),
        )
        assert self.verdict().only.fix is None

    def test_drops_nothing_where_the_evaluation_would_drop_too(self) -> None:
        step = TrainingStep(eval_mode=given(False))
        assert (
            self.verdict(recurrent_layers=(self.layer(512, num_layers=given(2)),), training_step=step).only.fix is None
        )

    def test_the_parameters_of_one_model_count_together(self) -> None:
        def state(*models: str) -> str:
            layers = [self.layer(200, line, model=given(model)) for line, model in enumerate(models, start=5)]
            return self.verdict(recurrent_layers=tuple(layers)).state

        assert state("Net", "Net") == "failed"
        assert state("One", "Other") == "passed"

    def test_counts_depth_directions_and_gates(self) -> None:
        def message(**more: object) -> str:
            return self.verdict(recurrent_layers=(self.layer(300, **more),)).only.message

        assert "at least 360,000 " in message()
        assert "at least 1,080,000 " in message(num_layers=given(2))
        assert "at least 720,000 " in message(bidirectional=given(True))
        assert "at least 480,000 " in message(input_size=given(100))
        assert "at least 270,000 " in message(kind=given("GRU"))

    def test_convolutional_and_projected_layers_are_not_counted(self) -> None:
        for more in ({"kind": given("ConvLSTM2D")}, {"proj_size": given(64)}):
            assert self.verdict(recurrent_layers=(self.layer(900, **more),)).state == "passed"


class TestNoRegularisation(_Unrestrained):
    name = "no-regularisation"
    units = 128

    def test_message(self) -> None:
        finding = self.verdict().only
        assert finding.message == (
            "nothing holds overfitting back over 40 epochs: no dropout, weight decay or early stopping"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [30]

    def test_epochs(self) -> None:
        states = [self.verdict(epochs=given(n)).state for n in (29, 30, 1000, 1001)]
        assert states == ["passed", "failed", "failed", "passed"]
        assert self.verdict(options={"epochs": 41}).state == "passed"

    def test_size(self) -> None:
        states = [self.verdict(units=n).state for n in (49, 50, 249, 250)]
        assert states == ["passed", "failed", "failed", "passed"]

    def test_silent_on_streams_and_toys(self) -> None:
        assert self.verdict(dataset=Dataset(kind=given("stream"))).state == "passed"
        assert self.verdict(dataset=Dataset(kind=given("windows"))).state == "failed"
        assert [self.verdict(dataset=Dataset(size=given(n))).state for n in (63, 64)] == ["passed", "failed"]


class TestWeightDecayTooStrong:
    def verdict(self, *optimizers: Optimizer, framework: str = "pytorch", **facts: object) -> object:
        options = facts.pop("options", {})
        basis = {"optimizers": optimizers, "recurrent_layers": (PLAIN,)}
        return judge("weight-decay-too-strong", program(framework, **(basis | facts)), **options)

    def adam(self, decay: object, rate: object = 1e-3, decoupled: object = False, **more: object) -> Optimizer:
        given_decay = given(decay, 3) if isinstance(decay, float | int) else decay
        return Optimizer(
            **(
                {"name": given("Adam"), "learning_rate": given(rate, 4), "weight_decay": given_decay, "at": at(9)}
                | {"decoupled": given(decoupled)}
                | more
            )
        )

    def test_coupled(self) -> None:
        finding = self.verdict(self.adam(0.97)).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == "a weight decay of 0.97 in Adam pulls the weights to zero against the loss"
        assert [evidence.at.line for evidence in finding.evidence] == [9]

    def test_threshold_of_coupled_decay(self) -> None:
        states = [self.verdict(self.adam(decay)).state for decay in (0, 1e-4, 0.01, 0.099, 0.1)]
        assert states == ["passed"] * 4 + ["failed"]
        assert self.verdict(self.adam(0.05), options={"coupled": 0.05}).state == "failed"

    def test_decoupled(self) -> None:
        finding = self.verdict(self.adam(0.97, 0.003, True, name=given("AdamW"))).only
        assert (finding.severity, finding.at.line) == ("warning", 3)
        assert finding.message == (
            "a weight decay of 0.97 at a learning rate of 0.003 takes 0.0029 of each weight away in every step"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [9, 4]

    @pytest.mark.parametrize(
        ("decay", "rate", "state"),
        [
            (0.1, 0.1, "passed"),
            (0.5, 0.002, "passed"),
            (0.5, 0.0021, "failed"),
            (1.0, 1e-3, "passed"),
            (10, 1e-3, "failed"),
            (0.97, 1e-3, "passed"),
        ],
    )
    def test_threshold_of_decoupled_decay(self, decay: float, rate: float, state: str) -> None:
        assert self.verdict(self.adam(decay, rate, True)).state == state
        assert self.verdict(self.adam(decay, rate, True), framework="keras").state == state

    def test_silent_where_it_is_not_known_how_the_decay_acts(self) -> None:
        assert self.verdict(self.adam(0.97).model_copy(update={"decoupled": UNCLEAR})).state == "passed"
        assert self.verdict(self.adam(0.97, name=given("Ranger"))).state == "passed"
        searched = given({"low": 1e-5, "high": 1.0}, via="search")
        assert self.verdict(self.adam(searched)).state == "passed"
        assert self.verdict(self.adam(ABSENT)).state == "passed"

    def test_unknown(self) -> None:
        verdict = self.verdict(self.adam(UNCLEAR))
        assert (verdict.state, verdict.reason) == ("undecided", "weight decay: **kwargs")

    def test_inactive(self) -> None:
        assert "defaults do not take" in self.verdict(self.adam(0.97, active=False)).only.message
        assert self.verdict(self.adam(0.97, 0.1, True, active=False)).state == "passed"

    def penalty(self, kind: str, amount: float, target: str = "LSTM.kernel", **more: object) -> object:
        one = Regularizer(kind=given(kind), amount=given(amount, 6), target=given(target), at=at(5), **more)
        return self.verdict(self.adam(ABSENT), framework="keras", regularizers=(one,))

    def test_penalty(self) -> None:
        finding = self.penalty("l2", 0.5).only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == "an L2 penalty of 0.5 pulls the weights to zero against the loss"
        assert [evidence.at.line for evidence in finding.evidence] == [5]

    def test_silent_on_usual_penalties_and_on_those_of_activities(self) -> None:
        assert self.penalty("l2", 0.1).state == "passed"
        assert self.penalty("l1_l2", 0.11).state == "failed"
        assert self.penalty("l2", 0.5, "LSTM.activity").state == "passed"
        assert self.penalty("orthogonal", 0.5).state == "passed"
        assert self.penalty("l2", 0.5, active=False).state == "passed"


class TestWeightsShrunkByHand:
    def verdict(self, factor: object, kind: str = "shrunk", active: bool = True, **options: object) -> object:
        amount = given(factor, 2, via="constant") if isinstance(factor, float) else factor
        one = Regularizer(kind=given(kind), amount=amount, at=at(9), active=active)
        facts = program(regularizers=(one,), optimizers=(Optimizer(at=at(5)),), recurrent_layers=(PLAIN,))
        return judge("weights-shrunk-by-hand", facts, **options)

    def test_message(self) -> None:
        finding = self.verdict(0.97).only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == (
            "all weights are multiplied with 0.97 in every step: what is learned is gone after some 33 of them"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [2]

    def test_thresholds(self) -> None:
        found = {factor: self.verdict(factor).findings for factor in (0.99, 0.991, 0.998, 0.999, 0.99999)}
        severities = {factor: [finding.severity for finding in findings] for factor, findings in found.items()}
        assert severities == {0.99: ["error"], 0.991: ["warning"], 0.998: ["warning"], 0.999: [], 0.99999: []}
        assert self.verdict(0.998, warning=0.01).state == "passed"

    def test_silent_on_penalties_and_where_the_factor_is_unknown_or_the_path_not_taken(self) -> None:
        assert self.verdict(0.97, kind="l2").state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(0.97, active=False).state == "passed"


class TestDropoutOnStateEveryStep:
    def verdict(self, on_state: object = "memory", rate: object = 0.2, **more: object) -> object:
        fact = given(on_state) if isinstance(on_state, str) else on_state
        chance = given(rate, 2) if isinstance(rate, float) else rate
        drop = Dropout(**({"rate": chance, "on_state": fact, "at": at(9)} | more))
        facts = program(dropouts=(drop,), recurrent_layers=(RecurrentLayer(kind=given("GRUCell"), at=at(5)),))
        return judge("dropout-on-state-every-step", facts)

    def test_message(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 9)
        assert finding.message == "20% of the memory that the loop hands on is dropped anew in every time step"
        assert [evidence.at.line for evidence in finding.evidence] == [2]

    def test_advice_where_it_is_not_the_memory(self) -> None:
        finding = self.verdict("output").only
        assert (finding.severity, finding.label) == ("advice", "drops the state")

    def test_a_rate_that_is_not_known(self) -> None:
        assert self.verdict(rate=UNCLEAR).only.message.startswith("a part of the memory")

    @pytest.mark.parametrize(
        "facts", [{"on_state": "none"}, {"on_state": UNSEEN}, {"on_state": UNCLEAR}, {"rate": 0.0}, {"active": False}]
    )
    def test_silent(self, facts: dict[str, object]) -> None:
        assert self.verdict(**facts).state == "passed"
