"""A bias initialiser made for the whole vector is cut in pieces by Keras."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    plain,
    rule,
    where,
)

_KERAS_OWN = frozenset(
    "zeros ones constant randomnormal randomuniform truncatednormal variancescaling glorotnormal glorotuniform "
    "henormal heuniform lecunnormal lecununiform orthogonal orthogonalinitializer identity get deserialize".split()
)
"""Each number for itself, whatever the length: cut in pieces, they give the same (and two that only look a name up)."""


@rule(
    code="LA304",
    name="bias-initializer-scrambled",
    summary="A bias initialiser for the whole vector is called on pieces of it, for `unit_forget_bias` is True.",
    family="initialisation",
    topic="forget-bias",
    severity="warning",
    grade="A",
    article="H4",
    frameworks=("keras",),
    needs=("recurrent_layers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        initializer = plain(layer.bias_initializer)
        if (
            plain(layer.kind) not in ("LSTM", "LSTMCell")
            or not isinstance(initializer, str)
            or initializer.lower().replace("_", "") in _KERAS_OWN
        ):
            continue
        if plain(layer.unit_forget_bias) is True and plain(layer.use_bias) is not False:
            at = where(layer.bias_initializer, layer)
            yield Finding(
                at=at,
                message=f"Keras calls `{initializer}` on a quarter of the bias and on a half, never on all of it",
                label="called on pieces",
                help="set `unit_forget_bias=False` and write the forget gate's 1 in the initialiser",
                evidence=notes(at, (layer, "the layer")),
            )
