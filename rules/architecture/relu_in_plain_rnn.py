"""A rectifier in a plain recurrence without an initialisation that holds it."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RemoveArgument,
    Undecided,
    active,
    notes,
    of_keras,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_PLAIN = ("RNN", "SimpleRNN", "RNNCell", "SimpleRNNCell")
_HOLDING = ("eye", "orthogonal", "copy")
"""schemes that may be the identity or a rotation; what is copied from elsewhere may be either"""


@rule(
    code="LA106",
    name="relu-in-plain-rnn",
    summary="A plain RNN has relu and neither identity nor orthogonal initialisation.",
    family="architecture",
    topic="recurrent-activation",
    severity="warning",
    grade="A",
    article="H6",
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        if plain(layer.kind) not in _PLAIN or plain(layer.activation) != "relu":
            continue
        if of_keras(program, layer):
            scheme = str(plain(layer.recurrent_initializer, "")).lower()
            if not scheme or "identity" in scheme or "orthogonal" in scheme or not _builtin(scheme):
                continue
        elif unclear(program.initializations):
            yield undecided(program.initializations, "how the weights are initialised")
            continue
        elif any(plain(item.scheme, "copy") in _HOLDING for item in active(program.initializations)):
            continue
        at = where(layer.activation, layer)
        yield Finding(
            at=at,
            message=f"relu in a plain {plain(layer.kind)} whose recurrence starts neither as identity nor orthogonal",
            label="can grow without bound",
            help="use tanh, or start the recurrent matrix as the identity",
            fix=unsafe(
                "use tanh, the default",
                "the state stays between -1 and 1",
                RemoveArgument(at=where(layer), name="activation" if of_keras(program, layer) else "nonlinearity"),
            ),
            evidence=notes(at, (layer, "the layer"), (layer.recurrent_initializer, "initialised so")),
        )


def _builtin(scheme: str) -> bool:
    return scheme.replace("_", "").startswith(("glorot", "he", "lecun", "random", "truncated", "variance"))
