"""Rules about losses, and about what goes into them."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import ReplaceExpression, SetValue
from lstmadvisor.facts import (
    ABSENT,
    Clipping,
    DenseLayer,
    Loss,
    Optimizer,
    Output,
    Scaling,
    Targets,
)


def loss(name: str, given_activation: object = "none", **more: Any) -> Loss:
    activation = given(given_activation, 4, via="inferred") if isinstance(given_activation, str) else given_activation
    return Loss(**({"name": given(name, 8), "input_activation": activation, "at": at(8)} | more))


def verdict(rule: str, *losses: Loss, framework: str = "pytorch", **facts: Any) -> Verdict:
    return judge(rule, program(framework, losses=losses, **facts))


LOGITS = {"from_logits": given(True, 9)}
PROBABILITIES = {"from_logits": given(False, via="default")}


class TestSoftmaxBeforeCrossEntropy:
    def verdict(self, *losses: Loss, **facts: Any) -> Verdict:
        return verdict("softmax-before-cross-entropy", *losses, **facts)

    @pytest.mark.parametrize("name", ["CrossEntropyLoss", "cross_entropy"])
    def test_pytorch(self, name: str) -> None:
        finding = self.verdict(loss(name, "softmax")).only
        assert (finding.severity, finding.at.line) == ("error", 4)
        assert finding.message == f"{name} takes the softmax of what is a softmax already"
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [8]

    def test_says_how_low_the_loss_can_get(self) -> None:
        message = self.verdict(loss("CrossEntropyLoss", "softmax"), output=Output(units=given(10))).only.message
        assert message.endswith("already: it cannot fall below 1.46")

    @pytest.mark.parametrize("name", ["CategoricalCrossentropy", "sparse_categorical_crossentropy"])
    def test_keras(self, name: str) -> None:
        finding = self.verdict(loss(name, "softmax", **LOGITS), framework="keras").only
        assert finding.help.startswith("pass `from_logits=False`")
        assert self.verdict(loss(name, "softmax", **PROBABILITIES), framework="keras").state == "passed"
        assert self.verdict(loss(name, "softmax", from_logits=UNCLEAR), framework="keras").state == "passed"
        assert self.verdict(loss(name, "softmax"), framework="keras").state == "passed"

    @pytest.mark.parametrize("activation", ["none", "logsoftmax", "relu", "sigmoid", "tanh"])
    def test_silent_on_everything_else(self, activation: str) -> None:
        """The softmax of a log_softmax is the softmax itself: harmless."""
        assert self.verdict(loss("CrossEntropyLoss", activation)).state == "passed"

    @pytest.mark.parametrize("name", ["NLLLoss", "ctc_batch_cost", "BCELoss", "KLDivLoss", "masked_cross_entropy"])
    def test_silent_on_other_losses(self, name: str) -> None:
        assert self.verdict(loss(name, "softmax")).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(loss("CrossEntropyLoss", "softmax", active=False)).only.message

    def test_unknown(self) -> None:
        assert self.verdict(loss("CrossEntropyLoss", UNCLEAR)).state == "undecided"
        assert self.verdict(loss("CrossEntropyLoss", UNCLEAR, active=False)).state == "passed"
        assert self.verdict(loss("MSELoss", UNCLEAR)).state == "passed"
        assert self.verdict().state == "not-applicable"


class TestSigmoidBeforeLogitsLoss:
    def verdict(self, *losses: Loss, **facts: Any) -> Verdict:
        return verdict("sigmoid-before-logits-loss", *losses, **facts)

    @pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "binary_cross_entropy_with_logits", "CrossEntropyLoss"])
    def test_pytorch(self, name: str) -> None:
        finding = self.verdict(loss(name, "sigmoid")).only
        assert (finding.severity, finding.at.line) == ("error", 4)
        assert finding.message == f"{name} expects logits and gets a sigmoid, which is confined to 0 to 1"

    def test_keras(self) -> None:
        assert self.verdict(loss("BinaryCrossentropy", "sigmoid", **LOGITS), framework="keras").lines == [4]
        assert self.verdict(loss("binary_crossentropy", "sigmoid", **PROBABILITIES), framework="keras").findings == ()

    @pytest.mark.parametrize(("name", "activation"), [("BCELoss", "sigmoid"), ("BCEWithLogitsLoss", "none")])
    def test_silent_on_the_right_pairs(self, name: str, activation: str) -> None:
        assert self.verdict(loss(name, activation)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(loss("BCEWithLogitsLoss", UNCLEAR)).state == "undecided"


class TestNllWithoutLog:
    def verdict(self, *losses: Loss) -> Verdict:
        return verdict("nll-without-log", *losses)

    def test_softmax(self) -> None:
        finding = self.verdict(loss("NLLLoss", "softmax")).only
        assert (finding.severity, finding.at.line) == ("error", 4)
        assert finding.message == (
            "NLLLoss expects log-probabilities and gets a softmax: probabilities, without the logarithm"
        )
        assert finding.help == "use `log_softmax` here"

    def test_raw_scores(self) -> None:
        finding = self.verdict(loss("nll_loss", "none")).only
        assert finding.message.endswith("gets raw scores: it falls without a limit")
        assert "CrossEntropyLoss" in finding.help

    def test_kullback_leibler(self) -> None:
        assert self.verdict(loss("KLDivLoss", "softmax")).state == "failed"
        assert self.verdict(loss("kl_div", "none")).state == "passed"

    @pytest.mark.parametrize("name", ["CrossEntropyLoss", "PoissonNLLLoss", "gaussian_nll_loss", "masked_nll"])
    def test_silent_on_other_losses(self, name: str) -> None:
        assert self.verdict(loss(name, "softmax")).state == "passed"

    def test_silent_on_logarithms(self) -> None:
        assert self.verdict(loss("NLLLoss", "logsoftmax")).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(loss("NLLLoss", UNCLEAR)).state == "undecided"


class TestLogitsIntoProbabilityLoss:
    def verdict(self, *losses: Loss, **facts: Any) -> Verdict:
        return verdict("logits-into-probability-loss", *losses, **facts)

    def test_pytorch(self) -> None:
        finding = self.verdict(loss("BCELoss", "none")).only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == "BCELoss expects probabilities and gets raw scores"
        assert finding.help == "use `BCEWithLogitsLoss`, which takes the sigmoid itself"

    @pytest.mark.parametrize("name", ["categorical_crossentropy", "SparseCategoricalCrossentropy"])
    def test_keras(self, name: str) -> None:
        finding = self.verdict(loss(name, "none", **PROBABILITIES), framework="keras").only
        assert finding.help == "pass `from_logits=True` to the loss"
        assert self.verdict(loss(name, "none", **LOGITS), framework="keras").state == "passed"
        assert self.verdict(loss(name, "none", from_logits=UNCLEAR), framework="keras").state == "passed"

    @pytest.mark.parametrize("activation", ["relu", "tanh", "logsoftmax"])
    def test_what_is_no_probability_either(self, activation: str) -> None:
        finding = self.verdict(loss("binary_crossentropy", activation, **PROBABILITIES), framework="keras").only
        assert finding.help == "end the model in a sigmoid"

    @pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
    def test_silent_on_probabilities(self, activation: str) -> None:
        assert self.verdict(loss("BCELoss", activation)).state == "passed"
        assert self.verdict(loss("categorical_crossentropy", activation, **PROBABILITIES)).state == "passed"

    @pytest.mark.parametrize("name", ["CrossEntropyLoss", "BCEWithLogitsLoss", "ctc_batch_cost", "mse", "focal"])
    def test_silent_on_other_losses(self, name: str) -> None:
        assert self.verdict(loss(name, "none")).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(loss("BCELoss", UNCLEAR)).state == "undecided"


class TestWrongOutputForTask:
    def verdict(self, item: Loss, **facts: Any) -> Verdict:
        units = facts.pop("units", 5)
        activation = facts.pop("activation", "none")
        basis = {
            "framework": "keras",
            "output": Output(units=given(units, 4), activation=given(activation, 4), at=at(4)),
            "dense_layers": (DenseLayer(units=given(units), at=at(4)),),
            "scaling": (),
        }
        return judge("wrong-output-for-task", program(losses=(item,), **(basis | facts)))

    @pytest.mark.parametrize(
        ("name", "activation", "to"), [("mse", "relu", "linear"), ("categorical_crossentropy", "sigmoid", "softmax")]
    )
    def test_another_activation(self, name: str, activation: str, to: str) -> None:
        fix = self.verdict(loss(name, activation, **PROBABILITIES), activation=activation).only.fix
        assert fix is not None
        assert fix.edits == (SetValue(at=at(4), was=activation, to=to),)

    def test_binary_loss_on_a_softmax(self) -> None:
        item = loss("binary_crossentropy", "softmax", **PROBABILITIES)
        finding = self.verdict(item, activation="softmax").only
        assert (finding.severity, finding.at.line) == ("warning", 4)
        assert finding.message == "binary cross-entropy judges each of 5 softmax outputs as a question of its own"

    def test_two_classes_come_to_the_same(self) -> None:
        item = loss("binary_crossentropy", "softmax", **PROBABILITIES)
        assert self.verdict(item, activation="softmax", units=2).state == "passed"
        assert self.verdict(item, activation="softmax", units=1).state == "passed"

    def test_categorical_loss_on_sigmoids(self) -> None:
        item = loss("categorical_crossentropy", "sigmoid", **PROBABILITIES)
        assert "5 independent sigmoids" in self.verdict(item, activation="sigmoid").only.message
        assert self.verdict(loss("CrossEntropyLoss", "sigmoid"), framework="pytorch").state == "passed"

    @pytest.mark.parametrize(
        ("name", "kind", "state"),
        [
            ("sparse_categorical_crossentropy", "one-hot", "failed"),
            ("categorical_crossentropy", "class-ids", "failed"),
            ("sparse_categorical_crossentropy", "class-ids", "passed"),
            ("categorical_crossentropy", "one-hot", "passed"),
            ("categorical_crossentropy", None, "passed"),
        ],
    )
    def test_targets(self, name: str, kind: str | None, state: str) -> None:
        targets = Targets(kind=ABSENT if kind is None else given(kind), at=at(2))
        item = loss(name, "softmax", **PROBABILITIES)
        assert self.verdict(item, activation="softmax", targets=targets).state == state

    def test_relu_in_front_of_a_regression(self) -> None:
        finding = self.verdict(loss("mse", "relu"), activation="relu", units=1).only
        assert finding.severity == "advice"
        assert finding.message == "a relu output cannot go below 0, and where it is 0 it has no gradient"
        standardised = (Scaling(scaler=given("StandardScaler"), at=at(1)),)
        certain = self.verdict(loss("mse", "relu"), activation="relu", units=1, scaling=standardised).only
        assert certain.severity == "warning"

    def test_bounded_output_for_standardised_targets(self) -> None:
        standardised = (Scaling(scaler=given("StandardScaler"), at=at(1)),)
        bounded = {"activation": "sigmoid", "units": 1}
        assert self.verdict(loss("mae", "sigmoid"), scaling=standardised, **bounded).state == "failed"
        assert self.verdict(loss("mae", "sigmoid"), **bounded).state == "passed"

    def test_silent_where_the_output_is_no_dense_layer(self) -> None:
        assert self.verdict(loss("mse", "relu"), activation="relu", dense_layers=()).state == "passed"

    def test_silent_on_right_pairs(self) -> None:
        assert self.verdict(loss("mse", "none")).state == "passed"
        softmax = loss("categorical_crossentropy", "softmax", **PROBABILITIES)
        assert self.verdict(softmax, activation="softmax").state == "passed"

    def test_unknown(self) -> None:
        output = Output(activation=UNCLEAR, at=at(4))
        assert self.verdict(loss("mse"), output=output).state == "undecided"


class TestLossSummed:
    def verdict(self, item: Loss, **facts: Any) -> Verdict:
        basis: dict[str, Any] = {"optimizers": (Optimizer(name=given("SGD"), at=at(6)),), "clipping": ()}
        return judge("loss-summed", program(losses=(item,), **(basis | facts)))

    def sum(self, name: str = "MSELoss", **more: Any) -> Loss:
        return loss(name, **({"reduction": given("sum", 7), "divided_by": ABSENT} | more))

    def test_fires(self) -> None:
        finding = self.verdict(self.sum()).only
        assert (finding.severity, finding.at.line) == ("warning", 7)
        assert finding.message == "MSELoss is summed and never divided: its gradient grows with the amount of data"

    def test_silent_where_nothing_trains(self) -> None:
        assert self.verdict(self.sum(), api="module").state == "passed"

    @pytest.mark.parametrize(("name", "severity"), [("Adam", "advice"), ("RMSprop", "advice"), ("SGD", "warning")])
    def test_adam_makes_up_for_it(self, name: str, severity: str) -> None:
        optimizers = (Optimizer(name=given(name), at=at(6)),)
        clipping = (Clipping(max=given(1.0), at=at(9)),)
        finding = self.verdict(self.sum(), optimizers=optimizers, clipping=clipping).only
        assert finding.severity == severity
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [8, 9, 6]

    def test_added_up_in_a_loop(self) -> None:
        finding = self.verdict(self.sum("cross_entropy", reduction=given("mean"), added_up=given(True, 5))).only
        assert finding.at.line == 5
        assert finding.message == (
            "cross_entropy is added up in a loop and never divided: its gradient grows with the number of turns"
        )
        assert finding.fix is None
        assert self.verdict(self.sum(reduction=given("mean"), added_up=given(False))).state == "passed"
        assert self.verdict(self.sum(reduction=given("mean"), added_up=ABSENT)).state == "passed"

    def test_divides_where_it_is_differentiated(self) -> None:
        loss = self.sum(reduction=given("mean"), added_up=given(True, 5), addends=given("len(x)", 9))
        fix = self.verdict(loss).only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(9), code="($ / len(x))"),)

    @pytest.mark.parametrize("name", ["CTCLoss", "CRF", "GaussianNLLLoss", "elbo", "kl_div", "vae_loss"])
    def test_silent_where_sums_are_meant(self, name: str) -> None:
        assert self.verdict(self.sum(name)).state == "passed"

    def test_silent_where_it_is_divided(self) -> None:
        assert self.verdict(self.sum(divided_by=given(32))).state == "passed"
        assert self.verdict(self.sum(divided_by=UNCLEAR)).reason == "what the summed loss is divided by: **kwargs"

    @pytest.mark.parametrize("reduction", ["mean", "none", "sum_over_batch_size"])
    def test_silent_on_means(self, reduction: str) -> None:
        assert self.verdict(self.sum(reduction=given(reduction))).state == "passed"

    def test_inactive(self) -> None:
        assert self.verdict(self.sum(active=False)).state == "passed"


class TestLossKeepsGraph:
    def verdict(self, total: object, **more: Any) -> Verdict:
        return verdict("loss-keeps-graph", loss("MSELoss", running_total=total, **more))

    def test_fires_at_the_sum(self) -> None:
        finding = self.verdict(given("keeps-graph", 12)).only
        assert (finding.severity, finding.at.line) == ("warning", 12)
        assert finding.message == "the total keeps the autograd graph of every loss that is added to it"
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [8]

    @pytest.mark.parametrize("total", [given("detached"), ABSENT, UNCLEAR])
    def test_silent(self, total: object) -> None:
        assert self.verdict(total).state == "passed"

    def test_inactive(self) -> None:
        assert self.verdict(given("keeps-graph", 12), active=False).state == "passed"


class TestLossShapesBroadcast:
    def verdict(self, prediction: object, target: object, name: str = "MSELoss", **facts: Any) -> Verdict:
        shapes = {"input_shape": self.shape(prediction, 5), "target_shape": self.shape(target, 6)}
        active = facts.pop("active", True)
        return verdict("loss-shapes-broadcast", loss(name, active=active, **shapes), **facts)

    def shape(self, sizes: object, line: int) -> object:
        return given(sizes, line) if isinstance(sizes, list) else sizes

    def test_a_column_of_predictions(self) -> None:
        finding = self.verdict([32, 1], [32]).only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == (
            "predictions of shape (N, 1) meet targets of shape (N): MSELoss compares each with all"
        )
        assert [evidence.at.line for evidence in finding.evidence if evidence.at] == [5, 6]

    @pytest.mark.parametrize(
        ("prediction", "target", "code"),
        [([32, 1], [32], "$.unsqueeze(1)"), ([32], [32, 1], "$.squeeze(1)")],
    )
    def test_the_targets_get_the_shape_of_the_predictions(self, prediction: Any, target: Any, code: str) -> None:
        shapes = {"input_shape": given(prediction), "target_shape": given(target)}
        compared = loss("MSELoss", target=given("y", 9), **shapes)
        fix = verdict("loss-shapes-broadcast", compared).only.fix
        assert fix is not None
        assert fix.edits == (ReplaceExpression(at=at(9), code=code, was="y"),)
        assert verdict("loss-shapes-broadcast", loss("MSELoss", target=UNCLEAR, **shapes)).only.fix is None

    def test_a_column_of_targets(self) -> None:
        assert "targets of shape (N, 1)" in self.verdict([None], [None, 1], "l1_loss").only.message

    @pytest.mark.parametrize(
        ("prediction", "target"),
        [
            ([32, 1], [32, 1]),
            ([32], [32]),
            ([32, 5], [32]),
            ([32, None], [32]),
            ([1, 1], [1]),
            ([32, 20, 1], [32, 20]),
            (UNCLEAR, [32]),
            ([32, 1], UNCLEAR),
        ],
    )
    def test_silent(self, prediction: object, target: object) -> None:
        assert self.verdict(prediction, target).state == "passed"

    def test_silent_on_single_samples(self) -> None:
        assert self.verdict([None, 1], [None], batch_size=given(1)).state == "passed"

    @pytest.mark.parametrize("name", ["CrossEntropyLoss", "nll_loss", "BCEWithLogitsLoss", "own_loss"])
    def test_silent_on_losses_that_check(self, name: str) -> None:
        assert self.verdict([32, 1], [32], name).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict([32, 1], [32], active=False).only.message
