"""How the optimizer steps: H7, H8, T1, T2."""

from __future__ import annotations

from lstmadvisor.facts import UNSEEN, Clipping, Known, Optimizer, Place, Program, Unknown, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Action, Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import Span, counted, enumerated, folded, span, unset, worded

_ADAM_LIKE = {"adam", "adamw", "nadam", "radam", "adamax", "rmsprop", "sparseadam", "amsgrad", "adam8bit", "adamw8bit"}
_OWN_SCALE = {"adadelta", "adafactor", "lbfgs", "rprop", "lion"}
_ADAPTIVE = _ADAM_LIKE | {"adadelta", "adagrad", "adafactor", "lion", "adabelief", "lamb", "rprop"}
NO_OPTIMIZER = "no optimizer"


def learning_rate(program: Program) -> Answer:
    """H7: in (0, 0.1] and decaying."""
    optimizers = used(program.optimizers)
    if isinstance(optimizers, Unknown):
        return untold("optimizer", optimizers, notes=[notes.RATE_BY_OPTIMIZER])
    if not optimizers:
        return inapplicable(NO_OPTIMIZER)
    return joined([_rate(program, optimizer) for optimizer in optimizers])


def momentum(program: Program) -> Answer:
    """H8: momentum from 0.5 to 0.9."""
    optimizers = used(program.optimizers)
    if isinstance(optimizers, Unknown):
        return untold("optimizer", optimizers, notes=[notes.MOMENTUM])
    if not optimizers:
        return inapplicable(NO_OPTIMIZER)
    return joined([_momentum(optimizer) for optimizer in optimizers])


def adaptive_optimizer(program: Program) -> Answer:
    """T1: an adaptive optimizer such as Adam."""
    optimizers = used(program.optimizers)
    if isinstance(optimizers, Unknown):
        return untold("optimizer", optimizers, notes=[notes.SGD_CAN_WIN])
    if not optimizers:
        return inapplicable(NO_OPTIMIZER)
    return joined([_adaptive(program, optimizer) for optimizer in optimizers])


def clipping(program: Program) -> Answer:
    """T2: look at the gradient norms, then clip."""
    optimizers = used(program.optimizers)
    if optimizers == ():
        return inapplicable(NO_OPTIMIZER)
    remarks = [notes.CLIP_AT]
    names = [] if isinstance(optimizers, Unknown) else [folded(plain(one.name)) for one in optimizers]
    remarks += [notes.CLIP_UNDER_ADAM] if any(name in _ADAM_LIKE for name in names) else []
    clips = used(program.clipping)
    if not isinstance(clips, Unknown) and clips:
        return joined([_clip(program, one, remarks) for one in clips])
    for one in () if isinstance(optimizers, Unknown) else optimizers:
        if answer := _clip_of(one, remarks):
            return answer
    lacking = [fact for fact in (clips, optimizers) if isinstance(fact, Unknown)]
    if lacking:
        return untold("clipping", lacking[0], notes=remarks)
    return _unclipped(program, names, remarks)


def _rate(program: Program, optimizer: Optimizer) -> Answer:
    rate, remarks = optimizer.learning_rate, [notes.RATE_BY_OPTIMIZER, notes.SCHEDULES]
    at, ends = rate.at or optimizer.at, span(rate)
    if ends is None:
        return untold("learning rate", rate, at, remarks)
    name = folded(plain(optimizer.name))
    found = f"{worded(rate)} with {plain(optimizer.name) or 'an unknown optimizer'}"
    action, step = _excess(program, optimizer, ends)
    usual, decays = ends[0] > 0 and ends[1] <= 0.1, _schedule(program)
    literally = follows if usual else departs
    if name in _OWN_SCALE:
        return literally(f"{found}, which has a scale of its own", at, action, step, remarks)
    if isinstance(decays, Unknown):
        if usual and action != "change":
            return untold(f"{found}; schedule", decays, at, remarks)
        return literally(found, at, action, step, remarks)
    if decays or not usual:
        return literally(f"{found}, {decays or 'not decaying'}", at, action, step, remarks)
    if action == "keep":
        action, step = "your call", "Once the rest works, let it fall over the run, linearly or by a cosine."
    return departs(f"{found}, not decaying", at, action, step, remarks)


