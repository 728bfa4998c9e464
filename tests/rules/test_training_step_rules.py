"""Rules about the training step, the evaluation, and how far gradients go back."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import InsertStatements
from lstmadvisor.facts import (
    ABSENT,
    Dataset,
    DenseLayer,
    Dropout,
    Edge,
    Embedding,
    HiddenState,
    Normalization,
    Padding,
    RecurrentLayer,
    Step,
    TrainingStep,
    Validation,
)


def layer(kind: str = "LSTM", **more: Any) -> RecurrentLayer:
    return RecurrentLayer(kind=given(kind), at=at(5), **({"bidirectional": given(False)} | more))


class TestZeroGradMissing:
    def verdict(self, zero_grad: object, *kinds: Any) -> Verdict:
        order = tuple(Step(kind=kind, at=at(9 + n)) for n, kind in enumerate(kinds or ("forward", "backward", "step")))
        step = TrainingStep(order=order, zero_grad=zero_grad, at=at(10))
        return judge("zero-grad-missing", program(training_step=step))

    def test_fires_at_backward(self) -> None:
        finding = self.verdict(given(False)).only
        assert (finding.severity, finding.at.line) == ("error", 10)
        assert finding.message == (
            "`backward()` adds to the gradients of all earlier steps: nothing clears them in this loop"
        )
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [11]

    def test_silent_where_they_are_cleared(self) -> None:
        assert self.verdict(given(True)).state == "passed"
        assert self.verdict(given(False), "zero_grad", "backward", "step").state == "passed"

    def test_silent_where_nothing_is_updated(self) -> None:
        assert self.verdict(given(False), "forward", "backward").state == "passed"
        assert self.verdict(given(False), "forward", "step").state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "whether gradients are cleared: **kwargs"
        assert judge("zero-grad-missing", program(training_step=TrainingStep(order=()))).state == "not-applicable"


class TestEvalModeMissing:
    def verdict(self, eval_mode: object = None, **facts: Any) -> Verdict:
        mode = given(False, 20, via="inferred") if eval_mode is None else eval_mode
        step = TrainingStep(eval_mode=mode, frozen_backbone=ABSENT, order=())
        basis = {"dropouts": (), "recurrent_layers": (layer(),), "normalizations": ()}
        return judge("eval-mode-missing", program(training_step=step, **(basis | facts)))

    def dropout(self, **more: Any) -> Dropout:
        return Dropout(**({"rate": given(0.5, 6), "position": given("pre-output"), "at": at(6)} | more))

    def test_fires_at_the_evaluation(self) -> None:
        finding = self.verdict(dropouts=(self.dropout(),)).only
        assert (finding.severity, finding.at.line) == ("warning", 20)
        assert finding.message == "the net is evaluated in training mode: dropout 0.5 distorts what is measured"
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [6]

    def test_falls_back_to_the_validation_data(self) -> None:
        facts = {"dropouts": (self.dropout(),), "validation": Validation(at=at(21))}
        assert self.verdict(given(False), **facts).lines == [21]

    def test_names_all_that_is_at_work(self) -> None:
        batch = Normalization(kind=given("batch"), at=at(7))
        finding = self.verdict(dropouts=(self.dropout(),), normalizations=(batch,)).only
        assert "dropout 0.5 and batch normalisation distort what is measured" in finding.message

    def test_dropout_between_recurrent_layers(self) -> None:
        stacked = layer(dropout=given(0.3), num_layers=given(2))
        assert "dropout 0.3 distorts" in self.verdict(recurrent_layers=(stacked,)).only.message
        assert self.verdict(recurrent_layers=(layer(dropout=given(0.3), num_layers=given(1)),)).state == "passed"
        assert self.verdict(recurrent_layers=(layer(dropout=given(0.3), num_layers=UNCLEAR),)).state == "passed"

    def test_silent_where_modes_do_not_differ(self) -> None:
        assert self.verdict().state == "passed"
        assert self.verdict(dropouts=(self.dropout(rate=given(0.0)),)).state == "passed"
        assert self.verdict(dropouts=(self.dropout(position=given("unused")),)).state == "passed"
        assert self.verdict(dropouts=(self.dropout(active=False),)).state == "passed"
        assert self.verdict(dropouts=(self.dropout(rate=UNCLEAR),)).state == "passed"
        assert self.verdict(normalizations=(Normalization(kind=given("layer"), at=at(7)),)).state == "passed"

    def test_silent_where_it_is_switched(self) -> None:
        assert self.verdict(given(True), dropouts=(self.dropout(),)).state == "passed"

    def test_frozen_backbone(self) -> None:
        step = TrainingStep(eval_mode=ABSENT, frozen_backbone=given("train", 14), order=(), at=at(30))
        finding = judge("eval-mode-missing", program(training_step=step, recurrent_layers=(layer(),))).only
        assert (finding.severity, finding.at.line) == ("warning", 14)
        assert finding.message == (
            "a frozen pretrained network runs in training mode: its batch normalisation follows every batch"
        )

    def test_is_held_in_eval_mode_where_it_runs(self) -> None:
        step = TrainingStep(frozen_backbone=given("train", 14), backbone=given("self.front"), order=())
        fix = judge("eval-mode-missing", program(training_step=step, recurrent_layers=(layer(),))).only.fix
        assert fix is not None
        assert fix.edits == (InsertStatements(at=at(14), side="before", code="self.front.eval()"),)

    def test_the_modes_are_switched_around_the_evaluation(self) -> None:
        names = given(["encoder", "decoder"])
        step = TrainingStep(eval_mode=given(False, 20), evaluation=at(19), evaluates=names, trains_on=given(True))
        basis = {"dropouts": (self.dropout(),), "recurrent_layers": (layer(),)}
        before = InsertStatements(at=at(19), side="before", code="encoder.eval()\ndecoder.eval()")
        after = InsertStatements(at=at(19), side="after", code="encoder.train()\ndecoder.train()")
        fix = judge("eval-mode-missing", program(training_step=step, **basis)).only.fix
        assert fix is not None
        assert fix.edits == (before, after)
        last = step.model_copy(update={"trains_on": given(False)})
        fix = judge("eval-mode-missing", program(training_step=last, **basis)).only.fix
        assert fix is not None
        assert fix.edits == (before,)

    @pytest.mark.parametrize("mode", [given("eval"), UNCLEAR])
    def test_silent_on_a_backbone_that_is_switched(self, mode: object) -> None:
        step = TrainingStep(eval_mode=ABSENT, frozen_backbone=mode, order=())
        assert judge("eval-mode-missing", program(training_step=step, recurrent_layers=(layer(),))).findings == ()

    def test_not_applicable_without_evaluation(self) -> None:
        step = TrainingStep(eval_mode=ABSENT, frozen_backbone=ABSENT, order=())
        facts = program(training_step=step, dropouts=(self.dropout(),), recurrent_layers=(layer(),))
        assert judge("eval-mode-missing", facts).state == "not-applicable"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR, dropouts=(self.dropout(),)).state == "undecided"


class TestFullBackpropagationThroughLongSequence:
    def verdict(self, steps: object, options: dict[str, Any] | None = None, **facts: Any) -> Verdict:
        steps = given(steps, 2) if isinstance(steps, int) else steps
        basis = {"recurrent_layers": (layer(),), "sequence_length": steps}
        name = "full-backpropagation-through-long-sequence"
        return judge(name, program(**(basis | facts)), **(options or {}))

    def test_fires_where_the_length_is_written(self) -> None:
        finding = self.verdict(784).only
        assert (finding.severity, finding.at.line) == ("warning", 2)
        assert finding.message == "gradients go back through all 784 time steps of a sequence at once"
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [5]

    @pytest.mark.parametrize(("steps", "severity"), [(201, "advice"), (500, "advice"), (501, "warning")])
    def test_thresholds(self, steps: int, severity: str) -> None:
        assert self.verdict(steps).only.severity == severity

    def test_silent_on_moderate_lengths(self) -> None:
        assert self.verdict(200).state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"

    def test_silent_on_nets_made_for_it(self) -> None:
        identity = layer("SimpleRNN", recurrent_initializer=given("Identity"), activation=given("relu"))
        assert self.verdict(784, recurrent_layers=(identity,)).state == "passed"
        orthogonal = layer("SimpleRNN", recurrent_initializer=given("orthogonal"), activation=given("relu"))
        assert self.verdict(784, recurrent_layers=(orthogonal,)).state == "passed"
        ordinary = layer("LSTM", recurrent_initializer=given("orthogonal"), activation=given("tanh"))
        assert self.verdict(784, recurrent_layers=(ordinary,)).state == "failed"

    def test_silent_on_packed_sequences(self) -> None:
        assert self.verdict(784, padding=Padding(packed=given(True))).state == "passed"

    def test_silent_behind_a_front_end_that_shortens(self) -> None:
        convolution = Edge(from_=at(3), to=at(5), via=given("activation"))
        assert self.verdict(784, graph=(convolution,), dense_layers=(), embeddings=()).state == "passed"
        pooled = Edge(from_=at(3), to=at(5), via=given("pooling"))
        dense = (DenseLayer(at=at(3)),)
        assert self.verdict(784, graph=(pooled,), dense_layers=dense, embeddings=()).state == "passed"
        embedded = Edge(from_=at(4), to=at(5), via=given("direct"))
        table = (Embedding(at=at(4)),)
        assert self.verdict(784, graph=(embedded,), dense_layers=(), embeddings=table).state == "failed"

    def test_options(self) -> None:
        assert self.verdict(300, options={"warning": 250}).only.severity == "warning"
        assert self.verdict(300, options={"advice": 300}).state == "passed"


class TestChunksWithoutCarriedState:
    def verdict(self, **facts: Any) -> Verdict:
        basis = {
            "recurrent_layers": (layer(),),
            "dataset": Dataset(kind=given("stream")),
            "shuffle": given(False),
            "hidden_state": HiddenState(carried=given(False), at=at(9)),
        }
        return judge("chunks-without-carried-state", program(**(basis | facts)))

    def test_fires_at_the_layer(self) -> None:
        finding = self.verdict(sequence_length=given(35, 2)).only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == (
            "consecutive chunks of one stream are read, each from an empty state: nothing is learned beyond 35 steps"
        )
        assert "detached" in finding.help

    def test_not_for_keras(self) -> None:
        assert self.verdict(framework="keras").state == "not-applicable"

    @pytest.mark.parametrize("kind", ["windows", "independent", "series"])
    def test_silent_on_other_data(self, kind: str) -> None:
        assert self.verdict(dataset=Dataset(kind=given(kind))).state == "passed"

    def test_silent_where_the_order_is_lost(self) -> None:
        assert self.verdict(shuffle=given(True)).state == "passed"
        assert self.verdict(shuffle=UNCLEAR).state == "passed"

    def test_silent_where_it_is_carried_or_cannot_be(self) -> None:
        assert self.verdict(hidden_state=HiddenState(carried=given(True))).state == "passed"
        assert self.verdict(recurrent_layers=(layer(bidirectional=given(True)),)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(hidden_state=HiddenState(carried=UNCLEAR)).state == "undecided"
        assert self.verdict(dataset=Dataset(kind=UNCLEAR)).state == "passed"
