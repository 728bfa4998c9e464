"""A loop written by hand drops parts of the hidden state anew in every step."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Severity,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA208",
    name="dropout-on-state-every-step",
    summary="A loop over the time steps drops parts of the state that it hands on, other ones in each step.",
    family="regularisation",
    topic="regularisation",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("dropouts",),
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for drop in active(program.dropouts):
        rate, at = number(drop.rate), where(drop)
        if plain(drop.on_state) not in ("memory", "output") or rate == 0:
            continue
        share = "a part" if rate is None else f"{rate:.0%}"
        memory = plain(drop.on_state) == "memory"
        yield Finding(
            at=at,
            severity=None if memory else Severity.ADVICE,
            message=f"{share} of the {'memory' if memory else 'state'} that the loop hands on is dropped anew "
            "in every time step",
            label="erases the memory" if memory else "drops the state",
            help="hand the state on as it is, and drop only what the next layer or the head reads",
            evidence=notes(at, (drop.rate, "the rate")),
        )