def _excess(program: Program, optimizer: Optimizer, ends: Span) -> tuple[Action, str]:
    """What to do about a learning rate that does not suit its optimizer."""
    low, high = ends
    name, searched = folded(plain(optimizer.name)), ends[0] != ends[1]
    at_default = isinstance(optimizer.learning_rate, Known) and optimizer.learning_rate.via == "default"
    if low < 0 or high <= 0:
        return "change", "The learning rate must be positive."
    if high < 1e-6:
        return "change", "Raise it: below 1e-6 nothing is learned."
    if name in _ADAM_LIKE and high > 1e-2:
        return ("your call", "Search below 1e-2.") if searched else ("change", "Lower it to 1e-3, at most 1e-2.")
    if name == "sgd" and high > 1:
        clipped = _clipped(program)
        if clipped is None:
            return "your call", "Make sure that gradients are clipped: SGD above 1 needs it."
        return ("keep", "") if clipped else ("change", "Lower it below 1, or clip the gradients.")
    if at_default and name == "sgd" and unset(optimizer.momentum):
        return "change", "Choose it: at SGD's default nothing was learned in 300 steps (measured)."
    return "keep", ""


def _clipped(program: Program) -> bool | None:
    """Whether gradients are clipped; None if that is not known."""
    clips = used(program.clipping)
    if isinstance(clips, Unknown):
        return None
    optimizers = used(program.optimizers)
    return bool(clips) or any(_clip_of(one, []) for one in (() if isinstance(optimizers, Unknown) else optimizers))


def _schedule(program: Program) -> str | Unknown:
    """Words for the schedule, empty if there is none."""
    schedules = used(program.schedules)
    if isinstance(schedules, Unknown):
        return schedules
    acting = [one for one in schedules if plain(one.stepped) != "never"]
    names = [plain(one.name) or ("lowered by hand" if plain(one.by_hand) else "a schedule") for one in acting]
    return enumerated(names)


def _momentum(optimizer: Optimizer) -> Answer:
    name, remarks = folded(plain(optimizer.name)), [notes.MOMENTUM]
    if isinstance(optimizer.name, Unknown):
        return untold("optimizer", optimizer.name, optimizer.at, remarks)
    if name != "sgd" and not (name == "rmsprop" and span(optimizer.momentum) not in (None, (0, 0))):
        beta = [notes.MOMENTUM_OF_ADAM] if "adam" in name else []
        return inapplicable(f"{plain(optimizer.name)} is not SGD", *beta)
    at = optimizer.momentum.at or optimizer.at
    if unset(optimizer.momentum):
        step = "Try 0.9 with a tenth of the learning rate, or Adam."
        return departs("no momentum", at, next=step, notes=remarks)
    ends = span(optimizer.momentum)
    if ends is None:
        return untold("momentum", optimizer.momentum, at, remarks)
    found = worded(optimizer.momentum)
    if ends[1] > 0.99:
        return departs(found, at, "change", "Lower it to 0.9: from 1 on SGD diverges.", remarks)
    if ends[0] >= 0.5 and ends[1] <= 0.9:
        return follows(found, at, notes=remarks)
    return departs(found, at, notes=remarks)


def _adaptive(program: Program, optimizer: Optimizer) -> Answer:
    name, remarks = folded(plain(optimizer.name)), [notes.SGD_CAN_WIN]
    at = optimizer.name.at or optimizer.at
    if isinstance(optimizer.name, Unknown):
        return untold("optimizer", optimizer.name, at, remarks)
    if name in _ADAPTIVE:
        return follows(worded(optimizer.name), at, notes=remarks)
    rate, clipped = span(optimizer.learning_rate), _clipped(program)
    if name == "sgd" and clipped and rate and rate[0] >= 1:
        return departs("clipped SGD at a high rate, as in published language models", at, "keep", notes=remarks)
    found = worded(optimizer.name)
    if name == "sgd" and clipped is False and unset(optimizer.momentum):
        found = "plain SGD: no momentum, no clipping"
        return departs(found, at, "change", "Use Adam at 1e-3.", remarks)
    return departs(found, at, next="Try Adam at 1e-3 against it." if name == "sgd" else "", notes=remarks)


