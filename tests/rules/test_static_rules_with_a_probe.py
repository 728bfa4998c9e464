"""What a probe measured makes a finding about the code louder, softer, or goes against it."""

from __future__ import annotations

from typing import Any

import pytest
from literals import Verdict, at, given, judge, program

from lstmadvisor.facts import Dropout, Loss, Optimizer, Padding, Read, RecurrentLayer, Reshape, Step, TrainingStep
from lstmadvisor.measured import Checks, Probe, Statistics

LSTM = RecurrentLayer(kind=given("LSTM"), batch_first=given(False), input_layout=given("batch-major"), at=at(3))


GRADIENT_NOT_CLIPPED = {
    "recurrent_layers": (LSTM,),
    "optimizers": (Optimizer(name=given("Adam"), at=at(4)),),
    "clipping": (),
    "sequence_length": given(30),
    "training_step": TrainingStep(order=(Step(kind="backward", at=at(9)),)),
}  # fmt: skip
FORGET_BIAS_NOT_SET = {
    "recurrent_layers": (LSTM,),
    "forget_bias": given(None, via="absent"),
    "sequence_length": given(100),
}
DROPOUT_AFTER_OUTPUT = {
    "dropouts": (Dropout(rate=given(0.5), position=given("output"), at=at(6)),),
    "losses": (Loss(name=given("mse_loss"), at=at(7)),),
}
EVAL_MODE_MISSING = {
    "dropouts": (Dropout(rate=given(0.5), position=given("head"), at=at(6)),),
    "training_step": TrainingStep(eval_mode=given(False, 8)),
}
PADDING_READ_AS_DATA = {
    "recurrent_layers": (
        LSTM.model_copy(
            update={"reads": (Read(what=given("last-step"), after_padding=given(True), at=at(5)),)}
        ),
    ),
    "padding": Padding(padded=given(True, 2), lengths_known=given(True, 2)),
}  # fmt: skip


def verdict(
    rule: str, facts: dict[str, Any], steps: int = 200, checks: Checks | None = None, **numbers: Any
) -> Verdict:
    """The verdict of a rule; without a probe where nothing was measured."""
    if checks or numbers:
        statistics = Statistics(**numbers)
        facts = {
            **facts,
            "probe": Probe(status="step-limit", steps=steps, checks=checks or Checks(), statistics=statistics),
        }
    return judge(rule, program(**facts))


class TestGradientNotClipped:
    def test_spikes_make_it_a_warning_with_evidence(self):
        assert verdict("gradient-not-clipped", GRADIENT_NOT_CLIPPED).only.severity.value == "advice"
        loud = verdict("gradient-not-clipped", GRADIENT_NOT_CLIPPED, spike=280.0).only
        assert loud.severity.value == "warning"
        assert [(one.series, one.text) for one in loud.evidence if one.series] == [
            ("gradient-norm", "up to 280 times the usual one")
        ]

    def test_flat_norms_clear_it(self):
        assert verdict("gradient-not-clipped", GRADIENT_NOT_CLIPPED, spike=9.0).state == "passed"
        assert verdict("gradient-not-clipped", GRADIENT_NOT_CLIPPED, spike=11.0).only.severity.value == "advice"

    def test_a_short_run_clears_nothing(self):
        assert verdict("gradient-not-clipped", GRADIENT_NOT_CLIPPED, steps=99, spike=2.0).state == "failed"


class TestForgetBiasNotSet:
    def test_short_sight_that_learns_nothing_is_a_warning(self):
        assert verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET).only.severity.value == "advice"
        loud = verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, reach=2.0, over_constant=1.0).only
        assert loud.severity.value == "warning"
        assert "measured: the gradient falls to 1/e every 2 time steps" in [one.text for one in loud.evidence]

    def test_short_sight_that_learns_is_advice(self):
        assert (
            verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, reach=2.0, over_constant=0.3).only.severity.value
            == "advice"
        )

    def test_a_gradient_that_gets_far_clears_it(self):
        assert verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, reach=25.0, over_constant=0.3).state == "passed"
        assert verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, reach=24.0, over_constant=0.3).state == "failed"
        assert verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, reach=25.0, over_constant=1.0).state == "failed"
        assert (
            verdict("forget-bias-not-set", FORGET_BIAS_NOT_SET, steps=100, reach=25.0, over_constant=0.3).state
            == "failed"
        )


class TestDropoutAfterOutput:
    def test_zeros_at_the_output_confirm_it(self):
        only = verdict("dropout-after-output", DROPOUT_AFTER_OUTPUT, checks=Checks(zeros_at_output=0.48)).only
        assert [one.text for one in only.evidence] == ["measured: 48% of the output is 0 in training"]

    def test_no_zeros_clear_it(self):
        assert (
            verdict("dropout-after-output", DROPOUT_AFTER_OUTPUT, checks=Checks(zeros_at_output=0.0)).state == "passed"
        )
        assert verdict("dropout-after-output", DROPOUT_AFTER_OUTPUT, checks=Checks()).state == "failed"


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("batch-first-mismatch", {"recurrent_layers": (LSTM,)}),
        (
            "view-swaps-axes",
            {"recurrent_layers": (LSTM,), "reshapes": (Reshape(swaps_batch_and_time=given(True), at=at(5)),)},
        ),
    ],
)
class TestMixing:
    def test_measured_to_mix(self, rule, facts):
        assert verdict(rule, facts, checks=Checks(mixes=(True, True))).state == "failed"
        assert verdict(rule, facts, checks=Checks(mixes=(True, False)), batch_axis=0).state == "failed"

    def test_measured_not_to(self, rule, facts):
        assert verdict(rule, facts, checks=Checks(mixes=(False, True)), batch_axis=0).state == "passed"

    def test_not_told_which_axis_the_batch_is(self, rule, facts):
        assert verdict(rule, facts, checks=Checks(mixes=(False, True))).state == "failed"


class TestEvalModeMissing:
    def test_measured(self):
        on, off = Checks(train_mode_while_validating=1.0), Checks(train_mode_while_validating=0.0)
        only = verdict("eval-mode-missing", EVAL_MODE_MISSING, checks=on, evaluations=3).only
        assert only.evidence[-1].text == "measured: 100% of the passes without gradient run in it"
        assert verdict("eval-mode-missing", EVAL_MODE_MISSING, checks=off, evaluations=3).findings == ()
        assert verdict("eval-mode-missing", EVAL_MODE_MISSING, checks=off).state == "failed"


class TestPaddingReadAsData:
    def test_the_share_is_told(self):
        assert verdict("padding-read-as-data", PADDING_READ_AS_DATA).only.severity.value == "error"
        only = verdict("padding-read-as-data", PADDING_READ_AS_DATA, padding=0.4).only
        assert only.severity.value == "error"
        assert only.evidence[-1].text == "measured: 40% of the positions are padding"

    def test_hardly_any_is_advice(self):
        assert verdict("padding-read-as-data", PADDING_READ_AS_DATA, padding=0.01).only.severity.value == "advice"
