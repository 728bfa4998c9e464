"""A loss that takes the softmax itself is given what has been through one already."""

from math import e, log

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, aside, notes, number, plain, rule, where

from ._losses import activated_twice, raw_scores

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
    for loss in activated_twice(program, "softmax", _ALWAYS, _WITH_LOGITS):
        if isinstance(loss, Undecided):
            yield loss
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
            fix=raw_scores(program, loss),
            evidence=notes(at, (loss, "the loss takes another"), (loss.from_logits, "it expects logits")),
        )
