"""Padded targets are trained on."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    Loss,
    NoOptions,
    Padding,
    Program,
    Undecided,
    active,
    argument,
    notes,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA607",
    name="padding-in-the-loss",
    summary="Padded steps count in the loss like real targets.",
    family="data",
    topic="padding-unpacked",
    severity="warning",
    grade="A",
    article="T3",
    frameworks=("pytorch",),
    needs=("padding.padded", "losses"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    padding, losses = program.padding, active(program.losses)
    if plain(padding.padded) is not True or not losses:
        return
    if unclear(padding.in_loss):
        yield undecided(padding.in_loss, "whether padded targets reach the loss")
    if plain(padding.in_loss) is not True:
        return
    loss = next((each for each in losses if each.at == where(padding.in_loss, each)), losses[0])
    at, value, name = (
        where(loss, padding.in_loss),
        plain(padding.target_value, plain(padding.value)),
        plain(loss.name, "the loss"),
    )
    yield Finding(
        at=at,
        message=f"{name} counts the padded steps like real targets"
        + ("" if value is None else f": predicting {value} is rewarded"),
        label="padding included",
        help=f"pass `ignore_index={0 if value is None else value}`"
        if "Entropy" in str(name) or "NLL" in str(name)
        else "multiply the loss of each step by a mask and divide by the number of real steps",
        fix=_ignored(padding, loss) if len(losses) == 1 else None,
        evidence=notes(
            at,
            (padding.padded, "padded here"),
            (padding, "padded here"),
            (padding.in_loss, "the padded targets come in here"),
        ),
    )


def _ignored(padding: Padding, loss: Loss) -> Fix | None:
    """None where a real target may look like the filling, or where another index is ignored already."""
    value, ignores = plain(padding.target_value), loss.ignore_index
    if type(value) is not int or plain(padding.value_is_token) is True or not isinstance(ignores, Known):
        return None
    if ignores.via != "default":
        return None
    why = f"targets that are {value} no longer count"
    return unsafe(f"ignore the targets that are {value}", why, argument(ignores, loss, "ignore_index", value))
