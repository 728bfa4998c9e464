"""What trainers of libraries are told: the fields, callbacks and defaults of Lightning, Hugging Face and others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lstmadvisor.extract.abstract.emulated import evaluates, skorch_net, trainer_of
from lstmadvisor.extract.abstract.emulated import told as told_
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Opaque, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, default, fact, inferred, place
from lstmadvisor.extract.pytorch.makers import is_optimizer, is_schedule
from lstmadvisor.extract.pytorch.seeds import framework_seed
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import ABSENT, Checkpoint, Clipping, EarlyStopping, Known, Optimizer, Schedule, Seed, Unknown

_FITS = frozenset(
    ("fit", "train", "run", "fit_one_cycle", "fine_tune", "train_model", "learn", "fit_generator", "search")
)
_HF_OPTIMIZERS = {
    "adamw_torch": "AdamW",
    "adamw_hf": "AdamW",
    "adamw_torch_fused": "AdamW",
    "sgd": "SGD",
    "adafactor": "Adafactor",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
}
_STARTS = ("Trainer", "LightningCLI")
_KNOWN_ROOTS = ("torch", "lightning", "transformers", "ignite", "fastai", "accelerate", "skorch")


@dataclass(eq=False)
class Told:
    """What the trainers of a program were told, as facts."""

    clipping: list[Clipping] = field(default_factory=list)
    early_stopping: list[EarlyStopping] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    optimizers: list[Optimizer] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    seeds: list[Seed] = field(default_factory=list)
    restores: Fact | None = None
    passed: set[int] = field(default_factory=set)
    """callbacks that a trainer was given"""
    opaque: str = ""
    """why there may be callbacks that were not seen"""


def api(run: Run, trains: bool) -> str:
    """Which way of training the program uses."""
    names = {t.name for t in run.trace if t.op == "call"}
    bases = {b for c in run.classes for b in run.library_bases(c)}
    if any(n.startswith("lightning.") and last(n) in _STARTS for n in names) or "lightning.LightningModule" in bases:
        return "lightning"
    if any(n.startswith("transformers.") and n.endswith("Trainer") for n in names | bases):
        return "hf-trainer"
    if any(n.startswith("ignite.engine.") for n in names):
        return "ignite"
    if any(n.startswith("fastai.") and last(n).lower().endswith("learner") for n in names):
        return "fastai"
    if any(n.startswith("skorch.") for n in names):
        return "skorch"
    if "accelerate.Accelerator" in names:
        return "accelerate"
    return "loop" if trains else "module"


def without_trainer(run: Run) -> bool:
    """Whether Lightning would train the program's module and nothing in the program asks it to."""
    trainers = any(t.name.startswith("lightning.") and last(t.name) in _STARTS for t in run.trace if t.op == "call")
    return api(run, True) == "lightning" and not trainers


def told(run: Run) -> Told:
    """All that trainers were told on the way that the defaults take."""
    out = Told()
    for term in run.trace:
        if not term.scope.active:
            continue
        if term.op == "call" and term.name.startswith("lightning.Trainer"):
            _lightning(run, out, term)
        elif term.op == "method" and term.name == "train":
            trainer = trainer_of(term.base)
            if trainer is not None and trainer.name.startswith("transformers.") and trainer.name.endswith("Trainer"):
                _hugging_face(run, out, trainer)
        elif term.op == "method" and term.name == "add_event_handler":
            _ignite(out, term)
        elif term.op == "method" and term.name in ("fit", "fit_one_cycle", "fine_tune", "fit_flat_cos", "fit_sgdr"):
            trainer = trainer_of(term.base)
            if trainer is not None and trainer.name.startswith("fastai."):
                _fastai(run, out, term, trainer)
            elif trainer is not None and (net := skorch_net(trainer)) is not None:
                _callbacks(out, net, net.kwargs.get("callbacks"))
    _never_passed(run, out)
    return out


