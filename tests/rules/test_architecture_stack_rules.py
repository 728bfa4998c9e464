"""Rules about the layers of a model: how many, how wide, with which activations."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import ReplaceExpression
from lstmadvisor.facts import (
    ABSENT,
    Dataset,
    DenseLayer,
    Dropout,
    Edge,
    HiddenState,
    Initialization,
    Normalization,
    Output,
    Padding,
    Read,
    RecurrentLayer,
    Targets,
)


def layer(line: int = 5, kind: str = "LSTM", **more: Any) -> RecurrentLayer:
    return RecurrentLayer(**({"kind": given(kind), "at": at(line)} | more))


def torch_layer(line: int = 5, layers: object = 1, reads: str = "all-steps", **more: Any) -> RecurrentLayer:
    count = given(layers, line) if isinstance(layers, int) else layers
    return layer(line, num_layers=count, reads=(Read(what=given(reads)),), **more)


def keras_layer(line: int, sequences: bool = True, reads: str = "all-steps", **more: Any) -> RecurrentLayer:
    what = reads if sequences else "last-state"
    return layer(line, **({"return_sequences": given(sequences), "reads": (Read(what=given(what)),)} | more))


def edge(start: int, end: int, via: str | None = None, skip: bool = False) -> Edge:
    return Edge(from_=at(start), to=at(end), via=given(via) if via else ABSENT, skip=given(skip))


def dense(line: int, units: object, width: object = None, role: str = "hidden", activation: str = "none") -> DenseLayer:
    return DenseLayer(
        at=at(line),
        units=given(units, line) if not hasattr(units, "unknown") else units,
        input_units=given(width) if width is not None else UNCLEAR,
        activation=given(activation),
        role=given(role),
    )


class TestTooManyRecurrentLayers:
    def verdict(
        self, *layers: RecurrentLayer, framework: str = "pytorch", options: Any = None, **facts: Any
    ) -> Verdict:
        facts = {"graph": ()} | facts
        given_ = program(framework, recurrent_layers=layers, **facts)
        return judge("too-many-recurrent-layers", given_, **(options or {}))

    def keras(self, *sequences: bool, **facts: Any) -> Verdict:
        layers = [keras_layer(10 + i, value) for i, value in enumerate(sequences)]
        graph = tuple(edge(10 + i, 11 + i) for i in range(len(sequences) - 1))
        return self.verdict(*layers, framework="keras", **({"graph": graph} | facts))

    def test_fires_from_three_and_louder_from_four(self) -> None:
        assert self.verdict(torch_layer(5, 2)).state == "passed"
        three = self.verdict(torch_layer(5, 3)).only
        assert (three.severity, three.message) == (
            "advice",
            "3 recurrent layers are stacked without residual connections",
        )
        assert self.verdict(torch_layer(5, 4)).only.severity == "warning"
        assert self.verdict(torch_layer(5, 2), options={"advice": 2}).only.severity == "advice"

    def test_layers_that_feed_each_other(self) -> None:
        finding = self.keras(True, True, True, False).only
        assert (finding.severity, finding.at.line) == ("warning", 13)
        assert [evidence.at.line for evidence in finding.evidence] == [10, 11, 12]
        graph = (edge(10, 20, "direct"), edge(20, 30, "direct"))
        assert self.verdict(torch_layer(10), torch_layer(20), torch_layer(30, reads="last-step"), graph=graph).findings

    def test_past_a_dropout(self) -> None:
        graph = (edge(10, 50), edge(50, 11), edge(11, 12))
        assert self.keras(True, True, False, graph=graph).findings

    def test_built_in_a_loop(self) -> None:
        layers = [keras_layer(10, True), keras_layer(10, True), keras_layer(10, False)]
        assert self.verdict(*layers, framework="keras", graph=(edge(10, 10),)).only.severity == "advice"
        assert self.verdict(*layers, framework="keras").state == "passed"

    def test_encoder_and_decoder_are_two(self) -> None:
        graph = (edge(10, 11), edge(11, 40), edge(40, 12), edge(12, 13))
        assert self.keras(True, False, True, True, graph=graph).state == "passed"
        states = (edge(10, 11), edge(11, 12, "state"), edge(12, 13))
        assert self.keras(True, True, True, True, graph=states).state == "passed"
        encoder, decoder = torch_layer(10, 2, reads="whole-state"), torch_layer(20, 2)
        assert self.verdict(encoder, decoder, graph=(edge(10, 20, "direct"),)).state == "passed"

    def test_residual_connections(self) -> None:
        assert self.verdict(torch_layer(5, 4), graph=(edge(2, 5, "direct", skip=True),)).state == "passed"

    def test_convolutions_and_modules_and_branches(self) -> None:
        assert self.verdict(torch_layer(5, 5), api="module").state == "passed"
        assert self.verdict(torch_layer(5, 5, active=False)).state == "passed"
        convolutions = [keras_layer(10 + i, kind="ConvLSTM2D") for i in range(4)]
        graph = tuple(edge(10 + i, 11 + i) for i in range(3))
        assert self.verdict(*convolutions, framework="keras", graph=graph).state == "passed"

    def test_unknown_depth(self) -> None:
        assert self.verdict(torch_layer(5, UNCLEAR)).state == "passed"
        assert self.verdict(torch_layer(5, given({"low": 1, "high": 8}, via="search"))).state == "passed"


class TestNoLayerNorm:
    def verdict(self, depth: int, *norms: Normalization, **facts: Any) -> Verdict:
        facts = {"recurrent_layers": (torch_layer(5, depth),), "normalizations": norms, "graph": ()} | facts
        return judge("no-layer-norm", program(**facts))

    def test_fires_from_three(self) -> None:
        assert self.verdict(2).state == "passed"
        assert self.verdict(3).only.message == "3 stacked recurrent layers without layer normalisation"

    def test_silent(self) -> None:
        assert self.verdict(3, Normalization(kind=given("layer"))).state == "passed"
        assert self.verdict(3, graph=(edge(2, 5, "direct", skip=True),)).state == "passed"
        assert self.verdict(3, api="module").state == "passed"
        assert self.verdict(3, normalizations=UNCLEAR).state == "undecided"


class TestUnitsExtreme:
    def verdict(self, *layers: RecurrentLayer, **facts: Any) -> Verdict:
        facts = {"targets": Targets(kind=given("real"))} | facts
        return judge("units-extreme", program(recurrent_layers=layers, **facts))

    def wide(self, units: int, **more: Any) -> RecurrentLayer:
        more = {"input_size": given(4), "num_layers": given(1), "bidirectional": given(False)} | more
        return layer(units=given(units, 3), **more)

    def test_few(self) -> None:
        finding = self.verdict(self.wide(4)).only
        assert (finding.severity, finding.at.line) == ("advice", 3)
        assert self.verdict(self.wide(5)).state == "passed"

    def test_more_weights_than_data(self) -> None:
        data = {"dataset": Dataset(size=given(10)), "sequence_length": given(10)}
        assert self.verdict(self.wide(64), **data).only.message == "17,408 recurrent weights for 400 training values"
        assert self.verdict(self.wide(16), **data).state == "passed"
        assert self.verdict(self.wide(64), sequence_length=given(10)).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(self.wide(2), api="module").state == "passed"
        assert self.verdict(self.wide(2), targets=Targets(kind=UNCLEAR)).state == "passed"
        assert self.verdict(layer(units=UNCLEAR)).state == "passed"


class TestDenseBottleneck:
    def verdict(self, units: int = 5, width: int = 64, classes: int = 40, options: Any = None, **facts: Any) -> Verdict:
        hidden = dense(6, units, width, facts.pop("role", "hidden"), facts.pop("activation", "relu"))
        facts = {
            "dense_layers": (hidden, dense(7, classes, units, "output")),
            "graph": (edge(6, 7),),
            "targets": Targets(kind=given("class-ids")),
            "output": Output(units=given(classes)),
        } | facts
        return judge("dense-bottleneck", program(recurrent_layers=(layer(),), **facts), **(options or {}))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == "5 units stand between 64 features and 40 classes"

    def test_half_of_both(self) -> None:
        assert self.verdict(units=19).findings
        assert self.verdict(units=20).state == "passed"
        assert self.verdict(units=8, width=16).state == "passed"

    def test_classes(self) -> None:
        assert self.verdict(units=2, classes=10).state == "passed"
        assert self.verdict(units=2, classes=10, options={"classes": 10}).findings

    def test_past_a_dropout(self) -> None:
        dropouts = (Dropout(at=at(9)),)
        assert self.verdict(graph=(edge(6, 9), edge(9, 7)), dropouts=dropouts).findings
        assert self.verdict(graph=(edge(6, 9), edge(9, 7))).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(targets=Targets(kind=given("real"))).state == "passed"
        assert self.verdict(targets=Targets(kind=UNCLEAR)).state == "passed"
        assert self.verdict(graph=(edge(6, 7), edge(5, 7))).state == "passed"
        assert self.verdict(role="projection").state == "passed"
        assert self.verdict(activation="none").state == "passed"


class TestDenseUnitsOutsideFolklore:
    @pytest.mark.parametrize(("units", "state"), [(4, "failed"), (5, "passed"), (10, "passed"), (11, "failed")])
    def test_range(self, units: int, state: str) -> None:
        layers = (dense(6, units, 64), dense(7, 40, units, "output"))
        given_ = program(recurrent_layers=(layer(),), dense_layers=layers)
        assert judge("dense-units-outside-folklore", given_).state == state

    def test_unknown(self) -> None:
        given_ = program(recurrent_layers=(layer(),), dense_layers=(dense(6, UNCLEAR),))
        assert judge("dense-units-outside-folklore", given_).state == "passed"


class TestLinearLayersStacked:
    def verdict(self, units: object = 25, after: object = 1, via: str | None = None, **facts: Any) -> Verdict:
        hidden = dense(6, units, 50, activation=facts.pop("activation", "none"))
        facts = {"dense_layers": (hidden, dense(7, after, units, "output")), "graph": (edge(6, 7, via),)} | facts
        return judge("linear-layers-stacked", program("keras", recurrent_layers=(layer(),), **facts))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 6)
        assert finding.message == (
            "no activation between this dense layer of 25 units and the next: together they are one linear map"
        )
        assert self.verdict(via="direct").findings
        assert self.verdict(units=given({"low": 1, "high": 9}, via="search").value).findings

    def test_silent(self) -> None:
        assert self.verdict(activation="relu").state == "passed"
        assert self.verdict(via="activation").state == "passed"
        assert self.verdict(via="operation").state == "passed"
        assert self.verdict(units=25, after=5000).state == "passed"
        assert self.verdict(graph=(edge(6, 7), edge(6, 8))).state == "passed"
        assert self.verdict(graph=UNCLEAR).state == "passed"
        assert self.verdict(api="module").state == "passed"


class TestActivationInGatedCell:
    def verdict(self, *layers: RecurrentLayer, **facts: Any) -> Verdict:
        return judge("activation-in-gated-cell", program("keras", recurrent_layers=layers, **facts))

    def test_fires_once_for_each_activation(self) -> None:
        relu = [layer(5 + i, activation=given("relu", 2)) for i in range(3)]
        finding = self.verdict(*relu).only
        assert (finding.severity, finding.at.line) == ("warning", 2)
        assert finding.message == "the LSTM (and 2 more) has the activation relu, which has no bound"
        assert [evidence.at.line for evidence in finding.evidence] == [5, 6, 7]
        assert len(self.verdict(relu[0], layer(9, "GRU", activation=given("none", 9))).findings) == 2

    @pytest.mark.parametrize("name", ["tanh", "softsign", "hard_sigmoid", "sigmoid", "my_function"])
    def test_silent_on_others(self, name: str) -> None:
        assert self.verdict(layer(activation=given(name))).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(layer(kind="SimpleRNN", activation=given("relu"))).state == "passed"
        assert self.verdict(layer(activation=UNCLEAR)).state == "passed"
        assert self.verdict(layer(activation=given("relu"), active=False)).state == "passed"
        default = layer(activation=given("relu", 3, "function-default"))
        assert self.verdict(default, api="module").state == "passed"
        assert self.verdict(default).findings


class TestReluInPlainRnn:
    def verdict(self, *schemes: str, kind: str = "RNN", activation: str = "relu", **facts: Any) -> Verdict:
        found = tuple(Initialization(scheme=given(scheme)) for scheme in schemes)
        facts = {"initializations": found} | facts
        return judge(
            "relu-in-plain-rnn", program(recurrent_layers=(layer(kind=kind, activation=given(activation, 4)),), **facts)
        )

    def keras(self, scheme: str) -> Verdict:
        found = keras_layer(5, kind="SimpleRNN", activation=given("relu"), recurrent_initializer=given(scheme))
        return judge("relu-in-plain-rnn", program("keras", recurrent_layers=(found,)))

    def test_fires(self) -> None:
        assert (self.verdict().only.severity, self.verdict().only.at.line) == ("warning", 4)
        assert self.verdict("xavier_uniform").findings
        assert self.keras("glorot_uniform").findings

    def test_silent(self) -> None:
        assert self.verdict("eye").state == self.verdict("orthogonal").state == self.verdict("copy").state == "passed"
        assert self.verdict(activation="tanh").state == "passed"
        assert self.verdict(kind="LSTM").state == "passed"
        assert self.verdict(initializations=UNCLEAR).state == "undecided"
        for scheme in ("orthogonal", "Identity", "my_initializer"):
            assert self.keras(scheme).state == "passed"


class TestPlainRnnOnLongSequence:
    def verdict(
        self, steps: object = 50, *schemes: str, kind: str = "RNN", options: Any = None, **facts: Any
    ) -> Verdict:
        found = tuple(Initialization(scheme=given(scheme)) for scheme in schemes)
        length = given(steps, 2) if isinstance(steps, int) else steps
        layers = (layer(kind=kind, activation=given(facts.pop("activation", "tanh"))),)
        facts = {"initializations": found, "recurrent_layers": layers} | facts
        return judge("plain-rnn-on-long-sequence", program(sequence_length=length, **facts), **(options or {}))

    def keras(self, steps: int, scheme: str = "orthogonal", activation: str = "tanh") -> Verdict:
        found = keras_layer(
            5, kind="SimpleRNN", activation=given(activation), recurrent_initializer=given(scheme, via="default")
        )
        given_ = program("keras", recurrent_layers=(found,), sequence_length=given(steps))
        return judge("plain-rnn-on-long-sequence", given_)

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == "a plain RNN reads 50 steps, of which it remembers the last few"
        assert self.verdict(21).findings
        assert self.verdict(20).state == "passed"
        assert self.verdict(15, options={"steps": 10}).findings

    def test_orthogonal_reaches_further(self) -> None:
        assert self.verdict(50, "orthogonal").state == "passed"
        assert self.verdict(51, "orthogonal").findings
        assert self.keras(50).state == "passed"
        assert self.keras(200).findings
        assert self.keras(30, "glorot_uniform").findings

    def test_silent(self) -> None:
        assert self.verdict(200, "eye").state == "passed"
        assert self.keras(784, "Identity", "relu").state == "passed"
        assert self.verdict(200, "orthogonal", activation="relu").state == "passed"
        assert self.verdict(200, kind="GRU").state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(api="module").state == "passed"
        assert self.verdict(initializations=UNCLEAR).state == "undecided"


class TestGruAlternative:
    def verdict(self, *layers: RecurrentLayer, framework: str = "pytorch") -> Verdict:
        return judge("gru-alternative", program(framework, recurrent_layers=layers))

    def test_counts(self) -> None:
        sizes = {"input_size": given(16), "units": given(64), "num_layers": given(1), "bidirectional": given(False)}
        assert (
            self.verdict(layer(**sizes)).only.message == "a GRU of the same size would save 5,248 of 20,992 parameters"
        )
        assert "a quarter" in self.verdict(keras_layer(5), framework="keras").only.message

    def test_silent_without_an_lstm(self) -> None:
        assert self.verdict(layer(kind="GRU")).state == "passed"


class TestNoInputProjection:
    def verdict(self, width: object = 512, *edges: Edge, options: Any = None, **facts: Any) -> Verdict:
        size = given(width, 3) if isinstance(width, int) else width
        given_ = program(recurrent_layers=(layer(input_size=size, units=given(64)),), **({"graph": edges} | facts))
        return judge("no-input-projection", given_, **(options or {}))

    def test_width(self) -> None:
        assert self.verdict(256).only.message == "256 features go straight into the LSTM of 64 units"
        assert self.verdict(255).state == "passed"
        assert self.verdict(100, options={"width": 100}).findings

    def test_silent(self) -> None:
        assert self.verdict(512, edge(2, 5, "direct")).state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(512, graph=UNCLEAR).state == "passed"


class TestBatchnormOnRecurrentOutput:
    def verdict(
        self, position: str = "between", kind: str = "batch", layer_kind: str = "LSTM", **facts: Any
    ) -> Verdict:
        norms = (Normalization(at=at(6), kind=given(kind), position=given(position)),)
        given_ = program(recurrent_layers=(layer(kind=layer_kind),), normalizations=norms, **facts)
        return judge("batchnorm-on-recurrent-output", given_)

    def test_advice_and_louder_over_padding(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 6)
        padded = self.verdict(padding=Padding(padded=given(True), at=at(2))).only
        assert padded.severity == "warning"
        assert padded.message.endswith("padding included")
        assert self.verdict(padding=Padding(padded=given(True), packed=given(True))).only.severity == "advice"

    @pytest.mark.parametrize("position", ["input", "head", "pre-output", "output"])
    def test_silent_elsewhere(self, position: str) -> None:
        assert self.verdict(position).state == "passed"

    def test_layer_normalisation_takes_its_place_in_keras(self) -> None:
        fix = self.verdict(framework="keras").only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(6), code="`keras.layers.LayerNormalization`()"),)
        assert self.verdict().only.fix is None

    def test_silent(self) -> None:
        assert self.verdict(kind="layer").state == "passed"
        assert self.verdict(layer_kind="ConvLSTM2D").state == "passed"


class TestFastKernelLost:
    def verdict(self, kind: str = "LSTM", *, api: str = "fit", **more: Any) -> Verdict:
        more = {"activation": given("tanh"), "recurrent_activation": given("sigmoid")} | more
        return judge("fast-kernel-lost", program("keras", recurrent_layers=(layer(kind=kind, **more),), api=api))

    def test_fires(self) -> None:
        finding = self.verdict(recurrent_dropout=given(0.2, 7)).only
        assert (finding.severity, finding.at.line) == ("advice", 7)
        assert finding.message.startswith("recurrent_dropout=0.2 keeps this LSTM from the fused GPU kernel")
        assert self.verdict(unroll=given(True)).findings
        assert self.verdict(use_bias=given(False)).findings
        assert self.verdict("GRU", reset_after=given(False)).findings
        assert self.verdict(recurrent_activation=given("hard_sigmoid")).findings

    def test_silent(self) -> None:
        assert self.verdict(dropout=given(0.2), recurrent_dropout=given(0.0)).state == "passed"
        assert self.verdict(activation=given("relu")).state == "passed"
        assert self.verdict("SimpleRNN", recurrent_dropout=given(0.2)).state == "passed"
        assert self.verdict("ConvLSTM2D", recurrent_dropout=given(0.2)).state == "passed"
        assert self.verdict(recurrent_dropout=UNCLEAR).state == "passed"
        assert self.verdict(recurrent_dropout=given(0.2), api="module").state == "passed"

    def test_several_reasons_are_one_finding(self) -> None:
        assert len(self.verdict(recurrent_dropout=given(0.2), unroll=given(True)).findings) == 1


class TestSingleTimeStep:
    def verdict(self, steps: object = 1, *layers: RecurrentLayer, carried: object = False, **facts: Any) -> Verdict:
        state = HiddenState(
            carried=given(carried) if isinstance(carried, bool) else carried,
            initial=given(facts.pop("initial", "none")),
        )
        length = given(steps, 2) if isinstance(steps, int) else steps
        layers = layers or (layer(stepped_by_hand=given(False)),)
        return judge(
            "single-time-step", program(recurrent_layers=layers, sequence_length=length, hidden_state=state, **facts)
        )

    def test_fires_where_the_one_is_written(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 2)
        assert finding.message == "the sequences have one time step, so the recurrence never takes place"
        assert [evidence.at.line for evidence in finding.evidence] == [5]
        assert self.verdict(initial="zeros").findings

    def test_silent(self) -> None:
        assert self.verdict(2).state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(1, layer(stepped_by_hand=given(True))).state == "passed"
        assert self.verdict(1, layer(stateful=given(True))).state == "passed"
        assert self.verdict(1, layer(active=False)).state == "passed"
        assert self.verdict(carried=True).state == "passed"
        assert self.verdict(initial="encoder").state == "passed"
        assert self.verdict(api="module").state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(carried=UNCLEAR).state == "undecided"


class TestMissingReturnSequences:
    def verdict(self, *edges: Edge, first: bool = False, layers: Any = None, **facts: Any) -> Verdict:
        layers = layers or (keras_layer(5, first), keras_layer(6, False))
        given_ = program("keras", recurrent_layers=layers, **({"graph": edges or (edge(5, 6),)} | facts))
        return judge("missing-return-sequences", given_)

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 5)
        assert finding.message == "this LSTM returns its last step only, and the LSTM behind it needs all steps"
        assert [evidence.at.line for evidence in finding.evidence] == [6]

    def test_past_a_dropout(self) -> None:
        edges = (edge(5, 9), edge(9, 6))
        assert self.verdict(*edges, dropouts=(Dropout(at=at(9)),)).findings
        assert self.verdict(*edges).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(first=True).state == "passed"
        for via in ("state", "time-distributed", "operation", "reshape"):
            assert self.verdict(edge(5, 6, via)).state == "passed"

    def test_silent_where_places_are_shared(self) -> None:
        assert self.verdict(edge(5, 5), layers=(keras_layer(5), keras_layer(5, False))).state == "passed"
        shared = (edge(4, 9), edge(5, 9), edge(9, 6))
        assert self.verdict(*shared, dropouts=(Dropout(at=at(9)),)).state == "passed"


class TestSequenceIntoSingleTarget:
    def verdict(self, shape: object, *edges: Edge, units: int = 1, **facts: Any) -> Verdict:
        targets = Targets(shape=given(shape) if isinstance(shape, list) else shape)
        layers = facts.pop("layers", (keras_layer(5, return_sequences=given(True, 4)),))
        facts = {"dense_layers": (dense(7, units, 32, "output"),), "graph": edges or (edge(5, 7),)} | facts
        return judge("sequence-into-single-target", program("keras", recurrent_layers=layers, targets=targets, **facts))

    def test_fires(self) -> None:
        finding = self.verdict([None]).only
        assert (finding.severity, finding.at.line) == ("warning", 4)
        assert self.verdict([None, 1]).findings
        assert self.verdict([None], edge(5, 9), edge(9, 7), dropouts=(Dropout(at=at(9)),)).findings

    def test_silent(self) -> None:
        assert self.verdict([None, 20, 1]).state == "passed"
        assert self.verdict([None, 20]).state == "passed"
        assert self.verdict([None], edge(5, 7, "time-distributed")).state == "passed"
        assert self.verdict([None], units=3).state == "passed"
        assert self.verdict([None], sequence_length=given(1)).state == "passed"
        assert self.verdict([None], layers=(keras_layer(5, False),)).state == "passed"
        assert self.verdict([None], layers=(keras_layer(5), keras_layer(5, False))).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).state == "undecided"
