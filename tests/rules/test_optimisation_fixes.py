"""The edits that the rules of optimisation and configuration write, from facts as literals."""

from __future__ import annotations

from literals import UNCLEAR, Verdict, at, given, judge, program

from lstmadvisor.edits import (
    AppendToBody,
    Edit,
    ExtendArgument,
    InsertStatements,
    RemoveStatement,
    ReplaceCallee,
    SetArgument,
    SetValue,
)
from lstmadvisor.facts import ABSENT, DeadSetting, EpochLoop, Item, Known, Optimizer, RecurrentLayer, Schedule

LAYER = RecurrentLayer(at=at(2), kind=given("LSTM"))


def optimizer(**facts: object) -> Optimizer:
    return Optimizer(**({"at": at(5), "name": given("Adam"), "learning_rate": given(1e-3, 4)} | facts))


class TestLearningRate:
    def test_is_set_where_it_is_written(self) -> None:
        found = judge(
            "learning-rate-out-of-range", program(optimizers=(optimizer(learning_rate=given(0.5, 4)),), schedules=())
        )
        assert found.only.fix is not None
        assert found.only.fix.edits == (SetValue(at=at(4), was=0.5, to=1e-3),)
        assert (found.only.fix.applicability, found.only.fix.why) == ("unsafe", "every step becomes shorter")

    def test_of_the_framework_is_passed(self) -> None:
        slow = optimizer(learning_rate=Known(value=0.01, via="default"), name=given("RMSprop"))
        found = judge("learning-rate-out-of-range", program("keras", optimizers=(slow,), schedules=()))
        assert found.only.fix is not None
        assert found.only.fix.edits == (SetArgument(at=at(5), name="learning_rate", code="0.001"),)

    def test_that_another_optimizer_uses_is_left_alone(self) -> None:
        sgd = optimizer(name=given("SGD"), learning_rate=given(20, 4))
        found = judge(
            "learning-rate-out-of-range",
            program(optimizers=(sgd, optimizer(at=at(7), learning_rate=given(20, 4), active=False)), schedules=()),
        )
        assert found.only.fix is None

    def test_that_is_computed_is_left_alone(self) -> None:
        computed = Known(value=0.5, via="arithmetic", at=at(4))
        found = judge(
            "learning-rate-out-of-range", program(optimizers=(optimizer(learning_rate=computed),), schedules=())
        )
        assert found.only.fix is None


class TestDecay:
    @staticmethod
    def verdict(framework: str, loop: EpochLoop) -> Verdict:
        facts = program(
            framework, optimizers=(optimizer(),), recurrent_layers=(LAYER,), schedules=(), early_stopping=(),
            epochs=given(100, 1), epoch_loop=loop,
        )  # fmt: skip
        return judge("no-learning-rate-decay", facts)

    def test_a_schedule_is_built_before_the_loop_and_stepped_at_its_end(self) -> None:
        loop = EpochLoop(at=at(8), count=given("EPOCHS"), optimizers=given(["opt"]), made=(at(5),))
        found = self.verdict("pytorch", loop)
        assert found.only.fix is not None
        assert found.only.fix.edits == (
            InsertStatements(
                at=at(8),
                side="before",
                code="scheduler = `torch.optim.lr_scheduler.CosineAnnealingLR`(opt, T_max=EPOCHS)",
            ),
            AppendToBody(at=at(8), code="scheduler.step()"),
        )

    def test_without_a_name_there_is_no_fix(self) -> None:
        loop = EpochLoop(at=at(8), count=given("EPOCHS"), optimizers=UNCLEAR, made=(at(5),))
        assert self.verdict("pytorch", loop).only.fix is None
        other = EpochLoop(at=at(8), count=given("EPOCHS"), optimizers=given(["opt"]), made=(at(6),))
        assert self.verdict("pytorch", other).only.fix is None

    def test_every_optimizer_gets_its_own(self) -> None:
        loop = EpochLoop(at=at(8), count=given("9"), optimizers=given(["one", "two"]), made=(at(5), at(6)))
        found = self.verdict("pytorch", loop)
        assert found.only.fix is not None
        made = "`torch.optim.lr_scheduler.CosineAnnealingLR`(each, T_max=9)"
        assert found.only.fix.edits == (
            InsertStatements(at=at(8), side="before", code=f"schedulers = [{made} for each in (one, two)]"),
            AppendToBody(at=at(8), code="for scheduler in schedulers:\n    scheduler.step()"),
        )

    def test_of_keras_it_is_a_callback(self) -> None:
        found = self.verdict("keras", EpochLoop(at=at(9)))
        assert found.only.fix is not None
        (edit,) = found.only.fix.edits
        assert isinstance(edit, ExtendArgument)
        assert (edit.at, edit.name) == (at(9), "callbacks")

    def test_of_several_calls_of_fit_each_gets_it(self) -> None:
        fix = self.verdict("keras", EpochLoop(at=at(9), others=(Item(at=at(12)),))).only.fix
        assert fix is not None
        assert [edit.at for edit in fix.edits] == [at(9), at(12)]