def _never_passed(run: Run, out: Told) -> None:
    """Early stopping that is made and given to no trainer, and that no object keeps for one."""
    kept = {id(value) for instance in run.instances for each in instance.attrs.values() for value in options(each)}
    for term in run.trace:
        stops = term.op == "call" and last(term.name) == "EarlyStopping" and term.name.startswith("lightning.")
        if stops and id(term) not in out.passed | kept and not out.opaque:
            dead = _stopper(term, term)
            why = inferred("it is given to no trainer")
            out.early_stopping.append(
                dead.model_copy(update={"active": False, "can_act": inferred(False), "why_not": why})
            )


# -- Lightning ----------------------------------------------------------------------------------------------


def _lightning(run: Run, out: Told, trainer: Term) -> None:
    limit = told_(trainer, "gradient_clip_val")
    if limit is not None and not _off(limit):
        algorithm = told_(trainer, "gradient_clip_algorithm")
        kind = inferred("norm") if algorithm is None else fact(algorithm)
        out.clipping.append(
            Clipping(
                at=place(trainer.at), kind=kind, max=fact(limit), placement=inferred("ok"), per_variable=inferred(False)
            )
        )
    _callbacks(out, trainer, trainer.argument("callbacks"))
    _callbacks(out, trainer, trainer.kwargs.get("early_stop_callback"))
    _callbacks(out, trainer, trainer.kwargs.get("checkpoint_callback"))
    for term in run.trace:
        if (
            term.op == "method"
            and term.name == "append"
            and isinstance(term.base, Term)
            and term.base.op == "attr"
            and term.base.name == "callbacks"
        ):
            _callbacks(out, trainer, term.args[0] if term.args else None)
    if isinstance(out.restores, Known):
        return
    again = any(
        (
            t.name.endswith("load_from_checkpoint")
            or any(isinstance(o, Const) and o.value == "best" for o in options(t.kwargs.get("ckpt_path")))
        )
        for t in run.trace
    )
    out.restores = inferred(again)


def _off(value: Value) -> bool:
    return all(isinstance(o, Const) and o.value in (None, 0, 0.0, False) for o in options(value))


def _listed(value: Value | None) -> Iterator[Value]:
    for each in options(value):
        if isinstance(each, Seq):
            yield from (o for item in each.items for o in options(item))
            if each.open:
                yield Opaque(each.open, each.at)
        else:
            yield each


def _callbacks(out: Told, trainer: Term, given: Value | None) -> None:
    for each in _listed(given):
        made = each.term if isinstance(each, Instance) else each
        if not isinstance(made, Term) or made.op != "call":
            if not isinstance(each, (Const, Instance)):
                out.opaque = "the trainer's callbacks are not known"
            continue
        out.passed.add(id(made))
        name = last(made.name)
        if name in ("EarlyStopping", "EarlyStoppingCallback"):
            out.early_stopping.append(_stopper(made, trainer))
        elif name in ("ModelCheckpoint", "SaveModelCallback", "Checkpoint"):
            monitor = fact(made.argument("monitor", 2 if name == "ModelCheckpoint" else 0))
            out.checkpoints.append(
                Checkpoint(
                    at=place(made.at),
                    monitor=monitor,
                    on=_on(monitor),
                    reloaded=inferred(False),
                    aliased=inferred(False),
                )
            )
        elif name == "GradientClip":
            limit = made.argument("max_norm", 0)
            out.clipping.append(
                Clipping(
                    at=place(made.at),
                    kind=inferred("norm"),
                    max=default(1.0) if limit is None else fact(limit),
                    placement=inferred("ok"),
                )
            )
        elif name == "GradientNormClipping":
            limit = made.argument("gradient_clip_value", 0)
            out.clipping.append(
                Clipping(at=place(made.at), kind=inferred("norm"), max=fact(limit), placement=inferred("ok"))
            )


def _on(monitor: Fact) -> Fact:
    text = monitor.value if isinstance(monitor, Known) else None
    if not isinstance(text, str):
        return ABSENT
    return inferred(
        "validation" if "val" in text else "test" if "test" in text else "training" if "train" in text else "validation"
    )


