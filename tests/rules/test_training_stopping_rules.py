"""Rules about when to stop, and which weights to keep."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import AppendToBody, InsertStatements, ReplaceExpression
from lstmadvisor.facts import (
    ABSENT,
    Checkpoint,
    Dataset,
    EarlyStopping,
    EpochLoop,
    RecurrentLayer,
    Schedule,
    Step,
    TrainingStep,
    Validation,
)

DATA = Validation(kind=given("data"), at=at(9))
LAYERS = (RecurrentLayer(kind=given("LSTM"), at=at(3)),)


def stop(**more: Any) -> EarlyStopping:
    basis = {
        "by_hand": given(False),
        "monitor": given("val_loss", 6),
        "patience": given(5, 6),
        "restores_best": given(False, via="default"),
        "can_act": given(True, via="inferred"),
        "at": at(6),
    }
    return EarlyStopping(**(basis | more))


def judged(**more: Any) -> EpochLoop:
    """A loop over the epochs in line 12 that ends in `val_loss = …`."""
    basis = {
        "at": at(12),
        "models": given(["model"]),
        "measure": given("val_loss"),
        "falls": given(True),
        "measured": given("every-turn"),
        "measured_in": at(12),
    }
    return EpochLoop(**(basis | more))


class TestNoEarlyStopping:
    def verdict(self, epochs: object = 50, framework: str = "keras", **facts: Any) -> Verdict:
        options = facts.pop("options", {})
        basis: dict[str, Any] = {
            "api": "fit" if framework == "keras" else "loop",
            "epochs": given(epochs, 8) if isinstance(epochs, int) else epochs,
            "early_stopping": (),
            "checkpoints": (),
            "schedules": (),
            "validation": DATA,
            "recurrent_layers": LAYERS,
        }
        return judge("no-early-stopping", program(framework, **(basis | facts)), **options)

    def test_fires_at_the_number_of_epochs(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 8)
        assert finding.message == "training runs 50 epochs whatever the validation says"
        assert finding.help.startswith("pass `EarlyStopping(")
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [9]
        assert "copy of the best weights" in self.verdict(framework="pytorch").only.help

    def test_is_fixed_by_hand_in_pytorch(self) -> None:
        fix = self.verdict(framework="pytorch", epoch_loop=judged()).only.fix
        assert fix is not None
        judge = """\
if val_loss < best_loss:
    best_loss = val_loss
    best_weights = `copy.deepcopy`(model.state_dict())
    stale_epochs = 0
