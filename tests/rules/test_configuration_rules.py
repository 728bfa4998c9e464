"""Rules about settings that never take effect."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import RemoveStatement, SetValue
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Clipping,
    DeadSetting,
    EarlyStopping,
    Optimizer,
    Option,
    RecurrentLayer,
    Seed,
    Validation,
)

LAYERS = (RecurrentLayer(kind=given("LSTM"), units=given(64, 6), dropout=given(0.2, 6), at=at(5)),)
OPTIMIZERS = (Optimizer(name=given("Adam"), learning_rate=given(1e-3, 9), at=at(8)),)


def dead(kind: str, name: str, setting: str = "other", **more: Any) -> DeadSetting:
    return DeadSetting(**({"kind": given(kind), "name": given(name), "setting": given(setting), "at": at(3)} | more))


class TestSettingNeverRead:
    def verdict(self, *settings: DeadSetting, **facts: Any) -> Verdict:
        basis = {"dead_settings": settings, "recurrent_layers": LAYERS, "optimizers": OPTIMIZERS}
        return judge("setting-never-read", program(**(basis | facts)))

    def unread(self, name: str, setting: str, value: object = None, **more: Any) -> DeadSetting:
        held = ABSENT if value is None else given(value, 3)
        return dead("never-read", name, setting, value=held, why=given(f"nothing reads `{name}`"), **more)

    def test_fires_where_it_is_written(self) -> None:
        finding = self.verdict(self.unread("CLIP_NORM", "clip", 5)).only
        assert (finding.severity, finding.at.line, finding.topic) == ("warning", 3, "clip-missing")
        assert finding.message == "nothing reads `CLIP_NORM` = 5"
        assert [(e.at.line, e.text) for e in finding.evidence if e.at] == [(8, "the optimizer does not get it")]

    @pytest.mark.parametrize(
        ("name", "setting", "value", "message", "line"),
        [
            ("lr", "learning-rate", 0.01, "nothing reads `lr` = 0.01: Adam has 0.001", 9),
            ("HIDDEN", "units", 128, "nothing reads `HIDDEN` = 128: the LSTM has 64", 6),
            ("batch", "batch-size", 64, "nothing reads `batch` = 64: the batch size is 32", 10),
            ("epochs", "epochs", 64, "nothing reads `epochs` = 64: the number of epochs is 20", 11),
            ("seed", "seed", 7, "nothing reads `seed` = 7: the seed is 42", 12),
        ],
    )
    def test_tells_what_takes_effect(self, name: str, setting: str, value: object, message: str, line: int) -> None:
        facts = {"batch_size": given(32, 10), "epochs": given(20, 11), "seeds": (Seed(value=given(42, 12)),)}
        finding = self.verdict(self.unread(name, setting, value), **facts).only
        assert finding.message == message
        assert [(e.at.line, e.text) for e in finding.evidence if e.at] == [(line, "what takes effect")]

    def test_of_clipping_with_another_limit(self) -> None:
        clipping = (Clipping(max=given(1.0, 20), at=at(21)),)
        finding = self.verdict(self.unread("clip", "clip", 5), clipping=clipping).only
        assert finding.message == "nothing reads `clip` = 5: the limit is 1.0"

    def test_advice_where_the_program_does_the_same_anyway(self) -> None:
        finding = self.verdict(self.unread("batch", "batch-size", 32), batch_size=given(32, 10)).only
        assert (finding.severity, finding.message) == ("advice", "nothing reads `batch` = 32")

    @pytest.mark.parametrize("setting", ["sequence-length", "embedding", "units"])
    def test_advice_on_leftovers(self, setting: str) -> None:
        assert self.verdict(self.unread("TIME_STEP", setting, 28)).only.severity == "advice"

    @pytest.mark.parametrize(
        ("setting", "topic"),
        [
            ("learning-rate", "learning-rate"), ("weight-decay", "weight-decay"), ("dropout", "dropout-noop"),
            ("early-stopping", "epochs/early-stopping"), ("schedule", "lr-schedule"), ("seed", "determinism"),
            ("loss", "other"), ("units", "dead-setting"),
        ],
    )  # fmt: skip
    def test_topic_is_that_of_the_setting(self, setting: str, topic: str) -> None:
        assert self.verdict(self.unread("it", setting, 3)).only.topic == topic

    def test_a_parameter(self) -> None:
        setting = self.unread("clip", "clip").model_copy(
            update={"why": given("`train` does not read its parameter `clip`")}
        )
        finding = self.verdict(setting).only
        assert (finding.severity, finding.message) == ("warning", "`train` does not read its parameter `clip`")
        assert self.verdict(self.unread("batch_size", "batch-size")).only.severity == "advice"

    def test_a_variable_of_the_environment(self) -> None:
        finding = self.verdict(self.unread("PYTHONHASHSEED", "seed", 0), seeds=(Seed(value=given(42, 12)),)).only
        assert finding.message == "nothing reads `PYTHONHASHSEED` = 0"
        assert finding.help == "set it in the environment, before Python starts"

    def test_silent_where_nothing_is_trained(self) -> None:
        assert self.verdict(self.unread("epochs", "epochs", 3), api="module").state == "passed"

    def test_silent_on_what_is_off_the_default_path_and_on_other_kinds(self) -> None:
        assert self.verdict(self.unread("clip", "clip", 5, active=False)).state == "passed"
        assert self.verdict(dead("optimizer-discarded", "SGD")).state == "passed"
        assert self.verdict().state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict(self.unread("clip", "clip", 5), recurrent_layers=()).state == "not-applicable"


class TestOptimizerDiscarded:
    def verdict(self, *settings: DeadSetting, framework: str = "keras") -> Verdict:
        facts = {"dead_settings": settings, "recurrent_layers": LAYERS, "optimizers": OPTIMIZERS}
        return judge("optimizer-discarded", program(framework, **facts))

    def discarded(self, setting: str = "optimizer", **more: Any) -> DeadSetting:
        why = "it is built and thrown away; `compile` gets the text 'adam'"
        return dead("optimizer-discarded", "SGD", setting, why=given(why), instead=at(9), **more)

    def test_fires(self) -> None:
        finding = self.verdict(self.discarded()).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == "this SGD is never used: `compile` gets the text 'adam'"
        assert [e.at.line for e in finding.evidence if e.at] == [9]

    @pytest.mark.parametrize(("setting", "lost"), [("clip", "its clipping"), ("learning-rate", "its learning rate")])
    def test_tells_what_is_lost(self, setting: str, lost: str) -> None:
        assert self.verdict(self.discarded(setting)).only.message.startswith(
            f"this SGD is never used, and {lost} with it"
        )

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
        assert self.verdict(self.discarded(active=False)).state == "passed"
        assert self.verdict(self.discarded(), framework="pytorch").state == "not-applicable"


class TestCallbackNotPassed:
    def verdict(self, *settings: DeadSetting) -> Verdict:
        facts = {
            "dead_settings": settings,
            "recurrent_layers": LAYERS,
            "optimizers": OPTIMIZERS,
            "epochs": given(50, 2),
        }
        return judge("callback-not-passed", program("keras", **facts))

    def test_fires(self) -> None:
        finding = self.verdict(dead("callback-not-passed", "EarlyStopping", instead=at(20))).only
        assert (finding.severity, finding.at.line, finding.topic) == ("error", 3, "epochs/early-stopping")
        assert finding.message == "no `fit` gets this `EarlyStopping`: nothing stops the training"
        assert [e.at.line for e in finding.evidence if e.at] == [20, 2]

    def test_of_the_learning_rate(self) -> None:
        finding = self.verdict(dead("callback-not-passed", "ReduceLROnPlateau")).only
        assert (finding.topic, finding.message.split(": ")[1]) == ("lr-schedule", "the learning rate stays as it is")

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
        assert self.verdict(dead("callback-not-passed", "EarlyStopping", active=False)).state == "passed"


class TestCompileOverridden:
    def verdict(self, *settings: DeadSetting) -> Verdict:
        facts = {"dead_settings": settings, "recurrent_layers": LAYERS, "optimizers": OPTIMIZERS}
        return judge("compile-overridden", program("keras", **facts))

    def test_fires(self) -> None:
        finding = self.verdict(dead("compile-overridden", "compile", instead=at(20))).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message.startswith("this `compile` has no effect: the model is compiled again before")
        assert [e.at.line for e in finding.evidence if e.at] == [20]

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
        assert self.verdict(dead("compile-overridden", "compile", active=False)).state == "passed"


class TestBatchSizeIgnored:
    def verdict(self, *settings: DeadSetting, **facts: Any) -> Verdict:
        basis = {"dead_settings": settings, "recurrent_layers": LAYERS, "optimizers": OPTIMIZERS}
        return judge("batch-size-ignored", program("keras", **(basis | facts)))

    def test_fires(self) -> None:
        finding = self.verdict(dead("batch-size-ignored", "batch_size", value=given(64, 3))).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == "`batch_size` of 64 has no effect here: the data come in batches of their own"

    def test_tells_the_real_one(self) -> None:
        setting = dead("batch-size-ignored", "batch_size", value=given(64, 3))
        finding = self.verdict(setting, batch_size=given(256, 12)).only
        assert finding.message.endswith("the data come in batches of 256")
        assert [e.at.line for e in finding.evidence if e.at] == [12]
        assert self.verdict(dead("batch-size-ignored", "batch_size")).only.message.startswith("`batch_size` has no")

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
        assert self.verdict(dead("batch-size-ignored", "batch_size", active=False)).state == "passed"


class TestFlagParsedAsBool:
    def verdict(self, *options: Option) -> Verdict:
        return judge("flag-parsed-as-bool", program(options=options, recurrent_layers=LAYERS))

    def option(self, name: str, kind: str, default: object = ABSENT, **more: Any) -> Option:
        held = default if default is ABSENT else given(default, 7, via="argparse")
        basis = {"name": given(name), "type": given(kind), "default": held, "read": given(True), "at": at(7)}
        return Option(**(basis | more))

    def test_bool(self) -> None:
        finding = self.verdict(self.option("load_model", "bool", False)).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert (
            finding.message == "`--load-model False` is true: `type=bool` takes every text but the empty one for True"
        )
        assert "store_true" in finding.help
        assert "BooleanOptionalAction" in self.verdict(self.option("cuda", "bool", True)).only.help

    def test_whole_number_for_a_fraction(self) -> None:
        finding = self.verdict(self.option("dp_ratio", "int", 0.2)).only
        assert finding.message == "`--dp-ratio` is parsed as a whole number: the default of 0.2 cannot be given"
        assert finding.help == "set `type=float`"

    @pytest.mark.parametrize("name", ["dropout", "lr", "learning_rate", "dropout_rate", "rnn_dropout", "momentum"])
    @pytest.mark.parametrize("default", [0, 1, ABSENT])
    def test_names_of_fractions(self, name: str, default: object) -> None:
        assert self.verdict(self.option(name, "int", default)).state == "failed"

    @pytest.mark.parametrize(
        ("name", "kind", "default"),
        [
            ("epochs", "int", 20), ("warmup", "int", 1e4), ("dropout", "int", 20), ("dropout", "float", 0),
            ("drop_last", "int", 0), ("lr_step", "int", 1), ("verbose", "flag", False), ("verbose", "str2bool", False),
            ("verbose", "strtobool", False), ("clip", "float", 0.25),
        ],
    )  # fmt: skip
    def test_silent(self, name: str, kind: str, default: object) -> None:
        assert self.verdict(self.option(name, kind, default)).state == "passed"

    def test_silent_on_options_without_a_type(self) -> None:
        assert self.verdict(self.option("verbose", "bool", False, type=ABSENT)).state == "passed"

    def test_what_nothing_reads_is_the_matter_of_another_rule(self) -> None:
        assert self.verdict(self.option("verbose", "bool", False, read=given(False))).state == "passed"
        assert self.verdict(self.option("verbose", "bool", False, read=UNCLEAR)).state == "failed"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"


class TestResultThrownAway:
    def verdict(self, *settings: DeadSetting) -> Verdict:
        return judge("result-thrown-away", program(dead_settings=settings, recurrent_layers=LAYERS))

    def test_a_tensor(self) -> None:
        why = given("`.to()` of a tensor gives a new tensor back, and nobody keeps it")
        finding = self.verdict(dead("result-discarded", "to", why=why)).only
        assert (finding.severity, finding.at.line) == ("error", 3)
        assert finding.message == why.value
        assert finding.help == "assign the result, or delete the call"

    def test_what_only_costs_time_is_a_warning(self) -> None:
        why = given("`compile` gives the new model back, and nobody keeps it")
        finding = self.verdict(dead("result-discarded", "compile", why=why)).only
        assert (finding.severity, finding.help) == ("warning", "keep the result: `model = torch.compile(model)`")

    def test_an_attribute(self) -> None:
        loader = dead("attribute-after-construction", "shuffle", "shuffle", why=given("a loader does not look at it"))
        finding = self.verdict(loader).only
        assert finding.help == "give `shuffle` to the constructor"
        assert finding.fix is not None
        assert (finding.fix.applicability, finding.fix.edits) == ("safe", (RemoveStatement(at=at(3)),))
        rate = dead("attribute-after-construction", "lr", "learning-rate", why=given("the optimizer reads the groups"))
        finding = self.verdict(rate).only
        assert (finding.topic, finding.severity) == ("learning-rate", "error")
        assert finding.help == 'set `group["lr"]` of each of `optimizer.param_groups`'

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
        off = dead("result-discarded", "to", why=given("it"), active=False)
        assert self.verdict(off).state == "passed"
        assert self.verdict(dead("never-read", "clip", "clip", why=given("it"))).state == "passed"


class TestEarlyStoppingCannotAct:
    def verdict(self, stop: EarlyStopping, framework: str = "keras", **facts: Any) -> Verdict:
        basis = {"epochs": given(50, 2), "validation": Validation(kind=given("data"), at=at(9))}
        return judge("early-stopping-cannot-act", program(framework, early_stopping=(stop,), **(basis | facts)))

    def stop(self, **more: Any) -> EarlyStopping:
        basis = {
            "by_hand": given(False),
            "monitor": given("val_loss", via="default"),
            "patience": given(5, 3),
            "restores_best": given(False),
            "at": at(7),
        }
        return EarlyStopping(**(basis | more))

    def test_silent_where_it_can(self) -> None:
        assert self.verdict(self.stop()).state == "passed"
        assert self.verdict(self.stop(can_act=given(True))).state == "passed"

    def test_watches_by_the_name_of_today(self) -> None:
        old = self.stop(monitor=given("val_acc", 6), can_act=given(False), renamed=given("val_accuracy"))
        fix = self.verdict(old).only.fix
        assert fix is not None
        assert fix.edits == (SetValue(at=at(6), was="val_acc", to="val_accuracy"),)
        too_patient = old.model_copy(update={"patience": given(50, 3)})
        fix = self.verdict(too_patient).only.fix
        assert fix is not None
        assert (fix.title, len(fix.edits)) == ("watch `val_accuracy` and set the patience to 12", 2)

    def test_nothing_to_watch(self) -> None:
        finding = self.verdict(self.stop(), validation=Validation(kind=given("none"))).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert finding.message == (
            "early stopping watches `val_loss`, which is never computed: there are no validation data"
        )

    def test_silent_on_the_training_loss_without_validation_data(self) -> None:
        stop = self.stop(monitor=given("loss", 7))
        assert self.verdict(stop, validation=Validation(kind=given("none"))).state == "passed"

    def test_patience_beyond_the_last_epoch(self) -> None:
        finding = self.verdict(self.stop(patience=given(50, 3))).only
        assert finding.message == "a patience of 50 cannot end a training of 50 epochs early"
        assert [evidence.at.line for evidence in finding.evidence] == [3, 2, 9]

    def test_patience_that_runs_out_with_the_last_epoch(self) -> None:
        assert self.verdict(self.stop(patience=given(49, 3))).state == "failed"

    @pytest.mark.parametrize("patience", [0, 10, 48])
    def test_silent_on_a_patience_that_can_run_out(self, patience: int) -> None:
        assert self.verdict(self.stop(patience=given(patience))).state == "passed"

    def test_a_single_epoch(self) -> None:
        stop = self.stop(patience=given(10, 3), restores_best=given(True))
        assert (
            self.verdict(stop, epochs=given(1, 2)).only.message
            == "a patience of 10 cannot end a training of 1 epoch early"
        )

    def test_silent_on_endless_patience_that_restores_the_best_weights(self) -> None:
        for can_act in (given(False), given(True), UNSEEN):
            stop = self.stop(patience=given(50, 3), restores_best=given(True), can_act=can_act)
            assert self.verdict(stop).state == "passed"

    def test_silent_on_a_patience_counted_by_hand_in_other_units(self) -> None:
        stop = self.stop(by_hand=given(True), patience=given(50, 3), can_act=given(True))
        assert self.verdict(stop, "pytorch").state == "passed"

    def test_by_hand(self) -> None:
        stop = self.stop(by_hand=given(True), monitor=ABSENT, patience=given(5, 3), can_act=given(False))
        finding = self.verdict(stop, "pytorch", epochs=given(2, 2)).only
        assert finding.message == "a patience of 5 cannot end a training of 2 epochs early"

    def test_by_hand_the_patience_restores_nothing(self) -> None:
        stop = self.stop(by_hand=given(True), patience=given(50), restores_best=given(True), can_act=given(False))
        assert self.verdict(stop, "pytorch").state == "failed"

    def test_for_another_reason(self) -> None:
        stop = self.stop(can_act=given(False), why_not=given("its counter is never raised"))
        assert self.verdict(stop).only.message == "early stopping can never act: its counter is never raised"
        assert self.verdict(self.stop(can_act=given(False))).only.message.endswith("nothing triggers it")

    def test_inactive(self) -> None:
        """The epochs of the default run do not speak for it: only the extractor can."""
        off = self.stop(patience=given(50, 3), active=False)
        assert self.verdict(off).state == "passed"
        broken = off.model_copy(update={"can_act": given(False), "why_not": given("`fit` gets no validation data")})
        assert self.verdict(broken).only.message == "early stopping can never act: `fit` gets no validation data"

    def test_a_callback_that_is_never_passed_has_its_own_rule(self) -> None:
        unused = DeadSetting(kind=given("callback-not-passed"), at=at(7))
        stop = self.stop(can_act=given(False), why_not=given("never passed to `fit`"))
        assert self.verdict(stop, dead_settings=(unused,)).state == "passed"

    @pytest.mark.parametrize("fact", ["monitor", "patience"])
    def test_unknown(self, fact: str) -> None:
        assert self.verdict(self.stop(**{fact: UNCLEAR})).state == "undecided"

    def test_unknown_epochs_or_data(self) -> None:
        assert self.verdict(self.stop(), epochs=UNCLEAR).state == "undecided"
        assert self.verdict(self.stop(), validation=Validation(kind=UNCLEAR)).state == "undecided"
        by_hand = self.stop(by_hand=given(True), can_act=UNCLEAR)
        assert self.verdict(by_hand, "pytorch").reason == "early stopping: **kwargs"

    def test_not_applicable(self) -> None:
        assert judge("early-stopping-cannot-act", program("keras", early_stopping=())).state == "not-applicable"
