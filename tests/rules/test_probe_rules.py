"""The rules about a probed run, on literal measurements."""

from __future__ import annotations

from typing import Any

import pytest
from literals import Verdict, at, given, judge, program

from lstmadvisor.facts import (
    Clipping,
    Dataset,
    Disagreement,
    Dropout,
    HiddenState,
    Initialization,
    Loss,
    Normalization,
    Optimizer,
    Output,
    Padding,
    RecurrentLayer,
    Reshape,
    Schedule,
    Step,
    TrainingStep,
    Validation,
)
from lstmadvisor.measured import (
    Checks,
    MeasuredLayer,
    MeasuredLoss,
    MeasuredOptimizer,
    Probe,
    Series,
    Statistics,
)

CODE = {
    "recurrent_layers": (RecurrentLayer(kind=given("LSTM"), at=at(10)),),
    "optimizers": (Optimizer(name=given("Adam"), learning_rate=given(0.01, 20), at=at(21)),),
    "losses": (Loss(name=given("mse_loss"), at=at(30)),),
    "training_step": TrainingStep(order=(Step(kind="backward", at=at(31)),)),
}
"""The layer stands in line 10, the rate in 20, the loss in 30, backward in 31."""

HEALTHY = {
    "loss_first": 1.0, "loss_early": 0.9, "loss_tail": 0.2, "fall": (0.8, 0.7, 0.85), "late_fall": (0.1, 0.05, 0.2),
    "constant": 1.0, "over_constant": 0.2, "norm_median": 0.5, "norm_p90": 1.0, "norm_max": 2.0, "spike": 4.0,
    "spike_step": 40, "movement": 2.0, "update_first": 0.02, "update_ratio": 0.01, "rate_first": 0.01, "rate_last": 0.01,
    "vanishing": 0.01, "reach": 5.0, "saturation": 0.0, "hidden_saturation": 0.0, "forget_first": 0.5,
    "forget_last": 0.6, "input_mean": 0.0, "input_deviation": 1.0, "padding": 0.0,
}  # fmt: skip
"""Statistics of a run in which nothing is wrong."""


def run(
    rule: str, facts: dict[str, Any] | None = None, measured: dict[str, Any] | None = None, **numbers: Any
) -> Verdict:
    """The verdict on a run of 200 steps; `numbers` differ from those of a healthy one."""
    options = numbers.pop("options", {})
    statistics = Statistics(**(HEALTHY | numbers))
    probe = Probe(**({"status": "step-limit", "steps": 200, "asked": 200, "statistics": statistics} | (measured or {})))
    return judge(rule, program(**(CODE | (facts or {})), probe=probe), **options)


STUCK = {"over_constant": 1.0, "fall": (0.0, -0.01, 0.01), "late_fall": (0.0, -0.01, 0.01)}
FLAT = {"over_constant": 0.98, "late_fall": (0.0, -0.02, 0.02)}
TIGHT = {"clipped": 1.0, "clip_ratio": 0.001, "movement": 0.01}
LOW = {"movement": 0.002, "fall": (0.0, -0.01, 0.01), "rate_first": 1e-7}
RISING = {"evaluations": 8, "validation_first": 1.0, "validation_best": 0.5, "validation_last": 0.7}

ALL = [
    "loss-diverges", "gradient-spikes", "gradients-vanish-through-time", "no-better-than-a-constant", "loss-plateau",
    "gates-saturated", "forget-gate-closed", "always-clipped", "learning-rate-too-high", "learning-rate-too-low",
    "input-not-scaled", "identical-units", "parameters-without-gradient", "dropout-inactive", "dropout-at-inference",
    "samples-mixed-in-batch", "output-partly-zero", "mostly-padding", "overfits-already", "schedule-dies-early",
    "state-reset-in-stream", "target-not-scaled", "non-finite-loss", "measured-otherwise",
]  # fmt: skip


@pytest.mark.parametrize("rule", ALL)
class TestAll:
    def test_a_healthy_run_has_passed(self, rule):
        assert run(rule).state == "passed"

    def test_without_a_probe_nothing_is_judged(self, rule):
        verdict = judge(rule, program(**CODE))
        assert (verdict.state, verdict.reason) == ("not-applicable", "no probe")

    def test_a_run_without_training_is_not_judged(self, rule):
        probe = Probe(status="no-training")
        assert judge(rule, program(**CODE, probe=probe)).state in ("passed", "undecided")

    def test_the_framework_does_not_matter(self, rule):
        probe = Probe(status="step-limit", steps=200, statistics=Statistics(**HEALTHY))
        assert judge(rule, program("unknown", probe=probe)).state == "passed"


