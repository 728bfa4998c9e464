"""A loss that is summed up, so that its size depends on how much data it is taken over."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Loss,
    NoOptions,
    Program,
    RemoveArgument,
    ReplaceExpression,
    Severity,
    Undecided,
    active,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_LIKELIHOODS = ("ctc", "crf", "elbo", "kl", "likelihood", "gaussian", "vae")
"""losses that are sums by definition, or of which one part is"""
_SCALE_FREE = {
    "Adam", "AdamW", "NAdam", "Nadam", "RAdam", "Adamax", "AMSGrad", "SparseAdam", "Adafactor", "Lion", "RMSprop",
    "Adagrad", "Adadelta",
}  # fmt: skip
"""optimizers whose step does not grow with the gradient"""


@rule(
    code="LA511",
    name="loss-summed",
    summary="The loss is a sum that nothing divides by the number of values in it.",
    family="training",
    topic="loss-normalisation",
    severity="warning",
    grade="B",
    article="T3",
    needs=("losses",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if program.api == "module":  # whoever trains it may divide
        return
    optimizers, clips = active(program.optimizers), active(program.clipping)
    names = [str(plain(optimizer.name)) for optimizer in optimizers]
    for loss in active(program.losses):
        if not _is_sum(loss):
            continue
        if unclear(loss.divided_by):
            yield undecided(loss.divided_by, "what the summed loss is divided by")
        if unclear(loss.divided_by) or plain(loss.divided_by) is not None:
            continue
        name, in_loop = str(plain(loss.name, "the loss")), plain(loss.added_up) is True
        at = where(loss.added_up, loss) if in_loop else where(loss.reduction, loss)
        yield Finding(
            at=at,
            severity=Severity.ADVICE if names and set(names) <= _SCALE_FREE else None,
            message=f"{name} is {'added up in a loop' if in_loop else 'summed'} and never divided: its gradient grows "
            f"with the {'number of turns' if in_loop else 'amount of data'}",
            label="a sum",
            help="divide by the number of turns before `backward()`"
            if in_loop
            else "take the mean: leave `reduction` at its default, or divide by the number of valid steps",
            fix=_divided(loss) if in_loop else _mean(loss),
            evidence=notes(
                at,
                (loss, "the loss"),
                *((clip, "the threshold is held against the sum") for clip in clips),
                *((optimizer, f"{name} steps by it") for optimizer, name in zip(optimizers, names, strict=True)),
            ),
        )
        return


def _is_sum(loss: Loss) -> bool:
    name = str(plain(loss.name, "")).lower()
    if any(word in name for word in _LIKELIHOODS):
        return False
    return plain(loss.reduction) == "sum" or plain(loss.added_up) is True


def _mean(loss: Loss) -> Fix | None:
    """The default reduction, a mean."""
    away = RemoveArgument(at=loss.at, name="reduction") if loss.at is not None else None
    return unsafe("take the mean", "the gradient no longer grows with the amount of data", away)


def _divided(loss: Loss) -> Fix | None:
    """The mean where it is differentiated; what is printed stays as it is."""
    turns, at = plain(loss.addends), loss.addends.at
    mean = None if turns is None or at is None else ReplaceExpression(at=at, code=f"($ / {turns})")
    return unsafe("divide by the number of turns", "the gradient no longer grows with that number", mean)
