"""Rules about data and evaluation."""

from __future__ import annotations

from typing import Any

import pytest
from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import InsertStatements, ReplaceExpression, SetArgument, SetValue
from lstmadvisor.facts import (
    ABSENT,
    UNSEEN,
    Checkpoint,
    Dataset,
    Dropout,
    EarlyStopping,
    Edge,
    Embedding,
    HiddenState,
    Loss,
    Metric,
    Optimizer,
    Output,
    Padding,
    Pass,
    Read,
    RecurrentLayer,
    Scaling,
    Seed,
    Split,
    Step,
    Targets,
    TrainingStep,
    Tuning,
    Unknown,
    Validation,
)


class TestScalerFittedBeforeSplit:
    def verdict(self, *scalings: Scaling, framework: str = "keras") -> Verdict:
        split = Split(kind=given("chronological"), at=at(20))
        return judge("scaler-fitted-before-split", program(framework, scaling=scalings, split=split))

    def scaling(self, before: object, scaler: str | None = "MinMaxScaler", **more: Any) -> Scaling:
        before = given(before, via="inferred") if isinstance(before, bool) else before
        return Scaling(scaler=given(scaler), fit_before_split=before, **({"at": at(8)} | more))

    @pytest.mark.parametrize("framework", ["pytorch", "keras", "both"])
    def test_fires_at_the_fit(self, framework: str) -> None:
        finding = self.verdict(self.scaling(True), framework=framework).only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == (
            "the scale of `MinMaxScaler` is taken before the split: it has seen the rows that judge the model"
        )
        assert [(evidence.at.line, evidence.text) for evidence in finding.evidence] == [
            (20, "the split comes only here")
        ]

    @pytest.mark.parametrize(
        ("scaler", "name"),
        [
            (None, "the scale is"),
            ("by-hand-standard", "the scale (mean and deviation) is"),
            ("by-hand-range", "the scale (smallest and largest value) is"),
        ],
    )
    def test_by_hand(self, scaler: str | None, name: str) -> None:
        assert self.verdict(self.scaling(True, scaler=scaler)).only.message.startswith(name)

    def test_silent_on_a_fit_on_the_training_part(self) -> None:
        assert self.verdict(self.scaling(False)).state == "passed"

    def test_only_the_scaler_at_fault(self) -> None:
        assert self.verdict(self.scaling(False), self.scaling(True, at=at(9))).lines == [9]

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(self.scaling(True, active=False)).only.message

    def test_unknown(self) -> None:
        assert self.verdict(self.scaling(UNCLEAR)).reason == "whether the scaler has seen the test rows: **kwargs"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"


class TestTargetInItsOwnScale:
    def verdict(self, included: Any, **more: Any) -> Verdict:
        included = given(included, 7) if isinstance(included, bool) else included
        return judge(
            "target-in-its-own-scale",
            program(scaling=(Scaling(**({"target_included": included, "at": at(8)} | more)),)),
        )

    def test_fires_at_the_scaling(self) -> None:
        finding = self.verdict(True).only
        assert (finding.severity, finding.at.line) == ("error", 8)
        assert finding.message == "each window is scaled together with its target, which shows in the inputs"
        assert [evidence.at.line for evidence in finding.evidence] == [7]

    def test_silent_on_statistics_of_the_inputs(self) -> None:
        assert self.verdict(False).state == "passed"

    def test_silent_on_scalers_of_other_kinds(self) -> None:
        assert self.verdict(UNSEEN).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(True, active=False).only.message

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "what a window is scaled by: **kwargs"

    def test_not_applicable(self) -> None:
        assert judge("target-in-its-own-scale", program(scaling=())).state == "not-applicable"


class TestOverlappingWindowsShuffledApart:
    def verdict(self, kind: Any = "random", overlap: Any = True, **facts: Any) -> Verdict:
        kind = given(kind, via="inferred") if isinstance(kind, str) else kind
        overlap = given(overlap, 12) if isinstance(overlap, bool) else overlap
        split = Split(kind=kind, of_overlapping_windows=overlap, at=at(20))
        facts = {"split": split, "dataset": Dataset(kind=given("windows"))} | facts
        return judge("overlapping-windows-shuffled-apart", program(**facts))

    def test_fires_at_the_split(self) -> None:
        finding = self.verdict(sequence_length=given(50, 3)).only
        assert (finding.severity, finding.at.line) == ("error", 20)
        assert finding.message == (
            "overlapping windows of 50 steps are split at random: the held-out windows share steps with training windows"
        )
        assert [evidence.at.line for evidence in finding.evidence] == [12]

    def test_folds_in_order_are_milder(self) -> None:
        finding = self.verdict("folds").only
        assert finding.severity == "warning"
        assert "TimeSeriesSplit" in finding.help

    @pytest.mark.parametrize("kind", ["chronological", "groups", "none"])
    def test_silent_on_splits_in_time_and_by_group(self, kind: str) -> None:
        assert self.verdict(kind).state == "passed"

    def test_silent_on_windows_that_do_not_overlap(self) -> None:
        assert self.verdict(overlap=False).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(overlap=UNCLEAR).reason == "whether the windows overlap: **kwargs"

    def test_unknown_split(self) -> None:
        judged = {"validation": Validation(kind=given("data"))}
        reason = "how training and validation windows are split: **kwargs"
        assert self.verdict(UNCLEAR, **judged).reason == reason
        assert self.verdict(UNCLEAR).state == "passed"
        assert self.verdict(UNCLEAR, **judged, dataset=Dataset(kind=given("independent"))).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict(dataset=Dataset(kind=ABSENT)).state == "not-applicable"


