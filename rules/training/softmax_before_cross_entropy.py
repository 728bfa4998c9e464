"""A loss that takes the softmax itself is given what has been through one already."""

from math import e, log

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
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
    without_activation,
)

_ALWAYS = {"crossentropy"}
_WITH_LOGITS = {"categoricalcrossentropy", "sparsecategoricalcrossentropy", "categoricalfocalcrossentropy"}


@rule(
    code="LA514",
    name="softmax-before-cross-entropy",
    summary="A cross-entropy that applies softmax itself is given the output of a softmax.",
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
        if not _takes_softmax(loss):
            continue
        if loss.active and unclear(loss.input_activation):
            yield undecided(loss.input_activation, "what the output goes through before the loss")
        if plain(loss.input_activation) != "softmax":
            continue
        at, classes = where(loss.input_activation, loss), number(program.output.units)
        floor = classes and classes > 1 and f": it cannot fall below {-log(e / (e + classes - 1)):.2f}"
        yield Finding(
            at=at,
            message=f"{plain(loss.name)} takes the softmax of what is a softmax already{floor or ''}{aside(loss)}",
            label="a first softmax",
            help="let the model return logits: delete this softmax"
            if program.framework != "keras"
            else "pass `from_logits=False`, or delete this softmax",
            fix=unsafe("pass the raw scores", "the loss gets what it expects", without_activation(program, loss)),
            evidence=notes(at, (loss, "the loss takes another"), (loss.from_logits, "it expects logits")),
        )


def _takes_softmax(loss: Loss) -> bool:
    name = str(plain(loss.name)).replace("_", "").lower().removesuffix("loss")
    return name in _ALWAYS or (name in _WITH_LOGITS and plain(loss.from_logits) is True)
