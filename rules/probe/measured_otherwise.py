"""The run had another setting than the code says."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, active, plain, rule, where


@rule(
    code="LA924",
    name="measured-otherwise",
    summary="The run had another setting than the one that is written in the code.",
    family="probe",
    topic="dead-setting",
    severity="advice",
    grade="A",
    needs=("probe",),
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for one in active(program.disagreements):
        what, read, run = plain(one.what), plain(one.read), plain(one.measured)
        yield Finding(
            at=where(one),
            message=f"the {what} is {run} when the program runs, not {read} as written here",
            label="not in effect",
            help=f"look for what sets the {what} afterwards, or take this value away",
        )