class TestTestSetSelects:
    def verdict(self, is_test: Any = True, selects: Any = None, reported: Any = None, **facts: Any) -> Verdict:
        def leaf(value: Any, line: int) -> Any:
            return given(value, line) if isinstance(value, bool) else UNSEEN if value is None else value

        validation = Validation(
            kind=given("data"), source=given("(x_test, y_test)"), is_test_set=leaf(is_test, 5),
            selects=leaf(selects, 31), reported=leaf(reported, 40), at=at(30),
        )  # fmt: skip
        facts = {"validation": validation, "checkpoints": (), "early_stopping": (), "api": "fit"} | facts
        return judge("test-set-selects", program("keras", **facts))

    def test_selecting_is_an_error(self) -> None:
        finding = self.verdict(selects=True).only
        assert (finding.severity, finding.at.line) == ("error", 30)
        assert finding.message == (
            "the test set `(x_test, y_test)` decides the course of the training: its score is no test any more"
        )

    def test_a_checkpoint_on_the_test_set_is_an_error_where_it_is_kept(self) -> None:
        kept = Checkpoint(on=given("test"), at=at(36))
        finding = self.verdict(UNSEEN, checkpoints=(kept,)).only
        assert (finding.severity, finding.at.line) == ("error", 36)
        assert finding.message == "the test set decides which weights are kept: its score is no test any more"

    def test_early_stopping_is_evidence(self) -> None:
        stop = EarlyStopping(monitor=given("val_loss"), at=at(33))
        finding = self.verdict(selects=True, early_stopping=(stop,)).only
        assert "decides when the training stops" in finding.message
        assert 33 in [evidence.at.line for evidence in finding.evidence]

    def test_watched_and_reported_is_a_warning(self) -> None:
        finding = self.verdict(selects=False, reported=True).only
        assert finding.severity == "warning"
        assert finding.message.endswith("is watched in every epoch and reported as the result afterwards")
        assert 40 in [evidence.at.line for evidence in finding.evidence]

    def test_printed_in_a_loop_by_hand_is_advice(self) -> None:
        assert self.verdict(selects=False, reported=True, api="loop").only.severity == "advice"

    def test_watched_only_is_advice(self) -> None:
        assert self.verdict(selects=False, reported=False).only.severity == "advice"
        assert self.verdict().only.severity == "advice"

    def test_leaves_a_search_to_its_own_rule(self) -> None:
        searched = Tuning(tool=given("keras-tuner"), on=given("test"))
        stop = EarlyStopping(monitor=given("val_loss"), at=at(33))
        assert self.verdict(selects=True, tuning=searched).state == "passed"
        assert self.verdict(selects=True, tuning=searched, early_stopping=(stop,)).findings

    def test_silent_on_validation_data_of_their_own(self) -> None:
        kept = Checkpoint(on=given("validation"), at=at(36))
        assert self.verdict(False, selects=True, checkpoints=(kept,)).state == "passed"

    def test_silent_on_inactive_checkpoints(self) -> None:
        kept = Checkpoint(on=given("test"), at=at(36), active=False)
        assert self.verdict(False, checkpoints=(kept,)).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "whether the validation data are the test set: **kwargs"

    def test_not_applicable(self) -> None:
        assert self.verdict(validation=Validation(kind=ABSENT)).state == "not-applicable"


class TestNoValidationData:
    def verdict(self, kind: Any = "none", epochs: int | None = 50, **facts: Any) -> Verdict:
        kind = given(kind) if isinstance(kind, str) else kind
        facts = {
            "validation": Validation(kind=kind, at=at(30)),
            "epochs": given(epochs, 4) if epochs else UNCLEAR,
            "optimizers": (Optimizer(name=given("Adam"), at=at(20)),),
        } | facts
        return judge("no-validation-data", program("keras", **({"api": "fit"} | facts)))

    def test_many_epochs_are_a_warning(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 30)
        assert finding.message == "50 epochs of training without a look at held-out data: overfitting cannot be seen"
        assert [evidence.at.line for evidence in finding.evidence] == [4]

    def test_threshold(self) -> None:
        assert self.verdict(epochs=30).only.severity == "warning"
        assert self.verdict(epochs=29).only.severity == "advice"
        assert self.verdict(epochs=None).only.severity == "advice"

    def test_thousands_of_turns_are_steps(self) -> None:
        assert self.verdict(epochs=1000).only.severity == "warning"
        finding = self.verdict(epochs=50_000).only
        assert finding.severity == "advice"
        assert finding.message == "training without a look at held-out data: overfitting cannot be seen"

    def test_at_the_backward_call_of_a_loop(self) -> None:
        order = TrainingStep(order=(Step(kind="backward", at=at(41)),))
        verdict = self.verdict(validation=Validation(kind=given("none")), training_step=order, api="loop")
        assert verdict.lines == [41]

    def test_a_language_model_is_advice(self) -> None:
        stream = self.verdict(dataset=Dataset(kind=given("stream"))).only
        carried = self.verdict(hidden_state=HiddenState(carried=given(True))).only
        words = self.verdict(output=Output(units=given(99)), embeddings=(Embedding(vocabulary=given(99)),)).only
        assert stream.severity == carried.severity == words.severity == "advice"

    def test_a_vocabulary_of_unknown_size(self) -> None:
        def verdict(units: str, vocabulary: str) -> Verdict:
            layers = (Embedding(vocabulary=Unknown(unknown=vocabulary)),)
            return self.verdict(output=Output(units=Unknown(unknown=units)), embeddings=layers)

        assert verdict("depends on `len(chars)`", "depends on `len(chars)`").only.severity == "advice"
        assert verdict("depends on `len(tags)`", "depends on `len(words)`").only.severity == "warning"
        assert verdict("depends on data", "depends on data").only.severity == "warning"

    @pytest.mark.parametrize("kind", ["data", "split"])
    def test_silent_with_validation_data(self, kind: str) -> None:
        assert self.verdict(kind).state == "passed"

    def test_silent_on_toys_and_on_one_pass(self) -> None:
        assert self.verdict(dataset=Dataset(size=given(6))).state == "passed"
        assert self.verdict(dataset=Dataset(written_out=given(True))).state == "passed"
        assert self.verdict(dataset=Dataset(size=given(64))).findings
        assert self.verdict(epochs=1).state == "passed"

    def test_silent_on_a_module(self) -> None:
        assert self.verdict(api="module").state == "passed"

    def test_silent_where_a_search_holds_out_folds(self) -> None:
        searched = Tuning(tool=given("GridSearchCV"), on=given("validation"))
        assert self.verdict(tuning=searched).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).state == "undecided"