def _clip(program: Program, clip: Clipping, remarks: list[str]) -> Answer:
    kind, placement, limit = plain(clip.kind), plain(clip.placement), span(clip.max)
    at = clip.max.at or clip.at
    found = f"clips the {'norm' if kind == 'norm' else 'values' if kind == 'value' else 'gradients'}"
    found += f" at {worded(clip.max)}" if limit else ""
    if limit and limit[1] <= 0:
        effect = "it switches clipping off" if program.framework == "keras" else "it sets every gradient to zero"
        return departs(found, at, "change", f"Clip at the 90th percentile of the norms; at 0 {effect}.", remarks)
    if placement not in (None, "ok"):
        step = "Clip between backward() and step(), after unscale_() if there is one."
        return departs(f"{found}, without effect: {placement}", clip.at, "change", step, remarks)
    if isinstance(clip.placement, Unknown):
        return untold(f"{found}; when it clips", clip.placement, at, remarks)
    if kind == "value":
        remarks = [notes.CLIP_BY_VALUE, *remarks]
        return follows(found, at, "your call", "Clip the global norm instead.", remarks)
    if plain(clip.per_variable) is True:
        remarks = [notes.CLIP_PER_VARIABLE, *remarks]
        return follows(f"{found}, each variable by itself", at, "your call", "Use `global_clipnorm`.", remarks)
    return follows(found, at, notes=remarks)


def _clip_of(optimizer: Optimizer, remarks: list[str]) -> Answer | None:
    """Clipping by an argument of a Keras optimizer."""
    for name, note in (
        ("global_clipnorm", ""),
        ("clipnorm", notes.CLIP_PER_VARIABLE),
        ("clipvalue", notes.CLIP_BY_VALUE),
    ):
        fact = getattr(optimizer, name)
        limit = span(fact)
        if isinstance(fact, Unknown) and fact is not UNSEEN:
            return untold(name, fact, optimizer.at, remarks)
        if limit and limit[1] > 0:
            step = "Use `global_clipnorm`." if note else ""
            found, at = f"{name} {worded(fact)}", fact.at or optimizer.at
            return follows(found, at, "your call" if note else "keep", step, [note, *remarks] if note else remarks)
    return None


def _unclipped(program: Program, names: list[str], remarks: list[str]) -> Answer:
    """No clipping anywhere: how much that matters."""
    if names and all(name == "lbfgs" for name in names):
        return inapplicable("LBFGS searches along the line", *remarks)
    length = span(program.sequence_length)
    layers = used(program.recurrent_layers)
    kinds = [str(plain(one.kind)) for one in (() if isinstance(layers, Unknown) else layers)]
    recurrent = layers != ()
    over = f" over {counted(length[1], 'step')}" if length else ""
    if length and length[1] <= 10:
        return departs(f"none, but only{over}", _backward(program), "keep", notes=remarks)
    keras = program.framework == "keras"
    how = "`global_clipnorm` of the optimizer" if keras else "`clip_grad_norm_` between backward() and step()"
    risky = recurrent and ((length and length[1] > 50) or "sgd" in names or any("RNN" in kind for kind in kinds))
    step = f"Log the gradient norms, then clip near their 90th percentile, by {how}."
    return departs(f"none{over}", _backward(program), "change" if risky else "your call", step, remarks)


def _backward(program: Program) -> Place | None:
    order = program.training_step.order
    steps = [] if isinstance(order, Unknown) else [one.at for one in order if one.kind == "backward"]
    optimizers = used(program.optimizers)
    return steps[0] if steps else None if isinstance(optimizers, Unknown) or not optimizers else optimizers[0].at
