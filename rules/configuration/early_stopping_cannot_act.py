"""Early stopping that is declared and can never stop anything."""

from lstmadvisor.rule import (
    EarlyStopping,
    Edit,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    SetArgument,
    Undecided,
    argument,
    items,
    known,
    notes,
    number,
    plain,
    rule,
    undecided,
    unsafe,
    where,
    written,
)


@rule(
    code="LA704",
    name="early-stopping-cannot-act",
    summary="Early stopping is set up so that it can never stop the training.",
    family="configuration",
    topic="epochs/early-stopping",
    severity="error",
    grade="A",
    article="H9",
    needs=("early_stopping",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    never_passed = {dead.at for dead in items(program.dead_settings) if plain(dead.kind) == "callback-not-passed"}
    for stop in items(program.early_stopping):
        at, (why, remedy) = where(stop), _obstacle(program, stop)
        if why and stop.at not in never_passed:
            yield Finding(
                at=at,
                message=why,
                label="never stops",
                help=remedy,
                fix=_fix(program, stop),
                evidence=notes(
                    at,
                    (stop.monitor, "what it watches"),
                    (stop.patience, "its patience"),
                    (program.epochs, "the number of epochs"),
                    (program.validation, "the validation data"),
                ),
            )
        elif stop.active and not known(stop.can_act):
            decisive = (stop.monitor, stop.patience, program.epochs, program.validation.kind)
            for fact in decisive if _counts_epochs(program, stop) else (stop.can_act,):
                if not known(fact):
                    yield undecided(fact, "early stopping")


def _obstacle(program: Program, stop: EarlyStopping) -> tuple[str, str]:
    """What keeps it from acting and what to do, or two empty strings."""
    monitor, patience, epochs = str(plain(stop.monitor)), number(stop.patience), number(program.epochs)
    impossible = plain(stop.can_act) is False
    if impossible or (stop.active and _counts_epochs(program, stop)):
        if monitor.startswith("val_") and plain(program.validation.kind) == "none":
            why = f"early stopping watches `{monitor}`, which is never computed: there are no validation data"
            return why, "hold out validation data and pass them to the training"
        if stop.active and patience is not None and epochs is not None and patience + 1 >= epochs:
            if plain(stop.restores_best) is True and plain(stop.by_hand) is not True and epochs > 1:
                return "", ""
            why = (
                f"a patience of {patience:g} cannot end a training of {epochs:g} epoch{'s' if epochs > 1 else ''} early"
            )
            return why, "allow more epochs, or set a shorter patience"
    if impossible:
        return f"early stopping can never act: {plain(stop.why_not, 'nothing triggers it')}", "let it act, or delete it"
    return "", ""


def _fix(program: Program, stop: EarlyStopping) -> Fix | None:
    """Validation data for the callback to watch, the name of today, or a patience that can run out."""
    fit, epochs, patience = program.epoch_loop.at, number(program.epochs), number(stop.patience)
    watched = str(plain(stop.monitor)).startswith("val_")
    if watched and program.framework == "keras" and plain(program.validation.kind) == "none":
        if fit is None or plain(program.shuffle) is None:
            return None
        held = SetArgument(at=fit, name="validation_split", code="0.1")
        return unsafe("hold out a tenth of the data for it to watch", "a tenth of the data no longer trains", held)
    edits: list[Edit | None] = []
    titles: list[str] = []
    name = plain(stop.renamed)
    if name is not None:
        edits.append(written(stop.monitor, name))
        titles.append(f"watch `{name}`")
    if epochs is not None and patience is not None and epochs >= 4 and patience + 1 >= epochs:
        edits.append(argument(stop.patience, stop, "patience", int(epochs) // 4))
        titles.append(f"set the patience to {int(epochs) // 4}")
    return unsafe(" and ".join(titles), "training may end sooner", *edits)


def _counts_epochs(program: Program, stop: EarlyStopping) -> bool:
    """A patience counted by hand, or by another framework, may be one of batches or of evaluations."""
    return program.framework == "keras" and plain(stop.by_hand) is not True