def _layer(line: int = 15, **facts: Any) -> RecurrentLayer:
    return RecurrentLayer(**({"kind": given("LSTM"), "bidirectional": given(False), "at": at(line)} | facts))


LENGTHS = {"lengths_known": given(True, 9)}
ZEROS = {"value": given(0), "side": given("right")}


class TestPaddingReadAsData:
    def verdict(self, what: str = "last-step", after: Any = True, padding: Any = None, **facts: Any) -> Verdict:
        after = given(after) if isinstance(after, bool) else after
        read = Read(what=given(what), after_padding=after, at=at(25))
        facts = {
            "recurrent_layers": (_layer(reads=(read,), **facts.pop("layer", {})),),
            "padding": Padding(padded=given(True, 8), **(padding or {})),
        } | facts
        return judge("padding-read-as-data", program(**facts))

    def test_fires_at_the_read(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 25)
        assert finding.message == "the last step is read although shorter sequences end in padding there"
        assert [evidence.at.line for evidence in finding.evidence] == [15, 8]

    def test_known_lengths_make_it_an_error(self) -> None:
        finding = self.verdict("last-state", padding={"lengths_known": given(True, 9)}).only
        assert finding.severity == "error"
        assert "known and not used" in finding.message
        assert finding.help.startswith("pack the batch")

    def fix(
        self, *, what: str = "last-state", read: str = "h[-1]", padding: Any, first: bool = True, **call: Any
    ) -> Any:
        names = {name: ABSENT if value is None else given(value, 20) for name, value in call.items()}
        each = Read(what=given(what), after_padding=given(True), expression=given(read), at=at(25))
        layer = _layer(
            reads=(each,), batch_first=given(first), bidirectional=given(False), only_pass=Pass(**names, at=at(20))
        )
        found = Padding(padded=given(True, 8), **padding)
        fix = judge("padding-read-as-data", program(recurrent_layers=(layer,), padding=found)).only.fix
        return None if fix is None else fix.edits

    def test_packs_by_the_lengths(self) -> None:
        assert self.fix(padding=LENGTHS, input="self.emb(x)", output=None, lengths="lengths") == (
            InsertStatements(
                at=at(20),
                side="before",
                code="packed = `torch.nn.utils.rnn.pack_padded_sequence`"
                "(self.emb(x), lengths.cpu(), batch_first=True, enforce_sorted=False)",
            ),
            ReplaceExpression(at=at(20), code="packed"),
        )

    def test_packs_by_what_is_no_padding_and_unpacks_what_is_used(self) -> None:
        edits = self.fix(padding=ZEROS, input="e", output="out", ids="x", first=False)
        assert [getattr(edit, "code", "") for edit in edits] == [
            "packed = `torch.nn.utils.rnn.pack_padded_sequence`"
            "(e, (x != 0).sum(dim=0).clamp(min=1).cpu(), enforce_sorted=False)",
            "packed",
            "out = `torch.nn.utils.rnn.pad_packed_sequence`(out, total_length=x.size(0))[0]",
        ]

    @pytest.mark.parametrize(
        ("first", "old", "new"),
        [
            (True, "out[:, -1, :]", "out[`torch.arange`(out.size(0)), lengths - 1]"),
            (False, "out[-1]", "out[lengths - 1, `torch.arange`(out.size(1))]"),
        ],
    )
    def test_picks_the_last_real_step(self, first: bool, old: str, new: str) -> None:
        edits = self.fix(
            what="last-step", read=old, padding=LENGTHS, first=first, input="x", output="out", lengths="lengths"
        )
        assert edits == (ReplaceExpression(at=at(25), was=old, code=new),)

    @pytest.mark.parametrize(
        ("padding", "call"),
        [
            (LENGTHS, {"input": "e", "output": None}),
            (LENGTHS, {"input": "f(e)", "output": "out", "lengths": "lengths"}),
            (ZEROS | {"value": given(3)}, {"input": "e", "output": None, "ids": "x"}),
            (ZEROS | {"value_is_token": given(True)}, {"input": "e", "output": None, "ids": "x"}),
            (ZEROS | {"side": UNCLEAR}, {"input": "e", "output": None, "ids": "x"}),
        ],
    )
    def test_no_fix_without_lengths_or_names(self, padding: Any, call: Any) -> None:
        assert self.fix(padding=padding, **call) is None

    def test_a_mean_over_padding(self) -> None:
        assert "mean or maximum" in self.verdict("pooled").only.message

    def test_silent_where_every_step_is_read(self) -> None:
        assert self.verdict("all-steps").state == "passed"

    def test_silent_on_packed_or_gathered(self) -> None:
        assert self.verdict(after=False).state == "passed"

    def test_silent_on_left_padding(self) -> None:
        assert self.verdict(padding={"side": given("left")}).state == "passed"
        assert self.verdict("last-state", padding={"side": given("pre")}).state == "passed"

    def test_a_second_direction_ends_in_left_padding(self) -> None:
        both = {"bidirectional": given(True)}
        assert self.verdict("states-joined", padding={"side": given("left")}, layer=both).findings
        assert self.verdict("last-step", padding={"side": given("left")}, layer=both).state == "passed"

    def test_silent_off_the_default_path(self) -> None:
        assert self.verdict(layer={"active": False}).state == "passed"

    def test_silent_on_unknown(self) -> None:
        assert self.verdict(after=UNCLEAR).findings == ()