def _stopper(made: Term, trainer: Term) -> EarlyStopping:
    """An early-stopping callback with its library's defaults."""
    root = made.name.split(".", 1)[0]
    if root == "lightning":
        monitor, patience, otherwise = made.argument("monitor", 0), made.argument("patience", 2), 3
    elif root == "transformers":
        arguments = trainer_of(trainer.argument("args", 1))
        monitor = arguments.argument("metric_for_best_model") if arguments is not None else None
        patience, otherwise = made.argument("early_stopping_patience", 0), 1
    elif root == "fastai":
        monitor, patience, otherwise = made.argument("monitor", 0), made.argument("patience", 3), 1
    else:
        monitor, patience, otherwise = made.argument("monitor", 0), made.argument("patience", 1), 5
    watched = fact(monitor)
    if root == "transformers" and isinstance(watched, Known) and isinstance(watched.value, str):
        # the trainer looks for it among the metrics of its evaluation
        watched = watched.model_copy(update={"value": f"eval_{watched.value.removeprefix('eval_')}"})
    return EarlyStopping(
        at=place(made.at), by_hand=inferred(False), monitor=watched,
        patience=default(otherwise) if patience is None else fact(patience),
        restores_best=fact(restores) if (restores := made.kwargs.get("load_best")) is not None else inferred(False),
        can_act=inferred(True), why_not=ABSENT,
    )  # fmt: skip


# -- Hugging Face -------------------------------------------------------------------------------------------


def _hugging_face(run: Run, out: Told, trainer: Term) -> None:
    arguments = trainer_of(trainer.argument("args", 1))
    at = place((arguments or trainer).at)

    def argument(name: str, otherwise: object) -> Fact:
        given = arguments.argument(name) if arguments is not None else None
        return default(otherwise) if given is None else fact(given)

    limit = argument("max_grad_norm", 1.0)
    if not (isinstance(limit, Known) and limit.value in (0, 0.0, None)):
        out.clipping.append(
            Clipping(at=at, kind=default("norm"), max=limit, placement=inferred("ok"), per_variable=inferred(False))
        )
    passed = [v for v in walk(trainer.argument("optimizers"), 200) if isinstance(v, Term)]
    if not any(is_optimizer(v.name) for v in passed):
        name = argument("optim", "adamw_torch")
        kind = _HF_OPTIMIZERS.get(str(name.value)) if isinstance(name, Known) else None
        out.optimizers.append(
            Optimizer(
                at=at,
                name=Unknown(unknown="an optimizer that is not known")
                if kind is None or not isinstance(name, Known)
                else Known(value=kind, via=name.via, at=name.at),
                learning_rate=argument("learning_rate", 5e-5),
                weight_decay=argument("weight_decay", 0.0),
                decoupled=inferred(kind == "AdamW"),
                by_hand=inferred(False),
            )
        )
    if not any(is_schedule(v.name) for v in passed):
        kind_of = argument("lr_scheduler_type", "linear")
        if not (isinstance(kind_of, Known) and kind_of.value in ("constant",)):
            out.schedules.append(
                Schedule(
                    at=at,
                    name=kind_of,
                    gamma=ABSENT,
                    stepped=inferred("batch"),
                    metric_given=ABSENT,
                    by_hand=inferred(False),
                )
            )
    _callbacks(out, trainer, trainer.argument("callbacks"))
    for term in run.trace:
        if term.op == "method" and term.name == "add_callback" and trainer_of(term.base) is trainer:
            _callbacks(out, trainer, term.args[0] if term.args else None)
    best = argument("load_best_model_at_end", False)
    out.restores = best
    if evaluates(arguments) and isinstance(best, Known) and best.value:
        monitor = argument("metric_for_best_model", "loss")
        out.checkpoints.append(
            Checkpoint(
                at=best.at or at, monitor=monitor, on=inferred("validation"), reloaded=best, aliased=inferred(False)
            )
        )
    if not any(t.op == "call" and last(t.name) == "set_seed" for t in run.trace):
        given = arguments.argument("seed") if arguments is not None else None
        out.seeds.append(
            framework_seed(42)
            if given is None
            else Seed(at=place(given.at) if isinstance(given, Const) else at, library=default("all"), value=fact(given))
        )