class TestNonFiniteLoss:
    LOSS = Series(name="loss", steps=(0, 1, 2), values=(1.0, 0.9, None))

    def test_says_what_went_first(self):
        checks = Checks(first_bad="gradient", first_bad_step=1)
        only = run("non-finite-loss", measured={"series": (self.LOSS,), "checks": checks}).only
        assert only.message == "the loss is not a finite number at step 2: the gradient at step 1 was the first to go"
        assert (only.severity.value, only.at.line) == ("error", 30)

    def test_bad_input_is_a_matter_of_the_data(self):
        checks = Checks(first_bad="input", first_bad_step=2)
        verdict = run("non-finite-loss", {"dataset": Dataset(at=at(5))}, {"series": (self.LOSS,), "checks": checks})
        assert verdict.lines == [5]
        assert verdict.only.help == "fill or drop the missing values before they reach the network"

    def test_a_bad_value_that_the_loss_never_saw_is_nothing(self):
        losses = Series(name="loss", steps=(0,), values=(1.0,))
        checks = Checks(first_bad="input", first_bad_step=0)
        assert run("non-finite-loss", measured={"series": (losses,), "checks": checks}).state == "passed"


class TestLossDiverges:
    def test_from_both_sides(self):
        assert run("loss-diverges", loss_tail=1.9).state == "passed"
        verdict = run("loss-diverges", loss_tail=2.1)
        assert verdict.only.message == "the loss grew from 1 to 2.1 in 200 steps"
        assert verdict.lines == [30]

    def test_a_small_first_batch_is_no_measure(self):
        assert run("loss-diverges", loss_first=0.1, loss_tail=0.9).state == "passed"

    def test_a_loss_below_zero_has_no_multiple(self):
        assert run("loss-diverges", loss_first=-1.0, loss_tail=9.0).state == "passed"

    def test_too_short(self):
        verdict = run("loss-diverges", measured={"steps": 40})
        assert verdict.reason == "course of the loss: the probe made 40 steps; extend it to 50 steps"


@pytest.mark.parametrize("rule", ["no-better-than-a-constant", "target-not-scaled"])
class TestLossesByHand:
    def test_without_targets_it_is_said_so(self, rule):
        verdict = run(rule, constant=None, over_constant=None)
        assert (verdict.state, verdict.reason) == ("undecided", "targets: the loss is written by hand, or by a library")

    def test_without_training_nothing_is_missing(self, rule):
        assert run(rule, measured={"steps": 0}, constant=None, over_constant=None).state == "passed"


class TestGradientSpikes:
    def test_tells_where_to_clip(self):
        verdict = run("gradient-spikes", spike=201.0, spike_step=83, norm_p90=1.9)
        assert verdict.only.message == (
            "gradient norm 201 times the usual one at step 83; clip at 1.9, the 90th percentile of 200 steps"
        )
        assert verdict.lines == [31]

    def test_from_below(self):
        assert run("gradient-spikes", spike=199.0).state == "passed"

    def test_a_gradient_that_grows_through_time_needs_less(self):
        assert run("gradient-spikes", norm_max=6.5, growth=301.0).state == "failed"
        assert run("gradient-spikes", norm_max=6.5, growth=299.0).state == "passed"
        assert run("gradient-spikes", norm_max=5.5, growth=301.0).state == "passed"

    def test_how_it_grows_is_told(self):
        verdict = run("gradient-spikes", norm_max=100.0, growth=5000.0)
        assert verdict.only.message == (
            "gradient norm 200 times the usual one; it grows 5e+03 times on its way back through time"
        )

    def test_of_padding_nothing_flows_back(self):
        assert run("gradient-spikes", norm_max=100.0, growth=1e9, padding=0.3).state == "passed"

    def test_clipped_spikes_do_no_harm(self):
        assert run("gradient-spikes", spike=500.0, clipped=0.1, clip_ratio=1.0).state == "passed"

    def test_a_short_run_without_spikes_tells_nothing(self):
        assert run("gradient-spikes", measured={"steps": 60}).state == "undecided"
        assert run("gradient-spikes", measured={"steps": 60}, spike=280.0).state == "failed"

    def test_option(self):
        assert run("gradient-spikes", spike=21.0, options={"ratio": 20.0}).state == "failed"


