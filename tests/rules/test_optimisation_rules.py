"""Rules about learning rates, schedules, momentum, optimizers and batch sizes."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import (
    Edit,
    InsertItem,
    InsertStatements,
    RemoveArgument,
    RenameImported,
    ReplaceCallee,
    ReplaceExpression,
    ReplaceStatement,
)
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Clipping,
    Dataset,
    DeadSetting,
    EarlyStopping,
    HiddenState,
    Known,
    Loss,
    Optimizer,
    Output,
    RecurrentLayer,
    RemovedArgument,
    Schedule,
    Step,
    TrainingStep,
    Validation,
)

LAYERS = (RecurrentLayer(kind=given("LSTM"), at=at(5)),)
CLIPPING = (Clipping(kind=given("norm"), max=given(0.25), at=at(30)),)


def optimizer(name: object = "Adam", rate: object = 1e-3, **more: Any) -> Optimizer:
    basis = {
        "name": given(name) if isinstance(name, str) else name,
        "learning_rate": given(rate, 3) if isinstance(rate, (int, float)) else rate,
        "by_hand": given(False),
        "at": at(8),
    }
    return Optimizer(**(basis | more))


def schedule(name: object = "StepLR", **more: Any) -> Schedule:
    basis = {"name": given(name) if isinstance(name, str) else name, "by_hand": given(False), "at": at(9)}
    return Schedule(**(basis | more))


class TestLearningRateOutOfRange:
    def verdict(self, *optimizers: Optimizer, framework: str = "pytorch", options: Any = None, **facts: Any) -> Verdict:
        basis = {"optimizers": optimizers, "schedules": (), "clipping": (), "recurrent_layers": LAYERS}
        return judge("learning-rate-out-of-range", program(framework, **(basis | facts)), **(options or {}))

    @pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "NAdam"])
    @pytest.mark.parametrize(
        ("rate", "severity", "message"),
        [
            (0.2, "error", "a learning rate of 0.2 is more than a hundred times what suits {}"),
            (0.1, "warning", "a learning rate of 0.1 is too high for {}"),
            (0.011, "warning", "a learning rate of 0.011 is too high for {}"),
            (0.01, "advice", "a learning rate of 0.01 is at the upper end for {}"),
            (9e-7, "warning", "a learning rate of 9e-07 hardly moves the weights with {}"),
            (0, "error", "a learning rate of 0 moves no weight with {}"),
            (-1e-3, "error", "a learning rate of -0.001 is refused by {}"),
        ],
    )
    def test_adaptive(self, name: str, rate: float, severity: str, message: str) -> None:
        finding = self.verdict(optimizer(name, rate)).only
        assert (finding.severity, finding.at.line, finding.message) == (severity, 3, message.format(name))
        assert finding.help == "start with 0.001"
        assert [(e.at.line if e.at else 0, e.text) for e in finding.evidence] == [(8, f"{name} is built with it")]

    def test_keras_takes_a_negative_rate(self) -> None:
        finding = self.verdict(optimizer(rate=-0.1), framework="keras").only
        assert finding.message == "a learning rate of -0.1 goes uphill with Adam"

    @pytest.mark.parametrize("rate", [1e-6, 3e-4, 1e-3, 9.9e-3])
    def test_silent_on_what_is_usual(self, rate: float) -> None:
        assert self.verdict(optimizer(rate=rate)).state == "passed"

    def test_sgd(self) -> None:
        finding = self.verdict(optimizer("SGD", 1.5)).only
        assert finding.severity == "warning"
        assert finding.message == "a learning rate of 1.5 without clipping or decay is too high for SGD"
        assert finding.help == "start with 0.1"
        assert self.verdict(optimizer("SGD", 1.0)).state == "passed"
        assert self.verdict(optimizer("SGD", 1e-7)).only.severity == "warning"

    def test_silent_on_the_recipe_of_language_models(self) -> None:
        assert self.verdict(optimizer("SGD", 20), clipping=CLIPPING).state == "passed"
        assert self.verdict(optimizer("SGD", 20), schedules=(schedule(),)).state == "passed"
        assert self.verdict(optimizer("SGD", 20), clipping=UNCLEAR).state == "passed"

    @pytest.mark.parametrize("name", ["Adadelta", "LBFGS", "Adafactor", "Prodigy", "Adagrad"])
    def test_silent_on_optimizers_with_a_scale_of_their_own(self, name: str) -> None:
        assert self.verdict(optimizer(name, 1.0)).state == "passed"

    @pytest.mark.parametrize(
        "name", ["LambdaLR", "NoamOpt", "OneCycleLR", "CyclicLR", "get_linear_schedule_with_warmup", "InverseSqrt"]
    )
    def test_silent_where_a_schedule_computes_the_rate(self, name: str) -> None:
        assert self.verdict(optimizer(rate=0.5), schedules=(schedule(name),)).state == "passed"

    def test_silent_where_a_callback_sets_the_rate(self) -> None:
        schedules = (schedule("LearningRateScheduler"),)
        assert self.verdict(optimizer(rate=0), framework="keras", schedules=schedules).state == "passed"

    def test_silent_on_a_warm_up_from_nothing(self) -> None:
        for rate in (0, 1e-8):
            schedules = (schedule("CosineDecay", optimizer=at(8)),)
            assert self.verdict(optimizer(rate=rate), framework="keras", schedules=schedules).state == "passed"

    def test_a_decay_does_not_excuse_what_it_begins_with(self) -> None:
        assert self.verdict(optimizer(rate=0.5), schedules=(schedule("StepLR"),)).only.severity == "error"
        by_hand = schedule(ABSENT, by_hand=given(True), gamma=given(0.5))
        assert self.verdict(optimizer(rate=0.5), schedules=(by_hand,)).only.severity == "error"

    def test_silent_where_the_program_computes_the_rate(self) -> None:
        by_hand = schedule(ABSENT, by_hand=given(True), gamma=ABSENT)
        assert self.verdict(optimizer(rate=0.5), schedules=(by_hand,)).state == "passed"
        assert self.verdict(optimizer(rate=0.5), schedules=UNCLEAR).state == "passed"

    def test_a_schedule_of_another_optimizer(self) -> None:
        schedules = (schedule("LambdaLR", optimizer=at(40)),)
        assert self.verdict(optimizer(rate=0.5), schedules=schedules).state == "failed"

    def test_silent_on_a_search(self) -> None:
        found = Known(value={"low": 1e-5, "high": 1.0, "choices": None}, via="search", at=at(3))
        assert self.verdict(optimizer(rate=found)).state == "passed"

    def test_the_default(self) -> None:
        finding = self.verdict(optimizer("RMSprop", given(0.01, via="default"))).only
        assert (finding.at.line, finding.severity) == (8, "advice")
        assert finding.message == "the default learning rate of 0.01 is at the upper end for RMSprop"

    def test_inactive(self) -> None:
        assert self.verdict(optimizer(rate=0.05, active=False)).state == "passed"
        finding = self.verdict(optimizer(rate=0.5, active=False)).only
        assert (finding.severity, "defaults do not take" in finding.message) == ("error", True)

    def test_a_rate_meant_for_the_other_optimizer_is_advice(self) -> None:
        other = optimizer("AdamW", 20, active=False, at=at(12))
        finding = self.verdict(optimizer("SGD", 20), other, clipping=CLIPPING).only
        assert (finding.severity, finding.evidence[0].at and finding.evidence[0].at.line) == ("advice", 12)

    def test_silent_on_the_default_of_a_function_that_others_call(self) -> None:
        rate = given(0.5, 3, via="function-default")
        assert self.verdict(optimizer(rate=rate), api="module").state == "passed"
        assert self.verdict(optimizer(rate=rate)).state == "failed"

    def test_unknown(self) -> None:
        assert self.verdict(optimizer(rate=UNCLEAR)).reason == "learning rate: **kwargs"
        assert self.verdict(optimizer(name=UNCLEAR, rate=0.5)).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"

    def test_options(self) -> None:
        assert self.verdict(optimizer(rate=0.02), options={"high": 0.05}).state == "passed"
        assert self.verdict(optimizer(rate=1e-5), options={"low": 1e-4}).state == "failed"


class TestDefaultLearningRateTooSmall:
    def verdict(self, one: Optimizer, framework: str = "pytorch", options: Any = None, **facts: Any) -> Verdict:
        basis = {"optimizers": (one,), "schedules": (), "recurrent_layers": LAYERS, "losses": ()}
        return judge("default-learning-rate-too-small", program(framework, **(basis | facts)), **(options or {}))

    def default(self, name: str, rate: float, momentum: object = 0, **more: Any) -> Optimizer:
        how = given(momentum, 4) if isinstance(momentum, (int, float)) else momentum
        return optimizer(name, given(rate, via="default"), momentum=how, **more)

    def test_sgd(self) -> None:
        finding = self.verdict(self.default("SGD", 1e-3)).only
        assert (finding.severity, finding.at.line) == ("warning", 8)
        assert finding.message == "SGD runs at its default rate of 0.001, where a recurrent net hardly learns"
        assert self.verdict(self.default("SGD", 0.01), "keras").state == "failed"

    def test_adadelta(self) -> None:
        assert self.verdict(self.default("Adadelta", 1e-3, ABSENT), "keras").only.help.endswith("the rate of its paper")
        assert self.verdict(self.default("Adadelta", 1.0, ABSENT)).state == "passed"

    def test_momentum_makes_up_for_it(self) -> None:
        assert self.verdict(self.default("SGD", 0.01, 0.9), "keras").state == "passed"
        assert self.verdict(self.default("SGD", 1e-3, 0.9)).state == "failed"

    @pytest.mark.parametrize("name", ["Adam", "RMSprop", "Adagrad"])
    def test_silent_on_others(self, name: str) -> None:
        assert self.verdict(self.default(name, 1e-3)).state == "passed"

    def test_silent_on_a_rate_that_was_chosen(self) -> None:
        assert self.verdict(optimizer("SGD", 1e-3, momentum=given(0))).state == "passed"

    def test_silent_where_something_sets_it_or_makes_it_larger(self) -> None:
        one = self.default("SGD", 1e-3)
        assert self.verdict(one, schedules=(schedule("OneCycleLR"),)).state == "passed"
        assert self.verdict(one, losses=(Loss(reduction=given("sum")),)).state == "passed"
        dead = DeadSetting(kind=given("optimizer-discarded"), at=at(6))
        assert self.verdict(self.default("SGD", 0.01), "keras", dead_settings=(dead,)).state == "passed"

    def test_silent_on_what_nobody_trains_and_on_other_paths(self) -> None:
        assert self.verdict(self.default("SGD", 1e-3), api="module").state == "passed"
        assert self.verdict(self.default("SGD", 1e-3, active=False)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(self.default("SGD", 1e-3, UNCLEAR)).reason == "momentum: **kwargs"
        assert self.verdict(self.default("SGD", 1e-3), schedules=UNCLEAR).state == "passed"

    def test_options(self) -> None:
        assert self.verdict(self.default("SGD", 0.01), "keras", {"least": 0.01}).state == "passed"


class TestNoLearningRateDecay:
    def verdict(self, framework: str = "pytorch", options: Any = None, **facts: Any) -> Verdict:
        basis = {
            "optimizers": (optimizer(),),
            "schedules": (),
            "early_stopping": (),
            "recurrent_layers": LAYERS,
            "epochs": given(100, 2),
        }
        return judge("no-learning-rate-decay", program(framework, **(basis | facts)), **(options or {}))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 8)
        assert finding.message == "Adam keeps its learning rate of 0.001 over all 100 epochs"
        assert [e.at.line for e in finding.evidence if e.at] == [2, 3]
        assert "CosineDecay" in self.verdict("keras").only.help

    @pytest.mark.parametrize(("epochs", "state"), [(29, "passed"), (30, "failed")])
    def test_threshold(self, epochs: int, state: str) -> None:
        assert self.verdict(epochs=given(epochs)).state == state

    def test_silent_with_any_schedule(self) -> None:
        assert self.verdict(schedules=(schedule(),)).state == "passed"
        assert self.verdict(schedules=(schedule(ABSENT, by_hand=given(True)),)).state == "passed"

    def test_silent_with_early_stopping(self) -> None:
        assert self.verdict(early_stopping=(EarlyStopping(at=at(20)),)).state == "passed"
        assert self.verdict(early_stopping=UNCLEAR).state == "passed"

    def test_speaks_if_the_schedule_and_the_stopping_are_not_in_force(self) -> None:
        assert self.verdict(schedules=(schedule(active=False),)).state == "failed"
        assert self.verdict(early_stopping=(EarlyStopping(active=False, at=at(20)),)).state == "failed"

    @pytest.mark.parametrize("api", ["hf-trainer", "fastai"])
    def test_silent_where_the_trainer_brings_one(self, api: str) -> None:
        assert self.verdict(api=api).state == "passed"

    @pytest.mark.parametrize("name", ["LBFGS", "Adadelta", "Adagrad"])
    def test_silent_on_optimizers_that_need_none(self, name: str) -> None:
        assert self.verdict(optimizers=(optimizer(name),)).state == "passed"

    def test_silent_on_toys_and_on_low_rates(self) -> None:
        assert self.verdict(dataset=Dataset(size=given(63))).state == "passed"
        assert self.verdict(dataset=Dataset(size=given(64))).state == "failed"
        assert self.verdict(optimizers=(optimizer(rate=1e-6),)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(epochs=UNCLEAR).reason == "learning-rate decay: **kwargs"
        assert self.verdict(schedules=UNCLEAR).state == "undecided"

    def test_options(self) -> None:
        assert self.verdict(options={"epochs": 200}).state == "passed"


class TestScheduleAtWrongRhythm:
    def verdict(self, *schedules: Schedule, framework: str = "pytorch", options: Any = None, **facts: Any) -> Verdict:
        basis = {"schedules": schedules, "epochs": given(20, 2), "recurrent_layers": LAYERS}
        return judge("schedule-at-wrong-rhythm", program(framework, **(basis | facts)), **(options or {}))

    def stepped(self, name: str, how: str, gamma: float | None = None, length: object = None, **more: Any) -> Schedule:
        basis = {
            "stepped": given(how, 15, via="inferred"),
            "gamma": ABSENT if gamma is None else given(gamma, 10),
            "length": given(length, 11) if isinstance(length, int) else ABSENT,
        }
        return schedule(name, **(basis | more))

    def test_a_factor_for_epochs_after_every_batch(self) -> None:
        finding = self.verdict(self.stepped("ExponentialLR", "batch", 0.97)).only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == "`ExponentialLR` counts batches: with 0.97 the rate is halved in 23 of them"
        assert finding.help == "call its `step()` once an epoch"
        assert [e.at.line for e in finding.evidence if e.at] == [10, 15, 2]

    @pytest.mark.parametrize(
        ("gamma", "state"), [(0.5, "failed"), (0.99, "failed"), (0.991, "passed"), (0.999, "passed")]
    )
    def test_threshold(self, gamma: float, state: str) -> None:
        assert self.verdict(self.stepped("ExponentialLR", "batch", gamma)).state == state

    def test_steps_of_a_few_batches(self) -> None:
        finding = self.verdict(self.stepped("StepLR", "batch", 0.1, 30)).only
        assert finding.message == "`StepLR` counts batches: with 0.1 every 30 the rate is halved in 10 of them"
        assert self.verdict(self.stepped("StepLR", "batch", 0.5, 1000)).state == "passed"

    def test_silent_where_enough_is_left_at_the_end(self) -> None:
        short = {"dataset": Dataset(size=given(320)), "batch_size": given(32), "epochs": given(3)}
        assert self.verdict(self.stepped("ExponentialLR", "batch", 0.97), **short).state == "passed"
        long = short | {"epochs": given(30)}
        assert self.verdict(self.stepped("ExponentialLR", "batch", 0.97), **long).state == "failed"

    @pytest.mark.parametrize("name", ["ExponentialLR", "StepLR", "CosineAnnealingLR", "ReduceLROnPlateau"])
    def test_silent_once_an_epoch(self, name: str) -> None:
        assert self.verdict(self.stepped(name, "epoch", 0.97, 20)).state == "passed"

    def test_keras_counts_steps(self) -> None:
        decay = self.stepped("ExponentialDecay", "batch", 0.5, 10, unit=given("batch"))
        finding = self.verdict(decay, framework="keras").only
        assert (
            finding.message == "`ExponentialDecay` counts batches: with 0.5 every 10 the rate is halved in 10 of them"
        )
        assert finding.help == "set `decay_steps` to the batches of an epoch"
        assert (
            self.verdict(self.stepped("ExponentialDecay", "batch", 0.96, 10_000), framework="keras").state == "passed"
        )

    @pytest.mark.parametrize(
        ("framework", "name", "argument", "end"),
        [
            ("pytorch", "CosineAnnealingLR", "T_max", "turns round"),
            ("pytorch", "PolynomialLR", "total_iters", "is at its end"),
            ("keras", "CosineDecay", "decay_steps", "is at its end"),
        ],
    )
    def test_as_long_as_there_are_epochs(self, framework: str, name: str, argument: str, end: str) -> None:
        finding = self.verdict(self.stepped(name, "batch", None, 20), framework=framework).only
        assert finding.message == f"`{name}` counts batches and {end} after 20 of them, as many as there are epochs"
        assert argument in finding.help
        assert self.verdict(self.stepped(name, "batch", None, 2000), framework=framework).state == "passed"

    def test_silent_where_an_epoch_is_one_batch(self) -> None:
        whole = {"dataset": Dataset(size=given(320)), "batch_size": given(320)}
        assert self.verdict(self.stepped("CosineAnnealingLR", "batch", None, 20), **whole).state == "passed"

    def test_a_cycle_of_batches_once_an_epoch(self) -> None:
        finding = self.verdict(self.stepped("OneCycleLR", "epoch", unit=given("batch"))).only
        assert finding.message == "`OneCycleLR` counts batches and is stepped once an epoch: it hardly begins"
        assert self.verdict(self.stepped("OneCycleLR", "batch", unit=given("batch"))).state == "passed"
        assert self.verdict(self.stepped("OneCycleLR", "epoch", unit=UNCLEAR)).state == "passed"

    def test_never_stepped(self) -> None:
        finding = self.verdict(self.stepped("CosineAnnealingLR", "never")).only
        assert finding.message == "`CosineAnnealingLR` is built and never stepped: the learning rate stays as it is"
        assert self.verdict(self.stepped("CosineAnnealingLR", "never"), api="module").state == "passed"
        assert self.verdict(self.stepped("CosineAnnealingLR", "never", active=False)).state == "passed"
        assert self.verdict(self.stepped("ReduceLROnPlateau", "never"), framework="keras").state == "passed"

    def test_a_variable_that_the_optimizer_does_not_look_at(self) -> None:
        lowered = schedule(ABSENT, by_hand=given(True), stepped=given("never"), optimizer=at(8))
        finding = self.verdict(lowered).only
        assert (finding.at.line, [e.at.line for e in finding.evidence if e.at]) == (9, [8])
        assert finding.message.startswith("this changes a variable")
        other = self.verdict(lowered.model_copy(update={"active": False})).only
        assert (other.at.line, "defaults do not take" in other.message) == (8, True)

    def test_silent_on_rates_set_by_hand(self) -> None:
        for often in ("batch", "epoch"):
            by_hand = schedule(ABSENT, by_hand=given(True), stepped=given(often), gamma=given(0.9))
            assert self.verdict(by_hand).state == "passed"

    def test_before_the_optimizer(self) -> None:
        acts = ("forward", "backward", "scheduler", "step")
        order: Any = tuple(Step(kind=act, at=at(40 + i)) for i, act in enumerate(acts))  # type: ignore[arg-type]
        one = self.stepped("OneCycleLR", "batch", unit=given("batch"))
        finding = self.verdict(one, training_step=TrainingStep(order=order)).only
        assert (finding.severity, finding.at.line) == ("warning", 42)
        assert self.verdict(one, training_step=TrainingStep(order=(*order[:2], order[3], order[2]))).state == "passed"

    def test_inactive(self) -> None:
        assert (
            "defaults do not take"
            in self.verdict(self.stepped("ExponentialLR", "batch", 0.9, active=False)).only.message
        )

    def test_unknown(self) -> None:
        assert self.verdict(schedule(stepped=UNCLEAR)).reason == "how often `StepLR` is stepped: **kwargs"
        assert self.verdict(schedule(stepped=UNCLEAR, active=False)).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"

    def test_options(self) -> None:
        assert self.verdict(self.stepped("ExponentialLR", "batch", 0.97), options={"halved": 10}).state == "passed"


class TestPlateauScheduleMisused:
    def verdict(self, *schedules: Schedule, framework: str = "keras", **facts: Any) -> Verdict:
        basis = {"schedules": schedules, "optimizers": (optimizer(),), "recurrent_layers": LAYERS}
        return judge("plateau-schedule-misused", program(framework, **(basis | facts)))

    def plateau(self, name: str = "ReduceLROnPlateau", **more: Any) -> Schedule:
        basis = {"stepped": given("epoch", 15), "metric_given": given(True), "unit": given("epoch")}
        return schedule(name, **(basis | more))

    def test_without_a_metric(self) -> None:
        finding = self.verdict(self.plateau(metric_given=given(False)), framework="pytorch").only
        assert (finding.severity, finding.at.line) == ("error", 9)
        assert finding.message == "`ReduceLROnPlateau` is stepped without the metric it waits for"
        assert finding.help == "call `scheduler.step(val_loss)`"
        assert [e.at.line for e in finding.evidence if e.at] == [15]

    def test_a_value_that_is_never_logged(self) -> None:
        finding = self.verdict(self.plateau(metric_given=given(False)), validation=Validation(kind=given("none"))).only
        assert finding.message == "`ReduceLROnPlateau` watches a value that `fit` never logs"

    @pytest.mark.parametrize("name", ["ReduceLROnPlateau", "LearningRateScheduler"])
    @pytest.mark.parametrize("decay", ["ExponentialDecay", "CosineDecayRestarts"])
    def test_against_a_schedule_object(self, name: str, decay: str) -> None:
        rate = schedule(decay, unit=given("batch"), stepped=given("batch"), at=at(7))
        finding = self.verdict(self.plateau(name), rate).only
        assert finding.message == f"`{name}` cannot set a rate that `{decay}` computes: TypeError when it tries"
        assert [e.at.line for e in finding.evidence if e.at] == [7]

    def test_against_a_schedule_of_the_users_own(self) -> None:
        rate = schedule("MySchedule", by_hand=given(True), at=at(7))
        assert self.verdict(self.plateau(), rate).state == "failed"

    def test_silent_on_the_old_decay(self) -> None:
        old = schedule("InverseTimeDecay", gamma=given(1e-4), stepped=given("batch"), at=at(7))
        assert self.verdict(self.plateau(), old).state == "passed"

    def test_silent_on_several_models(self) -> None:
        rate = schedule("CosineDecay", unit=given("batch"), at=at(7))
        both = (optimizer(), optimizer(at=at(50)))
        assert self.verdict(self.plateau(), rate, optimizers=both).state == "passed"

    def test_silent_in_pytorch_on_two_schedules(self) -> None:
        other = schedule("ExponentialLR", unit=given("batch"), at=at(7))
        assert self.verdict(self.plateau(), other, framework="pytorch").state == "passed"

    def test_silent_where_it_is_in_order(self) -> None:
        assert self.verdict(self.plateau()).state == "passed"
        assert self.verdict(schedule("StepLR", metric_given=ABSENT), framework="pytorch").state == "passed"

    def test_never_passed_or_stepped_is_the_matter_of_others(self) -> None:
        assert self.verdict(self.plateau(stepped=given("never"), metric_given=given(False))).state == "passed"

    def test_inactive(self) -> None:
        off = self.plateau(metric_given=given(False), active=False)
        assert "defaults do not take" in self.verdict(off).only.message
        rate = schedule("CosineDecay", unit=given("batch"), at=at(7))
        assert self.verdict(self.plateau(active=False), rate).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(self.plateau(metric_given=UNCLEAR)).reason == "whether the metric is given: **kwargs"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"


class TestMomentumOutOfRange:
    def verdict(self, momentum: object, framework: str = "pytorch", options: Any = None, **more: Any) -> Verdict:
        fact = given(momentum, 4) if isinstance(momentum, (int, float)) else momentum
        one = optimizer("SGD", 0.1, momentum=fact, **more)
        facts = {"optimizers": (one,), "recurrent_layers": LAYERS}
        return judge("momentum-out-of-range", program(framework, **facts), **(options or {}))

    @pytest.mark.parametrize(
        ("momentum", "severity", "message"),
        [
            (1.5, "error", "a momentum of 1.5 lets the steps grow without end"),
            (1.0, "error", "a momentum of 1 lets the steps grow without end"),
            (-0.9, "error", "a momentum of -0.9 is refused: SGD raises ValueError"),
            (0.995, "warning", "a momentum of 0.995 makes 200 steps out of one"),
            (0.3, "advice", "a momentum of 0.3 hardly smooths anything"),
        ],
    )
    def test_fires(self, momentum: float, severity: str, message: str) -> None:
        finding = self.verdict(momentum).only
        assert (finding.severity, finding.at.line, finding.message) == (severity, 4, message)
        assert [e.at.line for e in finding.evidence if e.at] == [8]

    def test_keras_refuses_more_than_one(self) -> None:
        assert self.verdict(1.5, "keras").only.message == "a momentum of 1.5 is refused: SGD raises ValueError"
        assert self.verdict(1.0, "keras").only.message.endswith("without end")

    @pytest.mark.parametrize("momentum", [0, 0.5, 0.9, 0.99])
    def test_silent(self, momentum: float) -> None:
        assert self.verdict(momentum).state == "passed"

    def test_silent_on_adam(self) -> None:
        assert self.verdict(ABSENT).state == "passed"

    def test_inactive(self) -> None:
        assert self.verdict(0.995, active=False).state == "passed"
        assert "defaults do not take" in self.verdict(1.5, active=False).only.message

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "momentum: **kwargs"
        assert self.verdict(UNSEEN).state == "passed"

    def test_options(self) -> None:
        assert self.verdict(0.995, options={"most": 0.999}).state == "passed"
        assert self.verdict(0.3, options={"least": 0.2}).state == "passed"


class TestSgdWithoutMomentum:
    def verdict(self, *optimizers: Optimizer, **facts: Any) -> Verdict:
        basis = {"optimizers": optimizers, "recurrent_layers": LAYERS, "clipping": ()}
        return judge("sgd-without-momentum", program(**(basis | facts)))

    def test_fires(self) -> None:
        finding = self.verdict(optimizer("SGD", 0.1, momentum=given(0))).only
        assert (finding.severity, finding.at.line, finding.message) == ("advice", 8, "SGD runs without momentum")
        assert finding.help == "set `momentum=0.9` and lower the learning rate to 0.01"

    def test_silent(self) -> None:
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0.5))).state == "passed"
        assert self.verdict(optimizer("Adam", momentum=ABSENT)).state == "passed"
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0), by_hand=given(True))).state == "passed"
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0), active=False)).state == "passed"

    def test_silent_on_the_recipes_of_language_models(self) -> None:
        plain = optimizer("SGD", 30, momentum=given(0))
        assert self.verdict(plain, clipping=CLIPPING).state == "passed"
        assert self.verdict(plain, optimizer("ASGD", 30, active=False, at=at(12))).state == "passed"


class TestPlainSgd:
    def verdict(self, one: Optimizer, **facts: Any) -> Verdict:
        basis = {"optimizers": (one,), "recurrent_layers": LAYERS, "clipping": (), "schedules": ()}
        return judge("plain-sgd", program(**(basis | facts)))

    def test_fires(self) -> None:
        finding = self.verdict(optimizer("SGD", 0.1, momentum=given(0))).only
        assert (finding.severity, finding.at.line) == ("advice", 8)
        assert finding.message == "plain SGD trains this recurrent net: no momentum, no clipping, no decay"
        assert [e.at.line for e in finding.evidence if e.at] == [5]

    @pytest.mark.parametrize(
        "facts",
        [
            {"clipping": CLIPPING},
            {"clipping": UNCLEAR},
            {"schedules": (schedule(),)},
            {"schedules": UNCLEAR},
            {"api": "module"},
        ],
    )
    def test_silent_where_there_is_more_to_it(self, facts: dict[str, Any]) -> None:
        assert self.verdict(optimizer("SGD", 20, momentum=given(0)), **facts).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(optimizer("Adam")).state == "passed"
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0.9))).state == "passed"
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0), clipnorm=given(1.0))).state == "passed"
        assert self.verdict(optimizer("SGD", 0.1, momentum=given(0), active=False)).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict(optimizer("SGD", momentum=given(0)), recurrent_layers=()).state == "not-applicable"


class TestBatchSizeUnset:
    def verdict(self, size: object = None, **facts: Any) -> Verdict:
        basis = {
            "optimizers": (optimizer(),),
            "recurrent_layers": LAYERS,
            "batch_size": given(1, via="default") if size is None else size,
            "training_step": TrainingStep(accumulation=given(1)),
            "dataset": Dataset(at=at(20)),
        }
        return judge("batch-size-unset", program(**(basis | facts)))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 20)
        assert finding.message == "the DataLoader has no `batch_size`: every step learns from one sample"

    def test_silent_on_a_size_that_was_chosen(self) -> None:
        for size in (given(1, 20), given(32, 20), given(32, via="default")):
            assert self.verdict(size).state == "passed"

    @pytest.mark.parametrize(
        "facts",
        [
            {"hidden_state": HiddenState(carried=given(True))},
            {"dataset": Dataset(kind=given("stream"))},
            {"training_step": TrainingStep(accumulation=given(16))},
            {"training_step": TrainingStep(accumulation=UNCLEAR)},
        ],
    )
    def test_silent_where_one_is_meant(self, facts: dict[str, Any]) -> None:
        assert self.verdict(**facts).state == "passed"

    def test_not_applicable(self) -> None:
        assert judge("batch-size-unset", program("keras", batch_size=given(1))).state == "not-applicable"


class TestBatchSizeExtreme:
    def verdict(self, size: object, options: Any = None, **facts: Any) -> Verdict:
        basis = {
            "optimizers": (optimizer(),),
            "recurrent_layers": LAYERS,
            "batch_size": given(size, 20) if isinstance(size, int) else size,
            "training_step": TrainingStep(accumulation=given(1)),
            "epochs": given(10, 2),
        }
        return judge("batch-size-extreme", program(**(basis | facts)), **(options or {}))

    def samples(self, count: int) -> dict[str, Any]:
        return {"dataset": Dataset(size=given(count, 21))}

    def test_too_small(self) -> None:
        finding = self.verdict(4).only
        assert (finding.severity, finding.at.line) == ("advice", 20)
        assert finding.message == "batches of 4: each step follows a few samples"

    @pytest.mark.parametrize("size", [1, 8, 32, 50, 100, 1024])
    def test_silent(self, size: int) -> None:
        assert self.verdict(size).state == "passed"

    @pytest.mark.parametrize("size", [2, 7, 1025, 4096])
    def test_thresholds(self, size: int) -> None:
        assert self.verdict(size).only.severity == "advice"

    def test_much_of_the_data(self) -> None:
        finding = self.verdict(512, **self.samples(1000)).only
        assert (finding.severity, finding.at.line) == ("warning", 20)
        assert finding.message == "a batch of 512 is 51% of the 1000 samples: about 20 steps in all"
        assert [e.at.line for e in finding.evidence if e.at] == [21, 2]

    def test_silent_with_steps_enough(self) -> None:
        assert self.verdict(512, **self.samples(1000), epochs=given(500)).state == "passed"
        assert self.verdict(512, **self.samples(1000), epochs=UNCLEAR).state == "passed"
        finding = self.verdict(2000, **self.samples(4000), epochs=given(500)).only
        assert (finding.severity, finding.message.split(": ")[1]) == ("advice", "about 2 steps an epoch")

    def test_silent_on_a_tenth_and_on_the_usual_size(self) -> None:
        assert self.verdict(100, **self.samples(1000)).state == "passed"
        assert self.verdict(101, **self.samples(1000)).state == "failed"
        assert self.verdict(32, **self.samples(150)).state == "passed"

    def test_silent_on_toys(self) -> None:
        assert self.verdict(50, **self.samples(99)).state == "passed"
        assert self.verdict(4, **self.samples(99)).state == "passed"

    @pytest.mark.parametrize(
        "facts",
        [
            {"hidden_state": HiddenState(carried=given(True))},
            {"hidden_state": HiddenState(carried=UNCLEAR)},
            {"dataset": Dataset(kind=given("stream"))},
            {"training_step": TrainingStep(accumulation=given(8))},
            {"training_step": TrainingStep(accumulation=UNCLEAR)},
            {"optimizers": (optimizer("LBFGS", 0.8),)},
            {"recurrent_layers": (RecurrentLayer(kind=given("ConvLSTM2D"), at=at(5)),)},
            {"recurrent_layers": (RecurrentLayer(kind=given("LSTM"), stateful=given(True), at=at(5)),)},
        ],
    )
    def test_silent_where_something_else_decides(self, facts: dict[str, Any]) -> None:
        assert self.verdict(4, **facts).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "batch size: **kwargs"

    def test_options(self) -> None:
        assert self.verdict(4, {"least": 2}).state == "passed"
        assert self.verdict(2048, {"most": 4096}).state == "passed"


class TestOptimizerRebuiltInLoop:
    def verdict(self, name: str = "Adam", rebuilt: object = True, **more: Any) -> Verdict:
        fact = given(rebuilt) if isinstance(rebuilt, bool) else rebuilt
        one = optimizer(name, rebuilt_in_loop=fact, **more)
        return judge("optimizer-rebuilt-in-loop", program(optimizers=(one,), recurrent_layers=LAYERS))

    def test_fires(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == "Adam is built anew in every turn of the training loop: what it had gathered is lost"
        assert self.verdict("SGD", momentum=given(0.9)).state == "failed"

    def test_silent_where_there_is_nothing_to_lose(self) -> None:
        assert self.verdict("SGD", momentum=given(0)).state == "passed"

    def test_silent(self) -> None:
        assert self.verdict(rebuilt=False).state == "passed"
        assert self.verdict(active=False).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(rebuilt=UNCLEAR).state == "undecided"


class TestRemovedArgument:
    def verdict(self, *removed: RemovedArgument) -> Verdict:
        facts = {"removed_arguments": removed, "optimizers": (optimizer(),), "recurrent_layers": LAYERS}
        return judge("removed-argument", program("keras", **facts))

    def gone(self, name: str, of: str, instead: str, line: int, **more: Any) -> RemovedArgument:
        return RemovedArgument(name=given(name), of=given(of), instead=given(instead), at=at(line), **more)

    def test_fires(self) -> None:
        finding = self.verdict(self.gone("lr", "Adam", "learning_rate", 7)).only
        assert (finding.severity, finding.at.line) == ("error", 7)
        assert finding.message == "`lr` of Adam is gone in Keras 3"
        assert finding.help == "instead of `lr` use `learning_rate`"

    def test_of_one_call_together(self) -> None:
        finding = self.verdict(
            self.gone("lr", "SGD", "learning_rate", 7), self.gone("decay", "SGD", "a schedule", 7)
        ).only
        assert finding.message == "`decay` and `lr` of SGD are gone in Keras 3"
        assert finding.help == "instead of `lr` use `learning_rate`; instead of `decay` use a schedule"

    def test_what_was_gone_before(self) -> None:
        classes = self.gone("predict_classes", "Model", "argmax of predict", 7, since=given("2.6"))
        assert self.verdict(classes).only.message == "`predict_classes` of Model is gone since Keras 2.6"

    def test_what_is_ignored(self) -> None:
        assert self.verdict(self.gone("decay", "SGD", "a schedule", 7)).only.message.endswith("is ignored by Keras 3")

    def test_nothing_instead(self) -> None:
        assert self.verdict(self.gone("workers", "fit", "nothing", 7)).only.help == "take `workers` away"

    def test_import(self) -> None:
        finding = self.verdict(self.gone("keras.utils.np_utils", "", "keras.utils", 2, since=given("3.0"))).only
        assert finding.message == "`keras.utils.np_utils` is gone in Keras 3"
        assert (finding.help, finding.fix) == ("instead of `keras.utils.np_utils` use `keras.utils`", None)

    def test_imports_of_two_modules_apart(self) -> None:
        imports = [
            self.gone(f"keras.layers.{name}", "", "keras.layers", line) for name, line in (("core", 1), ("merge", 2))
        ]
        assert [finding.at.line for finding in self.verdict(*imports).findings] == [1, 2]

    def test_several_places_once(self) -> None:
        off = self.gone("lr", "Adam", "learning_rate", 3, active=False)
        places = [self.gone("lr", "Adam", "learning_rate", line) for line in (7, 9)]
        finding = self.verdict(off, *places).only
        assert (finding.at.line, [e.at.line for e in finding.evidence if e.at]) == (7, [9, 3])

    def test_inactive(self) -> None:
        assert "defaults do not take" in self.verdict(self.gone("lr", "Adam", "x", 3, active=False)).only.message

    @pytest.mark.parametrize(
        ("gone", "edits"),
        [
            (("keras.utils.np_utils", "", "keras.utils", {"rewritten": "from keras import utils as np_utils"}),
             (ReplaceStatement(at=at(7), code="from keras import utils as np_utils"),)),
            (("fit_generator", "Model", "fit", {"called_on": "self.net"}),
             (ReplaceCallee(at=at(7), was="fit_generator", code="self.net.fit"),)),
            (("predict_classes", "Model", "argmax of predict", {"called_on": "m", "arguments": "x, 32"}),
             (ReplaceExpression(at=at(7), code="m.predict(x, 32).argmax(axis=-1)"),)),
            (("CuDNNLSTM", "", "LSTM", {}), (RenameImported(at=at(7), name="CuDNNLSTM", to="LSTM"),)),
            (("batch_input_shape", "LSTM", "batch_shape of keras.Input", {"input": "batch_shape=s", "added_to": "m"}),
             (InsertStatements(at=at(7), side="before", code="m.add(`keras.layers.Input`(batch_shape=s))"),
              RemoveArgument(at=at(7), name="batch_input_shape"))),
        ],
    )  # fmt: skip
    def test_fix(self, gone: tuple[str, str, str, dict[str, str]], edits: tuple[Edit, ...]) -> None:
        name, of, instead, more = gone
        item = self.gone(name, of, instead, 7, **{key: given(value) for key, value in more.items()})
        facts = {"removed_arguments": (item,), "optimizers": (optimizer(),), "recurrent_layers": LAYERS}
        softmax = Output(activation=given("softmax"))
        fix = judge("removed-argument", program("keras", output=softmax, **facts)).only.fix
        assert fix is not None
        assert (fix.edits, fix.applicability) == (edits, "safe")

    def test_fix_of_an_item_of_a_list(self) -> None:
        more = {"input": given("shape=s, batch_size=4"), "added_to": ABSENT}
        fix = self.verdict(self.gone("batch_size", "LSTM", "batch_size of keras.Input", 7, **more)).only.fix
        assert fix is not None
        assert fix.edits == (
            InsertItem(at=at(7), code="`keras.layers.Input`(shape=s, batch_size=4)"),
            RemoveArgument(at=at(7), name="batch_size"),
            RemoveArgument(at=at(7), name="input_shape"),
        )

    def test_fix_that_needs_tensorflow(self) -> None:
        text = "from tensorflow.keras.preprocessing.text import Tokenizer"
        gone = self.gone("keras.preprocessing.text", "", "TextVectorization", 7, rewritten=given(text))
        fix = self.verdict(gone).only.fix
        assert fix is not None
        assert (fix.applicability, fix.why) == ("unsafe", "it then needs TensorFlow, whatever Keras runs on")

    def test_no_fix_without_a_name(self) -> None:
        assert self.verdict(self.gone("reset_states", "Model", "reset_state", 7, called_on=UNCLEAR)).only.fix is None

    def test_silent(self) -> None:
        assert self.verdict().state == "passed"
