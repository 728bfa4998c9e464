"""Nothing limits the gradient of a recurrent net."""

from lstmadvisor.rule import (
    Edit,
    Evidence,
    Finding,
    InsertStatements,
    Iterator,
    Optimizer,
    Options,
    Program,
    ReplaceExpression,
    SetArgument,
    Severity,
    Undecided,
    Value,
    active,
    items,
    known,
    measured,
    notes,
    number,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)

_PLAIN = {"RNN", "SimpleRNN", "RNNCell"}
_UNBOUNDED = {"relu", "selu", "elu", "leaky_relu", "none"}
NORM = "1.0"
_ADAPTIVE = {"adam", "adamw", "nadam", "adamax", "adadelta", "adagrad"}
_HOW = {
    "lightning": "pass `gradient_clip_val=1.0` to the `Trainer`",
    "keras": "pass `global_clipnorm=1.0` to the optimizer",
    "pytorch": "call `nn.utils.clip_grad_norm_(model.parameters(), 1.0)` between `backward()` and `step()`",
}


class Limits(Options):
    """Which programs need clipping most, and which not at all."""

    long: int = 50
    """back-propagation through more time steps makes it a warning"""
    short: int = 10
    """nothing is said of sequences up to this length"""
    toy: int = 64
    """nor of fewer training samples than these"""
    flat: float = 10.0
    """nor if a probe of at least 100 steps measured no norm above this multiple of the usual one"""
    spike: float = 200.0
    """a norm above this multiple of the usual one makes it a warning"""


@rule(
    code="LA501",
    name="gradient-not-clipped",
    summary="Nothing limits the gradient of a recurrent net before the optimizer applies it.",
    family="training",
    topic="clip-missing",
    severity="warning",
    grade="A",
    article="T2",
    needs=("recurrent_layers", "optimizers", "clipping"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    layers, optimizers = active(program.recurrent_layers), active(program.optimizers)
    steps, samples = number(program.sequence_length), number(program.dataset.size)
    toy = (samples is not None and samples < options.toy) or plain(program.dataset.written_out) is True
    small = toy or (steps is not None and steps <= options.short)
    names = [str(plain(optimizer.name)) for optimizer in optimizers]
    if program.api == "module":
        return  # nothing is trained
    if not layers or not optimizers or small or "LBFGS" in names or not known(program.clipping):
        return
    if active(program.clipping) or any(plain(setting) is not None for one in optimizers for setting in _limits(one)):
        return
    if any(plain(dead.setting) == "clip" for dead in active(program.dead_settings)):
        return  # setting-never-read says it
    unsure = [fact for one in optimizers for fact in (one.name, *_limits(one)) if unclear(fact)]
    if unsure:
        yield undecided(unsure[0], "optimizer")
        return
    spike = _spike(program)
    if spike is not None and spike <= options.flat:
        return
    spiky = spike is not None and spike > options.spike
    kinds = sorted({str(plain(layer.kind, "recurrent net")) for layer in layers})
    relu = [layer for layer in layers if plain(layer.activation) in _UNBOUNDED]
    long = steps is not None and steps > options.long
    careful = program.framework == "keras" and all(name.lower() in _ADAPTIVE for name in names)
    risky = relu or _PLAIN & set(kinds) or set(names) == {"SGD"} or (long and not careful)
    backward = next((step for step in items(program.training_step.order) if step.kind == "backward"), None)
    at = where(backward, optimizers[0])
    yield Finding(
        at=at,
        severity=None if risky or spiky else Severity.ADVICE,
        message=f"{names[0]} gets the gradient of the {' and '.join(kinds)} unclipped"
        + ("" if steps is None else f", from up to {steps:g} time steps back"),
        label="any size gets through",
        help=_HOW.get(program.api, _HOW["keras" if program.framework == "keras" else "pytorch"]),
        evidence=notes(
            at,
            *((clip, "clips only on a path that the defaults do not take") for clip in items(program.clipping)),
            *((layer, "unbounded activation") for layer in relu),
            (layers[0], "the gradient comes through this layer"),
            (program.sequence_length, "the length of its sequences"),
        )
        + (() if spike is None else (Evidence(series="gradient-norm", text=f"up to {spike:.0f} times the usual one"),)),
        fix=unsafe(f"clip the norm of the gradient to {NORM}", "larger gradients are scaled down", *_clipped(program)),
    )


def _spike(program: Program) -> float | None:
    """The largest gradient norm over the usual one, where a probe was long enough to see one."""
    probe = measured(program)
    return None if probe is None or probe.steps < 100 else probe.statistics.spike


def _clipped(program: Program) -> list[Edit | None]:
    """The edits that clip, in the program's own way."""
    optimizers, step = active(program.optimizers), program.training_step
    if program.framework == "keras":
        return [_given(optimizer) for optimizer in optimizers]
    acts = {act.kind: act for act in items(step.order)}
    backward, update = acts.get("backward"), acts.get("step")
    parameters, optimizer = plain(step.parameters), plain(step.optimizer)
    if program.api != "loop" or not (backward and update and parameters and backward.at and update.at):
        return [None]
    scaled = plain(step.mixed_precision) is True and plain(update.of) != optimizer
    if scaled and optimizer is None:
        return [None]
    code = f"`torch.nn.utils.clip_grad_norm_`({parameters}, {NORM})"
    if scaled and "unscale" not in acts:
        code = f"{plain(update.of)}.unscale_({optimizer})\n{code}"
    if (number(step.accumulation) or 1) > 1 or scaled:
        return [InsertStatements(at=update.at, side="before", code=code)]
    return [InsertStatements(at=backward.at, side="after", code=code)]


def _given(optimizer: Optimizer) -> Edit | None:
    """`global_clipnorm` for an optimizer of Keras that is built by a call or named by a string."""
    name, at = plain(optimizer.name), where(optimizer.name, optimizer)
    if plain(optimizer.by_hand) is True:
        return None
    if at.end_line == at.line and at.end_column == at.column + len(f"'{name}'"):
        return ReplaceExpression(at=at, code=f"`keras.optimizers.{name}`(global_clipnorm={NORM})")
    return SetArgument(at=at, name="global_clipnorm", code=NORM)


def _limits(optimizer: Optimizer) -> tuple[Value, ...]:
    return optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue
