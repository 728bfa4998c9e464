"""Rules about the training step, clipping, losses and stopping."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Clipping,
    Dataset,
    DeadSetting,
    DenseLayer,
    Optimizer,
    Output,
    Read,
    RecurrentLayer,
    Step,
    TrainingStep,
    Unknown,
)

ORDER = TrainingStep(order=(Step(kind="backward", at=at(10)), Step(kind="step", at=at(11))))


class TestClipAfterStep:
    def verdict(self, *clips: Clipping, **facts: Any) -> Verdict:
        return judge("clip-after-step", program(**({"clipping": clips, "training_step": ORDER} | facts)))

    def clip(self, placement: object, **more: Any) -> Clipping:
        placement = given(placement, via="inferred") if isinstance(placement, str) else placement
        return Clipping(**({"kind": given("norm"), "max": given(1.0, 3), "placement": placement, "at": at(12)} | more))

    def test_fires_at_the_clipping(self) -> None:
        finding = self.verdict(self.clip("after-step")).only
        assert (finding.severity, finding.at.line) == ("error", 12)
        assert finding.message == "gradients are clipped to norm 1 after the optimizer has used them"
        assert [(evidence.at.line, evidence.text) for evidence in finding.evidence] == [
            (11, "the optimizer uses them here")
        ]

    def test_names_the_kind_of_limit(self) -> None:
        by_value = self.verdict(self.clip("after-step", kind=given("value"), max=given(0.5))).only
        assert by_value.message == "gradients are clipped to ±0.5 after the optimizer has used them"
        unlimited = self.verdict(self.clip("after-step", max=UNCLEAR)).only
        assert unlimited.message == "gradients are clipped after the optimizer has used them"

    @pytest.mark.parametrize("placement", ["ok", "before-backward", "before-unscale", "exhausted"])
    def test_silent_on_every_other_place(self, placement: str) -> None:
        assert self.verdict(self.clip(placement)).state == "passed"

    def test_off_the_default_path(self) -> None:
        finding = self.verdict(self.clip("after-step", active=False)).only
        assert "defaults do not take" in finding.message

    def test_unknown(self) -> None:
        assert self.verdict(self.clip(UNCLEAR)).reason == "where the clipping stands in the training step: **kwargs"
        assert judge("clip-after-step", program(clipping=UNCLEAR)).state == "undecided"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"
        assert judge("clip-after-step", program("keras", clipping=(self.clip("ok"),))).state == "not-applicable"


class TestGradientNotClipped:
    def verdict(self, framework: str = "pytorch", options: dict[str, Any] | None = None, **facts: Any) -> Verdict:
        basis = {
            "recurrent_layers": (self.layer(),),
            "optimizers": (self.optimizer(),),
            "clipping": (),
            "training_step": ORDER,
        }
        return judge("gradient-not-clipped", program(framework, **(basis | facts)), **(options or {}))

    def layer(self, kind: str = "LSTM", **more: Any) -> RecurrentLayer:
        return RecurrentLayer(kind=given(kind), at=at(5), **more)

    def optimizer(self, name: object = "Adam", **more: Any) -> Optimizer:
        return Optimizer(name=given(name) if isinstance(name, str) else name, at=at(8), **more)

    def test_warns_of_long_sequences(self) -> None:
        finding = self.verdict(sequence_length=given(200, 2)).only
        assert (finding.severity, finding.at.line) == ("warning", 10)
        assert finding.message == "Adam gets the gradient of the LSTM unclipped, from up to 200 time steps back"
        assert "clip_grad_norm_" in finding.help
        assert [evidence.at.line for evidence in finding.evidence] == [5, 2]

    @pytest.mark.parametrize(
        ("steps", "severity"), [(11, "advice"), (50, "advice"), (51, "warning"), (5000, "warning")]
    )
    def test_thresholds(self, steps: int, severity: str) -> None:
        assert self.verdict(sequence_length=given(steps)).only.severity == severity

    def test_leaves_a_clip_setting_that_nothing_reads_to_its_own_rule(self) -> None:
        dead = DeadSetting(kind=given("never-read"), name=given("clip"), setting=given("clip"), at=at(3))
        assert self.verdict(sequence_length=given(200), dead_settings=(dead,)).state == "passed"
        other = DeadSetting(kind=given("never-read"), name=given("drop"), setting=given("dropout"), at=at(3))
        assert self.verdict(sequence_length=given(200), dead_settings=(other,)).state == "failed"

    @pytest.mark.parametrize("steps", [1, 10])
    def test_silent_on_short_sequences(self, steps: int) -> None:
        assert self.verdict(sequence_length=given(steps)).state == "passed"

    def test_advice_where_the_length_is_unknown(self) -> None:
        finding = self.verdict(sequence_length=Unknown(unknown="depends on data")).only
        assert (finding.severity, finding.message) == ("advice", "Adam gets the gradient of the LSTM unclipped")

    @pytest.mark.parametrize("kind", ["RNN", "SimpleRNN", "RNNCell"])
    def test_warns_of_plain_cells(self, kind: str) -> None:
        assert self.verdict(recurrent_layers=(self.layer(kind),)).only.severity == "warning"

    def test_warns_of_plain_gradient_descent(self) -> None:
        assert self.verdict(optimizers=(self.optimizer("SGD"),)).only.severity == "warning"

    def test_warns_of_unbounded_activations(self) -> None:
        finding = self.verdict("keras", recurrent_layers=(self.layer(activation=given("relu", 6)),)).only
        assert finding.severity == "warning"
        assert (5, "unbounded activation") in [(evidence.at.line, evidence.text) for evidence in finding.evidence]

    def test_points_at_the_optimizer_where_backward_is_out_of_sight(self) -> None:
        finding = self.verdict("keras", training_step=TrainingStep()).only
        assert (finding.at.line, finding.help) == (8, "pass `global_clipnorm=1.0` to the optimizer")
        assert "Trainer" in self.verdict(api="lightning", training_step=TrainingStep()).only.help

    def test_silent_where_it_is_clipped(self) -> None:
        assert self.verdict(clipping=(Clipping(at=at(7)),)).state == "passed"

    @pytest.mark.parametrize("how", ["clipnorm", "global_clipnorm", "clipvalue"])
    def test_silent_where_the_optimizer_clips(self, how: str) -> None:
        optimizer = self.optimizer(**{"clipnorm": ABSENT, "clipvalue": given(None, via="default"), how: given(1.0, 8)})
        assert self.verdict("keras", optimizers=(optimizer,)).state == "passed"

    def test_clipping_that_is_switched_off_is_shown(self) -> None:
        finding = self.verdict(clipping=(Clipping(at=at(7), active=False),)).only
        assert (7, "clips only on a path that the defaults do not take") in [
            (evidence.at.line, evidence.text) for evidence in finding.evidence
        ]

    def test_silent_on_lbfgs(self) -> None:
        assert self.verdict(optimizers=(self.optimizer("LBFGS"),), sequence_length=given(500)).state == "passed"

    def test_silent_on_toys(self) -> None:
        assert self.verdict(dataset=Dataset(size=given(26))).state == "passed"
        assert self.verdict(dataset=Dataset(size=given(64))).state == "failed"
        assert self.verdict(dataset=Dataset(written_out=given(True))).state == "passed"

    def test_silent_where_nothing_recurrent_is_trained(self) -> None:
        assert self.verdict(optimizers=()).state == "passed"
        assert self.verdict(recurrent_layers=()).state == "not-applicable"
        inactive = RecurrentLayer(kind=given("LSTM"), at=at(5), active=False)
        assert self.verdict(recurrent_layers=(inactive,)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(clipping=Unknown(unknown="an opaque trainer")).reason == "clipping: an opaque trainer"
        assert self.verdict(optimizers=(self.optimizer(UNCLEAR),)).state == "undecided"
        assert self.verdict("keras", optimizers=(self.optimizer(clipnorm=UNCLEAR),)).state == "undecided"
        assert self.verdict(optimizers=(self.optimizer(clipnorm=UNSEEN),)).state == "failed"

    def test_options(self) -> None:
        assert self.verdict(sequence_length=given(60), options={"long": 100}).only.severity == "advice"
        assert self.verdict(sequence_length=given(20), options={"short": 20}).state == "passed"
        assert self.verdict(dataset=Dataset(size=given(99)), options={"toy": 100}).state == "passed"


class TestOneUnitSoftmax:
    def verdict(self, framework: str = "keras", **facts: Any) -> Verdict:
        hidden = DenseLayer(units=given(64, 3), activation=given("relu", 3), at=at(3))
        return judge("one-unit-softmax", program(framework, **({"dense_layers": (hidden,)} | facts)))

    def dense(self, units: object, activation: str = "softmax", line: int = 5, **more: Any) -> DenseLayer:
        units = given(units, line) if isinstance(units, int) else units
        return DenseLayer(units=units, activation=given(activation, line), at=at(line), **more)

    def output(self, units: int, activation: str = "softmax", axis: object = -1) -> Output:
        where = given(axis) if axis is None or isinstance(axis, int) else axis
        return Output(units=given(units, 4), activation=given(activation, 7), softmax_axis=where, at=at(5))

    def test_keras(self) -> None:
        finding = self.verdict(dense_layers=(self.dense(1),)).only
        assert (finding.severity, finding.at.line) == ("error", 5)
        assert finding.message == "softmax over one unit is 1 whatever comes in"

    def test_keras_output_and_its_layer_are_one_fault(self) -> None:
        output = Output(units=given(1, 5), activation=given("softmax", 5), softmax_axis=ABSENT, at=at(5))
        assert self.verdict(dense_layers=(self.dense(1),), output=output).lines == [5]

    def test_pytorch(self) -> None:
        finding = self.verdict("pytorch", output=self.output(1)).only
        assert (finding.at.line, [evidence.at.line for evidence in finding.evidence]) == (7, [4, 5])
        assert "is 0" in self.verdict("pytorch", output=self.output(1, "logsoftmax")).only.message

    @pytest.mark.parametrize(("units", "activation"), [(2, "softmax"), (1, "sigmoid"), (1, "none"), (40, "softmax")])
    def test_silent_on_right_outputs(self, units: int, activation: str) -> None:
        assert self.verdict(dense_layers=(self.dense(units, activation),)).state == "passed"
        assert self.verdict("pytorch", output=self.output(units, activation)).state == "passed"

    def test_axis_1_is_the_last_one_where_the_output_is_no_sequence(self) -> None:
        def layer(*what: str) -> RecurrentLayer:
            return RecurrentLayer(reads=tuple(Read(what=given(each), at=at(6)) for each in what), at=at(2))

        output = self.output(1, axis=1)
        assert self.verdict("pytorch", output=output, recurrent_layers=(layer("last-step"),)).state == "failed"
        assert self.verdict("pytorch", output=output, recurrent_layers=(layer("all-steps"),)).state == "passed"
        assert self.verdict("pytorch", output=output, recurrent_layers=(layer(),)).state == "passed"
        assert self.verdict("pytorch", output=output, recurrent_layers=()).state == "not-applicable"

    def test_over_the_batch(self) -> None:
        output = self.output(10, axis=given(0, 2))
        finding = self.verdict("pytorch", output=output, batch_size=given(32, 1)).only
        assert finding.at.line == 2
        assert finding.message == "softmax over axis 0 makes the 32 samples of a batch share one probability"
        assert [evidence.at.line for evidence in finding.evidence] == [7, 1]

    @pytest.mark.parametrize("batch", [given(1), UNCLEAR])
    def test_silent_on_axis_0_of_single_samples(self, batch: object) -> None:
        assert self.verdict("pytorch", output=self.output(10, axis=0), batch_size=batch).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(dense_layers=(self.dense(UNCLEAR),)).state == "undecided"
        output = Output(units=given(1), activation=UNCLEAR, at=at(5))
        assert self.verdict("pytorch", output=output).reason == "activation of the output: **kwargs"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(dense_layers=(self.dense(1, active=False),)).only.message
