"""A clipping threshold that zeroes the gradient, or does nothing at all."""

from lstmadvisor.rule import (
    Clipping,
    Finding,
    Fix,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    Value,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
    written,
)


class Limits(Options):
    """What counts as a threshold that stops the training."""

    least: float = 1e-3
    """with plain SGD, a positive threshold below this is a warning"""


@rule(
    code="LA507",
    name="clip-threshold-useless",
    summary="The clipping threshold zeroes every gradient, switches the clipping off, or stops SGD from learning.",
    family="training",
    topic="clip-missing",
    severity="error",
    grade="A",
    article="T2",
    needs=("clipping", "optimizers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    names = {str(plain(optimizer.name)) for optimizer in active(program.optimizers)}
    seen = set()
    for optimizer in active(program.optimizers):
        for how in ("clipnorm", "global_clipnorm", "clipvalue"):
            setting: Value = getattr(optimizer, how)
            most = number(setting)
            if most is not None and most <= 0:
                at = where(setting, optimizer)
                seen |= {at, optimizer.at}
                yield Finding(
                    at=at,
                    severity=Severity.WARNING,
                    message=f"`{how}={most:g}` switches the clipping off: only a positive threshold clips",
                    label="clips nothing",
                    help=f"set `{how if how != 'clipnorm' else 'global_clipnorm'}=1.0`, or delete the argument",
                    fix=unsafe("clip to 1.0", "larger gradients are scaled down", written(setting, 1.0)),
                    evidence=notes(at, (optimizer, "its optimizer")),
                )
    for clip in active(program.clipping):
        most = number(clip.max)
        at = where(clip.max, clip)
        if most is None or {at, clip.at} & seen:
            continue
        if most <= 0 and program.framework == "pytorch" and program.api == "loop":
            yield Finding(
                at=at,
                message=_effect(clip, most),
                label="no gradient is left",
                help="set a positive threshold, 1.0 for a norm",
                fix=_one(clip),
                evidence=notes(at, (clip, "clips to it")),
            )
        elif 0 < most < options.least and names == {"SGD"}:
            yield Finding(
                at=at,
                severity=Severity.WARNING,
                message=f"plain SGD gets gradients clipped to {most:g}, which hardly move the weights",
                label="stops the learning",
                help="clip to 1.0, or to the 90th percentile of the norms that you log",
                fix=_one(clip),
                evidence=notes(
                    at, (clip, "clips to it"), *((one, "its optimizer") for one in active(program.optimizers))
                ),
            )


def _one(clip: Clipping) -> Fix | None:
    """A norm of 1.0, where the threshold is one of the norm."""
    if plain(clip.kind) != "norm":
        return None
    return unsafe("clip to a norm of 1.0", "gradients move the weights then", written(clip.max, 1.0))


def _effect(clip: Clipping, most: float) -> str:
    if most == 0:
        return "clipping to 0 makes every gradient zero: nothing is learned"
    if plain(clip.kind) == "value":
        return f"clipping to ±{most:g} replaces every element of the gradient by {most:g}"
    return f"clipping to a norm of {most:g} turns every gradient round: the loss is maximised"
