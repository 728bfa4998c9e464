"""Nothing is held out: overfitting stays invisible."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Severity,
    Undecided,
    Unknown,
    Value,
    active,
    items,
    notes,
    number,
    plain,
    rule,
    where,
)


class Limits(Options):
    """When training without validation is more than untidy, and when it does not matter."""

    many: int = 30
    """from so many epochs on it is a warning"""
    steps: int = 1000
    """a loop of more turns than this counts steps, not epochs: advice"""
    toy: int = 64
    """nothing is said of fewer training samples than these"""


@rule(
    code="LA605",
    name="no-validation-data",
    summary="No data are held out, so that nobody can see when the model begins to overfit.",
    family="data",
    topic="no-validation",
    severity="advice",
    grade="A",
    article="H9",
    needs=("validation.kind",),
    fix="display",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    epochs, samples = number(program.epochs), number(program.dataset.size)
    if program.api == "module" or plain(program.validation.kind) != "none":
        return
    toy = (samples is not None and samples < options.toy) or plain(program.dataset.written_out) is True
    if toy or epochs == 1 or plain(program.tuning.on) == "validation":
        return
    backward = [step for step in items(program.training_step.order) if step.kind == "backward"]
    at = where(program.validation, *backward[:1], *active(program.optimizers)[:1], program)
    stepwise = epochs is not None and epochs > options.steps
    long = epochs is not None and epochs >= options.many and not stepwise and not _is_stream(program)
    yield Finding(
        at=at,
        severity=Severity.WARNING if long else None,
        message=("" if epochs is None or stepwise else f"{epochs:g} epochs of ")
        + "training without a look at held-out data: overfitting cannot be seen",
        label="only the training loss",
        help="hold out the last tenth of the data and look at its loss after every epoch",
        evidence=notes(
            at,
            (program.epochs, "the number of epochs"),
            *((checkpoint, "keeps what does best on the training data") for checkpoint in active(program.checkpoints)),
        ),
    )


def _is_stream(program: Program) -> bool:
    """One text or one endless signal: what the model goes on to write is looked at, not its loss on another one."""
    if plain(program.dataset.kind) == "stream" or plain(program.hidden_state.carried) is True:
        return True
    return any(_same(program.output.units, layer.vocabulary) for layer in active(program.embeddings))


def _same(one: Value, other: Value) -> bool:
    """Whether two sizes agree, also where both are the length of one thing that only a run could tell."""
    if isinstance(one, Unknown) and isinstance(other, Unknown):
        return one.unknown == other.unknown and "`" in one.unknown
    return plain(one) is not None and plain(one) == plain(other)
