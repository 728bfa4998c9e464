"""A loss that takes the logarithm of probabilities is given something that is none."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Loss,
    NoOptions,
    Program,
    Undecided,
    aside,
    items,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    where,
)

from ._losses import plain_name

_BINARY = {"bce", "binarycrossentropy", "binaryfocalcrossentropy"}
_CATEGORICAL = {"categoricalcrossentropy", "sparsecategoricalcrossentropy", "categoricalfocalcrossentropy"}
_WHAT = {
    "none": "raw scores",
    "relu": "the output of a relu",
    "tanh": "the output of a tanh",
    "logsoftmax": "logarithms",
}


@rule(
    code="LA517",
    name="logits-into-probability-loss",
    summary="A cross-entropy that expects probabilities is given logits.",
    family="training",
    topic="activation-mismatch",
    severity="error",
    grade="A",
    article="H6",
    needs=("losses",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for loss in items(program.losses):
        name = plain_name(loss)
        if not _takes_probabilities(loss, name):
            continue
        if loss.active and unclear(loss.input_activation):
            yield undecided(loss.input_activation, "what the output goes through before the loss")
        given = plain(loss.input_activation)
        if given not in _WHAT:
            continue
        at = where(loss)
        yield Finding(
            at=at,
            message=f"{plain(loss.name)} expects probabilities and gets {_WHAT[given]}{aside(loss)}",
            label="expects probabilities",
            help=_remedy(name, given),
            evidence=notes(at, (loss.input_activation, f"it gets {_WHAT[given]}"), (program.output, "the output")),
        )


def _takes_probabilities(loss: Loss, name: str) -> bool:
    return name == "bce" or (
        name in _BINARY | _CATEGORICAL and plain(loss.from_logits) is not True and not unclear(loss.from_logits)
    )


def _remedy(name: str, given: str) -> str:
    if name == "bce":
        return "use `BCEWithLogitsLoss`, which takes the sigmoid itself"
    if given != "none":
        return f"end the model in a {'sigmoid' if name in _BINARY else 'softmax'}"
    return "pass `from_logits=True` to the loss"
