"""What the rules about losses, and the activations in front of them, have in common."""

from collections.abc import Collection

from lstmadvisor.rule import (
    Fix,
    Iterator,
    Loss,
    Program,
    Undecided,
    items,
    plain,
    unclear,
    undecided,
    unsafe,
    without_activation,
)


def plain_name(loss: Loss) -> str:
    """`crossentropy` for `CrossEntropyLoss` as for `cross_entropy`."""
    return str(plain(loss.name)).replace("_", "").lower().removesuffix("loss")


def activated_twice(
    program: Program, activation: str, always: Collection[str], with_logits: Collection[str]
) -> Iterator[Loss | Undecided]:
    """The losses that apply an activation themselves, always or where they expect logits, and are given its result."""
    for loss in items(program.losses):
        name = plain_name(loss)
        if name not in always and not (name in with_logits and plain(loss.from_logits) is True):
            continue
        if loss.active and unclear(loss.input_activation):
            yield undecided(loss.input_activation, "what the output goes through before the loss")
        if plain(loss.input_activation) == activation:
            yield loss


def raw_scores(program: Program, loss: Loss) -> Fix | None:
    """The loss given what comes before the activation."""
    return unsafe("pass the raw scores", "the loss gets what it expects", without_activation(program, loss))
