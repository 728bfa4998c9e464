"""What was measured stands in for what the code does not tell, and corrects what it tells otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from lstmadvisor.facts import (
    Clipping,
    HiddenState,
    Known,
    Optimizer,
    Padding,
    Place,
    Program,
    RecurrentLayer,
    Unknown,
    plain,
)
from lstmadvisor.measured import (
    MeasuredClipping,
    MeasuredLayer,
    MeasuredLoader,
    MeasuredLoss,
    MeasuredOptimizer,
    Probe,
    Series,
    Statistics,
)
from lstmadvisor.probe.joining import joined

UNTOLD = Unknown(unknown="from a function", at=Place(path="train.py", line=7))


def at(line: int) -> Place:
    return Place(path="train.py", line=line)


def given(value: Any, line: int = 5, via: Any = "literal") -> Known:
    return Known(value=value, via=via, at=at(line))


def join(facts: dict[str, Any], **measured: Any) -> Program:
    program = Program(path="train.py", files=("train.py",), framework="pytorch", **facts)
    return joined(program, Probe(status="step-limit", steps=200, **measured))


class TestBatchSize:
    LOADERS = (
        MeasuredLoader(batch_size=32, size=500, shuffled=True, trained=True),
        MeasuredLoader(batch_size=99, trained=False),
    )

    def test_fills_what_is_unknown_and_keeps_the_place(self):
        assert join({"batch_size": UNTOLD}, loaders=self.LOADERS).batch_size == Known(value=32, via="probe", at=at(7))

    def test_agreement_changes_nothing(self):
        program = join({"batch_size": given(32)}, loaders=self.LOADERS)
        assert (program.batch_size, program.disagreements) == (given(32), ())

    def test_what_is_written_and_not_so_is_a_disagreement(self):
        program = join({"batch_size": given(64)}, loaders=self.LOADERS)
        (one,) = program.disagreements
        assert (plain(one.what), plain(one.read), plain(one.measured), one.at) == ("batch size", 64, 32, at(5))
        assert plain(program.batch_size) == 32

    @pytest.mark.parametrize("via", ["argparse", "config", "default", "function-default"])
    def test_a_setting_may_be_set(self, via):
        program = join({"batch_size": given(64, via=via)}, loaders=self.LOADERS)
        assert (plain(program.batch_size), program.disagreements) == (32, ())

    def test_two_loaders_tell_nothing(self):
        two = (MeasuredLoader(batch_size=32, trained=True), MeasuredLoader(batch_size=16, trained=True))
        assert join({"batch_size": given(64)}, loaders=two).batch_size == given(64)

    def test_size_and_order_of_the_data(self):
        program = join({}, loaders=self.LOADERS)
        assert (plain(program.dataset.size), plain(program.shuffle)) == (500, True)


class TestLearningRate:
    OPTIMIZERS = (MeasuredOptimizer(name="Adam", rates=(0.01,)),)

    @staticmethod
    def rates(*values: float) -> tuple[Series, ...]:
        return (Series(name="learning-rate", steps=tuple(range(len(values))), values=values),)

    def test_a_rate_that_stays(self):
        code = {"optimizers": (Optimizer(name=UNTOLD, learning_rate=UNTOLD),)}
        (optimizer,) = join(code, optimizers=self.OPTIMIZERS, series=self.rates(0.01, 0.01)).optimizers
        assert (plain(optimizer.name), plain(optimizer.learning_rate)) == ("Adam", 0.01)

    def test_a_schedule_is_no_disagreement(self):
        code = {"optimizers": (Optimizer(name=given("Adam"), learning_rate=given(0.1)),)}
        program = join(code, optimizers=self.OPTIMIZERS, series=self.rates(0.01, 0.02))
        assert (program.optimizers, program.disagreements) == (code["optimizers"], ())

    def test_another_one_is(self):
        code = {"optimizers": (Optimizer(name=given("Adam"), learning_rate=given(0.1)),)}
        program = join(code, optimizers=self.OPTIMIZERS, series=self.rates(0.01, 0.01))
        assert [plain(one.what) for one in program.disagreements] == ["learning rate"]
        assert plain(program.optimizers[0].learning_rate) == 0.01

    def test_rounding_is_none(self):
        code = {"optimizers": (Optimizer(name=given("Adam"), learning_rate=given(0.01)),)}
        program = join(code, optimizers=(MeasuredOptimizer(name="Adam", rates=(0.0100000000001,)),))
        assert program.disagreements == ()

    def test_two_optimizers_are_left_alone(self):
        code = {"optimizers": (Optimizer(name=given("Adam")), Optimizer(name=given("SGD")))}
        assert join(code, optimizers=self.OPTIMIZERS).optimizers == code["optimizers"]


class TestClipping:
    MEASURED = (MeasuredClipping(kind="norm", max=0.25, calls=200, before_step=200),)

    def test_calls_that_the_code_does_not_show(self):
        (clip,) = join({"clipping": UNTOLD}, clipping=self.MEASURED).clipping
        assert (plain(clip.kind), plain(clip.max), plain(clip.placement)) == ("norm", 0.25, "ok")

    def test_no_call_proves_nothing(self):
        assert join({"clipping": UNTOLD}).clipping == UNTOLD

    def test_the_limit(self):
        program = join({"clipping": (Clipping(kind=given("norm"), max=given(5.0)),)}, clipping=self.MEASURED)
        assert plain(program.clipping[0].max) == 0.25
        assert [plain(one.what) for one in program.disagreements] == ["limit of the gradient"]


class TestLayers:
    MEASURED = MeasuredLayer(kind="LSTM", at=Place(path="/scratch/train.py", line=3), units=64, sequence_length=40)

    def test_arguments_that_the_code_does_not_tell(self):
        code = {"recurrent_layers": (RecurrentLayer(kind=given("LSTM"), units=UNTOLD, at=at(3)),)}
        program = join(code, layers=(self.MEASURED,))
        assert plain(program.recurrent_layers[0].units) == 64
        assert plain(program.sequence_length) == 40

    def test_another_line_is_another_layer(self):
        code = {"recurrent_layers": (RecurrentLayer(kind=given("LSTM"), units=UNTOLD, at=at(4)),)}
        assert join(code, layers=(self.MEASURED,)).recurrent_layers == code["recurrent_layers"]

    def test_a_layer_that_was_not_found_in_the_code(self):
        own = self.MEASURED.model_copy(update={"at": at(3)})
        foreign = self.MEASURED.model_copy(update={"at": Place(path="site-packages/lib.py", line=3)})
        program = join({"recurrent_layers": ()}, layers=(own, foreign))
        assert [(plain(one.kind), one.at) for one in program.recurrent_layers] == [("LSTM", at(3))]

    def test_calls_of_a_cell_are_no_sequence(self):
        cell = MeasuredLayer(kind="LSTMCell", sequence_length=400)
        assert plain(join({}, layers=(cell,)).sequence_length) is None


class TestState:
    @pytest.mark.parametrize(
        ("state", "carried", "initial"), [("none", False, "none"), ("zero", False, "zeros"), ("carried", True, None)]
    )
    def test_what_the_layers_start_from(self, state, carried, initial):
        found = join({}, layers=(MeasuredLayer(kind="LSTM", state=state, carried_graph=False),)).hidden_state
        assert (plain(found.carried), plain(found.initial)) == (carried, initial)

    def test_what_the_code_tells_stays(self):
        code = {"hidden_state": HiddenState(carried=given(True), detached=given(True))}
        found = join(code, layers=(MeasuredLayer(kind="LSTM", state="carried", carried_graph=True),)).hidden_state
        assert (found.carried, found.detached) == (given(True), given(True))


@pytest.mark.parametrize(("mean", "deviation", "scaled"), [(0.0, 1.0, True), (50.0, 1.0, False), (0.0, 300.0, False)])
def test_scale_of_the_input(mean, deviation, scaled):
    statistics = Statistics(input_mean=mean, input_deviation=deviation)
    assert plain(join({}, statistics=statistics).dataset.input_scaled) is scaled


def test_a_run_without_steps_changes_nothing_else():
    program = Program(path="train.py", batch_size=UNTOLD)
    probe = Probe(status="no-training")
    assert joined(program, probe) == program.model_copy(update={"probe": probe})


class TestPadding:
    @pytest.mark.parametrize(("share", "counted"), [(0.4, True), (0.0, False)])
    def test_whether_padded_targets_count_is_filled_in(self, share, counted):
        losses = (MeasuredLoss(name="cross_entropy", padded=share),)
        assert plain(join({"padding": Padding(in_loss=UNTOLD)}, losses=losses).padding.in_loss) is counted

    def test_what_the_code_tells_stays(self):
        losses = (MeasuredLoss(name="cross_entropy", padded=0.0),)
        assert join({"padding": Padding(in_loss=given(True))}, losses=losses).padding.in_loss == given(True)
