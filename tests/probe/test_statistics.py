"""Every statistic on series that are short enough to be checked by hand."""

import pytest

from lstmadvisor.measured import (
    Checks,
    Histogram,
    MeasuredBatch,
    MeasuredClipping,
    MeasuredLayer,
    MeasuredLoader,
    MeasuredLoss,
    Probe,
    Profile,
    Series,
)
from lstmadvisor.probe import statistics as s


def series(name: str, values: list[float | None], every: int = 1, of: str = "") -> Series:
    return Series(name=name, of=of, steps=tuple(range(0, every * len(values), every)), values=tuple(values))


def probe(*series: Series, **measured) -> Probe:
    return Probe(status="step-limit", steps=200, asked=200, series=series, **measured)


def test_finite_leaves_out_what_is_no_number():
    assert s.finite(series("loss", [1.0, None, float("inf"), 2.0])) == [1.0, 2.0]
    assert s.finite(None) == []


def test_quantiles_are_interpolated():
    assert s.quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert s.quantile([1.0], 0.9) == 1.0
    assert s.quantile([], 0.9) is None


class TestFall:
    def test_a_halved_loss_fell_by_half(self):
        middle, low, high = s.fall([2.0] * 20, [1.0] * 50)
        assert (middle, low, high) == pytest.approx((0.5, 0.5, 0.5))

    def test_its_bounds_enclose_it_and_widen_with_noise(self):
        quiet = s.fall([2.0, 2.1, 1.9, 2.0, 2.1] * 4, [1.0, 1.1, 0.9] * 15)
        loud = s.fall([2.0, 8.0, 0.5, 2.0, 4.0] * 4, [1.0, 4.0, 0.25] * 15)
        assert quiet[1] < quiet[0] < quiet[2]
        assert loud[2] - loud[1] > 3 * (quiet[2] - quiet[1])

    def test_one_outlier_does_not_move_it(self):
        assert s.fall([2.0] * 20, [1.0] * 49 + [1000.0])[0] == pytest.approx(0.5)

    def test_a_loss_that_grows_fell_by_less_than_nothing(self):
        assert s.fall([1.0] * 20, [3.0] * 50)[2] == pytest.approx(-2.0)

    def test_nothing_is_said_of_losses_below_zero_or_of_a_handful(self):
        assert s.fall([-1.0] * 20, [-2.0] * 50) is None
        assert s.fall([2.0] * 4, [1.0] * 50) is None


class TestSpikes:
    def test_the_highest_norm_over_the_median(self):
        assert s.spikes(series("gradient-norm", [1.0] * 30 + [80.0] + [1.0] * 9)) == (80.0, 30)

    def test_the_beginning_is_no_spike(self):
        ratio, _ = s.spikes(series("gradient-norm", [500.0] + [1.0] * 39))
        assert ratio == 1.0

    def test_a_hard_sample_after_convergence_is_measured_by_the_norms_of_the_beginning(self):
        ratio, step = s.spikes(series("gradient-norm", [2.0] * 20 + [0.01] * 100 + [1.0] + [0.01] * 9))
        assert (ratio, step) == (1.0, 5 + 14)

    def test_too_few_or_none(self):
        assert s.spikes(series("gradient-norm", [1.0] * 19)) is None
        assert s.spikes(series("gradient-norm", [0.0] * 40)) is None
        assert s.spikes(None) is None

    def test_values_that_are_not_finite_are_left_out(self):
        assert s.spikes(series("gradient-norm", [1.0] * 30 + [None, 7.0] + [1.0] * 9)) == (7.0, 31)


class TestClipping:
    LIMIT = (MeasuredClipping(kind="norm", max=1.0, calls=4, before_step=4),)

    def test_the_share_that_is_clipped_and_by_how_much(self):
        clipped = s.clipping(probe(series("clip-norm", [4.0, 2.0, 0.5, 8.0]), clipping=self.LIMIT))
        assert clipped == (0.75, pytest.approx((0.25 + 0.5) / 2))

    def test_clipping_after_the_step_is_none(self):
        late = (MeasuredClipping(kind="norm", max=1.0, calls=4, before_step=0),)
        late_probe = probe(series("clip-norm", [4.0, 2.0]), series("gradient-norm", [9.0, 9.0]), clipping=late)
        assert s.clipping(late_probe) is None
        assert s.raw_norms(late_probe).values == (9.0, 9.0)

    def test_the_norm_before_clipping_is_the_raw_one(self):
        both = probe(series("clip-norm", [4.0]), series("gradient-norm", [1.0]), clipping=self.LIMIT)
        assert s.raw_norms(both).values == (4.0,)