class TestPaddingInTheLoss:
    def verdict(self, in_loss: Any = True, padded: bool = True, **facts: Any) -> Verdict:
        in_loss = given(in_loss) if isinstance(in_loss, bool) else in_loss
        padding = Padding(padded=given(padded, 8), value=given(0), in_loss=in_loss)
        losses = (Loss(name=given("CrossEntropyLoss"), at=at(30)),)
        return judge("padding-in-the-loss", program(**({"padding": padding, "losses": losses} | facts)))

    def test_fires_at_the_loss(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 30)
        assert finding.message == (
            "CrossEntropyLoss counts the padded steps like real targets: predicting 0 is rewarded"
        )
        assert finding.help == "pass `ignore_index=0`"

    @pytest.mark.parametrize(
        ("filling", "ignored", "edits"),
        [
            (given(3), given(-100, via="default"), (SetArgument(at=at(30), name="ignore_index", code="3"),)),
            (given(3), given(1, 30), None),
            (UNCLEAR, given(-100, via="default"), None),
        ],
    )
    def test_the_filling_of_the_targets_is_ignored(self, filling: Any, ignored: Any, edits: Any) -> None:
        padding = Padding(padded=given(True, 8), value=given(0), in_loss=given(True), target_value=filling)
        losses = (Loss(name=given("CrossEntropyLoss"), ignore_index=ignored, at=at(30)),)
        fix = self.verdict(padding=padding, losses=losses).only.fix
        assert (fix.edits if fix else None) == edits

    def test_no_fix_where_a_real_token_looks_like_the_filling(self) -> None:
        padding = Padding(padded=given(True, 8), in_loss=given(True), target_value=given(0), value_is_token=given(True))
        losses = (Loss(name=given("CrossEntropyLoss"), ignore_index=given(-100, via="default"), at=at(30)),)
        assert self.verdict(padding=padding, losses=losses).only.fix is None

    def test_of_numbers(self) -> None:
        assert "mask" in self.verdict(losses=(Loss(name=given("MSELoss"), at=at(30)),)).only.help

    def test_silent_where_it_is_left_out(self) -> None:
        assert self.verdict(False).state == "passed"

    def test_silent_without_padding(self) -> None:
        assert self.verdict(padded=False).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "whether padded targets reach the loss: **kwargs"


class TestPaddingNotMasked:
    def verdict(self, masked: Any = False, side: str | None = "pre", padded: Any = True, **facts: Any) -> Verdict:
        layer = {"return_sequences": given(False)} | facts.pop("layer", {})
        facts = {
            "padding": Padding(
                padded=given(padded, 10), side=given(side) if side else UNSEEN,
                masked=given(masked) if isinstance(masked, bool) else masked,
            ),
            "recurrent_layers": (_layer(**layer),),
            "embeddings": (Embedding(padding=given(False), at=at(14)),),
        } | facts  # fmt: skip
        return judge("padding-not-masked", program("keras", **facts))

    def test_right_padding_is_a_warning_at_the_embedding(self) -> None:
        finding = self.verdict(side="post").only
        assert (finding.severity, finding.at.line) == ("warning", 14)
        assert finding.message == (
            "the padding behind the shorter sequences, where the last state is taken, is read like data: "
            "nothing masks it"
        )
        assert finding.help == "pass `mask_zero=True` to the Embedding"

    def test_silent_on_layers_of_pytorch(self) -> None:
        facts = {
            "padding": Padding(padded=given(True, 10), side=given("post"), masked=given(False)),
            "embeddings": (Embedding(padding=given(None), at=at(14)),),
        }
        torch = judge("padding-not-masked", program("both", recurrent_layers=(_layer(),), **facts))
        keras = judge(
            "padding-not-masked", program("both", recurrent_layers=(_layer(return_sequences=given(False)),), **facts)
        )
        assert (torch.state, keras.only.help) == ("passed", "put a `Masking` layer in front")

    def test_left_padding_under_a_backward_layer_is_a_warning(self) -> None:
        finding = self.verdict(layer={"bidirectional": given(True)}).only
        assert finding.severity == "warning"
        assert "where the backward layer ends" in finding.message

    def test_left_padding_alone_is_advice(self) -> None:
        assert self.verdict().only.severity == "advice"

    def test_a_label_for_every_step(self) -> None:
        tagger = {"bidirectional": given(True), "return_sequences": given(True)}
        finding = self.verdict(side="right", layer=tagger).only
        assert finding.severity == "warning"
        assert "behind the shorter sequences, where the backward layer begins, is read" in finding.message

    def test_an_unknown_side_is_advice(self) -> None:
        finding = self.verdict(side=None).only
        assert finding.severity == "advice"
        assert finding.message.startswith("the padding of the shorter sequences is read")

    def test_without_an_embedding(self) -> None:
        finding = self.verdict(side="post", embeddings=()).only
        assert (finding.at.line, finding.help) == (15, "put a `Masking` layer in front")

    def test_silent_with_a_mask(self) -> None:
        assert self.verdict(True).state == "passed"

    def test_silent_where_the_filler_is_a_symbol(self) -> None:
        padding = Padding(padded=given(True, 10), side=given("right"), value=given(" ", 9), masked=given(False))
        assert self.verdict(padding=padding).state == "passed"

    def test_silent_without_padding(self) -> None:
        assert self.verdict(padded=False).state == "passed"

    def test_only_the_last_layer_counts(self) -> None:
        first, last = _layer(15, return_sequences=given(True)), _layer(16, return_sequences=given(False))
        assert self.verdict(recurrent_layers=(first, last)).only.severity == "advice"
        assert self.verdict(recurrent_layers=(last, first)).only.severity == "warning"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "whether a mask reaches the recurrent layers: **kwargs"