class TestVanishing:
    def test_with_no_progress(self):
        layer = MeasuredLayer(kind="LSTM", path="lstm", sequence_length=150)
        verdict = run("gradients-vanish-through-time", None, {"layers": (layer,)}, vanishing=1e-12, **STUCK)
        assert verdict.only.message == (
            "the gradient of the first time step is 1e-12 of the last one's, and nothing is learned: "
            "it falls to 1/e every 5 of 150 time steps"
        )
        assert verdict.lines == [10]

    def test_never_alone(self):
        assert run("gradients-vanish-through-time", vanishing=1e-12).state == "passed"
        assert run("gradients-vanish-through-time", **STUCK).state == "passed"

    def test_where_the_constant_is_unknown_the_course_decides(self):
        flat = STUCK | {"over_constant": None}
        assert run("gradients-vanish-through-time", vanishing=0.0, **flat).state == "failed"
        falling = flat | {"fall": (0.3, 0.2, 0.4)}
        assert run("gradients-vanish-through-time", vanishing=0.0, **falling).state == "passed"

    def test_too_short(self):
        verdict = run("gradients-vanish-through-time", measured={"steps": 149}, vanishing=1e-12, **STUCK)
        assert verdict.state == "undecided"


class TestNoBetterThanAConstant:
    def test_fires(self):
        verdict = run("no-better-than-a-constant", **FLAT)
        assert verdict.only.message == "after 200 steps the loss is 98% of 1, the loss of always giving the same answer"
        assert verdict.lines == [30]

    def test_from_below(self):
        assert run("no-better-than-a-constant", **(FLAT | {"over_constant": 0.96})).state == "passed"

    def test_what_lies_far_back_may_only_start_slowly(self):
        layers = {"layers": (MeasuredLayer(kind="LSTM", sequence_length=101),)}
        assert run("no-better-than-a-constant", None, layers, **FLAT).only.severity.value == "advice"
        assert run("no-better-than-a-constant", None, layers, **FLAT, reach=6.0).only.severity.value == "warning"

    def test_a_loss_that_still_falls_is_undecided(self):
        verdict = run("no-better-than-a-constant", over_constant=1.3, late_fall=(0.2, 0.1, 0.3))
        assert (verdict.state, verdict.reason) == (
            "undecided",
            "loss that still falls: the probe made 200 steps; extend it to 400 steps",
        )

    def test_many_classes_start_slowly(self):
        many = {"losses": (MeasuredLoss(name="cross_entropy", classes=5000),)}
        assert run("no-better-than-a-constant", None, many, **FLAT).state == "undecided"

    def test_too_short(self):
        assert run("no-better-than-a-constant", measured={"steps": 149}, **FLAT).state == "undecided"


class TestLossPlateau:
    def test_fires(self):
        verdict = run("loss-plateau", fall=(0.01, -0.02, 0.03), over_constant=None, loss_tail=0.99)
        assert (
            verdict.only.message == "the loss is where it began after 200 steps: 0.99, at most 3% lower than at first"
        )

    def test_a_proven_fall_of_a_twentieth_is_progress(self):
        assert run("loss-plateau", fall=(0.06, 0.01, 0.09), over_constant=None).state == "passed"

    def test_noise_leaves_it_undecided(self):
        assert run("loss-plateau", fall=(0.02, -0.2, 0.2), over_constant=None).state == "undecided"

    def test_converged_before_it_began(self):
        assert run("loss-plateau", fall=(0.0, -0.01, 0.01), over_constant=0.4).state == "passed"

    def test_too_short(self):
        assert (
            run("loss-plateau", measured={"steps": 100}, fall=(0.0, -0.01, 0.01), over_constant=1.0).state
            == "undecided"
        )

    def test_what_lies_far_back_may_only_start_slowly(self):
        layers = {"layers": (MeasuredLayer(kind="LSTM", sequence_length=101),)}
        flat = {"fall": (0.0, -0.01, 0.01), "over_constant": None}
        assert run("loss-plateau", None, layers, **flat).only.severity.value == "advice"
        assert run("loss-plateau", **flat).only.severity.value == "warning"