# -- ignite, fastai ---------------------------------------------------------------------------------------------


def _ignite(out: Told, term: Term) -> None:
    handler = term.args[1] if len(term.args) > 1 else term.kwargs.get("handler")
    for each in options(handler):
        if isinstance(each, Term) and each.op == "call" and last(each.name) == "EarlyStopping":
            patience = each.argument("patience", 0)
            out.early_stopping.append(
                EarlyStopping(
                    at=place(each.at),
                    by_hand=inferred(False),
                    monitor=ABSENT,
                    patience=fact(patience),
                    restores_best=inferred(False),
                    can_act=inferred(True),
                    why_not=ABSENT,
                )
            )


def _fastai(run: Run, out: Told, fit: Term, learner: Term) -> None:
    at = place(fit.at)
    once = fit.name == "fit_one_cycle"
    position = 1
    rate = fit.argument(
        {"fit_one_cycle": "lr_max", "fine_tune": "base_lr"}.get(fit.name, "lr"), position
    ) or fit.argument("max_lr", position)
    rate = rate or learner.kwargs.get("lr")
    otherwise = 2e-3 if fit.name == "fine_tune" else 1e-3
    optimizer = learner.argument("opt_func", 3)
    name = next((last(getattr(o, "name", "")) for o in options(optimizer)), "") or "Adam"
    decay = fit.kwargs.get("wd") or learner.kwargs.get("wd")
    out.optimizers.append(
        Optimizer(
            at=at,
            name=default("Adam") if optimizer is None else inferred(name, place(learner.at)),
            learning_rate=default(otherwise) if rate is None else fact(rate),
            weight_decay=default(0.01) if decay is None else fact(decay),
            decoupled=inferred(name == "Adam"),
            by_hand=inferred(False),
        )
    )
    if once or fit.name == "fine_tune":
        out.schedules.append(
            Schedule(
                at=at,
                name=inferred("OneCycleLR"),
                gamma=ABSENT,
                stepped=inferred("batch"),
                metric_given=ABSENT,
                by_hand=inferred(False),
            )
        )
    for given in (
        learner.kwargs.get("cbs"),
        fit.kwargs.get("cbs"),
        learner.kwargs.get("callbacks"),
        fit.kwargs.get("callbacks"),
    ):
        _callbacks(out, learner, given)
    limit = learner.kwargs.get("clip")
    if limit is not None and not _off(limit):
        out.clipping.append(
            Clipping(at=place(learner.at), kind=inferred("norm"), max=fact(limit), placement=inferred("ok"))
        )


# -- trainers that are not known -------------------------------------------------------------------------------


def stranger(run: Run) -> str | None:
    """Why nothing can be said of a training: code of others does it. None where none happens."""
    from lstmadvisor.extract.pytorch.origins import is_model

    models = {id(i) for i in run.instances if is_model(run, i)}
    for term in run.trace:
        if not term.scope.active:
            continue
        if term.op == "method" and term.name in _FITS:
            trainer = trainer_of(term.base)
            root = trainer.name.split(".", 1)[0] if trainer is not None else ""
            given = [
                *(trainer.args if trainer is not None else []),
                *(trainer.kwargs.values() if trainer is not None else []),
                *term.args,
            ]
            if (
                trainer is not None
                and root not in ("sklearn", "keras", "tensorflow", "torch", "builtins")
                and any(id(o) in models for g in given for o in options(g))
            ):
                return f"`{last(trainer.name)}.{term.name}` trains, and is not known"
        if (
            term.op == "call"
            and term.name.split(".", 1)[0]
            not in (
                *_KNOWN_ROOTS,
                "builtins",
                "torchsummary",
                "torchinfo",
                "copy",
            )
            and any(word in last(term.name).lower() for word in ("train", "fit"))
            and any(id(o) in models for g in (*term.args, *term.kwargs.values()) for o in options(g))
        ):
            return f"`{last(term.name)}` trains, and is not known"
    return None
