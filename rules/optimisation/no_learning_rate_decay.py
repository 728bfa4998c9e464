"""The learning rate is the same from the first step to the last."""

from lstmadvisor.rule import (
    AppendToBody,
    ExtendArgument,
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    Optimizer,
    Options,
    Program,
    Undecided,
    active,
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
)

_NOT_FOR = {"lbfgs", "adadelta", "adagrad", "rprop", "adafactor", "prodigy"}
_HAVE_ONE = {"hf-trainer", "fastai"}


class Limits(Options):
    """Which runs are long enough for a decay to matter."""

    epochs: int = 30
    """shorter runs are left alone"""
    rate: float = 1e-4
    """rates below this are where a decay would lead to"""
    toy: int = 64
    """nothing is said of fewer training samples than these"""


@rule(
    code="LA403",
    name="no-learning-rate-decay",
    summary="The learning rate stays the same from the first step to the last of a long run.",
    family="optimisation",
    topic="lr-schedule",
    severity="advice",
    grade="B",
    article="H7",
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    epochs, samples = number(program.epochs), number(program.dataset.size)
    if active(program.optimizers) and active(program.schedules) == ():
        for fact in (program.schedules, program.epochs):
            if unclear(fact):
                yield undecided(fact, "learning-rate decay")
    if not known(program.schedules) or active(program.schedules) or epochs is None or epochs < options.epochs:
        return
    if not known(program.early_stopping) or active(program.early_stopping) or program.api in _HAVE_ONE:
        return
    if not active(program.recurrent_layers) or (samples is not None and samples < options.toy):
        return
    for optimizer in active(program.optimizers)[:1]:
        name, rate = str(plain(optimizer.name, "the optimizer")), number(optimizer.learning_rate)
        if name.lower() in _NOT_FOR or rate is None or rate < options.rate:
            continue
        at = where(optimizer)
        yield Finding(
            at=at,
            message=f"{name} keeps its learning rate of {rate:g} over all {epochs:g} epochs",
            label="never falls",
            help="once the rest works, let it fall over the run: "
            + ("`CosineDecay`" if program.framework == "keras" else "`CosineAnnealingLR(optimizer, T_max=epochs)`"),
            fix=_fix(program, optimizer),
            evidence=notes(at, (program.epochs, "the epochs"), (optimizer.learning_rate, "the rate")),
        )


def _fix(program: Program, optimizer: Optimizer) -> Fix | None:
    """A schedule over the run, stepped once an epoch; of Keras the callback that needs no count of steps."""
    loop = program.epoch_loop
    count, names = plain(loop.count), plain(loop.optimizers)
    if loop.at is None:
        return None
    if program.framework == "keras":
        watch = "" if plain(program.validation.kind) in ("data", "split") else 'monitor="loss", '
        callback = f"`keras.callbacks.ReduceLROnPlateau`({watch}factor=0.5, patience=5)"
        fits = [loop.at, *(where(other) for other in items(loop.others))]
        edits = [ExtendArgument(at=at, name="callbacks", code=callback, position=5) for at in fits]
        return unsafe("halve the rate when the loss no longer falls", "later steps become shorter", *edits)
    rebuilt = any(plain(each.rebuilt_in_loop) is True for each in active(program.optimizers))
    if program.api != "loop" or count is None or names is None or optimizer.at not in loop.made or rebuilt:
        return None
    made = f"`torch.optim.lr_scheduler.CosineAnnealingLR`({{}}, T_max={count})"
    if len(names) == 1:
        before, after = f"scheduler = {made.format(names[0])}", "scheduler.step()"
    else:
        before = f"schedulers = [{made.format('each')} for each in ({', '.join(names)})]"
        after = "for scheduler in schedulers:\n    scheduler.step()"
    return unsafe(
        "let the rate fall to zero over the run",
        "later steps become shorter",
        InsertStatements(at=loop.at, side="before", code=before),
        AppendToBody(at=loop.at, code=after),
    )