class TestGates:
    def test_saturated(self):
        verdict = run("gates-saturated", saturation=0.4)
        assert verdict.only.message == "40% of the gates start below 0.1 or above 0.9: weights or inputs are too large"
        assert verdict.lines == [10]
        assert run("gates-saturated", saturation=0.15).state == "passed"

    def test_points_at_the_weights_that_were_set(self):
        written = Initialization(target=given("recurrent-weights"), at=at(12))
        assert run("gates-saturated", {"initializations": (written,)}, saturation=0.4).lines == [12]

    def test_a_plain_rnn_by_its_hidden_state(self):
        assert run("gates-saturated", saturation=None, hidden_saturation=0.6).state == "failed"
        assert run("gates-saturated", saturation=None, hidden_saturation=0.4).state == "passed"
        assert run("gates-saturated", hidden_saturation=0.9).state == "passed"

    def test_forget_gate_shut_at_both_ends(self):
        verdict = run("forget-gate-closed", forget_first=0.01, forget_last=0.012)
        assert verdict.only.message == (
            "the forget gate is 0.01 on average at the first step and 0.012 at the last: nothing is remembered"
        )
        assert run("forget-gate-closed", forget_first=0.01, forget_last=0.3).state == "passed"
        assert run("forget-gate-closed", forget_first=0.3, forget_last=0.01).state == "passed"

    def test_points_at_the_bias(self):
        bias = Initialization(target=given("forget-bias"), at=at(12))
        assert run("forget-gate-closed", {"initializations": (bias,)}, forget_first=0.01, forget_last=0.01).lines == [
            12
        ]


class TestAlwaysClipped:
    @staticmethod
    def by(name):
        return {"optimizers": (MeasuredOptimizer(name=name),)}

    def test_with_sgd_that_gets_nowhere(self):
        facts = {"clipping": (Clipping(kind=given("norm"), max=given(1e-4), at=at(32)),)}
        verdict = run("always-clipped", facts, self.by("SGD"), **TIGHT)
        assert verdict.only.message == "100% of the gradients are clipped, half of them to below 0.001 of their length"
        assert verdict.only.help == "clip at 1, the 90th percentile of the norms"
        assert (verdict.only.severity.value, verdict.lines) == ("warning", [32])

    def test_adam_divides_it_out(self):
        assert run("always-clipped", None, self.by("Adam"), **TIGHT).only.severity.value == "advice"

    def test_with_sgd_that_learns_it_is_advice(self):
        moving = TIGHT | {"movement": 2.0}
        assert run("always-clipped", None, self.by("SGD"), **moving).only.severity.value == "advice"

    def test_both_conditions(self):
        assert run("always-clipped", None, self.by("SGD"), **(TIGHT | {"clipped": 0.5})).state == "passed"
        assert run("always-clipped", None, self.by("SGD"), **(TIGHT | {"clip_ratio": 0.1})).state == "passed"


class TestLearningRate:
    def test_the_loss_rises_at_first(self):
        verdict = run("learning-rate-too-high", loss_early=3.2, rate_first=0.5)
        assert verdict.only.message == (
            "the loss rises from 1 to 3.2 at a learning rate of 0.5: a step changes the weights by 0.02 of their length"
        )
        assert verdict.only.help == "try a learning rate of 0.05"
        assert verdict.lines == [20]

    def test_or_in_the_end(self):
        assert run("learning-rate-too-high", loss_tail=2.1).state == "failed"
        assert run("learning-rate-too-high", loss_tail=1.9, loss_early=2.9).state == "passed"

    def test_a_loss_that_rises_by_small_steps_has_another_cause(self):
        assert run("learning-rate-too-high", loss_tail=5.0, update_first=0.005, update_ratio=0.001).state == "passed"

    def test_or_nothing_is_learned_by_huge_steps(self):
        verdict = run("learning-rate-too-high", update_ratio=0.2, over_constant=1.0)
        assert verdict.only.message.startswith("nothing is learned at a learning rate of 0.01: a step changes")
        assert run("learning-rate-too-high", update_ratio=0.09, over_constant=1.0).state == "passed"
        assert run("learning-rate-too-high", update_ratio=0.2).state == "passed"

    def test_a_small_first_batch_is_no_measure(self):
        assert run("learning-rate-too-high", loss_first=0.05, loss_early=0.9).state == "passed"

    def test_too_low(self):
        verdict = run("learning-rate-too-low", **LOW)
        assert verdict.only.message == (
            "200 steps moved the weights by 0.2% of their length in all at a learning rate of 1e-07"
        )
        assert verdict.lines == [20]

    def test_movement_or_progress_clears_it(self):
        assert run("learning-rate-too-low", **(LOW | {"movement": 0.031})).state == "passed"
        assert run("learning-rate-too-low", **(LOW | {"fall": (0.06, 0.01, 0.1)})).state == "passed"
        assert run("learning-rate-too-low", **(LOW | {"fall": (0.06, -0.02, 0.1)})).state == "failed"

    def test_too_short_to_move(self):
        assert run("learning-rate-too-low", measured={"steps": 99}, **LOW).state == "undecided"


