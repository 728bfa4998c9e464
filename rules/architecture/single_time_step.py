"""The sequences are one time step long, so nothing recurs."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    where,
)


@rule(
    code="LA118",
    name="single-time-step",
    summary="The input has one time step, so the recurrent layers never recur.",
    family="architecture",
    topic="tbptt",
    severity="error",
    grade="A",
    needs=("recurrent_layers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = active(program.recurrent_layers)
    if number(program.sequence_length) != 1 or not layers or program.api == "module":
        return
    carried = program.hidden_state.carried
    if any(plain(layer.stepped_by_hand) is True or plain(layer.stateful) is True for layer in layers):
        return
    if unclear(carried):
        yield undecided(carried, "whether the state is carried from step to step")
    if plain(carried) is not False or plain(program.hidden_state.initial) not in ("none", "zeros"):
        return
    at = where(program.sequence_length, layers[0])
    yield Finding(
        at=at,
        message="the sequences have one time step, so the recurrence never takes place",
        label="one time step",
        help="put the lags on the time axis: shape (samples, lags, features), not (samples, 1, lags)",
        evidence=notes(at, *((layer, "never recurs") for layer in layers)),
    )
