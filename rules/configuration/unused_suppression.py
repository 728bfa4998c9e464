"""A comment silences a rule that finds nothing there."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, rule


@rule(
    code="LA709",
    name="unused-suppression",
    summary="A comment silences a rule that finds nothing there.",
    family="configuration",
    topic="dead-setting",
    severity="warning",
    grade="B",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    """Comments are no facts of a program: the review holds them against what all other rules have found."""
    yield from ()