else:
    stale_epochs += 1
    if stale_epochs >= 10:
        break"""
        load = "if best_weights is not None:\n    model.load_state_dict(best_weights)"
        assert fix.edits == (
            InsertStatements(
                at=at(12), side="before", code='best_loss = float("inf")\nbest_weights = None\nstale_epochs = 0'
            ),
            AppendToBody(at=at(12), code=judge),
            InsertStatements(at=at(12), side="after", code=load),
        )

    def test_it_is_not_for_the_test_set_to_stop(self) -> None:
        tested = Validation(kind=given("data"), is_test_set=given(True), at=at(9))
        loop = {"epoch_loop": EpochLoop(at=at(12))}
        assert self.verdict(**loop).only.fix is not None
        assert self.verdict(**loop, validation=tested).only.fix is None
        assert self.verdict(framework="pytorch", epoch_loop=judged(), validation=tested).only.fix is None

    def test_a_score_that_is_measured_now_and_then(self) -> None:
        loop = judged(
            measure=given("val_acc"), falls=given(False), measured=given("some-turns"), measured_in=at(15),
            models=given(["encoder", "decoder"]),
        )  # fmt: skip
        fix = self.verdict(framework="pytorch", epoch_loop=loop).only.fix
        assert fix is not None
        _, judge, stop, load = fix.edits
        assert isinstance(judge, AppendToBody)
        assert judge.at == at(15)
        assert "if val_acc > best_score:" in judge.code
        assert "[`copy.deepcopy`(encoder.state_dict()), `copy.deepcopy`(decoder.state_dict())]" in judge.code
        assert stop == AppendToBody(at=at(12), code="if stale_evaluations >= 3:\n    break")
        assert isinstance(load, InsertStatements)
        assert load.code.endswith("    decoder.load_state_dict(best_weights[1])")

    def test_a_measure_that_is_not_handed_out_yet(self) -> None:
        loop = judged(measured_by=at(14), measured_at=at(2))
        fix = self.verdict(framework="pytorch", epoch_loop=loop).only.fix
        assert fix is not None
        assert AppendToBody(at=at(2), code="return val_loss") in fix.edits
        assert ReplaceExpression(at=at(14), code="validation_loss = $") in fix.edits

    def test_a_measure_that_is_only_shown(self) -> None:
        loop = judged(measure=given("loss(model)"), measured_by=at(14))
        fix = self.verdict(framework="pytorch", epoch_loop=loop).only.fix
        assert fix is not None
        assert InsertStatements(at=at(14), side="before", code="validation_loss = loss(model)") in fix.edits
        assert ReplaceExpression(at=at(14), code="validation_loss") in fix.edits

    def test_on_the_way_through_the_batches_the_best_weights_are_kept_and_nothing_stops(self) -> None:
        loop = judged(measure=given("sum(v) / len(v)"), measured=given("within-turns"), measured_in=at(15))
        fix = self.verdict(framework="pytorch", epoch_loop=loop).only.fix
        assert fix is not None
        _, named, judge, _ = fix.edits
        assert named == AppendToBody(at=at(15), code="validation_loss = sum(v) / len(v)")
        assert isinstance(judge, AppendToBody)
        assert "if validation_loss < best_loss:" in judge.code
        assert "break" not in str(fix.edits)

    def test_weights_that_are_kept_are_not_kept_twice(self) -> None:
        kept = Checkpoint(at=at(13), on=given("validation"), reloaded=given(True))
        verdict = self.verdict(100, framework="pytorch", epoch_loop=judged(models=UNCLEAR), checkpoints=(kept,))
        fix = verdict.only.fix
        assert fix is not None
        assert len(fix.edits) == 2
        assert "weights" not in str(fix.edits)

    @pytest.mark.parametrize("lacking", [{"measure": UNCLEAR}, {"models": UNCLEAR}, {"at": None}])
    def test_without_a_name_nothing_is_fixed(self, lacking: dict[str, Any]) -> None:
        assert self.verdict(framework="pytorch", epoch_loop=judged(**lacking)).only.fix is None

    @pytest.mark.parametrize(("epochs", "patience"), [(12, 3), (20, 5), (21, 10), (300, 10)])
    def test_patience(self, epochs: int, patience: int) -> None:
        fix = self.verdict(epochs, framework="pytorch", epoch_loop=judged()).only.fix
        assert f"if stale_epochs >= {patience}:" in str(fix)
        one_step = self.verdict(epochs, framework="pytorch", epoch_loop=judged(single=given(True))).only.fix
        assert f"if stale_epochs >= {max(patience, epochs // 10)}:" in str(one_step)

    @pytest.mark.parametrize(("epochs", "severity"), [(10, "advice"), (29, "advice"), (30, "warning")])
    def test_thresholds(self, epochs: int, severity: str) -> None:
        assert self.verdict(epochs).only.severity == severity

    def test_silent_on_few_epochs(self) -> None:
        assert self.verdict(9).state == "passed"
        assert self.verdict(3, options={"advice": 3}).state == "failed"

    def test_advice_without_validation_data(self) -> None:
        finding = self.verdict(200, validation=Validation(kind=given("none"), at=at(9))).only
        assert (finding.severity, finding.message) == (
            "advice",
            "training runs 200 epochs, and nothing tells when to stop",
        )

    def test_turns_that_are_steps(self) -> None:
        finding = self.verdict(50_000).only
        assert (finding.severity, finding.message) == (
            "advice",
            "training runs 50000 turns whatever the validation says",
        )
        assert self.verdict(1000).only.severity == "warning"
        assert self.verdict(2000, options={"steps": 5000}).only.severity == "warning"

    def test_silent_on_toys(self) -> None:
        assert self.verdict(dataset=Dataset(size=given(26))).state == "passed"
        assert self.verdict(dataset=Dataset(size=given(64))).state == "failed"
        assert self.verdict(dataset=Dataset(written_out=given(True))).state == "passed"

    def test_silent_where_something_stops_it(self) -> None:
        assert self.verdict(early_stopping=(stop(),)).state == "passed"
        assert self.verdict(early_stopping=(stop(active=False),)).state == "passed"

    @pytest.mark.parametrize("on", [given("validation"), given("test"), UNCLEAR])
    def test_silent_where_the_best_is_kept(self, on: object) -> None:
        assert self.verdict(checkpoints=(Checkpoint(on=on, at=at(7)),)).state == "passed"

    def test_many_epochs_after_the_best_one_that_is_kept(self) -> None:
        kept = (Checkpoint(on=given("validation"), at=at(7)),)
        finding = self.verdict(500, checkpoints=kept).only
        assert (finding.severity, finding.message) == (
            "advice",
            "training runs 500 epochs to the last, though the best of them is kept",
        )
        assert self.verdict(100, checkpoints=kept).state == "failed"
        assert self.verdict(99, checkpoints=kept).state == "passed"
        assert self.verdict(99, checkpoints=kept, options={"kept": 50}).state == "failed"

    def test_fits_in_a_loop_are_watched(self) -> None:
        """`for _ in range(29): model.fit(epochs=1)` shows what was learned; a callback could not stop it."""
        assert self.verdict(29, fits_in_a_loop=given(True)).state == "passed"
        finding = self.verdict(30, fits_in_a_loop=given(True)).only
        assert finding.severity == "warning"
        assert "EarlyStopping" not in finding.help
        assert self.verdict(29, fits_in_a_loop=given(False)).state == "failed"

    def test_a_checkpoint_that_does_not_choose_is_none(self) -> None:
        assert self.verdict(checkpoints=(Checkpoint(on=ABSENT, at=at(7)),)).state == "failed"
        assert self.verdict(checkpoints=(Checkpoint(on=given("training"), at=at(7)),)).state == "failed"

    @pytest.mark.parametrize("name", ["OneCycleLR", "CosineAnnealingLR", "CosineDecay", "PolynomialDecay"])
    def test_silent_on_a_budget(self, name: str) -> None:
        assert self.verdict(schedules=(Schedule(name=given(name), at=at(7)),)).state == "passed"
        assert self.verdict(schedules=(Schedule(name=given(name), at=at(7), active=False),)).state == "failed"

    def test_other_schedules_set_no_budget(self) -> None:
        assert self.verdict(schedules=(Schedule(name=given("StepLR"), at=at(7)),)).state == "failed"

    def test_silent_on_modules_and_other_nets(self) -> None:
        assert self.verdict(api="module").state == "passed"
        assert self.verdict(recurrent_layers=()).findings == ()

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).state == "undecided"
        assert self.verdict(early_stopping=UNCLEAR).state == "undecided"
        assert self.verdict(checkpoints=UNCLEAR).reason == "checkpoints: **kwargs"


class TestBestWeightsNotRestored:
    def verdict(self, *stops: EarlyStopping, **facts: Any) -> Verdict:
        basis: dict[str, Any] = {"checkpoints": ()}
        return judge("best-weights-not-restored", program("keras", early_stopping=stops, **(basis | facts)))

    def test_fires(self) -> None:
        finding = self.verdict(stop()).only
        assert (finding.severity, finding.at.line) == ("warning", 6)
        assert (
            finding.message == "if early stopping acts, it leaves the weights of the last epoch, 5 after the best one"
        )
        assert finding.help == "pass `restore_best_weights=True`"

    def test_elsewhere_than_in_keras_another_remedy(self) -> None:
        facts = {"early_stopping": (stop(),), "checkpoints": ()}
        finding = judge("best-weights-not-restored", program("pytorch", **facts)).only
        assert finding.help.startswith("save checkpoints by the validation loss")
        assert finding.fix is None

    def test_by_hand(self) -> None:
        by_hand = {"by_hand": given(True), "monitor": ABSENT, "patience": ABSENT}
        finding = self.verdict(stop(on=given("evaluation"), **by_hand)).only
        assert (
            finding.message == "if early stopping acts, it leaves the weights of the last epoch, not those of the best"
        )
        assert "deepcopy" in finding.help
        assert self.verdict(stop(on=given("training"), **by_hand)).state == "passed"
        assert self.verdict(stop(on=UNCLEAR, **by_hand)).state == "passed"

    def test_by_hand_in_pytorch_the_weights_are_copied_where_the_best_is_noted(self) -> None:
        stops = (stop(by_hand=given(True), on=given("validation")),)
        facts = {"early_stopping": stops, "checkpoints": (), "epoch_loop": judged(improved=at(17))}
        fix = judge("best-weights-not-restored", program("pytorch", **facts)).only.fix
        assert fix is not None
        load = "if best_weights is not None:\n    model.load_state_dict(best_weights)"
        assert fix.edits == (
            InsertStatements(at=at(12), side="before", code="best_weights = None"),
            InsertStatements(at=at(17), side="after", code="best_weights = `copy.deepcopy`(model.state_dict())"),
            InsertStatements(at=at(12), side="after", code=load),
        )
        nowhere = program("pytorch", **(facts | {"epoch_loop": judged()}))
        assert judge("best-weights-not-restored", nowhere).only.fix is None

    def test_a_checkpoint_that_is_never_loaded(self) -> None:
        kept = Checkpoint(on=given("validation"), reloaded=given(False), at=at(7))
        finding = self.verdict(stop(), checkpoints=(kept,)).only
        assert finding.severity == "advice"
        assert finding.message.endswith("5 after the best one: the checkpoint is never loaded")
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [7]

    def test_silent_where_they_are(self) -> None:
        assert self.verdict(stop(restores_best=given(True))).state == "passed"
        loaded = Checkpoint(on=given("validation"), reloaded=given(True), at=at(7))
        assert self.verdict(stop(), checkpoints=(loaded,)).state == "passed"
        perhaps = Checkpoint(on=given("validation"), reloaded=UNCLEAR, at=at(7))
        assert self.verdict(stop(), checkpoints=(perhaps,)).state == "passed"

    def test_silent_where_another_rule_speaks(self) -> None:
        assert self.verdict(stop(can_act=given(False))).state == "passed"
        assert self.verdict(stop(monitor=given("loss"))).state == "passed"
        assert self.verdict(stop(active=False)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(stop(restores_best=UNCLEAR)).state == "undecided"
        assert self.verdict(stop(), checkpoints=UNCLEAR).state == "undecided"
        assert self.verdict().state == "not-applicable"


class TestBestWeightsAliased:
    def verdict(self, **more: Any) -> Verdict:
        step = TrainingStep(order=(Step(kind="step", at=at(12)),))
        kept = Checkpoint(**({"aliased": given(True), "reloaded": given(True, 20), "at": at(15)} | more))
        return judge("best-weights-aliased", program(checkpoints=(kept,), training_step=step))

    def test_fires_where_they_are_kept(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 15)
        expected = "`state_dict()` is kept without a deep copy: every later step changes these weights too"
        assert finding.message == expected
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [20, 12]

    @pytest.mark.parametrize("aliased", [given(False), ABSENT, UNCLEAR])
    def test_silent(self, aliased: object) -> None:
        assert self.verdict(aliased=aliased).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(active=False).only.message


class TestStopsOnTrainingLoss:
    def verdict(self, *stops: EarlyStopping, **facts: Any) -> Verdict:
        return judge("stops-on-training-loss", program("keras", early_stopping=stops, **({"validation": DATA} | facts)))

    @pytest.mark.parametrize("monitor", ["loss", "accuracy", "mae"])
    def test_fires_at_the_monitor(self, monitor: str) -> None:
        finding = self.verdict(stop(monitor=given(monitor, 7))).only
        assert (finding.severity, finding.at.line) == ("warning", 7)
        assert finding.message == (
            f"early stopping watches `{monitor}` of the training data, which improves while the net overfits"
        )
        assert finding.help == f"watch `val_{monitor}`"

    def test_by_hand_the_data_tell(self) -> None:
        def by_hand(on: object, monitor: object = "loss") -> Verdict:
            monitor = given(monitor, 7) if isinstance(monitor, str) else monitor
            return self.verdict(stop(by_hand=given(True), monitor=monitor, on=on))

        finding = by_hand(given("training")).only
        assert finding.help == "compare the validation loss"
        assert "the training data" in by_hand(given("training"), ABSENT).only.message
        assert by_hand(given("validation")).state == "passed"
        assert by_hand(UNCLEAR).state == "passed"
        assert by_hand(ABSENT).state == "passed"

    @pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy", "f1", "recall_on_dev"])
    def test_silent_on_validation_and_on_own_quantities(self, monitor: str) -> None:
        assert self.verdict(stop(monitor=given(monitor))).state == "passed"

    def test_silent_without_validation_data(self) -> None:
        none = Validation(kind=given("none"), at=at(9))
        assert self.verdict(stop(monitor=given("loss")), validation=none).state == "passed"

    def test_silent_where_it_cannot_act(self) -> None:
        assert self.verdict(stop(monitor=given("loss"), can_act=given(False))).state == "passed"
        assert self.verdict(stop(monitor=given("loss"), active=False)).state == "passed"

    def test_unknown(self) -> None:
        unclear = Validation(kind=UNCLEAR)
        assert self.verdict(stop(monitor=given("loss")), validation=unclear).state == "undecided"
        assert self.verdict(stop(monitor=UNCLEAR)).state == "passed"
