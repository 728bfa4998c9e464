"""A loss that takes the sigmoid itself is given what has been through one already."""

from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, aside, notes, plain, rule, where

from ._losses import activated_twice, raw_scores

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
    for loss in activated_twice(program, "sigmoid", _ALWAYS, _WITH_LOGITS):
        if isinstance(loss, Undecided):
            yield loss
            continue
        at = where(loss.input_activation, loss)
        yield Finding(
            at=at,
            message=f"{plain(loss.name)} expects logits and gets a sigmoid, which is confined to 0 to 1{aside(loss)}",
            label="a first sigmoid",
            help="let the model return logits: delete this sigmoid",
            fix=raw_scores(program, loss),
            evidence=notes(at, (loss, "the loss expects logits"), (loss.from_logits, "it is told to expect logits")),
        )