class TestMaskDefeated:
    def verdict(self, via: str = "mask-dropped", side: str = "post", masked: bool = True, **facts: Any) -> Verdict:
        padding = Padding(padded=given(True), masked=given(masked, 12), side=given(side, 9, via="default"))
        edge = Edge(from_=at(12), to=at(15), via=given(via), at=at(14))
        facts = {"graph": (edge,), "padding": padding, "recurrent_layers": (_layer(),)} | facts
        return judge("mask-defeated", program("keras", **facts))

    def test_a_lost_mask(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 14)
        assert finding.message == "the mask ends here: the recurrent layer behind it reads the padding like data"
        assert [evidence.at.line for evidence in finding.evidence] == [12, 15]

    def test_left_padding_under_a_mask_is_advice(self) -> None:
        finding = self.verdict("dropout", "pre").only
        assert (finding.severity, finding.at.line) == ("advice", 9)
        assert "cuDNN" in finding.message

    def test_silent_on_layers_that_keep_the_mask(self) -> None:
        assert self.verdict("dropout").state == "passed"

    def test_left_padding_of_a_layer_without_cudnn(self) -> None:
        layers = (_layer(kind=given("SimpleRNN")),)
        assert self.verdict("dropout", "pre", recurrent_layers=layers).state == "passed"

    def test_left_padding_without_a_mask(self) -> None:
        assert self.verdict("dropout", "pre", masked=False).state == "passed"


class TestMetricOnMixedScales:
    def verdict(self, agree: Any, **more: Any) -> Verdict:
        agree = given(agree) if isinstance(agree, bool) else agree
        metric = Metric(**({"name": given("rmse"), "scales_agree": agree, "at": at(50)} | more))
        return judge("metric-on-mixed-scales", program("keras", metrics=(metric,)))

    def test_fires_at_the_metric(self) -> None:
        finding = self.verdict(False, why=given("the truth is scaled, the prediction is not", 48)).only
        assert (finding.severity, finding.at.line) == ("error", 50)
        assert finding.message == "RMSE means nothing: the truth is scaled, the prediction is not"
        assert [evidence.at.line for evidence in finding.evidence] == [48]

    def test_one_fault_spoils_several_metrics(self) -> None:
        wrong = {"scales_agree": given(False, 45), "why": given("the columns differ")}
        both = [Metric(name=given(name), at=at(line), **wrong) for name, line in (("rmse", 50), ("mae", 51))]
        finding = judge("metric-on-mixed-scales", program("keras", metrics=tuple(both))).only
        assert finding.at.line == 50
        assert [evidence.at.line for evidence in finding.evidence] == [45, 51]

    def test_without_a_reason(self) -> None:
        assert "different scales" in self.verdict(False, name=UNSEEN).only.message

    @pytest.mark.parametrize("agree", [True, UNSEEN, UNCLEAR])
    def test_silent_on_one_scale_and_on_the_unknown(self, agree: Any) -> None:
        assert self.verdict(agree).state == "passed"

    def test_not_applicable(self) -> None:
        assert judge("metric-on-mixed-scales", program(metrics=())).state == "not-applicable"


class TestMetricMislabelled:
    def verdict(self, said: str, real: str | None, **more: Any) -> Verdict:
        metric = Metric(name=given(said, 60), computes=given(real, 58) if real else UNCLEAR, at=at(61), **more)
        return judge("metric-mislabelled", program("keras", metrics=(metric,)))

    def test_fires_where_it_is_reported(self) -> None:
        finding = self.verdict("mae", "mse").only
        assert (finding.severity, finding.at.line) == ("error", 61)
        assert finding.message == "what is called MAE is the MSE, of squared errors"
        assert [evidence.at.line for evidence in finding.evidence] == [60, 58]

    @pytest.mark.parametrize(("said", "real"), [("mae", "mae"), ("rmse", "rmse"), ("loss", "mse"), ("mae", None)])
    def test_silent(self, said: str, real: str | None) -> None:
        assert self.verdict(said, real).findings == ()

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict("rmse", "mse", active=False).only.message


