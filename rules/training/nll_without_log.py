"""The negative log-likelihood of something that is no logarithm."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
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

_WHAT = {
    "softmax": "a softmax: probabilities, without the logarithm",
    "sigmoid": "a sigmoid, which is no log-probability",
    "none": "raw scores: it falls without a limit",
    "relu": "a relu, which is no log-probability",
    "tanh": "a tanh, which is no log-probability",
}


@rule(
    code="LA516",
    name="nll-without-log",
    summary="A loss that expects log-probabilities is given something else.",
    family="training",
    topic="activation-mismatch",
    severity="error",
    grade="A",
    article="H6",
    frameworks=("pytorch",),
    needs=("losses",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for loss in items(program.losses):
        name = plain_name(loss)
        if name not in ("nll", "kldiv"):
            continue
        if loss.active and unclear(loss.input_activation):
            yield undecided(loss.input_activation, "what the output goes through before the loss")
        given = plain(loss.input_activation)
        if given not in (_WHAT if name == "nll" else ("softmax", "sigmoid")):
            continue
        at = where(loss.input_activation, loss)
        yield Finding(
            at=at,
            message=f"{plain(loss.name)} expects log-probabilities and gets {_WHAT[given]}{aside(loss)}",
            label="no logarithm",
            help="use `log_softmax` here" if given != "none" else "use `CrossEntropyLoss`, which takes raw scores",
            evidence=notes(at, (loss, "the loss expects log-probabilities")),
        )
