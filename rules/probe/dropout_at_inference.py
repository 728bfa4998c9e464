"""Dropout is on while the network is judged."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as on."""

    share: float = 0.5
    """of the passes without gradient that run in training mode"""
    evaluations: int = 1
    """nothing is said of programs that were seen to compute a validation loss less often"""


@rule(
    code="LA916",
    name="dropout-at-inference",
    summary="Dropout was on while the network was validated.",
    family="probe",
    topic="eval-mode",
    severity="warning",
    grade="A",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    checks, drops = probe.checks, active(program.dropouts)
    at = where(program.validation, *drops[:1], layer_at(program))
    if checks.evaluation_forwards_equal is False and checks.first_bad is None:
        yield Finding(
            at=at,
            message="two passes in evaluation mode give different outputs: something random stays on",
            label="still random",
            help="pass `training=self.training` to the functional dropout, or use `nn.Dropout`",
        )
    elif checks.dropouts and (share := checks.train_mode_while_validating or 0.0) > options.share:
        if probe.statistics.evaluations < options.evaluations:
            return
        yield Finding(
            at=at,
            message=f"{share:.0%} of the passes without gradient run in training mode: dropout spoils the validation",
            label="in training mode",
            help="call `model.eval()` before validating and `model.train()` after it",
        )
