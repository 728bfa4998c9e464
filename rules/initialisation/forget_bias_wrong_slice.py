"""What is meant for the forget gate opens other gates, or more than was meant."""

from typing import Any

from lstmadvisor.rule import (
    Finding,
    Fix,
    Initialization,
    Iterator,
    NoOptions,
    Program,
    RecurrentLayer,
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

_OTHERS = ("input", "cell", "output")


@rule(
    code="LA303",
    name="forget-bias-wrong-slice",
    summary="A bias that is meant for the forget gate reaches another gate, all gates, or the forget gate twice.",
    family="initialisation",
    topic="forget-bias",
    severity="error",
    grade="A",
    article="T9",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    writes = [i for i in active(program.initializations) if plain(i.target) in ("forget-bias", "recurrent-bias")]
    for layer in active(program.recurrent_layers):
        gates = plain(layer.gate_biases)
        if plain(layer.kind) not in ("LSTM", "LSTMCell") or not isinstance(gates, list):
            continue
        found = next((told for one in gates if (told := _told(layer, one)) is not None), None)
        if found is None or (found[0] == "twice" and not any(number(i.scale) == 1 for i in writes)):
            continue
        kind, message, label, help_ = found
        at = where(*([i for i in writes if (number(i.scale) or 0) > 0] or writes)[-1:], layer)
        yield Finding(
            at=at,
            severity={"twice": Severity.ADVICE, "all": Severity.WARNING}.get(kind),
            message=message,
            label=label,
            help=help_,
            fix=_halved(writes) if kind == "twice" else None,
            evidence=notes(at, *((one, "and here") for one in writes), (layer, "the layer")),
        )
        return


def _told(layer: RecurrentLayer, gates: dict[str, Any]) -> tuple[str, str, str, str] | None:
    """What is wrong with the biases of one direction of one layer: kind, message, label, help."""
    forget = gates.get("forget")
    high = [gate for gate in _OTHERS if isinstance(gates.get(gate), (int, float)) and gates[gate] >= 0.5]
    quarter = "write to the second quarter of the bias only: `bias[hidden:2 * hidden]`"
    if len(high) == len(_OTHERS) and forget is not None and forget >= 0.5:
        message = f"a bias of {forget:g} opens every gate of the {plain(layer.kind)}, not the forget gate alone"
        return "all", message, "all four gates", quarter
    if high and (forget is None or forget == 0 or forget >= 0.5):
        names = " and the ".join(high)
        message = f"a bias of {gates[high[0]]:g} reaches the {names} gate: the order is input, forget, cell, output"
        return "other", message, f"the {names} gate", quarter
    if forget == 2:
        message = "the forget-gate bias is 2 in effect: 1 is written to `bias_ih` and to `bias_hh`, which are added"
        return "twice", message, "added up to 2", "leave it if memory should be long; for 1, set `bias_hh` to 0"
    return None


def _halved(writes: list[Initialization]) -> Fix | None:
    """Half of 1 in each of the two biases that are added."""
    ones = dict.fromkeys(written(one.scale, 0.5) for one in writes if number(one.scale) == 1)
    return unsafe("let the two biases add up to 1", "the forget gate opens less from the first step", *ones)
