"""The answer for one sequence depends on the others in its batch."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, active, measured, plain, rule, where

from ._judging import layer_at


@rule(
    code="LA917",
    name="samples-mixed-in-batch",
    summary="The answer for one sequence depends on the other sequences of its batch.",
    family="probe",
    topic="batch-first-mismatch",
    severity="error",
    grade="A",
    needs=("probe",),
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    if probe is None or len(probe.checks.mixes) != 2 or probe.checks.first_bad is not None:
        return
    axis = probe.statistics.batch_axis
    shape = " by ".join(map(str, probe.checks.mixed_input))
    swapped = [r for r in active(program.reshapes) if plain(r.swaps_batch_and_time)]
    at = where(*swapped, layer_at(program))
    if all(probe.checks.mixes):
        yield Finding(
            at=at,
            message=f"sequences of one batch (input {shape}) influence each other's output",
            label="mixes the batch",
            help="swap axes with `transpose` instead of `view` or `reshape`, and check `batch_first`",
        )
    elif axis is not None and probe.checks.mixes[axis] and not probe.checks.mixes[1 - axis]:
        yield Finding(
            at=at,
            message=f"the layer runs along axis {axis} of the input ({shape}), which counts the sequences of the batch",
            label="runs across the batch",
            help=f"pass `batch_first={axis == 0}` to the recurrent layer",
        )
