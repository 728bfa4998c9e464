"""Rules about initialisation and the hidden state."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import (
    ExtendArgument,
    InsertStatements,
    RemoveArgument,
    RemoveStatement,
    ReplaceCallee,
    SetArgument,
    SetValue,
)
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Dataset,
    DenseLayer,
    Draw,
    EpochLoop,
    HiddenState,
    Initialization,
    Optimizer,
    RecurrentLayer,
    Step,
    TrainingStep,
    Unknown,
)


def layer(kind: str = "LSTM", line: int = 5, **more: Any) -> RecurrentLayer:
    return RecurrentLayer(**({"kind": given(kind), "at": at(line)} | more))


def written(target: str, scheme: str, scale: object = ABSENT, line: int = 7, active: bool = True) -> Initialization:
    scale = given(scale, line) if isinstance(scale, (int, float)) else scale
    return Initialization(target=given(target), scheme=given(scheme), scale=scale, at=at(line), active=active)


class TestStateNotDetached:
    def verdict(self, carried: Any = True, detached: Any = False, **facts: Any) -> Verdict:
        state = HiddenState(
            carried=given(carried) if isinstance(carried, bool) else carried,
            detached=given(detached, 9, "inferred") if isinstance(detached, bool) else detached,
            initial=given("none"),
            at=at(6),
        )
        order = TrainingStep(order=(Step(kind="forward", at=at(9)), Step(kind="backward", at=at(11))))
        known = {"recurrent_layers": (layer(),), "hidden_state": state, "training_step": order}
        return judge("state-not-detached", program(**(known | facts)))

    def test_fires_at_backward(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 11)
        assert finding.message == (
            "the state carried from batch to batch is not detached: `backward()` reaches back into all batches"
        )
        assert [e.at.line for e in finding.evidence] == [9, 6]

    def test_at_the_state_where_no_backward_is_seen(self) -> None:
        assert self.verdict(training_step=TrainingStep(order=())).lines == [6]

    def test_silent_where_it_is_detached_or_starts_anew(self) -> None:
        assert self.verdict(detached=True).state == "passed"
        assert self.verdict(carried=False).state == "passed"
        assert self.verdict(carried=False, detached=ABSENT).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(detached=UNCLEAR).reason == "whether the state is detached: **kwargs"
        assert self.verdict(carried=UNCLEAR).findings == ()
        assert judge("state-not-detached", program("keras", recurrent_layers=(layer(),))).state == "not-applicable"


class TestStateCarriedAcrossShuffledBatches:
    def verdict(self, shuffle: object = True, carried: bool = True, reset: str = "never") -> Verdict:
        state = HiddenState(carried=given(carried, 9, "inferred"), reset=given(reset), at=at(6))
        shuffle = given(shuffle, 3) if isinstance(shuffle, bool) else shuffle
        facts = program(recurrent_layers=(layer(),), hidden_state=state, shuffle=shuffle)
        return judge("state-carried-across-shuffled-batches", facts)

    @pytest.mark.parametrize("reset", ["never", "epoch"])
    def test_fires_where_it_is_shuffled(self, reset: str) -> None:
        finding = self.verdict(reset=reset).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == "each batch starts from the state of an unrelated one: the samples are shuffled"
        assert [e.at.line for e in finding.evidence] == [9, 6]

    def test_silent_in_order(self) -> None:
        assert self.verdict(shuffle=False).state == "passed"

    def test_silent_on_a_fresh_state(self) -> None:
        assert self.verdict(carried=False).state == "passed"

    def test_silent_where_the_state_lives_as_long_as_one_document(self) -> None:
        assert self.verdict(reset="sequence").state == "passed"

    def test_silent_where_the_order_is_unknown(self) -> None:
        assert self.verdict(shuffle=UNCLEAR).findings == ()
        assert self.verdict(shuffle=UNSEEN).findings == ()


class TestStatefulWithShuffle:
    def verdict(
        self, shuffle: object = True, carried: bool = True, stateful: bool = True, via: str = "literal"
    ) -> Verdict:
        shuffle = given(shuffle, None if via == "default" else 12, via) if isinstance(shuffle, (bool, str)) else shuffle
        facts = program(
            "keras",
            recurrent_layers=(layer(stateful=given(stateful, 6)),),
            hidden_state=HiddenState(carried=given(carried), at=at(5)),
            shuffle=shuffle,
        )
        return judge("stateful-with-shuffle", facts)

    def test_fires_where_it_is_shuffled(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 12)
        assert finding.message == (
            "`fit` shuffles the samples, and the stateful LSTM hands its state to whatever comes next"
        )
        assert [e.at.line for e in finding.evidence] == [6, 5]

    def test_fires_at_the_layer_where_fit_shuffles_by_default(self) -> None:
        finding = self.verdict(via="default").only
        assert finding.at.line == 6
        assert "by default" in finding.message

    def test_silent_in_order(self) -> None:
        assert self.verdict(shuffle=False).state == "passed"
        assert self.verdict(shuffle=UNCLEAR).findings == ()

    def test_silent_on_a_copy_for_inference(self) -> None:
        assert self.verdict(carried=False).state == "passed"

    def test_silent_without_a_stateful_layer(self) -> None:
        assert self.verdict(stateful=False).state == "passed"


class TestStatefulNeverReset:
    def verdict(
        self, reset: Any = False, epochs: Any = 10, carried: bool = True, stateful: bool = True, **more: Any
    ) -> Verdict:
        facts = program(
            "keras",
            recurrent_layers=(layer(stateful=given(stateful, 6)),),
            hidden_state=HiddenState(
                carried=given(carried), reset=given(reset) if isinstance(reset, bool) else reset, at=at(5)
            ),
            epochs=given(epochs, 12) if isinstance(epochs, int) else epochs,
            **more,
        )
        return judge("stateful-never-reset", facts)

    def test_fires_at_stateful(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == (
            "nothing resets the state between the 10 epochs: each begins where the last one ended"
        )
        assert [e.at.line for e in finding.evidence] == [12]

    @pytest.mark.parametrize(("models", "fixed"), [(["model"], True), (["a", "b"], False)])
    def test_resets_in_a_callback(self, models: list[str], fixed: bool) -> None:
        fix = self.verdict(epoch_loop=EpochLoop(at=at(30), models=given(models))).only.fix
        assert (fix is not None) == fixed
        assert fix is None or isinstance(fix.edits[1], ExtendArgument)

    def test_silent_where_it_is_reset(self) -> None:
        assert self.verdict(reset=True).state == "passed"

    @pytest.mark.parametrize(("epochs", "fires"), [(1, False), (2, True), (UNCLEAR, False)])
    def test_needs_a_second_epoch(self, epochs: object, fires: bool) -> None:
        assert bool(self.verdict(epochs=epochs).findings) is fires

    def test_silent_on_a_copy_for_inference(self) -> None:
        assert self.verdict(carried=False).state == "passed"
        assert self.verdict(stateful=False).state == "passed"

    def test_unknown_callbacks(self) -> None:
        assert self.verdict(reset=Unknown(unknown="what the callbacks do is not seen")).reason == (
            "hidden state.reset: what the callbacks do is not seen"
        )


class TestForgetBiasNotSet:
    def verdict(self, gates: object = ABSENT, bias: object = ABSENT, steps: object = 100, **facts: Any) -> Verdict:
        bias = given(bias) if isinstance(bias, (int, float)) else bias
        known = {
            "recurrent_layers": (layer(gate_biases=gates), layer(line=6, gate_biases=gates)),
            "forget_bias": bias,
            "sequence_length": given(steps) if isinstance(steps, int) else steps,
        }
        options = facts.pop("options", {})
        return judge("forget-bias-not-set", program(**(known | facts)), **options)

    def test_fires_at_the_first_layer(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == (
            "the forget gate starts half closed: its bias is near 0, and nothing sets it for sequences of 100 steps"
        )
        assert [e.at.line for e in finding.evidence] == [6]

    def test_fires_where_the_length_is_unknown(self) -> None:
        assert self.verdict(steps=UNCLEAR).lines == [5]

    def test_fires_where_all_biases_are_set_to_zero(self) -> None:
        gates = given([{"layer": 0, "input": 0.0, "forget": 0.0, "cell": 0.0, "output": 0.0}])
        writes = (written("recurrent-bias", "zeros", 0.0, 9),)
        finding = self.verdict(gates, 0.0, initializations=writes).only
        assert finding.message == (
            "the forget gate starts half closed: its bias is set to 0 for sequences of 100 steps"
        )
        assert (finding.at.line, finding.fix) == (9, None)

    def test_opens_the_gates_behind_the_loop_that_set_them_to_zero(self) -> None:
        gates = given([{"layer": 0, "input": 0.0, "forget": 0.0, "cell": 0.0, "output": 0.0}])
        write = written("recurrent-bias", "zeros", 0.0, 9).model_copy(update={"of": given("self.rnn", 8)})
        fix = self.verdict(gates, 0.0, initializations=(write,)).only.fix
        assert fix is not None
        assert fix.edits[1:] == (InsertStatements(at=at(8), side="after", code="open_forget_gates(self.rnn)"),)

    @pytest.mark.parametrize(("steps", "fires"), [(29, False), (30, True)])
    def test_short_sequences_do_not_need_it(self, steps: int, fires: bool) -> None:
        assert bool(self.verdict(steps=steps).findings) is fires
        assert not self.verdict(steps=steps, options={"steps": 31}).findings

    @pytest.mark.parametrize("bias", [1.0, 2.0, 0.5])
    def test_silent_where_it_is_set(self, bias: float) -> None:
        gates = given([{"layer": 0, "input": 0.0, "forget": bias, "cell": 0.0, "output": 0.0}])
        assert self.verdict(gates, bias).state == "passed"

    def test_silent_on_keras_gru_and_modules(self) -> None:
        keras = layer(gate_biases=ABSENT, return_sequences=given(False))
        assert self.verdict(framework="both", recurrent_layers=(keras,)).state == "passed"
        assert self.verdict(recurrent_layers=(layer("GRU", gate_biases=ABSENT),)).state == "passed"
        assert self.verdict(api="module").state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(bias=UNCLEAR).reason == "forget bias: **kwargs"
        assert self.verdict(gates=UNCLEAR).findings == ()


class TestRandomInitialState:
    def verdict(
        self, initial: Any = "random", optimizers: int = 1, drawn: tuple[Any, ...] = (), draws: tuple[Draw, ...] = ()
    ) -> Verdict:
        initial = given(initial, 8, "inferred") if isinstance(initial, str) else initial
        facts = program(
            recurrent_layers=(layer(),),
            hidden_state=HiddenState(carried=given(False), initial=initial, drawn=draws, at=at(9)),
            initializations=drawn,
            optimizers=tuple(Optimizer(name=given("Adam"), at=at(20 + i)) for i in range(optimizers)),
        )
        return judge("random-initial-state", facts)

    def test_fires_where_it_is_drawn(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 8)
        assert finding.message == "the initial state is random noise, drawn anew in every forward pass"
        assert [e.at.line for e in finding.evidence] == [5]

    def test_names_each_draw(self) -> None:
        drawn = (written("state", "kaiming_normal", line=12), written("state", "kaiming_normal", line=13))
        finding = self.verdict(drawn=drawn).only
        assert finding.at.line == 12
        assert [e.at.line for e in finding.evidence] == [13, 5]

    def test_zeros_take_the_place_of_every_draw(self) -> None:
        names = ("randn", "rand_like", "kaiming_normal_")
        draws = tuple(Draw(at=at(8 + n), function=given(name)) for n, name in enumerate(names))
        fix = self.verdict(draws=draws).only.fix
        assert fix is not None
        assert fix.edits == (
            ReplaceCallee(at=at(8), was="randn", code="`torch.zeros`"),
            ReplaceCallee(at=at(9), was="rand_like", code="`torch.zeros_like`"),
            ReplaceCallee(at=at(10), was="kaiming_normal_", code="`torch.nn.init.zeros_`"),
        )
        assert self.verdict(draws=(*draws, Draw(at=at(11), function=UNCLEAR))).only.fix is None

    @pytest.mark.parametrize("initial", ["zeros", "none", "learned", "encoder", UNCLEAR])
    def test_silent_on_every_other_start(self, initial: object) -> None:
        assert self.verdict(initial).findings == ()

    def test_silent_on_two_networks_where_noise_is_an_input(self) -> None:
        assert self.verdict(optimizers=2).state == "passed"


class TestConstantWeights:
    EVERYWHERE = ("input-weights", "recurrent-weights", "dense-weights")

    def verdict(self, *writes: Initialization, heads: int = 1, **facts: Any) -> Verdict:
        dense = tuple(DenseLayer(units=given(1), at=at(30 + i)) for i in range(heads))
        known = {"recurrent_layers": (layer(),), "initializations": writes, "dense_layers": dense}
        return judge("constant-weights", program(**(known | facts)))

    def test_fires_where_the_constant_is_written(self) -> None:
        finding = self.verdict(*(written(t, "constant", 0.1) for t in self.EVERYWHERE), heads=2).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert finding.message == ("all weights start at 0.1, those of the head too: units that start equal stay equal")

    def test_fires_on_separate_acts_with_one_head(self) -> None:
        writes = [written(t, "zeros", 0.0, 7 + i) for i, t in enumerate(self.EVERYWHERE)]
        finding = self.verdict(*writes).only
        assert finding.at.line == 7
        assert [e.at.line for e in finding.evidence] == [8, 9]
        assert self.verdict(*writes, heads=2).state == "passed"

    @pytest.mark.parametrize("left_out", EVERYWHERE)
    def test_silent_where_one_matrix_is_random(self, left_out: str) -> None:
        writes = [written(t, "zeros", 0.0) for t in self.EVERYWHERE if t != left_out]
        assert self.verdict(*writes).state == "passed"

    def test_silent_on_zero_biases_and_states(self) -> None:
        assert (
            self.verdict(written("recurrent-bias", "zeros", 0.0), written("dense-bias", "zeros", 0.0)).state == "passed"
        )
        assert self.verdict(written("state", "zeros", 0.0)).state == "passed"

    def test_the_last_word_counts(self) -> None:
        zeros = [written(t, "zeros", 0.0) for t in self.EVERYWHERE]
        assert self.verdict(*zeros, written("recurrent-weights", "orthogonal", 1.0, 9)).state == "passed"
        assert self.verdict(*(z.model_copy(update={"active": False}) for z in zeros)).state == "passed"

    def test_keras(self) -> None:
        writes = [written(t, "Constant", 0.1) for t in ("LSTM.kernel", "LSTM.recurrent", "Dense.kernel")]
        assert self.verdict(*writes, framework="keras").lines == [7]
        assert self.verdict(*writes[:2], framework="keras").state == "passed"
        assert self.verdict(*writes[::2], framework="keras").state == "passed"
        assert self.verdict(*writes, framework="keras", heads=2).state == "passed"

    def test_keras_is_left_its_defaults(self) -> None:
        writes = [
            written(t, "zeros", line=7 + n) for n, t in enumerate(("LSTM.kernel", "LSTM.recurrent", "Dense.kernel"))
        ]
        fix = self.verdict(*writes, framework="keras").only.fix
        assert fix is not None
        assert fix.edits == (
            RemoveArgument(at=at(7), name="kernel_initializer"),
            RemoveArgument(at=at(8), name="recurrent_initializer"),
            RemoveArgument(at=at(9), name="kernel_initializer"),
        )

    def test_the_one_statement_that_writes_everything_goes(self) -> None:
        everything = [written(t, "constant", 0.1) for t in (*self.EVERYWHERE, "recurrent-bias", "dense-bias")]
        fix = self.verdict(*everything).only.fix
        assert fix is not None
        assert fix.edits == (RemoveStatement(at=at(7)),)
        assert self.verdict(*everything[:3]).only.fix is None

    def test_not_applicable_without_initialisations(self) -> None:
        assert self.verdict().state == "passed"


class TestWeightsTooLarge:
    def verdict(self, *writes: Initialization, framework: str = "pytorch", **options: Any) -> Verdict:
        facts = program(framework, recurrent_layers=(layer(),), initializations=writes)
        return judge("weights-too-large", facts, **options)

    def test_fires_where_the_spread_is_written(self) -> None:
        finding = self.verdict(written("recurrent-weights", "normal", 1.0)).only
        assert (finding.severity, finding.at.line) == ("warning", 7)
        assert finding.message == (
            "recurrent weights drawn with a standard deviation of 1 saturate many gates from the first step"
        )

    @pytest.mark.parametrize(("scheme", "scale", "fires"), [
        ("normal", 0.49, False), ("normal", 0.5, True), ("uniform", 0.86, False), ("uniform", 0.87, True),
        ("xavier_uniform", 5.0, False), ("orthogonal", 1.0, False), ("constant", 1.0, False),
    ])  # fmt: skip
    def test_threshold(self, scheme: str, scale: float, fires: bool) -> None:
        assert bool(self.verdict(written("input-weights", scheme, scale)).findings) is fires

    def test_both_matrices_at_one_place_are_one_finding(self) -> None:
        writes = (written("input-weights", "uniform", 1.0), written("recurrent-weights", "uniform", 1.0))
        assert self.verdict(*writes).only.message.startswith("recurrent weights drawn between ±1 ")

    def test_keras(self) -> None:
        assert self.verdict(written("LSTM.kernel", "RandomNormal", 1.0), framework="keras").lines == [7]
        assert self.verdict(written("Dense.kernel", "RandomNormal", 1.0), framework="keras").state == "passed"

    @pytest.mark.parametrize("target", ["embedding", "dense-weights", "recurrent-bias"])
    def test_silent_on_other_parameters(self, target: str) -> None:
        assert self.verdict(written(target, "normal", 1.0)).state == "passed"

    def test_the_last_word_counts(self) -> None:
        wide = written("input-weights", "normal", 1.0)
        assert self.verdict(wide, written("input-weights", "xavier_uniform", 1.0, 8)).state == "passed"
        assert self.verdict(wide.model_copy(update={"active": False})).state == "passed"
        assert self.verdict(written("input-weights", "normal", UNCLEAR)).state == "passed"

    def test_option(self) -> None:
        assert self.verdict(written("input-weights", "normal", 0.3), deviation=0.3).lines == [7]


class TestForgetBiasDisabled:
    def verdict(self, flag: object = False, **more: Any) -> Verdict:
        flag = given(flag, 6) if isinstance(flag, bool) else flag
        facts = {"bias_initializer": given("zeros", via="default"), "use_bias": given(True)} | more
        return judge(
            "forget-bias-disabled", program("keras", recurrent_layers=(layer(unit_forget_bias=flag, **facts),))
        )

    def test_fires_where_it_is_written(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == "`unit_forget_bias=False` starts this LSTM with its forget gate half closed"
        assert [e.at.line for e in finding.evidence] == [5]

    def test_silent_on_the_default(self) -> None:
        assert self.verdict(True).state == "passed"

    def test_silent_where_an_initializer_or_no_bias_takes_its_place(self) -> None:
        assert self.verdict(bias_initializer=given("remember")).state == "passed"
        assert self.verdict(bias_initializer=UNCLEAR).findings == ()
        assert self.verdict(use_bias=given(False)).state == "passed"

    def test_inactive_or_unknown(self) -> None:
        assert self.verdict(active=False).state == "passed"
        assert self.verdict(UNCLEAR).findings == ()


class TestForgetBiasWrongSlice:
    def gates(self, i: float | None, f: float | None, c: float | None, o: float | None) -> dict[str, Any]:
        return {"layer": 0, "direction": "forward", "input": i, "forget": f, "cell": c, "output": o}

    def verdict(self, *gates: dict[str, Any], writes: Any = None, kind: str = "LSTM", **more: Any) -> Verdict:
        writes = (written("recurrent-bias", "constant", 1.0),) if writes is None else writes
        layers = (layer(kind, gate_biases=given(list(gates), via="inferred"), **more),)
        return judge("forget-bias-wrong-slice", program(recurrent_layers=layers, initializations=writes))

    def test_two_halves_instead_of_twice_one(self) -> None:
        write = written("recurrent-bias", "constant", 1.0)
        fix = self.verdict(self.gates(0.0, 2.0, 0.0, 0.0), writes=(write, write)).only.fix
        assert fix is not None
        assert fix.edits == (SetValue(at=write.scale.at, was=1.0, to=0.5),)
        assert self.verdict(self.gates(1.0, 0.0, 0.0, 0.0)).only.fix is None

    def test_another_gate_is_an_error(self) -> None:
        finding = self.verdict(self.gates(1.0, 0.0, 0.0, 0.0)).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert finding.message == "a bias of 1 reaches the input gate: the order is input, forget, cell, output"
        assert [e.at.line for e in finding.evidence] == [5]

    def test_more_than_the_forget_gate(self) -> None:
        finding = self.verdict(self.gates(None, 1.0, 1.0, 1.0)).only
        assert finding.message.startswith("a bias of 1 reaches the cell and the output gate")

    def test_all_gates_are_a_warning(self) -> None:
        finding = self.verdict(self.gates(1.0, 1.0, 1.0, 1.0)).only
        assert finding.severity == "warning"
        assert finding.message == "a bias of 1 opens every gate of the LSTM, not the forget gate alone"

    def test_two_in_effect_is_advice(self) -> None:
        finding = self.verdict(self.gates(None, 2.0, None, None)).only
        assert finding.severity == "advice"
        assert "2 in effect" in finding.message
        meant = (written("forget-bias", "constant", 2.0),)
        assert self.verdict(self.gates(None, 2.0, None, None), writes=meant).state == "passed"

    @pytest.mark.parametrize("biases", [
        (0.0, 1.0, 0.0, 0.0), (None, 1.0, None, None), (0.01, 0.01, 0.01, 0.01), (-3.0, 3.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0), (None, 0.0, None, None),
    ])  # fmt: skip
    def test_silent(self, biases: tuple[float | None, ...]) -> None:
        assert self.verdict(self.gates(*biases)).state == "passed"  # type: ignore[arg-type]

    def test_every_layer_and_direction_counts(self) -> None:
        assert self.verdict(self.gates(0.0, 1.0, 0.0, 0.0), self.gates(1.0, 0.0, 0.0, 0.0)).lines == [7]

    def test_silent_on_a_gru_and_off_the_path(self) -> None:
        assert self.verdict(self.gates(1.0, 0.0, 0.0, 0.0), kind="GRU").state == "passed"
        assert self.verdict(self.gates(1.0, 0.0, 0.0, 0.0), active=False).state == "passed"

    def test_unknown(self) -> None:
        facts = program(recurrent_layers=(layer(gate_biases=UNCLEAR),))
        assert judge("forget-bias-wrong-slice", facts).findings == ()


class TestGruUpdateBiasNegative:
    def verdict(self, reset: float | None, update: float | None, new: float | None, kind: str = "GRU") -> Verdict:
        gates = given([{"layer": 0, "direction": "forward", "reset": reset, "update": update, "new": new}])
        writes = (written("recurrent-bias", "constant", -1.0, 8), written("recurrent-bias", "zeros", 0.0, 9))
        facts = program(recurrent_layers=(layer(kind, gate_biases=gates),), initializations=writes)
        return judge("gru-update-bias-negative", facts)

    def test_fires_where_the_negative_bias_is_written(self) -> None:
        finding = self.verdict(0.0, -1.0, 0.0).only
        assert (finding.severity, finding.at.line) == ("warning", 8)
        assert finding.message == (
            "an update-gate bias of -1 makes the GRU forget: its open update gate keeps the state"
        )
        assert [e.at.line for e in finding.evidence] == [5]

    def test_opens_the_update_gate(self) -> None:
        fix = self.verdict(0.0, -1.0, 0.0).only.fix
        assert fix is not None
        assert fix.edits == (SetValue(at=at(8), was=-1.0, to=1.0),)
        assert self.verdict(-1.0, 0.0, None).only.fix is None

    def test_all_gates_or_the_reset_gate_are_advice(self) -> None:
        everywhere = self.verdict(-1.0, -1.0, -1.0).only
        assert everywhere.severity == "advice"
        assert everywhere.message.startswith("a bias of -1 on all gates closes the update gate")
        reset = self.verdict(-1.0, 0.0, None).only
        assert reset.severity == "advice"
        assert reset.message == "a reset-gate bias of -1 does not lengthen the memory of the GRU"

    @pytest.mark.parametrize("biases", [(0.0, 1.0, 0.0), (0.0, 0.0, 0.0), (None, None, None), (0.0, 0.0, -1.0)])
    def test_silent(self, biases: tuple[float | None, float | None, float | None]) -> None:
        assert self.verdict(*biases).state == "passed"

    def test_silent_on_an_lstm(self) -> None:
        assert self.verdict(0.0, -1.0, 0.0, "LSTM").state == "passed"

    @pytest.mark.parametrize(("value", "fires"), [(-1.0, True), (1.0, False), (0.0, False)])
    def test_keras(self, value: float, fires: bool) -> None:
        facts = program(
            "keras",
            recurrent_layers=(layer("GRU", bias_initializer=given("Constant", 6)),),
            initializations=(written("GRU.bias", "Constant", value, 6),),
        )
        found = judge("gru-update-bias-negative", facts)
        assert [(f.severity, f.at.line) for f in found.findings] == ([("advice", 6)] if fires else [])


class TestBiasInitializerScrambled:
    def verdict(self, name: object = "chrono", flag: object = True, kind: str = "LSTM", **more: Any) -> Verdict:
        facts = {
            "bias_initializer": given(name, 6) if isinstance(name, str) else name,
            "unit_forget_bias": given(flag) if isinstance(flag, bool) else flag,
            "use_bias": given(True),
        }
        layers = (layer(kind, **(facts | more)),)
        return judge("bias-initializer-scrambled", program("keras", recurrent_layers=layers))

    def test_fires_at_the_initializer(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == "Keras calls `chrono` on a quarter of the bias and on a half, never on all of it"
        assert [e.at.line for e in finding.evidence] == [5]

    def test_silent_where_the_flag_is_off(self) -> None:
        assert self.verdict(flag=False).state == "passed"
        assert self.verdict(flag=UNCLEAR).findings == ()

    @pytest.mark.parametrize("name", ["zeros", "Constant", "random_normal", "RandomNormal", "HeUniform", "get"])
    def test_silent_on_the_own_ones_of_keras(self, name: str) -> None:
        assert self.verdict(name).state == "passed"

    def test_silent_without_a_forget_gate_or_bias(self) -> None:
        assert self.verdict(kind="GRU").state == "passed"
        assert self.verdict(use_bias=given(False)).state == "passed"
        assert self.verdict(UNCLEAR).findings == ()


class TestStateOfFixedBatch:
    def verdict(
        self, fixed: object = 32, batch: object = 32, drop: object = False, size: object = 500, carried: bool = False
    ) -> Verdict:
        facts = program(
            recurrent_layers=(layer(initial_batch=given(fixed, 6) if isinstance(fixed, int) else fixed),),
            batch_size=given(batch, 3) if isinstance(batch, int) else batch,
            dataset=Dataset(
                loader_drop_last=given(drop) if isinstance(drop, bool) else drop,
                size=given(size) if isinstance(size, int) else size,
                at=at(20),
            ),
            hidden_state=HiddenState(carried=given(carried)),
        )
        return judge("state-of-fixed-batch", facts)

    def test_fires_where_the_size_is_written(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == "the initial state is made for 32 sequences, and the last batch may be smaller"
        assert finding.fix is None  # where `drop_last` is written is not known
        assert [e.at.line for e in finding.evidence] == [5, 3]

    def test_leaves_the_last_batch_out(self) -> None:
        fix = self.verdict(drop=given(False, via="default")).only.fix
        assert fix is not None
        assert fix.edits == (SetArgument(at=at(20), name="drop_last", code="True"),)

    def test_fires_where_the_number_of_samples_is_unknown(self) -> None:
        assert self.verdict(size=UNCLEAR).lines == [6]

    def test_silent_where_the_batches_are_even(self) -> None:
        assert self.verdict(size=640).state == "passed"
        assert self.verdict(drop=True).state == "passed"
        assert self.verdict(fixed=1, batch=1).state == "passed"

    def test_silent_where_the_size_follows_the_input(self) -> None:
        assert self.verdict(fixed=ABSENT).state == "passed"

    def test_silent_on_a_carried_state(self) -> None:
        assert self.verdict(carried=True).state == "passed"

    def test_silent_on_what_is_not_known(self) -> None:
        assert self.verdict(drop=UNCLEAR).findings == ()
        assert self.verdict(drop=ABSENT).findings == ()
        assert self.verdict(batch=UNCLEAR).findings == ()
        assert self.verdict(batch=64).state == "passed"


class TestInitNotOrthogonal:
    def verdict(self, *writes: Initialization, **facts: Any) -> Verdict:
        return judge(
            "init-not-orthogonal", program(**({"recurrent_layers": (layer(),), "initializations": writes} | facts))
        )

    def test_fires_on_the_default(self) -> None:
        finding = self.verdict(written("dense-weights", "xavier_uniform")).only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == "the recurrent weights keep PyTorch's default, whose spectral radius is about 0.58"

    def test_silent_where_they_are_initialised(self) -> None:
        assert self.verdict(written("recurrent-weights", "orthogonal")).state == "passed"

    def test_silent_on_keras_and_off_the_path(self) -> None:
        assert (
            self.verdict(framework="both", recurrent_layers=(layer(return_sequences=given(False)),)).state == "passed"
        )
        assert self.verdict(recurrent_layers=(layer(active=False),)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(initializations=UNCLEAR).state == "undecided"


class TestInitialStateNotLearned:
    def verdict(self, initial: object = "zeros", carried: bool = False) -> Verdict:
        state = HiddenState(carried=given(carried), initial=given(initial) if isinstance(initial, str) else initial)
        return judge("initial-state-not-learned", program(recurrent_layers=(layer(),), hidden_state=state))

    @pytest.mark.parametrize("initial", ["zeros", "none"])
    def test_fires_on_zeros(self, initial: str) -> None:
        finding = self.verdict(initial).only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == "every sequence starts from a state of zeros"

    @pytest.mark.parametrize("initial", ["learned", "encoder", "random", UNCLEAR])
    def test_silent_on_other_starts(self, initial: object) -> None:
        assert self.verdict(initial).findings == ()

    def test_silent_on_a_carried_state(self) -> None:
        assert self.verdict(carried=True).state == "passed"
