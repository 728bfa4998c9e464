"""Rules about layers and how their results are read."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import ReplaceExpression
from lstmadvisor.facts import DenseLayer, Edge, Pass, Read, RecurrentLayer, Reshape, Unregistered


def read(what: object, line: int = 9, **more: Any) -> Read:
    return Read(what=given(what) if isinstance(what, str) else what, at=at(line), **more)


class TestBidirectionalLastStep:
    def verdict(self, *reads: Read, bidirectional: object = True, framework: str = "pytorch", **facts: Any) -> Verdict:
        layer = RecurrentLayer(
            kind=given("GRU"),
            bidirectional=given(bidirectional, 4) if isinstance(bidirectional, bool) else bidirectional,
            reads=reads,
            at=at(5),
        )
        facts = {"recurrent_layers": (layer,)} | facts
        return judge("bidirectional-last-step", program(framework, **facts))

    def test_fires_at_the_read(self) -> None:
        finding = self.verdict(read("last-step", expression=given("out[:, -1]"))).only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == (
            "the backward half of this bidirectional GRU has read one time step only where `out[:, -1]` is taken"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [5, 4]

    def test_each_read_is_a_finding(self) -> None:
        assert self.verdict(read("last-step", 9), read("last-step", 12), read("all-steps", 14)).lines == [9, 12]

    @pytest.mark.parametrize(
        "what", ["all-steps", "pooled", "states-joined", "last-state", "half-state", "viewed-state", "none"]
    )
    def test_silent_on_other_reads(self, what: str) -> None:
        assert self.verdict(read(what)).state == "passed"

    def test_silent_in_one_direction(self) -> None:
        assert self.verdict(read("last-step"), bidirectional=False).state == "passed"

    def test_silent_where_there_is_one_step_only(self) -> None:
        assert self.verdict(read("last-step"), sequence_length=given(1)).state == "passed"

    def test_silent_on_keras(self) -> None:
        layer = RecurrentLayer(
            bidirectional=given(True), return_sequences=given(True), reads=(read("last-step"),), at=at(5)
        )
        assert self.verdict(framework="both", recurrent_layers=(layer,)).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(read("last-step", active=False)).only.message

    def test_unknown(self) -> None:
        verdict = self.verdict(read("last-step"), bidirectional=UNCLEAR)
        assert (verdict.state, verdict.reason) == ("undecided", "bidirectional: **kwargs")
        assert self.verdict(read("all-steps"), bidirectional=UNCLEAR).state == "passed"
        layer = RecurrentLayer(bidirectional=given(True), reads=UNCLEAR, at=at(5))
        assert self.verdict(recurrent_layers=(layer,)).reason == "how the output is read: **kwargs"

    def test_not_applicable(self) -> None:
        assert self.verdict(recurrent_layers=()).state == "not-applicable"


class TestBidirectionalHalfState:
    def verdict(self, *reads: Read, layers: object = 1, both: bool = True, **facts: Any) -> Verdict:
        found = RecurrentLayer(
            kind=given("LSTM"),
            bidirectional=given(both, 4),
            num_layers=given(layers) if isinstance(layers, int) else layers,
            reads=reads,
            at=at(5),
        )
        return judge("bidirectional-half-state", program(**({"recurrent_layers": (found,)} | facts)))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("h_n[-1]", "(h_n[-2] + h_n[-1])"),
            ("self.h[-1, :, :]", "(self.h[-2, :, :] + self.h[-1, :, :])"),
            ("h[: n]", "(h[0::2] + h[1::2])[: n]"),
            ("h[:2]", "(h[0::2] + h[1::2])[:2]"),
        ],
    )
    def test_adds_both_directions(self, old: str, new: str) -> None:
        fix = self.verdict(read("half-state", 9, expression=given(old))).only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(9), was=old, code=new),)

    @pytest.mark.parametrize("old", ["h[0]", "f(x)[-1]", "h[1:3]"])
    def test_leaves_what_it_does_not_know(self, old: str) -> None:
        assert self.verdict(read("half-state", 9, expression=given(old))).only.fix is None

    def test_fires_once(self) -> None:
        finding = self.verdict(read("half-state", 9, expression=given("h_n[-1]")), read("half-state", 12)).only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == "`h_n[-1]` leaves out half of what this bidirectional LSTM has read"
        assert [evidence.at.line for evidence in finding.evidence] == [12, 5, 4]

    def test_a_backward_list_that_is_not_turned(self) -> None:
        assert "step T-1-t" in self.verdict(read("unreversed"), both=False).only.message

    @pytest.mark.parametrize("what", ["states-joined", "last-state", "all-steps", "viewed-state", "last-step"])
    def test_silent_on_other_reads(self, what: str) -> None:
        assert self.verdict(read(what)).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(read("half-state"), both=False).state == "passed"
        assert self.verdict(read("half-state", active=False)).state == "passed"
        assert self.verdict(read("half-state"), sequence_length=given(1)).state == "passed"

    def test_one_layer_whose_steps_are_read_as_well(self) -> None:
        assert self.verdict(read("half-state"), read("all-steps", 12)).state == "passed"
        assert self.verdict(read("half-state"), read("all-steps", 12), layers=2).findings
        assert self.verdict(read("half-state"), layers=UNCLEAR).state == "passed"


class TestStateViewMixesBatch:
    def verdict(self, layers: object = 1, both: bool = True, **facts: Any) -> Verdict:
        count = given(layers) if isinstance(layers, int) else layers
        found = RecurrentLayer(
            kind=given("GRU"), bidirectional=given(both), num_layers=count, reads=(read("viewed-state"),), at=at(5)
        )
        return judge("state-view-mixes-batch", program(recurrent_layers=(found,), **facts))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == "the 2 final states of this GRU are reshaped across the batch: a row mixes samples"
        assert self.verdict(3, False).findings

    def test_silent(self) -> None:
        assert self.verdict(1, False).state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(batch_size=given(1)).state == "passed"


class TestBatchFirstMismatch:
    def verdict(self, layout: object, first: object, **more: Any) -> Verdict:
        found = RecurrentLayer(
            kind=given("LSTM"),
            input_layout=given(layout, 9) if isinstance(layout, str) else layout,
            batch_first=given(first, 5) if isinstance(first, bool) else first,
            at=at(5),
            **more,
        )
        return judge("batch-first-mismatch", program(recurrent_layers=(found,)))

    def test_fires(self) -> None:
        finding = self.verdict("batch-major", False).only
        assert finding.severity == "error"
        assert finding.help == "pass `batch_first=True`"
        assert [evidence.at.line for evidence in finding.evidence] == [9]
        assert self.verdict("time-major", True).only.help == "drop `batch_first=True`"

    def test_silent(self) -> None:
        assert self.verdict("time-major", False).state == "passed"
        assert self.verdict("batch-major", True).state == "passed"
        assert self.verdict(UNCLEAR, False).state == "passed"
        assert self.verdict("batch-major", UNCLEAR).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict("batch-major", False, active=False).only.message


class TestViewSwapsAxes:
    @pytest.mark.parametrize(("swaps", "state"), [(True, "failed"), (False, "passed"), (None, "passed")])
    def test_only_where_it_is_known(self, swaps: bool | None, state: str) -> None:
        reshape = Reshape(swaps_batch_and_time=UNCLEAR if swaps is None else given(swaps), at=at(8))
        layer = RecurrentLayer(kind=given("LSTM"), at=at(5))
        verdict = judge("view-swaps-axes", program(recurrent_layers=(layer,), reshapes=(reshape,)))
        assert verdict.state == state
        assert verdict.lines == ([8] if swaps else [])

    def test_transposes_what_is_known_to_be_three_axes_deep(self) -> None:
        reshape = Reshape(swaps_batch_and_time=given(True), of=given("x"), at=at(8))
        layer = RecurrentLayer(kind=given("LSTM"), at=at(5))
        fix = judge("view-swaps-axes", program(recurrent_layers=(layer,), reshapes=(reshape,))).only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(8), code="x.transpose(0, 1).contiguous()"),)


class TestWrongStateUnpacking:
    def verdict(self, kind: str, what: str = "wrong-unpack", names: Any = UNCLEAR) -> Verdict:
        called = Pass(without_cell=names)
        layer = RecurrentLayer(kind=given(kind), reads=(read(what),), only_pass=called, at=at(5))
        return judge("wrong-state-unpacking", program(recurrent_layers=(layer,)))

    def test_fires(self) -> None:
        assert self.verdict("GRU").only.message == "the state of this GRU is one tensor, unpacked as a pair here"
        assert self.verdict("LSTM").only.message == "the state of this LSTM is a pair (h, c), taken for one tensor here"

    def test_the_state_is_taken_whole(self) -> None:
        names = given("out, h", 8)
        fix = self.verdict("GRU", names=names).only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(8), code="out, h"),)
        assert self.verdict("LSTM", names=names).only.fix is None
        assert self.verdict("GRU").only.fix is None

    def test_silent(self) -> None:
        assert self.verdict("GRU", "last-state").state == "passed"


class TestHeadWidthMismatch:
    def verdict(
        self,
        expects: object,
        *,
        both: bool = True,
        via: str = "direct",
        reads: str = "all-steps",
        built: int = 1,
        heads: int = 1,
    ) -> Verdict:
        layer = RecurrentLayer(
            kind=given("GRU"), units=given(64), bidirectional=given(both), reads=(read(reads),), at=at(5)
        )
        width = given(expects, 6) if isinstance(expects, int) else expects
        dense = DenseLayer(units=given(3), input_units=width, at=at(6))
        edge = Edge(from_=at(5), to=at(6), via=given(via))
        facts = {"recurrent_layers": (layer,) * built, "dense_layers": (dense,) * heads}
        return judge("head-width-mismatch", program(graph=(edge,), **facts))

    def test_fires(self) -> None:
        finding = self.verdict(64).only
        assert (finding.severity, finding.at.line) == ("error", 6)
        assert finding.message == "this linear layer expects 64 features, and the GRU gives 128"

    def test_silent(self) -> None:
        assert self.verdict(128).state == self.verdict(64, both=False).state == "passed"
        assert self.verdict(UNCLEAR).state == "passed"
        for via in ("concatenation", "reshape", "pooling", "operation"):
            assert self.verdict(64, via=via).state == "passed"
        assert self.verdict(64, reads="last-state").state == "passed"

    def test_silent_on_what_one_line_builds_in_several_sizes(self) -> None:
        assert self.verdict(64, built=2).state == self.verdict(64, heads=2).state == "passed"


class TestCellLoopByHand:
    def verdict(self, *edges: Edge, steps: object = 20, kind: str = "LSTMCell", **facts: Any) -> Verdict:
        cell = RecurrentLayer(kind=given(kind), stepped_by_hand=given(True, 9), at=at(5))
        length = given(steps) if isinstance(steps, int) else steps
        facts = {"graph": edges} | facts
        return judge("cell-loop-by-hand", program(recurrent_layers=(cell,), sequence_length=length, **facts))

    def edge(self, start: int, end: int, via: str = "direct") -> Edge:
        return Edge(from_=at(start), to=at(end), via=given(via))

    def test_fires(self) -> None:
        finding = self.verdict(self.edge(3, 5), self.edge(5, 7)).only
        assert (finding.severity, finding.at.line) == ("advice", 5)
        assert finding.message == "this LSTMCell is stepped through 20 steps in Python, and nothing is fed back"

    def test_silent(self) -> None:
        assert self.verdict(self.edge(5, 7), self.edge(7, 5)).state == "passed"
        assert self.verdict(self.edge(5, 7), self.edge(7, 8), self.edge(8, 5)).state == "passed"
        assert self.verdict(self.edge(3, 5, "concatenation")).state == "passed"
        assert self.verdict(steps=UNCLEAR).state == "passed"
        assert self.verdict(graph=UNCLEAR).state == "undecided"
        assert self.verdict(kind="LSTM").state == "passed"


class TestModulesInPlainList:
    def test_fires(self) -> None:
        found = (Unregistered(kind=given("dict"), at=at(7)),)
        finding = judge("modules-in-plain-list", program(unregistered=found)).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert finding.help == "wrap the dict in `nn.ModuleDict`"

    def test_silent(self) -> None:
        assert judge("modules-in-plain-list", program(unregistered=())).state == "passed"