class TestScale:
    @pytest.mark.parametrize(
        ("mean", "deviation", "state"),
        [
            (0.0, 10.1, "failed"), (0.0, 9.9, "passed"), (0.0, 0.009, "failed"), (0.0, 0.011, "passed"),
            (50.0, 1.0, "failed"), (9.0, 1.0, "passed"), (0.5, 0.02, "passed"), (None, None, "passed"),
        ],
    )  # fmt: skip
    def test_input(self, mean, deviation, state):
        assert run("input-not-scaled", input_mean=mean, input_deviation=deviation).state == state

    def test_message(self):
        only = run("input-not-scaled", input_deviation=700.0, over_constant=1.0).only
        assert only.message == "the network reads numbers of mean 0 and deviation 700, far from 0 and 1"
        assert only.severity.value == "warning"

    def test_a_network_that_copes_gets_advice(self):
        assert run("input-not-scaled", input_deviation=700.0).only.severity.value == "advice"
        assert run("input-not-scaled", input_deviation=700.0, saturation=0.5).only.severity.value == "warning"
        unknown = {"input_deviation": 700.0, "over_constant": None}
        assert run("input-not-scaled", **unknown, fall=(0.7, 0.6, 0.8)).only.severity.value == "advice"
        assert run("input-not-scaled", **unknown, fall=(0.6, 0.4, 0.8)).only.severity.value == "warning"

    def test_normalised_inside(self):
        inside = {"normalizations": (Normalization(kind=given("batch"), position=given("input"), at=at(9)),)}
        assert run("input-not-scaled", inside, input_deviation=700.0).state == "passed"

    def test_target(self):
        losses = {"losses": (MeasuredLoss(name="mse_loss", target_mean=280.0, target_deviation=120.0),)}
        verdict = run("target-not-scaled", None, losses, over_constant=1.5)
        assert verdict.only.message == (
            "the targets have mean 280 and deviation 120, and the loss is 1.5 times that of a constant answer"
        )
        assert run("target-not-scaled", None, losses, over_constant=0.8).state == "passed"

    def test_target_of_unit_scale(self):
        losses = {"losses": (MeasuredLoss(name="mse_loss", target_mean=2.0, target_deviation=0.5),)}
        assert run("target-not-scaled", None, losses, over_constant=1.5).state == "passed"


