"""A weight decay that pulls the weights to zero."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Optimizer,
    Options,
    Program,
    Regularizer,
    ReplaceCallee,
    Severity,
    Undecided,
    active,
    aside,
    items,
    known,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
    written,
)

_COUPLED = {"Adam", "SGD", "RMSprop", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "ASGD"}


class Limits(Options):
    """How much decay is too much."""

    coupled: float = 0.1
    """of decay that goes through the gradient: an error from here on"""
    penalty: float = 0.1
    """of an L2 penalty in the loss: a warning above"""
    decoupled: float = 0.1
    """of decoupled decay: nothing is said up to here"""
    each_step: float = 1e-3
    """of decoupled decay, the share of each weight that a step takes away: a warning above"""


@rule(
    code="LA205",
    name="weight-decay-too-strong",
    summary="A weight decay or L2 penalty is so strong that the weights vanish instead of learning.",
    family="regularisation",
    topic="weight-decay",
    severity="error",
    grade="X",
    article="H5",
    needs=("optimizers",),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for optimizer in items(program.optimizers):
        if optimizer.active and unclear(optimizer.weight_decay):
            yield undecided(optimizer.weight_decay, "weight decay")
        yield from _of_optimizer(optimizer, options)
    for penalty in active(program.regularizers):
        yield from _of_penalty(penalty, options)


def _of_optimizer(optimizer: Optimizer, options: Limits) -> Iterator[Finding]:
    decay, rate, name = number(optimizer.weight_decay), number(optimizer.learning_rate), plain(optimizer.name)
    decoupled, at = plain(optimizer.decoupled), where(optimizer.weight_decay, optimizer)
    if decay is None:
        return
    if decoupled is False and name in _COUPLED and decay >= options.coupled:
        yield Finding(
            at=at,
            message=f"a weight decay of {decay:g} in {name} pulls the weights to zero against the loss"
            f"{aside(optimizer)}",
            label="far too strong",
            help="use AdamW with a weight decay of 0.01",
            fix=_decoupled(optimizer),
            evidence=notes(at, (optimizer, "the optimizer")),
        )
    lost = rate * decay if rate is not None and decoupled is True and decay > options.decoupled else 0
    if round(lost, 9) > options.each_step and optimizer.active:
        yield Finding(
            at=at,
            severity=Severity.WARNING,
            message=f"a weight decay of {decay:g} at a learning rate of {rate:g} takes {lost:.2g} of each weight "
            "away in every step",
            label="too strong",
            help="use a weight decay of 0.01",
            fix=unsafe("decay by 0.01", "the loss outweighs the decay", written(optimizer.weight_decay, 0.01)),
            evidence=notes(at, (optimizer, "the optimizer"), (optimizer.learning_rate, "the learning rate")),
        )


def _of_penalty(penalty: Regularizer, options: Limits) -> Iterator[Finding]:
    amount, at = number(penalty.amount), where(penalty.amount, penalty)
    of_weights = plain(penalty.kind) in ("l2", "l1_l2") and not str(plain(penalty.target, "")).endswith("activity")
    if of_weights and amount is not None and amount > options.penalty:
        yield Finding(
            at=at,
            severity=Severity.WARNING,
            message=f"an L2 penalty of {amount:g} pulls the weights to zero against the loss",
            label="far too strong",
            help="use 1e-4",
            fix=unsafe("use 1e-4", "the loss outweighs the penalty", written(penalty.amount, 1e-4)),
            evidence=notes(at, (penalty, "the penalty")),
        )


def _decoupled(optimizer: Optimizer) -> Fix | None:
    """AdamW in place of Adam, or a decay that a coupled optimizer can bear."""
    name, module = plain(optimizer.name), "keras.optimizers" if known(optimizer.global_clipnorm) else "torch.optim"
    if name != "Adam" or optimizer.at is None:
        return unsafe("decay by 1e-4", "the loss outweighs the decay", written(optimizer.weight_decay, 1e-4))
    return unsafe(
        "use AdamW with a weight decay of 0.01",
        "the decay no longer goes through Adam's step sizes, and is smaller",
        ReplaceCallee(at=optimizer.at, was="Adam", code=f"`{module}.AdamW`"),
        written(optimizer.weight_decay, 0.01),
    )