def test_plain_sgd_becomes_adam() -> None:
    sgd = optimizer(name=given("SGD"), learning_rate=given(0.1, 4), momentum=Known(value=0, via="default"))
    found = judge("plain-sgd", program(optimizers=(sgd,), recurrent_layers=(LAYER,), clipping=(), schedules=()))
    assert found.only.fix is not None
    assert found.only.fix.edits == (
        ReplaceCallee(at=at(5), was="SGD", code="`torch.optim.Adam`"),
        SetValue(at=at(4), was=0.1, to=1e-3),
    )


def test_what_was_not_passed_is_passed() -> None:
    dead = DeadSetting(
        at=at(6), kind=given("callback-not-passed"), name=given("EarlyStopping"), instead=at(9), called=given("stop")
    )
    found = judge("callback-not-passed", program("keras", optimizers=(optimizer(),), dead_settings=(dead,)))
    assert found.only.fix is not None
    assert found.only.fix.edits == (ExtendArgument(at=at(9), name="callbacks", code="stop", position=5),)
    nameless = dead.model_copy(update={"called": UNCLEAR})
    found = judge("callback-not-passed", program("keras", optimizers=(optimizer(),), dead_settings=(nameless,)))
    assert found.only.fix is None


class TestAPlateauThatIsNeverStepped:
    @staticmethod
    def edits(schedule: dict[str, object], loop: dict[str, object]) -> tuple[Edit, ...]:
        basis = {"name": given("ReduceLROnPlateau"), "stepped": given("never"), "mode": given("min"), "at": at(9)}
        facts = {
            "schedules": (Schedule(**(basis | {"called": given("decay"), "mentioned": given(False)} | schedule)),),
            "epoch_loop": EpochLoop(**({"at": at(12), "measured_in": at(12), "falls": given(True)} | loop)),
        }
        fix = judge("schedule-at-wrong-rhythm", program("pytorch", **facts)).only.fix
        return () if fix is None else fix.edits

    def test_is_stepped_with_the_validation_loss(self) -> None:
        stepped = (AppendToBody(at=at(12), code="decay.step(val_loss)"),)
        assert self.edits({}, {"measure": given("val_loss")}) == stepped
        assert self.edits({"mode": given("max")}, {"measure": given("val_loss")}) == (RemoveStatement(at=at(9)),)

    def test_is_deleted_where_nothing_could_be_watched(self) -> None:
        assert self.edits({}, {}) == (RemoveStatement(at=at(9)),)
        assert self.edits({"mentioned": given(True)}, {}) == ()


def test_a_rate_that_is_lowered_in_a_variable_is_handed_on() -> None:
    lowered = Schedule(
        at=at(20), by_hand=given(True), stepped=given("never"), optimizer=at(5), variable=given("lr"),
        given_to=given("optimizer"), given_if=ABSENT,
    )  # fmt: skip

    def code(schedule: Schedule) -> str:
        fix = judge("schedule-at-wrong-rhythm", program(schedules=(schedule,))).only.fix
        assert fix is not None
        (edit,) = fix.edits
        assert isinstance(edit, InsertStatements)
        assert (edit.at, edit.side) == (at(20), "after")
        return edit.code

    assert code(lowered) == 'for group in optimizer.param_groups:\n    group["lr"] = lr'
    under = lowered.model_copy(update={"given_if": given("args.adam"), "active": False})
    assert code(under) == 'if args.adam:\n    for group in optimizer.param_groups:\n        group["lr"] = lr'
    nameless = lowered.model_copy(update={"given_to": UNCLEAR})
    assert judge("schedule-at-wrong-rhythm", program(schedules=(nameless,))).only.fix is None
