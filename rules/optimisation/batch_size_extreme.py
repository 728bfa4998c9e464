"""A batch so small that steps are noise, or so large that there are too few of them."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    active,
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


class Limits(Options):
    """Which batch sizes are left alone."""

    least: int = 8
    """advice below; 1 is taken for meant"""
    most: int = 1024
    """advice above"""
    share: float = 0.1
    """reported above this part of the training data, where their number is known …"""
    steps: int = 1000
    """… and all epochs together have fewer steps than these, as a warning"""
    usual: int = 32
    """never too large, and offered instead"""
    toy: int = 100
    """nothing is said of fewer training samples than these"""


@rule(
    code="LA410",
    name="batch-size-extreme",
    summary="A batch is so small that steps are noise, or so large that the training has hardly any steps.",
    family="optimisation",
    topic="batch-size",
    severity="advice",
    grade="B",
    article="H10",
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    size, samples, epochs = number(program.batch_size), number(program.dataset.size), number(program.epochs)
    if _of_its_own(program):
        return
    if active(program.optimizers) and unclear(program.batch_size):
        yield undecided(program.batch_size, "batch size")
    if size is None or size <= 1 or (samples is not None and samples < options.toy):
        return
    at = where(program.batch_size, *active(program.recurrent_layers))
    if samples is not None and size > max(options.usual, options.share * samples):
        each = max(1, -(-samples // size))
        few = epochs is not None and epochs * each < options.steps
        if few or size > options.most:
            yield Finding(
                at=at,
                severity=Severity.WARNING if few else None,
                message=f"a batch of {size:g} is {min(1, size / samples):.0%} of the {samples:g} samples: "
                + (
                    f"about {epochs * each:g} steps in all"
                    if few and epochs is not None
                    else f"about {each:g} steps an epoch"
                ),
                label="too few steps",
                help=f"use {options.usual}",
                fix=unsafe(
                    f"use batches of {options.usual}",
                    "there are more steps, each from fewer samples",
                    written(program.batch_size, options.usual),
                ),
                evidence=notes(at, (program.dataset.size, "the size of the data"), (program.epochs, "the epochs")),
            )
    elif size < options.least or size > options.most:
        small = size < options.least
        yield Finding(
            at=at,
            message=f"batches of {size:g}: "
            + (
                "each step follows a few samples"
                if small
                else "few steps an epoch, and a rate that has to grow with them"
            ),
            label="too small" if small else "too large",
            help=f"start from {options.usual}, and tune the learning rate with it",
            fix=unsafe(
                f"use batches of {options.usual}",
                f"there are {'fewer' if small else 'more'} steps, each from {'more' if small else 'fewer'} samples",
                written(program.batch_size, options.usual),
            ),
        )


def _of_its_own(program: Program) -> bool:
    """Whether something else decides on the size: streams, gathered gradients, whole-batch optimizers, videos."""
    gathered, layers = program.training_step.accumulation, active(program.recurrent_layers)
    if plain(program.hidden_state.carried) is True or unclear(program.hidden_state.carried):
        return True
    if not layers or unclear(gathered) or (number(gathered) or 1) > 1 or plain(program.dataset.kind) == "stream":
        return True
    if any(plain(optimizer.name) == "LBFGS" for optimizer in active(program.optimizers)):
        return True
    return any(plain(layer.stateful) is True or str(plain(layer.kind)).startswith("ConvLSTM") for layer in layers)
