"""A loss that takes the sigmoid itself is given what has been through one already."""

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
    unsafe,
    where,
    without_activation,
)

_ALWAYS = {
    "bcewithlogits", "binarycrossentropywithlogits", "sigmoidcrossentropywithlogits", "multilabelsoftmargin",
    "sigmoidfocal", "crossentropy",
}  # fmt: skip
_WITH_LOGITS = {
    "binarycrossentropy", "binaryfocalcrossentropy", "categoricalcrossentropy", "sparsecategoricalcrossentropy",
}  # fmt: skip


@rule(
    code="LA515",
    name="sigmoid-before-logits-loss",
    summary="A loss that expects logits is given the output of a sigmoid.",
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
        if not _takes_logits(loss):
            continue
        if loss.active and unclear(loss.input_activation):
            yield undecided(loss.input_activation, "what the output goes through before the loss")
        if plain(loss.input_activation) != "sigmoid":
            continue
        at = where(loss.input_activation, loss)
        yield Finding(
            at=at,
            message=f"{plain(loss.name)} expects logits and gets a sigmoid, which is confined to 0 to 1{aside(loss)}",
            label="a first sigmoid",
            help="let the model return logits: delete this sigmoid",
            fix=unsafe("pass the raw scores", "the loss gets what it expects", without_activation(program, loss)),
            evidence=notes(at, (loss, "the loss expects logits"), (loss.from_logits, "it is told to expect logits")),
        )


def _takes_logits(loss: Loss) -> bool:
    name = str(plain(loss.name)).replace("_", "").lower().removesuffix("loss")
    return name in _ALWAYS or (name in _WITH_LOGITS and plain(loss.from_logits) is True)
