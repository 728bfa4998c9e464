"""Dropout is applied to the model's own answer."""

from lstmadvisor.rule import (
    Dropout,
    Evidence,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    RemoveStatement,
    Severity,
    Undecided,
    UnwrapCall,
    active,
    aside,
    items,
    measured,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)

_OF_CLASSES = ("cross", "nll", "multimargin", "multilabel")


@rule(
    code="LA203",
    name="dropout-after-output",
    summary="Dropout stands behind the output layer: predictions themselves are zeroed while the loss is computed.",
    family="regularisation",
    topic="dropout-on-output",
    severity="error",
    grade="A",
    article="H3",
    needs=("dropouts",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    probe = measured(program)
    zeros = None if probe is None else probe.checks.zeros_at_output
    if program.api == "module" or (zeros is not None and zeros < 0.01):
        return  # measured: nothing is zeroed
    for drop in items(program.dropouts):
        rate, at = number(drop.rate), where(drop)
        milder = _on_logits(program)
        if plain(drop.position) != "output" or rate == 0 or (milder and not drop.active):
            continue
        share = "a part" if rate is None else f"{rate:.0%}"
        yield Finding(
            at=at,
            severity=Severity.WARNING if milder else None,
            message=f"this dropout zeroes {share} of the {'logits' if milder else 'predictions'} in training: "
            f"it stands behind the output layer{aside(drop)}",
            label="behind the output",
            help="move it in front of the output layer",
            fix=_without(drop) if [one.at for one in items(program.dropouts)].count(drop.at) == 1 else None,
            evidence=notes(at, (program.output, "the output"), (drop.rate, "the rate"))
            + (() if zeros is None else (Evidence(text=f"measured: {zeros:.0%} of the output is 0 in training"),)),
        )


def _without(drop: Dropout) -> Fix | None:
    """None for a module of PyTorch: it is made in one place and called in another."""
    title, why = "remove this dropout", "nothing of the output is zeroed in training"
    if plain(drop.alone) is True:
        return unsafe(title, why, RemoveStatement(at=where(drop)))
    by_function = str(plain(drop.kind, "")).endswith("dropout")
    return unsafe(title, why, UnwrapCall(at=where(drop), was="dropout")) if by_function else None


def _on_logits(program: Program) -> bool:
    """Whether the output goes through a softmax or sigmoid after the dropout: that distorts it less than a number."""
    losses = active(program.losses)
    of_classes = [one for one in losses if any(word in str(plain(one.name, "")).lower() for word in _OF_CLASSES)]
    if program.framework == "keras":
        return any(plain(loss.from_logits) is True for loss in of_classes)
    return bool(of_classes)
