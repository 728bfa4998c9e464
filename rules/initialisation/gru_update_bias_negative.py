"""A negative bias on a gate of a GRU does not make it remember."""

from typing import Any

from lstmadvisor.rule import (
    Finding,
    Fix,
    Initialization,
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
    unsafe,
    where,
    written,
)


@rule(
    code="LA305",
    name="gru-update-bias-negative",
    summary="A negative update-gate bias makes a GRU of PyTorch or Keras forget faster, not slower.",
    family="initialisation",
    topic="forget-bias",
    severity="warning",
    grade="X",
    article="T10",
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    writes = [i for i in active(program.initializations) if plain(i.target) in ("recurrent-bias", "GRU.bias")]
    for layer in active(program.recurrent_layers):
        gates = plain(layer.gate_biases)
        if plain(layer.kind) not in ("GRU", "GRUCell"):
            continue
        told = _told(gates[0]) if isinstance(gates, list) and gates else None
        given = (
            number(writes[-1].scale) if writes and plain(layer.bias_initializer) in ("Constant", "constant") else None
        )
        if given is not None and given < 0:
            told = Severity.ADVICE, _everywhere(given)
        if told is None:
            continue
        negative = [i for i in writes if (number(i.scale) or 0) < 0] or writes
        at = where(layer.bias_initializer if given is not None else None, *negative[-1:], layer)
        yield Finding(
            at=at,
            severity=told[0],
            message=told[1],
            label="does not remember",
            help="set the bias of the update gate alone, to 1 or drawn from log U(1, T - 1)",
            fix=_opened(negative) if told[0] is None else None,
            evidence=notes(at, (layer, "the layer")),
        )
        return


def _told(gates: dict[str, Any]) -> tuple[Severity | None, str] | None:
    """How severe it is, and what to say of it."""
    update, reset, new = (gates.get(gate) or 0 for gate in ("update", "reset", "new"))
    if update < 0 and update == reset == new:
        return Severity.ADVICE, _everywhere(update)
    if update < 0:
        return None, f"an update-gate bias of {update:g} makes the GRU forget: its open update gate keeps the state"
    if reset < 0:
        return Severity.ADVICE, f"a reset-gate bias of {reset:g} does not lengthen the memory of the GRU"
    return None


def _opened(writes: list[Initialization]) -> Fix | None:
    """The same numbers above 0."""
    edits = dict.fromkeys(written(one.scale, -scale) for one in writes if (scale := number(one.scale)) is not None)
    return unsafe("open the update gate", "the state is kept for longer from the first step", *edits)


def _everywhere(bias: float) -> str:
    return f"a bias of {bias:g} on all gates closes the update gate of the GRU, whose open state is what remembers"
