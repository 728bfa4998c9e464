"""Weights that start equal stay equal."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Initialization,
    Iterator,
    NoOptions,
    Program,
    RemoveArgument,
    RemoveStatement,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)

_GATED = ("LSTM", "GRU", "SimpleRNN")
_RECURRENT = tuple(f"{kind}.recurrent" for kind in _GATED)


@rule(
    code="LA306",
    name="constant-weights",
    summary="The recurrent weights and the head all start at a constant: units that start equal stay equal.",
    family="initialisation",
    topic="init-bad",
    severity="error",
    grade="A",
    article="H4",
    needs=("recurrent_layers", "initializations"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    last = {str(plain(one.target, "")): one for one in active(program.initializations)}
    layers, heads = active(program.recurrent_layers), active(program.dense_layers)
    if program.framework == "keras":
        kinds = {str(plain(layer.kind, "")) for layer in layers}
        wanted = [f"{kind}.{part}" for kind in sorted(kinds) for part in ("kernel", "recurrent")] + ["Dense.kernel"]
        if not kinds or not kinds <= set(_GATED) or len(layers) + len(heads) != len(kinds) + 1:
            return
    else:
        wanted = ["input-weights", "recurrent-weights", "dense-weights"]
    weights = [last[target] for target in wanted if target in last and _is_constant(last[target])]
    places = {one.at for one in weights}
    if len(weights) < len(wanted) or not (len(places) == 1 or len(heads) == 1):
        return
    amount, at = number(weights[0].scale), where(weights[0].scale, weights[0])
    yield Finding(
        at=at,
        message=f"all weights start at {'one constant' if amount is None else f'{amount:g}'}, those of the head too: "
        "units that start equal stay equal",
        label="all the same",
        help="draw weights at random: Xavier for the input weights, orthogonal for the recurrent ones",
        fix=_keras_defaults(weights) if program.framework == "keras" else _pytorch_defaults(program, weights),
        evidence=notes(at, *((one, "and here") for one in weights[1:])),
    )


def _keras_defaults(weights: list[Initialization]) -> Fix | None:
    edits = [
        RemoveArgument(
            at=where(one),
            name="recurrent_initializer" if plain(one.target) in _RECURRENT else "kernel_initializer",
        )
        for one in weights
    ]
    return unsafe("leave the weights to Keras", "they start at random, the recurrent ones orthogonal", *edits)


def _pytorch_defaults(program: Program, weights: list[Initialization]) -> Fix | None:
    """Without the one statement that writes all parameters, biases too; one for weights alone stands below an `if`."""
    at = where(weights[0])
    written = {plain(one.target) for one in active(program.initializations) if one.at == at}
    if {one.at for one in weights} != {at} or not written >= {"recurrent-bias", "dense-bias"}:
        return None
    return unsafe("leave the weights to PyTorch", "weights and biases start at random", RemoveStatement(at=at))


def _is_constant(one: Initialization) -> bool:
    return str(plain(one.scheme, "")).lower() in ("zeros", "ones", "constant", "zero", "one")