class TestChecks:
    def test_identical_units(self):
        verdict = run("identical-units", measured={"checks": Checks(identical_units={"lstm.weight_hh_l0": 1.0})})
        assert verdict.only.message == "100% of the units in `lstm.weight_hh_l0` equal another one after 200 steps"
        partly = Checks(identical_units={"lstm.weight_hh_l0": 0.5})
        assert run("identical-units", measured={"checks": partly}).state == "passed"

    LAYER = (MeasuredLayer(kind="LSTM", path="lstm"),)

    def test_parameters_that_belong_to_no_optimizer(self):
        checks = Checks(not_optimized=("head.weight", "head.bias"))
        verdict = run("parameters-without-gradient", measured={"checks": checks})
        assert verdict.only.message == "a gradient but no optimizer for `head.weight` and 1 more"
        assert (verdict.lines, verdict.only.severity.value) == ([20], "warning")

    def test_a_recurrent_layer_without_gradient_is_loud_another_is_not(self):
        loud = Checks(without_gradient=("lstm.weight_ih_l0",))
        mild = Checks(without_gradient=("pooler.weight",))
        measured = {"layers": self.LAYER}
        assert run("parameters-without-gradient", None, measured | {"checks": loud}).only.severity.value == "warning"
        assert run("parameters-without-gradient", None, measured | {"checks": mild}).only.severity.value == "advice"

    def test_a_gradient_of_zero_from_the_start(self):
        checks = Checks(zero_gradient={"lstm.weight_hh_l0": 1.0})
        dead = Series(name="gradient-norm", of="lstm.weight_hh_l0", steps=(0, 1), values=(0.0, 0.0))
        died = Series(name="gradient-norm", of="lstm.weight_hh_l0", steps=(0, 1), values=(1.0, 0.0))
        measured = {"layers": self.LAYER, "checks": checks}
        assert run("parameters-without-gradient", None, measured | {"series": (dead,)}).state == "failed"
        assert run("parameters-without-gradient", None, measured | {"series": (died,)}).state == "passed"

    def test_dropout_off_while_training(self):
        facts = {"dropouts": (Dropout(rate=given(0.5), at=at(11)),)}
        verdict = run("dropout-inactive", facts, {"checks": Checks(dropouts=1, eval_mode_while_training=0.7)})
        assert verdict.only.message == "dropout is off in 70% of the training steps: the network is in evaluation mode"
        assert verdict.lines == [11]
        assert (
            run("dropout-inactive", facts, {"checks": Checks(dropouts=0, eval_mode_while_training=0.7)}).state
            == "passed"
        )
        assert (
            run("dropout-inactive", facts, {"checks": Checks(dropouts=1, eval_mode_while_training=0.1)}).state
            == "passed"
        )

    def test_dropout_that_drops_nothing(self):
        assert (
            run("dropout-inactive", measured={"checks": Checks(dropouts=1, training_forwards_equal=True)}).state
            == "failed"
        )

    def test_dropout_on_in_validation(self):
        checks = Checks(dropouts=1, train_mode_while_validating=1.0)
        facts = {"validation": Validation(kind=given("data"), at=at(40))}
        verdict = run("dropout-at-inference", facts, {"checks": checks}, evaluations=4)
        assert verdict.only.message == (
            "100% of the passes without gradient run in training mode: dropout spoils the validation"
        )
        assert verdict.lines == [40]
        assert run("dropout-at-inference", facts, {"checks": checks}).state == "passed"
        none = Checks(dropouts=0, train_mode_while_validating=1.0)
        assert run("dropout-at-inference", facts, {"checks": none}, evaluations=4).state == "passed"

    def test_random_in_evaluation_mode(self):
        random = Checks(evaluation_forwards_equal=False)
        assert run("dropout-at-inference", measured={"checks": random}).state == "failed"
        broken = Checks(evaluation_forwards_equal=False, first_bad="input")
        assert run("dropout-at-inference", measured={"checks": broken}).state == "passed"

    def test_sequences_that_mix(self):
        checks = Checks(mixes=(True, True), mixed_input=(8, 20, 3))
        verdict = run("samples-mixed-in-batch", measured={"checks": checks})
        assert verdict.only.message == "sequences of one batch (input 8 by 20 by 3) influence each other's output"
        assert verdict.lines == [10]
        swapped = {"reshapes": (Reshape(swaps_batch_and_time=given(True), at=at(14)),)}
        assert run("samples-mixed-in-batch", swapped, {"checks": checks}).lines == [14]

    def test_a_network_that_gives_no_numbers_does_not_tell(self):
        checks = Checks(mixes=(True, True), mixed_input=(8, 20, 3), first_bad="gradient", first_bad_step=1)
        assert run("samples-mixed-in-batch", measured={"checks": checks}).state == "passed"

    def test_a_layer_that_runs_across_the_batch(self):
        checks = Checks(mixes=(True, False), mixed_input=(8, 20, 3))
        verdict = run("samples-mixed-in-batch", measured={"checks": checks}, batch_axis=0)
        assert verdict.only.help == "pass `batch_first=True` to the recurrent layer"
        assert run("samples-mixed-in-batch", measured={"checks": checks}, batch_axis=1).state == "passed"
        assert run("samples-mixed-in-batch", measured={"checks": checks}).state == "passed"

    def test_zeros_at_the_output(self):
        facts = {"dropouts": (Dropout(position=given("output"), at=at(13)),), "output": Output(at=at(12))}
        verdict = run("output-partly-zero", facts, {"checks": Checks(zeros_at_output=0.5)})
        assert verdict.only.message == "50% of the output is exactly 0 in training but not in evaluation"
        assert verdict.lines == [13]
        assert run("output-partly-zero", facts, {"checks": Checks(zeros_at_output=0.05)}).state == "passed"


