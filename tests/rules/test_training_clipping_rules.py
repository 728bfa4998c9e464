"""Rules about clipping: where it stands, over what, and how tightly."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.facts import ABSENT, Clipping, Optimizer, Step, TrainingStep

ORDER = TrainingStep(
    order=(Step(kind="clip", at=at(9)), Step(kind="backward", at=at(10)), Step(kind="step", at=at(11))), at=at(10)
)


def clip(placement: object = "ok", **more: Any) -> Clipping:
    placement = given(placement, via="inferred") if isinstance(placement, str) else placement
    return Clipping(**({"kind": given("norm"), "max": given(1.0, 3), "placement": placement, "at": at(9)} | more))


@pytest.mark.parametrize(
    ("name", "placement", "message"),
    [
        ("clip-before-backward", "before-backward", "gradients are clipped before `backward()` has computed them"),
        (
            "clip-before-unscale",
            "before-unscale",
            "gradients are clipped to 1 while the scale of the loss still multiplies them",
        ),
        (
            "clip-exhausted-generator",
            "exhausted",
            "the parameters to clip are a generator that is used up: nothing is clipped",
        ),
    ],
)
class TestMisplaced:
    def verdict(self, name: str, *clips: Clipping) -> Verdict:
        return judge(name, program(clipping=clips, training_step=ORDER))

    def test_fires_at_the_clipping(self, name: str, placement: str, message: str) -> None:
        finding = self.verdict(name, clip(placement)).only
        assert (finding.severity, finding.at.line, finding.message) == ("error", 9, message)
        assert 11 in [evidence.at.line for evidence in finding.evidence if evidence.at]

    def test_each_place_has_its_own_rule(self, name: str, placement: str, message: str) -> None:
        others = {"ok", "before-backward", "before-unscale", "exhausted", "after-step"} - {placement}
        assert self.verdict(name, *map(clip, sorted(others))).state == "passed"

    def test_off_the_default_path(self, name: str, placement: str, message: str) -> None:
        assert "defaults do not take" in self.verdict(name, clip(placement, active=False)).only.message

    def test_unknown(self, name: str, placement: str, message: str) -> None:
        assert self.verdict(name, clip(UNCLEAR)).state == "passed"
        assert judge(name, program(clipping=UNCLEAR)).state == "undecided"

    def test_not_applicable(self, name: str, placement: str, message: str) -> None:
        assert self.verdict(name).state == "not-applicable"
        assert judge(name, program("keras", clipping=(clip(placement),))).state == "not-applicable"


class TestClipPerVariable:
    def verdict(self, *clips: Clipping, **settings: Any) -> Verdict:
        optimizer = Optimizer(**({"name": given("Adam"), "at": at(5)} | settings))
        return judge("clip-per-variable", program("keras", optimizers=(optimizer,), clipping=clips))

    def test_fires(self) -> None:
        finding = self.verdict(clipnorm=given(1.0, 6)).only
        assert (finding.severity, finding.at.line) == ("advice", 6)
        assert finding.message == "`clipnorm=1` limits each variable to norm 1 by itself, not the gradient as a whole"
        assert finding.help == "pass `global_clipnorm=1` instead"

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"clipnorm": ABSENT},
            {"clipnorm": given(None, via="default")},
            {"clipnorm": given(0)},
            {"clipnorm": UNCLEAR},
            {"global_clipnorm": given(1.0)},
            {"clipvalue": given(0.5)},
            {"clipnorm": given({"low": 0.1, "high": 1.0, "choices": None}, via="search")},
            {"clipnorm": given(1.0), "active": False},
        ],
    )
    def test_silent(self, settings: dict[str, Any]) -> None:
        assert self.verdict(**settings).state == "passed"

    def test_gradients_of_a_tape(self) -> None:
        assert self.verdict(clip(per_variable=given(True))).lines == [9]
        assert self.verdict(clip(per_variable=given(False))).state == "passed"
        assert self.verdict(clip(per_variable=given(True), kind=given("value"))).state == "passed"

    def test_is_said_once(self) -> None:
        assert self.verdict(clip(per_variable=given(True)), clipnorm=given(1.0, 6)).lines == [6]


class TestClipThresholdUseless:
    def verdict(self, *clips: Clipping, framework: str = "pytorch", **more: Any) -> Verdict:
        name = more.pop("name", "Adam")
        options = more.pop("options", {})
        api = more.pop("api", "loop" if framework == "pytorch" else "fit")
        optimizer = Optimizer(name=given(name), at=at(5), **more)
        facts = program(framework, optimizers=(optimizer,), clipping=clips, api=api)
        return judge("clip-threshold-useless", facts, **options)

    def test_zero_in_pytorch(self) -> None:
        finding = self.verdict(clip(max=given(0.0, 3))).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == "clipping to 0 makes every gradient zero: nothing is learned"
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [9]

    def test_negative_in_pytorch(self) -> None:
        assert "turns every gradient round" in self.verdict(clip(max=given(-1.0, 3))).only.message
        by_value = self.verdict(clip(max=given(-1.0, 3), kind=given("value"))).only
        assert by_value.message == "clipping to ±-1 replaces every element of the gradient by -1"

    @pytest.mark.parametrize("how", ["clipnorm", "global_clipnorm", "clipvalue"])
    def test_zero_in_keras(self, how: str) -> None:
        finding = self.verdict(framework="keras", **{how: given(0, 6)}).only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert finding.message == f"`{how}=0` switches the clipping off: only a positive threshold clips"

    def test_listed_as_clipping_as_well(self) -> None:
        assert self.verdict(clip(max=given(0, 6)), framework="keras", clipnorm=given(0, 6)).lines == [6]

    def test_tiny_under_sgd(self) -> None:
        finding = self.verdict(clip(max=given(1e-4, 3)), name="SGD").only
        assert (finding.severity, finding.at.line) == ("warning", 3)
        assert finding.message == "plain SGD gets gradients clipped to 0.0001, which hardly move the weights"
        assert self.verdict(clip(max=given(1e-3, 3)), name="SGD").state == "passed"
        assert self.verdict(clip(max=given(5e-3, 3)), name="SGD", options={"least": 1e-2}).state == "failed"

    @pytest.mark.parametrize("name", ["Adam", "RMSprop"])
    def test_silent_where_the_step_has_a_size_of_its_own(self, name: str) -> None:
        assert self.verdict(clip(max=given(1e-4, 3)), name=name).state == "passed"

    def test_zero_that_switches_it_off(self) -> None:
        """`if args.clip > 0: clip_grad_norm_(…)` with 0 as the default."""
        assert self.verdict(clip(max=given(0, 3), active=False)).state == "passed"

    @pytest.mark.parametrize("api", ["lightning", "hf-trainer"])
    def test_zero_is_off_for_trainers(self, api: str) -> None:
        assert self.verdict(clip(max=given(0, 3)), api=api).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(clip(max=UNCLEAR)).state == "passed"
        assert self.verdict(clip(max=given(float("inf")))).state == "passed"
        assert judge("clip-threshold-useless", program(clipping=UNCLEAR, optimizers=())).state == "undecided"
