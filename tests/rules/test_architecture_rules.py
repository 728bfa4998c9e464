"""Rules about layers and how their results are read."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.facts import Read, RecurrentLayer


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