def test_a_sampled_ratio_stands_for_the_steps_up_to_the_next():
    assert s.movement(series("update-ratio", [0.01, 0.02, 0.03], every=10)) == pytest.approx(0.6)
    assert s.movement(series("update-ratio", [0.01, 0.02])) is None


class TestDeadRate:
    def test_since_when(self):
        assert s.dead_since([1.0] * 5 + [0.001] * 15) == 0.25

    def test_a_warm_up_is_alive(self):
        assert s.dead_since([0.001, 0.01, 0.1, 1.0]) is None

    def test_a_rate_that_comes_back_is_alive(self):
        assert s.dead_since([1.0, 0.001, 1.0]) is None


class TestThroughTime:
    def test_the_first_step_over_the_last(self):
        profiles = [Profile(of="lstm", step=k, values=(1e-6 * (k + 1), 1e-4, 1e-2, 1.0)) for k in range(3)]
        assert s.vanishing(profiles) == pytest.approx(2e-6)

    def test_the_most_forgetful_layer_counts(self):
        profiles = [Profile(of="a", reach=30.0), Profile(of="b", reach=4.0), Profile(of="b", reach=6.0)]
        assert s.reach(profiles) == 5.0
        assert s.reach([]) is None


class TestGates:
    @staticmethod
    def gate(name: str, low: float, high: float, step: int = 0, of: str = "lstm", mean: float = 0.5) -> Histogram:
        return Histogram(name=name, of=of, step=step, low=low, high=high, mean=mean)

    def test_large_weights_saturate_every_kind_of_gate(self):
        gates = [
            self.gate("gate-input", 0.2, 0.2),
            self.gate("gate-forget", 0.1, 0.3),
            self.gate("gate-output", 0.2, 0.3),
        ]
        assert s.saturation(gates) == pytest.approx(0.4)

    def test_a_bias_that_opens_one_kind_saturates_nothing(self):
        assert s.saturation([self.gate("gate-forget", 0.0, 1.0), self.gate("gate-output", 0.0, 0.01)]) == 0.01

    def test_what_happens_later_is_learning(self):
        gates = [self.gate("gate-output", 0.0, 0.0), self.gate("gate-output", 0.5, 0.5, step=25)]
        assert s.saturation(gates) == 0.0

    def test_the_candidate_is_no_gate(self):
        assert s.saturation([self.gate("gate-cell", 0.5, 0.5)]) is None

    def test_hidden_states(self):
        assert s.hidden_saturation([self.gate("hidden", 0.3, 0.4), self.gate("hidden", 0, 0, of="b")]) == pytest.approx(
            0.7
        )

    def test_the_forget_gate_at_both_ends(self):
        gates = [self.gate("gate-forget", 0, 0, mean=0.5), self.gate("gate-forget", 0, 0, step=100, mean=0.02)]
        assert (s.forget(gates, first=True), s.forget(gates, first=False)) == (0.5, 0.02)
        assert s.forget([], first=True) is None


class TestConstant:
    LOSS = MeasuredLoss(name="mse_loss", constant=2.0)

    def test_the_tail_over_the_constant(self):
        assert s.against_constant(probe(series("loss", [4.0] * 30 + [1.0] * 10), losses=(self.LOSS,))) == (2.0, 0.5)

    def test_an_outlier_in_the_tail_counts_for_nothing(self):
        losses = series("loss", [1.0] * 39 + [1000.0])
        assert s.against_constant(probe(losses, losses=(self.LOSS,)))[1] == 0.5

    def test_a_loss_that_is_a_sum_is_judged_by_its_function(self):
        own = series("loss-function", [2.0] * 40, of="mse_loss")
        assert s.against_constant(probe(series("loss", [8.0] * 40), own, losses=(self.LOSS,))) == (2.0, 1.0)

    def test_two_losses_are_not_compared(self):
        assert s.against_constant(probe(series("loss", [1.0] * 40), losses=(self.LOSS, self.LOSS))) == (None, None)