class TestAccuracyOnRegression:
    def verdict(self, metric: str = "accuracy", loss: str = "mean_squared_error", **facts: Any) -> Verdict:
        facts = {
            "metrics": (Metric(name=given(metric, 22), mentioned=given(False), at=at(22)),),
            "losses": (Loss(name=given(loss), at=at(21)),),
            "output": Output(units=given(1), activation=given("none"), at=at(18)),
        } | facts
        return judge("accuracy-on-regression", program("keras", **facts))

    def test_measures_the_mean_absolute_error(self) -> None:
        fix = self.verdict().only.fix
        assert fix is not None
        assert fix.edits == (SetValue(at=at(22), was="accuracy", to="mae"),)
        again = Metric(name=given("accuracy", 22), mentioned=given(True), at=at(22))
        assert self.verdict(metrics=(again,)).only.fix is None
        once = again.model_copy(update={"mentioned": given(False)})
        both = (once, Metric(name=given("mae", 22), at=at(22)))
        assert self.verdict(metrics=both).only.fix is None

    def test_fires_at_the_metric(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 22)
        assert finding.message == (
            "accuracy counts exact hits, and the output is a real number trained by mean_squared_error"
        )

    @pytest.mark.parametrize("loss", ["binary_crossentropy", "sparse_categorical_crossentropy", "BCEWithLogitsLoss"])
    def test_silent_on_classifiers(self, loss: str) -> None:
        assert self.verdict(loss=loss).state == "passed"

    def test_silent_on_classes_trained_by_squares(self) -> None:
        many = Output(units=given(10), activation=given("none"))
        sigmoid = Output(units=given(1), activation=given("sigmoid"))
        assert self.verdict(output=sigmoid).state == "passed"
        assert self.verdict(output=many).state == "passed"
        assert self.verdict(targets=Targets(kind=given("class-ids"))).state == "passed"

    def test_several_real_targets(self) -> None:
        many = Output(units=given(10), activation=given("none"))
        real = Targets(kind=given("real"))
        assert self.verdict(output=many, targets=real).state == "passed"
        assert self.verdict(output=many, targets=real, dataset=Dataset(kind=given("windows"))).findings

    def test_silent_on_metrics_of_regression(self) -> None:
        assert self.verdict("mae").state == "passed"

    def test_silent_on_unknown_losses(self) -> None:
        assert self.verdict(losses=(Loss(name=UNCLEAR),)).state == "passed"


class TestLastBatchReportedAsTotal:
    def verdict(self, over: str, **more: Any) -> Verdict:
        metric = Metric(name=given("loss"), on=given("validation"), over=given(over, 40), at=at(36), **more)
        return judge("last-batch-reported-as-total", program(metrics=(metric,)))

    def test_fires_where_it_is_overwritten(self) -> None:
        finding = self.verdict("last-batch").only
        assert (finding.severity, finding.at.line) == ("warning", 36)
        assert finding.message == "the loss of the last batch alone is reported for all validation data"
        assert [evidence.at.line for evidence in finding.evidence] == [40]

    def test_silent_on_sums(self) -> None:
        assert self.verdict("all-batches").state == "passed"

    def test_silent_off_the_default_path(self) -> None:
        assert self.verdict("last-batch", active=False).state == "passed"


