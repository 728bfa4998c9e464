"""The validation loss rises while the training loss falls."""

from lstmadvisor.rule import Finding, Iterator, Options, Program, Undecided, measured, rule, where

from ._judging import loss_at, series


class Limits(Options):
    """What counts as overfitting."""

    rise: float = 1.25
    """of the last validation losses over the lowest"""
    share: float = 0.05
    """of the first validation loss, by which it rises at least"""
    evaluations: int = 8
    """nothing is said after fewer"""


@rule(
    code="LA920",
    name="overfits-already",
    summary="The validation loss rose while the training loss fell.",
    family="probe",
    topic="epochs/early-stopping",
    severity="warning",
    grade="A",
    article="H9",
    needs=("probe",),
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None:
        return
    found = probe.statistics
    best, last = found.validation_best, found.validation_last
    if best is None or last is None or best <= 0 or last <= options.rise * best or found.fall is None:
        return
    if last - best <= options.share * (found.validation_first or 0.0):
        return
    if found.evaluations < options.evaluations:
        yield Undecided(missing=f"validation loss: {found.evaluations} evaluations; extend the probe until there are 8")
    elif found.fall[1] > 0:
        yield Finding(
            at=where(program.epochs, program.validation, loss_at(program)),
            message=f"the validation loss rose from {best:.3g} to {last:.3g} while the training loss fell by "
            f"{found.fall[0]:.0%}",
            label="overfits",
            help="stop at the lowest validation loss and keep its weights; more data or dropout come next",
            evidence=(series("validation-loss", f"lowest {best:.3g}, in the end {last:.3g}"),),
        )