def test_overfitting_is_smoothed():
    assert s.overfitting([1.0, 0.5, 0.1, 0.5, 0.5, 0.9, 1.0, 1.1]) == (0.5, 0.9)
    assert s.overfitting([1.0, 2.0]) is None


class TestInputs:
    LAYER = MeasuredLayer(kind="LSTM", input_size=3, sequence_length=10)

    @staticmethod
    def batch(shape=(8, 10, 3), of="0", **measured) -> MeasuredBatch:
        return MeasuredBatch(
            **({"of": of, "shape": shape, "mean": 5.0, "deviation": 2.0, "smallest": -9.0, "largest": 9.0} | measured)
        )

    def test_the_tensor_of_the_width_and_length_of_the_layer(self):
        other = self.batch((8, 4), of="1", mean=0.0)
        assert s.inputs(probe(layers=(self.LAYER,), batches=(self.batch(), other))) == [self.batch()]

    def test_or_the_first_one(self):
        first = self.batch((8, 20))
        assert s.inputs(probe(layers=(self.LAYER,), batches=(first, self.batch((8, 7), of="1")))) == [first]

    @pytest.mark.parametrize(
        "odd", [{"ids": True}, {"smallest": 0.0, "largest": 0.0}, {"smallest": 0.0, "largest": 1.0}, {"of": "hidden"}]
    )
    def test_ids_masks_states_and_constants_are_none(self, odd):
        assert s.inputs(probe(layers=(self.LAYER,), batches=(self.batch(**odd),))) == []

    def test_the_middle_of_the_batches_counts(self):
        batches = tuple(self.batch(mean=mean, deviation=1.0) for mean in (1.0, 2.0, 90.0))
        found = s.derived(probe(layers=(self.LAYER,), batches=batches))
        assert (found.input_mean, found.input_deviation) == (2.0, 1.0)


class TestBatchAxis:
    def test_by_the_loader(self):
        measured = {
            "checks": Checks(mixed_input=(16, 24, 1)),
            "loaders": (MeasuredLoader(batch_size=16, trained=True),),
        }
        assert s.batch_axis(probe(**measured)) == 0

    def test_time_may_come_first(self):
        measured = {
            "checks": Checks(mixed_input=(24, 16, 1)),
            "loaders": (MeasuredLoader(batch_size=16, trained=True),),
        }
        assert s.batch_axis(probe(**measured)) == 1

    def test_a_loader_that_only_validates_tells_nothing(self):
        measured = {
            "checks": Checks(mixed_input=(16, 24, 1)),
            "loaders": (MeasuredLoader(batch_size=16, trained=False),),
        }
        assert s.batch_axis(probe(**measured)) is None

    def test_a_square_does_not_tell(self):
        measured = {
            "checks": Checks(mixed_input=(16, 16, 1)),
            "loaders": (MeasuredLoader(batch_size=16, trained=True),),
        }
        assert s.batch_axis(probe(**measured)) is None


def test_a_run_without_steps_has_no_statistics():
    assert s.derived(Probe(status="no-training")).model_dump(exclude_none=True) == {"evaluations": 0}


def test_statistics_of_a_whole_run():
    found = s.derived(
        probe(
            series("loss", [4.0] * 20 + [1.0] * 180),
            series("gradient-norm", [1.0] * 200),
            series("learning-rate", [0.1] * 200),
            series("update-ratio", [0.01] * 20, every=10),
        )
    )
    assert (found.loss_first, found.loss_early, found.loss_tail) == (4.0, 4.0, 1.0)
    assert found.fall == pytest.approx((0.75, 0.75, 0.75))
    assert found.late_fall == pytest.approx((0.0, 0.0, 0.0))
    assert (found.norm_median, found.norm_max, found.spike) == (1.0, 1.0, 1.0)
    assert found.movement == pytest.approx(2.0)
    assert (found.rate_first, found.rate_last, found.rate_dead_since) == (0.1, 0.1, None)
