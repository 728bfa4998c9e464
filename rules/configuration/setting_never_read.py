"""A hyperparameter is written down and nothing reads it."""

from lstmadvisor.rule import (
    DeadSetting,
    Finding,
    Iterator,
    NoOptions,
    Place,
    Program,
    Severity,
    Undecided,
    Value,
    active,
    items,
    notes,
    plain,
    rule,
    where,
)

_TOPICS = {
    "clip": "clip-missing", "learning-rate": "learning-rate", "schedule": "lr-schedule", "momentum": "momentum",
    "weight-decay": "weight-decay", "dropout": "dropout-noop", "batch-size": "batch-size", "layers": "layers",
    "epochs": "epochs/early-stopping", "early-stopping": "epochs/early-stopping", "shuffle": "shuffle-state",
    "seed": "determinism", "loss": "other",
}  # fmt: skip
_HARMLESS = ("sequence-length", "embedding", "units", "bidirectional")
"""what the data or the layers decide anyway: a leftover"""
_HANDED_AROUND = ("batch-size", "epochs", "seed", "shuffle", "layers")
"""what functions often take and do not need"""


@rule(
    code="LA701",
    name="setting-never-read",
    summary="A hyperparameter is written down and nothing reads it: changing it changes nothing.",
    family="configuration",
    topic="dead-setting",
    severity="warning",
    grade="A",
    needs=("recurrent_layers",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if program.api == "module":
        return
    for setting in active(program.dead_settings):
        kind, name = plain(setting.setting), plain(setting.name)
        if plain(setting.kind) != "never-read" or name is None:
            continue
        what, effective = ("", None) if name == "PYTHONHASHSEED" else _effective(program, str(kind))
        mine, theirs = plain(setting.value), None if effective is None else plain(effective)
        agrees = mine is not None and mine == theirs
        at, shown = where(setting), "" if mine is None else f" = {mine!r}"
        message = f"{plain(setting.why, f'nothing reads `{name}`')}{'' if len(shown) > 30 else shown}"
        if theirs is not None and not agrees and what:
            message += f": {what} {theirs!r}"
        mild = agrees or kind in _HARMLESS or (mine is None and kind in _HANDED_AROUND)
        yield Finding(
            at=at,
            severity=Severity.ADVICE if mild else None,
            topic=_TOPICS.get(str(kind)),
            message=message,
            label="never read",
            help="set it in the environment, before Python starts"
            if str(name) == "PYTHONHASHSEED"
            else "pass it to where it belongs, or delete it",
            evidence=notes(at, *_places(program, setting, effective)),
        )


def _effective(program: Program, setting: str) -> tuple[str, Value | None]:
    """What the program uses instead of a setting, in words and as a fact."""
    optimizers, layers = active(program.optimizers), active(program.recurrent_layers)
    whole: dict[str, tuple[str, Value]] = {
        "batch-size": ("the batch size is", program.batch_size),
        "epochs": ("the number of epochs is", program.epochs),
        "sequence-length": ("the sequences have length", program.sequence_length),
        "shuffle": ("shuffling is", program.shuffle),
    }
    if setting in whole:
        return whole[setting]
    if len(optimizers) == 1 and setting in ("learning-rate", "momentum", "weight-decay"):
        one = optimizers[0]
        of = {"learning-rate": one.learning_rate, "momentum": one.momentum, "weight-decay": one.weight_decay}
        return f"{plain(one.name, 'the optimizer')} has", of[setting]
    if len(layers) == 1 and setting in ("units", "layers", "dropout"):
        layer = layers[0]
        of = {"units": layer.units, "layers": layer.num_layers, "dropout": layer.dropout}
        return f"the {plain(layer.kind, 'layer')} has", of[setting]
    if setting == "seed" and items(program.seeds):
        return "the seed is", items(program.seeds)[0].value
    if setting == "clip" and active(program.clipping):
        return "the limit is", active(program.clipping)[0].max
    return "", None


def _places(program: Program, setting: DeadSetting, effective: Value | None) -> Iterator[tuple[Value | Place, str]]:
    """Where it would belong."""
    if effective is not None and effective.at is not None:
        yield effective, "what takes effect"
    elif plain(setting.setting) in ("clip", "learning-rate", "momentum", "weight-decay", "schedule"):
        for optimizer in active(program.optimizers):
            if optimizer.at is not None:
                yield optimizer.at, "the optimizer does not get it"
    elif plain(setting.setting) in ("units", "layers", "dropout", "bidirectional"):
        for layer in active(program.recurrent_layers):
            if layer.at is not None:
                yield layer.at, "this layer does not get it"