class TestPadding:
    def test_loud_above_three_quarters(self):
        verdict = run("mostly-padding", padding=0.8)
        assert verdict.only.message == "80% of the positions in a batch are padding"
        assert verdict.only.severity.value == "warning"
        assert run("mostly-padding", padding=0.7).only.severity.value == "advice"
        assert run("mostly-padding", padding=0.5).state == "passed"

    def test_packed_or_masked(self):
        packed = {"layers": (MeasuredLayer(kind="LSTM", packed=True),)}
        assert run("mostly-padding", None, packed, padding=0.9).state == "passed"
        masked = {"padding": Padding(masked=given(True), at=at(6))}
        assert run("mostly-padding", masked, padding=0.9).only.severity.value == "advice"


class TestOverfits:
    def test_fires(self):
        verdict = run("overfits-already", {"epochs": given(100, 25)}, **RISING)
        assert verdict.only.message == ("the validation loss rose from 0.5 to 0.7 while the training loss fell by 80%")
        assert verdict.lines == [25]

    def test_needs_evaluations(self):
        verdict = run("overfits-already", **(RISING | {"evaluations": 7}))
        assert verdict.reason == "validation loss: 7 evaluations; extend the probe until there are 8"

    def test_a_rise_that_is_small_is_none(self):
        assert run("overfits-already", **(RISING | {"validation_last": 0.62})).state == "passed"
        converged = {"evaluations": 20, "validation_first": 1.0, "validation_best": 0.001, "validation_last": 0.003}
        assert run("overfits-already", **converged).state == "passed"

    def test_only_while_the_training_loss_falls(self):
        assert run("overfits-already", fall=(0.01, -0.1, 0.1), **RISING).state == "passed"


class TestScheduleDiesEarly:
    def test_before_the_program_would_have_ended(self):
        facts = {"schedules": (Schedule(name=given("ExponentialLR"), at=at(23)),)}
        verdict = run("schedule-dies-early", facts, rate_dead_since=0.22, rate_last=1.4e-11)
        assert verdict.only.message == (
            "the learning rate falls from 0.01 to 1.4e-11: below a hundredth from step 44 of 200 on"
        )
        assert verdict.lines == [23]
        assert run("schedule-dies-early", rate_dead_since=0.9, rate_last=1e-9).state == "passed"

    def test_a_decay_to_the_end_of_training(self):
        done = {"status": "completed"}
        assert run("schedule-dies-early", None, done, rate_dead_since=0.8, rate_last=0.0).state == "passed"
        assert run("schedule-dies-early", None, done, rate_dead_since=0.3, rate_last=0.0).state == "failed"


class TestStateReset:
    STREAM = Checks(continued=1.0, continued_by_chance=0.06)

    @staticmethod
    def layer(**measured):
        return (MeasuredLayer(**({"kind": "LSTM", "path": "lstm", "state": "none", "sequence_length": 32} | measured)),)

    def test_fires(self):
        facts = {"hidden_state": HiddenState(at=at(15))}
        verdict = run("state-reset-in-stream", facts, {"checks": self.STREAM, "layers": self.layer()})
        assert verdict.only.message == (
            "100% of the sequences continue the batch before, but the state starts from zero every 32 time steps"
        )
        assert verdict.lines == [15]

    @pytest.mark.parametrize("state", ["carried", "learned", "other"])
    def test_other_states(self, state):
        layers = self.layer(state=state)
        assert run("state-reset-in-stream", None, {"checks": self.STREAM, "layers": layers}).state == "passed"

    def test_pieces_in_another_order(self):
        loose = Checks(continued=0.07, continued_by_chance=0.06)
        assert run("state-reset-in-stream", None, {"checks": loose, "layers": self.layer()}).state == "passed"

    def test_a_series_that_hardly_changes_continues_everywhere(self):
        dull = Checks(continued=1.0, continued_by_chance=0.9)
        assert run("state-reset-in-stream", None, {"checks": dull, "layers": self.layer()}).state == "passed"

    def test_both_directions_cannot_go_on(self):
        layers = self.layer(bidirectional=True)
        assert run("state-reset-in-stream", None, {"checks": self.STREAM, "layers": layers}).state == "passed"


def test_measured_otherwise():
    one = Disagreement(what=given("batch size"), read=given(64), measured=given(32), at=at(8))
    verdict = run("measured-otherwise", {"disagreements": (one,)})
    assert verdict.only.message == "the batch size is 32 when the program runs, not 64 as written here"
    assert (verdict.lines, verdict.only.severity.value) == ([8], "advice")