class TestNotShuffled:
    def verdict(self, shuffle: Any = False, kind: Any = "windows", carried: Any = False, **facts: Any) -> Verdict:
        facts = {
            "recurrent_layers": (_layer(),),
            "shuffle": given(shuffle, via="default") if isinstance(shuffle, bool) else shuffle,
            "dataset": Dataset(kind=given(kind) if isinstance(kind, str) else kind, at=at(10)),
            "hidden_state": HiddenState(carried=given(carried) if isinstance(carried, bool) else carried),
            "batch_size": given(32, 11),
        } | facts
        return judge("not-shuffled", program(**facts))

    def test_fires_at_the_data(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("warning", 10)
        assert finding.message == (
            "the training samples come in the same order in every epoch, neighbours in one batch: "
            "`shuffle` is False by default"
        )

    def test_fires_where_it_is_switched_off(self) -> None:
        finding = self.verdict(shuffle=given(False, 12)).only
        assert finding.at.line == 12
        assert "default" not in finding.message

    def test_silent_where_they_are_shuffled(self) -> None:
        assert self.verdict(True).state == "passed"

    @pytest.mark.parametrize("kind", ["stream", "series"])
    def test_silent_where_order_matters(self, kind: str) -> None:
        assert self.verdict(kind=kind).state == "passed"

    def test_silent_where_the_state_is_carried(self) -> None:
        assert self.verdict(carried=True).state == "passed"

    def test_silent_on_one_batch(self) -> None:
        assert self.verdict(dataset=Dataset(kind=given("windows"), size=given(32), at=at(10))).state == "passed"
        assert self.verdict(dataset=Dataset(kind=given("windows"), size=given(33), at=at(10))).findings
        assert self.verdict(batch_size=given(1)).state == "passed"  # one sequence at a time has no neighbours

    def test_silent_where_nothing_makes_batches(self) -> None:
        assert self.verdict(batch_size=UNCLEAR).state == "passed"
        loaded = Dataset(kind=given("windows"), loader_drop_last=given(False, via="default"), at=at(10))
        assert self.verdict(batch_size=UNCLEAR, dataset=loaded).findings

    def test_unknown(self) -> None:
        assert self.verdict(kind=UNCLEAR).reason == "whether the samples are independent: **kwargs"
        assert self.verdict(carried=UNCLEAR).reason == "whether the state is carried from batch to batch: **kwargs"


class TestNoSeed:
    def verdict(self, *seeds: Seed, framework: str = "pytorch", **facts: Any) -> Verdict:
        facts = {
            "seeds": seeds,
            "optimizers": (Optimizer(name=given("Adam"), at=at(20)),),
            "recurrent_layers": (_layer(),),
        } | facts
        return judge("no-seed", program(framework, **facts))

    def test_fires_at_the_training(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 20)
        assert finding.message == "no random number generator is seeded: a second run starts from other weights"
        assert finding.help == "call `torch.manual_seed(0)` first"

    def test_a_promise_makes_it_a_warning(self) -> None:
        finding = self.verdict(framework="keras", reproducibility=given(True, 3)).only
        assert (finding.severity, finding.at.line) == ("warning", 3)

    def test_silent_with_any_seed(self) -> None:
        assert self.verdict(Seed(library=given("lightning"), value=given(1))).state == "passed"

    def test_silent_on_modules_and_the_unknown(self) -> None:
        assert self.verdict(api="module").state == "passed"
        assert self.verdict(seeds=UNCLEAR).state == "passed"


class TestPartialSeed:
    def verdict(self, *libraries: str, framework: str = "pytorch", **facts: Any) -> Verdict:
        seeds = tuple(Seed(library=given(name), value=given(0), at=at(3 + i)) for i, name in enumerate(libraries))
        return judge("partial-seed", program(framework, **({"seeds": seeds} | facts)))

    def test_fires_at_the_first_seed(self) -> None:
        finding = self.verdict("random", "numpy").only
        assert (finding.severity, finding.at.line) == ("advice", 3)
        assert finding.message == ("`numpy` and `random` are seeded, but not PyTorch, which draws the initial weights")

    def test_keras(self) -> None:
        assert "set_random_seed" in self.verdict("numpy", framework="keras").only.help

    def test_a_promise_makes_it_a_warning(self) -> None:
        assert self.verdict("numpy", reproducibility=given(True, 2)).only.severity == "warning"

    @pytest.mark.parametrize("library", ["torch", "torch.cuda", "lightning", "transformers"])
    def test_silent_where_the_weights_are_seeded(self, library: str) -> None:
        assert self.verdict("numpy", library).state == "passed"

    @pytest.mark.parametrize("library", ["keras", "tensorflow"])
    def test_silent_where_keras_is_seeded(self, library: str) -> None:
        assert self.verdict("numpy", library, framework="keras").state == "passed"

    def test_silent_on_a_seed_of_something_unknown(self) -> None:
        seeds = (Seed(library=given("numpy"), at=at(3)), Seed(library=UNCLEAR, at=at(4)))
        assert self.verdict(seeds=seeds).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict().state == "not-applicable"


class TestEmbeddingTooSmall:
    def verdict(self, offset: Any, first: int | None = 1, **more: Any) -> Verdict:
        offset = given(offset) if isinstance(offset, int) else offset
        facts = {"vocabulary_offset": offset, "first_id": UNSEEN if first is None else given(first, 6)} | more
        embedding = Embedding(vocabulary=given(200, 14), at=at(15), **facts)
        return judge("embedding-too-small", program("keras", embeddings=(embedding,)))

    def test_fires_at_the_size(self) -> None:
        finding = self.verdict(0).only
        assert (finding.severity, finding.at.line) == ("error", 14)
        assert finding.message == "the word ids go from 1 to 200, and the rows of the embedding one less far"
        assert [evidence.at.line for evidence in finding.evidence] == [15, 6]

    @pytest.mark.parametrize("offset", [1, 2, UNSEEN, UNCLEAR, ABSENT])
    def test_silent(self, offset: Any) -> None:
        assert self.verdict(offset).state == "passed"

    def test_ids_that_begin_later_need_more_rows(self) -> None:
        finding = self.verdict(1, first=2).only
        assert finding.message == "the word ids begin at 2, and the last of them have no row"
        assert finding.label == "one row short"
        assert self.verdict(2, first=2).state == "passed"

    @pytest.mark.parametrize("first", [0, None])
    def test_silent_where_ids_begin_at_zero(self, first: int | None) -> None:
        assert self.verdict(0, first).state == "passed"

    def test_off_the_default_path(self) -> None:
        assert "defaults do not take" in self.verdict(0, active=False).only.message


class TestPaddingIdIsARealToken:
    def verdict(self, token: Any) -> Verdict:
        token = given(token, 5) if isinstance(token, bool) else token
        padding = Padding(padded=given(True, 9), value=given(0, 8), value_is_token=token)
        return judge("padding-id-is-a-real-token", program(padding=padding, embeddings=(Embedding(at=at(14)),)))

    def test_fires_where_the_value_is_written(self) -> None:
        finding = self.verdict(True).only
        assert (finding.severity, finding.at.line) == ("warning", 8)
        assert finding.message == ("0 is the padding and also the id of a real token: the model cannot tell them apart")
        assert [evidence.at.line for evidence in finding.evidence] == [5, 9, 14]

    def test_silent_on_an_id_of_its_own(self) -> None:
        assert self.verdict(False).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).state == "undecided"


def _tuning(**facts: Any) -> Tuning:
    return Tuning(**({"tool": given("keras-tuner"), "at": at(70)} | facts))


