"""The first cause is reported, what follows from it stands beneath it."""

from lstmadvisor import engine, packs
from lstmadvisor.causes import ORDER, folded
from lstmadvisor.config import RuleSettings
from lstmadvisor.facts import Place, Program
from lstmadvisor.measured import Probe, Statistics
from lstmadvisor.model import Finding, Severity

RULES = [rule for rule in packs.rules(packs.packs()) if rule.family == "probe"]


def finding(rule: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(at=Place(path="train.py", line=1), message=f"{rule} it is", rule=rule, severity=severity)


def test_the_first_in_the_order_of_causes_stays():
    (root,) = folded([finding("loss-plateau"), finding("input-not-scaled"), finding("gates-saturated")])
    assert root.rule == "input-not-scaled"
    assert [evidence.text for evidence in root.evidence] == [
        "from it follows loss-plateau: loss-plateau it is",
        "from it follows gates-saturated: gates-saturated it is",
    ]


def test_what_has_nothing_to_do_with_it_stays_beside_it():
    found = folded([finding("dropout-at-inference"), finding("input-not-scaled"), finding("clip-after-step")])
    assert [one.rule for one in found] == ["dropout-at-inference", "input-not-scaled", "clip-after-step"]
    assert not any(one.evidence for one in found)


def test_advice_is_no_cause_of_a_warning():
    found = folded([finding("input-not-scaled", Severity.ADVICE), finding("loss-plateau")])
    assert [one.rule for one in found] == ["input-not-scaled", "loss-plateau"]


def test_bad_input_comes_before_everything():
    both = [finding("learning-rate-too-high"), finding("non-finite-loss")]
    assert [one.rule for one in folded(both)] == ["learning-rate-too-high"]
    assert [one.rule for one in folded(both, bad_input=True)] == ["non-finite-loss"]


def test_every_name_is_a_rule():
    assert set(ORDER) <= {rule.name for rule in RULES}
    assert len(set(ORDER)) == len(ORDER)


def test_the_outcome_of_what_was_folded_says_so():
    statistics = Statistics(
        input_mean=0.0, input_deviation=900.0, saturation=0.9, over_constant=1.0, loss_first=1.0, loss_tail=1.0
    )
    program = Program(path="train.py", probe=Probe(status="step-limit", steps=200, statistics=statistics))
    judged = engine.judge([program], RULES, {rule.code: RuleSettings(rule.options(), None) for rule in RULES})
    assert [one.rule for one in judged.findings] == ["input-not-scaled"]
    reasons = {outcome.rule: outcome.reason for outcome in judged.outcomes if outcome.state == "failed"}
    assert reasons["input-not-scaled"] == ""
    assert reasons["gates-saturated"] == "follows from another finding"
