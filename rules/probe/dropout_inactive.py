"""Dropout is off while the network trains."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, active, measured, rule, where

from ._judging import layer_at


class Limits(Options):
    """What counts as off."""

    share: float = 0.1
    """of the training steps that run in evaluation mode"""


@rule(
    code="LA915",
    name="dropout-inactive",
    summary="Dropout was off while the network trained.",
    family="probe",
    topic="dropout-noop",
    severity="warning",
    grade="A",
    article="H3",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or not probe.checks.dropouts:
        return
    off = probe.checks.eval_mode_while_training or 0.0
    drops = active(program.dropouts)
    if off > options.share:
        yield Finding(
            at=where(*drops[:1], layer_at(program)),
            message=f"dropout is off in {off:.0%} of the training steps: the network is in evaluation mode",
            label="off in training",
            help="call `model.train()` before each epoch of training",
        )
    elif probe.checks.training_forwards_equal:
        yield Finding(
            at=where(*drops[:1], layer_at(program)),
            message="two passes in training mode give the same output: dropout does nothing",
            label="drops nothing",
            help="put the dropout where data flow through it",
        )