class TestSearchOnTestData:
    def verdict(self, on: Any, **facts: Any) -> Verdict:
        on = given(on, 72) if isinstance(on, str) else on
        validation = facts.pop("validation", Validation())
        tuning = _tuning(**({"on": on} | facts))
        return judge("search-on-test-data", program("keras", tuning=tuning, validation=validation))

    def test_fires_at_the_data(self) -> None:
        finding = self.verdict("test").only
        assert (finding.severity, finding.at.line, finding.topic) == ("error", 72, "test-set-as-validation")
        assert finding.message == (
            "keras-tuner chooses the hyperparameters by the test set, whose score is no test any more"
        )

    def test_at_the_data_where_they_are_passed(self) -> None:
        validation = Validation(kind=given("data"), is_test_set=given(True, 5), at=at(74))
        facts = {"tuning": _tuning(tool=given("by-hand"), on=given("test", 72)), "validation": validation}
        finding = judge("search-on-test-data", program("keras", **facts)).only
        assert finding.at.line == 74
        assert [evidence.at.line for evidence in finding.evidence] == [70, 5]

    def test_not_at_a_later_fit(self) -> None:
        validation = Validation(kind=given("data"), is_test_set=given(True, 5), at=at(94))
        assert self.verdict("test", validation=validation).only.at.line == 72

    def test_by_hand(self) -> None:
        assert self.verdict("test", tool=given("by-hand")).only.message.startswith("a search by hand chooses")

    @pytest.mark.parametrize("on", ["validation", "training"])
    def test_silent_on_other_data(self, on: str) -> None:
        assert self.verdict(on).state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "the data that the search is judged by: **kwargs"

    def test_not_applicable(self) -> None:
        assert self.verdict(UNSEEN, tool=ABSENT).state == "not-applicable"


class TestGridOverTimeSeries:
    def verdict(self, cv: Any, kind: str = "windows", tool: str = "GridSearchCV") -> Verdict:
        cv = given(cv, 71) if isinstance(cv, (int, str)) else cv
        facts = {"tuning": _tuning(tool=given(tool), cv=cv), "dataset": Dataset(kind=given(kind), at=at(9))}
        return judge("grid-over-time-series", program("keras", **facts))

    @pytest.mark.parametrize("cv", [5, "KFold", "StratifiedKFold", "ShuffleSplit"])
    def test_fires_at_the_folds(self, cv: Any) -> None:
        finding = self.verdict(cv).only
        assert (finding.severity, finding.at.line) == ("warning", 71)
        assert "TimeSeriesSplit" in finding.help

    def test_message(self) -> None:
        assert self.verdict(3).only.message == (
            "GridSearchCV with 3 plain folds trains on windows from after those it validates on"
        )

    @pytest.mark.parametrize("cv", ["TimeSeriesSplit", "PredefinedSplit", "GroupKFold"])
    def test_silent_on_folds_that_know_time_or_groups(self, cv: str) -> None:
        assert self.verdict(cv).state == "passed"

    def test_silent_on_independent_samples(self) -> None:
        assert self.verdict(5, "independent").state == "passed"

    def test_silent_on_tuners_without_folds(self) -> None:
        assert self.verdict(UNSEEN, tool="optuna").state == "passed"

    def test_unknown(self) -> None:
        assert self.verdict(UNCLEAR).reason == "how the search cross-validates: **kwargs"


class TestTunerOnTrainingMetric:
    def verdict(self, objective: Any, **facts: Any) -> Verdict:
        objective = given(objective, 71) if isinstance(objective, str) else objective
        return judge("tuner-on-training-metric", program("keras", tuning=_tuning(objective=objective, **facts)))

    def test_fires_at_the_objective(self) -> None:
        finding = self.verdict("loss").only
        assert (finding.severity, finding.at.line) == ("warning", 71)
        assert finding.message == "the search is judged by `loss`, a training metric: it prefers what overfits most"
        assert finding.help == "judge it by `val_loss`"

    def test_training_data(self) -> None:
        finding = self.verdict(UNSEEN, tool=given("optuna"), on=given("training", 73)).only
        assert finding.at.line == 73
        assert finding.message == (
            "the search is judged by the data that each trial was trained on: it prefers what overfits most"
        )

    @pytest.mark.parametrize("objective", ["val_loss", "val_accuracy", "f1"])
    def test_silent_on_validation_metrics(self, objective: str) -> None:
        assert self.verdict(objective).state == "passed"

    def test_silent_on_a_name_of_ones_own(self) -> None:
        assert self.verdict("loss", tool=given("optuna")).state == "passed"


class TestSearchRangeTooWide:
    def verdict(self, low: float = 0.1, high: float | None = 0.8, choices: Any = None, **facts: Any) -> Verdict:
        rate = given({"low": low, "high": high, "choices": choices}, 33, via="search")
        facts = {"dropouts": (Dropout(rate=rate, at=at(34)),), "tuning": _tuning()} | facts
        return judge("search-range-too-wide", program("keras", **facts))

    def test_fires_at_the_range(self) -> None:
        finding = self.verdict().only
        assert (finding.severity, finding.at.line) == ("advice", 33)
        assert finding.message == "the search tries a dropout of up to 0.8, where more than 0.5 does harm"
        assert finding.help == "end the range at 0.5"

    def test_threshold(self) -> None:
        assert self.verdict(high=0.5).state == "passed"
        assert self.verdict(high=None, choices=[0.2, 0.6]).findings
        assert self.verdict(high=None, choices=["a", None]).state == "passed"

    @pytest.mark.parametrize(("name", "fires"), [("Adam", True), ("SGD", False)])
    def test_learning_rates_by_optimizer(self, name: str, fires: bool) -> None:
        rate = given({"low": 1e-4, "high": 1.0, "choices": None}, 40, via="search")
        verdict = self.verdict(high=0.3, optimizers=(Optimizer(name=given(name), learning_rate=rate, at=at(41)),))
        assert bool(verdict.findings) is fires

    def test_options(self) -> None:
        facts = {"dropouts": (Dropout(rate=given({"low": 0, "high": 0.6, "choices": None}, 3, via="search")),)}
        assert judge("search-range-too-wide", program(tuning=_tuning(), **facts), dropout=0.65).state == "passed"

    def test_not_applicable(self) -> None:
        assert self.verdict(tuning=_tuning(tool=ABSENT)).state == "not-applicable"
