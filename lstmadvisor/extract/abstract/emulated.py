"""Trainers of libraries, acted out: what they call, in their order, becomes events like those of a loop in the source.

Lightning, Hugging Face's Trainer, ignite, fastai and skorch all do what a loop by hand does: forward,
zero_grad, backward, step, and an evaluation in eval mode without gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    External,
    Function,
    Instance,
    Loop,
    Map,
    Object,
    Opaque,
    Seq,
    Spot,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.pytorch.makers import is_optimizer
from lstmadvisor.extract.pytorch.torch_ops import last

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run

LIGHTNING_EPOCHS = 1000
HUGGING_FACE_EPOCHS = 3
SKORCH_EPOCHS = 10


def trainer_of(value: Value | None) -> Term | None:
    """The library call that made a trainer, also one that a user's class extends."""
    for each in options(value):
        if isinstance(each, Instance) and each.term is not None:
            return each.term
        if isinstance(each, Term) and each.op == "call":
            return each
    return None


def skorch_net(estimator: Term) -> Term | None:
    """The net of skorch that an estimator is, or that a pipeline or a search of scikit-learn holds."""
    if estimator.name.startswith("skorch."):
        return estimator
    if not estimator.name.startswith(("sklearn.pipeline.", "sklearn.model_selection.")):
        return None
    inside = (v for v in walk(estimator, 200) if isinstance(v, Term) and v.op == "call")
    return next((t for t in inside if t.name.startswith("skorch.") and "NeuralNet" in t.name), None)


def told(trainer: Term | None, name: str) -> Value | None:
    """A field of Lightning's trainer, also of one made by `Trainer.from_argparse_args(args)`."""
    if trainer is None:
        return None
    if last(trainer.name) == "from_argparse_args" and name not in trainer.kwargs:
        options_ = trainer.args[0] if trainer.args else None
        return options_.attrs.get(name) if isinstance(options_, Object) else Opaque("the command line", trainer.at)
    return trainer.argument(name)


@contextmanager
def _turn(run: Run, *loops: tuple[Loop, int], without_gradient: Spot | None = None) -> Iterator[None]:
    """Circumstances of one turn of a trainer's loops."""
    scope = run.scope
    contexts = scope.contexts
    if without_gradient is not None:
        contexts = (*contexts, run.term("call", "torch.no_grad", None, [], at=without_gradient))
    run.scope = replace(scope, loops=(*scope.loops, *loops), contexts=contexts)
    try:
        yield
    finally:
        run.scope = scope


def _hook(run: Run, owner: Value, name: str, at: Spot, args: list[Value] | None = None) -> Value | None:
    if isinstance(owner, Instance) and isinstance(found := run.find(owner.cls, name), Function):
        return run.virtual(Bound(found, owner), _again(at), args, again=True)
    return None


def _again(at: Spot) -> Spot:
    """The same place for another call: what happens inside a call is told apart by its spot."""
    return at._replace()


def _event(run: Run, name: str, base: Value, at: Spot, args: list[Value] | None = None) -> Term:
    return run.term("method", name, base, args or [], at=at, event=True)


def _loss_in(value: Value | None) -> Value | None:
    """The loss in what a step of training returns: itself, `{"loss": …}`, the first of several."""
    for each in options(value):
        if isinstance(each, Map):
            return each.entries.get("loss")
        if isinstance(each, Seq) and each.items:
            return each.items[0]
        if isinstance(each, Term) and "loss" in each.kwargs:
            return each.kwargs["loss"]
        if not (isinstance(each, Const) and each.value is None):
            return each
    return None


def _optimizers_in(configured: Value | None) -> list[Value]:
    found = [v for v in walk(configured, 400) if isinstance(v, Term) and v.op == "call" and is_optimizer(v.name)]
    return [*found] or ([configured] if configured is not None else [])


def learn(run: Run, loss: Value | None, optimizers: list[Value], at: Spot) -> None:
    """One step of training on a loss, as a trainer takes it."""
    if loss is None:
        return
    for optimizer in optimizers:
        _event(run, "zero_grad", optimizer, at)
    _event(run, "backward", loss, at)
    for optimizer in optimizers:
        _event(run, "step", optimizer, at)


# -- Lightning ----------------------------------------------------------------------------------------------


def lightning(run: Run, term: Term, model: Instance) -> None:
    """`Trainer(…).fit(model, …)`."""
    from lstmadvisor.extract.abstract.frameworks import iterated

    at = term.at
    trainer = trainer_of(term.base)
    limit = told(trainer, "max_epochs")
    steps = told(trainer, "max_steps")
    count: Value = limit if limit is not None and not _is_none(limit) else Const(LIGHTNING_EPOCHS, "default")
    if (limit is None or _is_none(limit)) and steps is not None:
        count = Opaque("the trainer counts steps", term.at)
    data = term.argument("train_dataloaders", 1) or term.kwargs.get("train_dataloader") or term.kwargs.get("datamodule")
    epochs = Loop(at, None, count)
    batches = Loop(at, data, Opaque("a loop over data", at))
    sources: dict[str, Value | None] = {"train": data, "val": term.argument("val_dataloaders", 2)}
    for owner in (*options(data), model):
        if isinstance(owner, Instance):
            for name in ("prepare_data", "setup"):
                _hook(run, owner, name, at)
            for split in ("train", "val", "test"):
                loader = _hook(run, owner, f"{split}_dataloader", at)
                if loader is not None:
                    sources[split] = loader
    configured = _hook(run, model, "configure_optimizers", at)
    if configured is not None:
        _event(run, "configured", term, at, [configured])
    for turn in (0, 1):
        for split, step in (("train", "training_step"), ("val", "validation_step")):
            with _turn(run, (epochs, 0), (batches, turn), without_gradient=at if split == "val" else None):
                loader = sources.get(split)
                batch: Value = run.term("elem", "batch", loader, [], at=at)
                if isinstance(loader, Term):
                    iterated(run, loader, at)
                    batch = run.element_of(loader, at)
                known = len(run.trace)
                if isinstance(run.find(model.cls, step), Function):
                    _event(run, "train" if split == "train" else "eval", model, at)
                result = _hook(run, model, step, at, [batch, run.term("elem", "index", loader, [], at=at)])
                if split == "train" and not _differentiates(run, known):
                    learn(run, _loss_in(result), _optimizers_in(configured), at)
    with _turn(run, (epochs, 0)):
        for name in ("on_train_epoch_end", "on_validation_epoch_end", "training_epoch_end", "validation_epoch_end"):
            _hook(run, model, name, at)
    _hook(run, model, "configure_callbacks", at)
    with _turn(run, without_gradient=at):
        _hook(run, model, "test_step", at, [run.term("elem", "batch", sources.get("test"), [], at=at)])


def _differentiates(run: Run, known: int) -> bool:
    return any(t.op == "method" and t.name in ("backward", "manual_backward") for t in run.trace[known:])


def _is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def lonely_step(run: Run, model: Instance, loss: Value | None, at: Spot) -> None:
    """A Lightning module that no trainer of the program is given: its training step trains all the same."""
    optimizers = [
        t
        for t in run.trace
        if t.op == "call" and is_optimizer(t.name) and any(f.function.owner is model.cls for f in t.scope.frames)
    ]
    learn(run, _loss_in(loss), list(optimizers) or [Opaque("the optimizer", at)], at)


# -- Hugging Face -------------------------------------------------------------------------------------------


def hugging_face(run: Run, term: Term) -> None:
    """`Trainer(model=…, args=TrainingArguments(…), …).train()`."""
    run.trains()
    trainer = trainer_of(term.base)
    if trainer is None:
        return
    at = term.at
    arguments = trainer_of(trainer.argument("args", 1))
    count: Value = Const(HUGGING_FACE_EPOCHS, "default")
    if arguments is not None:
        count = arguments.argument("num_train_epochs") or count
        steps = arguments.argument("max_steps")
        if steps is not None and not (isinstance(steps, Const) and isinstance(steps.value, int) and steps.value <= 0):
            count = Opaque("the trainer counts steps", at)
    epochs = Loop(at, None, count)
    batches = Loop(at, trainer.argument("train_dataset"), Opaque("a loop over data", at))
    passed = trainer.argument("optimizers")
    optimizers: list[Value] = _optimizers_in(passed) if passed is not None else [trainer]
    for turn in (0, 1):
        with _turn(run, (epochs, 0), (batches, turn)):
            learn(run, _loss_in(_hf_loss(run, term, trainer)), optimizers, at)
        if evaluates(arguments) and trainer.argument("eval_dataset") is not None:
            with _turn(run, (epochs, 0), (batches, turn), without_gradient=at):
                for model in options(trainer.argument("model", 0)):
                    _event(run, "eval", model, at)
                _hf_loss(run, term, trainer)
                for model in options(trainer.argument("model", 0)):
                    _event(run, "train", model, at)


def evaluates(arguments: Term | None) -> bool:
    """Whether Hugging Face's trainer evaluates while it trains."""
    if arguments is None:
        return False
    for name in ("eval_strategy", "evaluation_strategy"):
        given = arguments.argument(name)
        if given is not None:
            return not (isinstance(given, Const) and given.value == "no")
    flag = arguments.argument("do_eval") or arguments.argument("evaluate_during_training")
    return isinstance(flag, Const) and flag.value is True and arguments.argument("eval_steps") is not None


def _hf_loss(run: Run, term: Term, trainer: Term) -> Value | None:
    for owner in options(term.base):
        if isinstance(owner, Instance) and isinstance(found := run.find(owner.cls, "compute_loss"), Function):
            inputs = run.term("elem", "batch", trainer.argument("train_dataset"), [], at=term.at)
            model = trainer.argument("model", 0) or Opaque("the model", term.at)
            return run.virtual(Bound(found, owner), _again(term.at), [model, inputs], again=True)
    for model in options(trainer.argument("model", 0)):
        if isinstance(model, Instance) and isinstance(found := run.find(model.cls, "forward"), Function):
            names = [p.name.value for p in found.node.params.params[1:]]
            inputs_ = [run.term("elem", name, trainer.argument("train_dataset"), [], at=term.at) for name in names]
            at = _again(term.at)
            mark = run.term("enter", model.cls.name, model, list(inputs_), at=at, event=True)
            mark.result = run.virtual(Bound(found, model), at, list(inputs_), again=True)
            return mark.result
        if isinstance(model, Term):
            applied = run.term("apply", "()", model, [], at=_again(term.at), event=True)
            return run.term("attr", "loss", applied, [], at=term.at)
    return None


# -- ignite ------------------------------------------------------------------------------------------------------


def ignite(run: Run, term: Term, engine: Term) -> None:
    """`engine.run(data, max_epochs=…)` of an engine with a user's function, or of a supervised trainer or evaluator."""
    at = term.at
    data = term.argument("data", 0)
    kind = last(engine.name)
    trains = kind != "create_supervised_evaluator"
    epochs = Loop(at, None, term.argument("max_epochs", 1) or Const(1, "default"))
    batches = Loop(at, data, Opaque("a loop over data", at))
    for turn in (0, 1):
        loops = ((epochs, 0), (batches, turn)) if trains else ((batches, turn),)
        with _turn(run, *loops, without_gradient=None if trains else at):
            _ignite_step(run, engine, kind, data, at)
    if not trains:
        return
    with _turn(run, (epochs, 0)):
        for function in run.functions:
            if any(isinstance(d, Term) and d.name == "on" and d.base is engine for d in function.decorators):
                run.virtual(function, _again(at), [engine], again=True)


def _ignite_step(run: Run, engine: Term, kind: str, data: Value | None, at: Spot) -> None:
    batch = run.element_of(data, at) if data is not None else run.term("elem", "batch", None, [], at=at)
    if kind == "Engine":
        function = engine.argument("process_function", 0)
        if isinstance(function, (Function, Bound)):
            run.virtual(function, _again(at), [engine, batch], again=True)
        return
    model = engine.argument("model", 0) or Opaque("the model", at)
    _event(run, "eval" if kind.endswith("evaluator") else "train", model, at)
    one, other = (run.item(batch, Const(i), at) for i in (0, 1))
    result = run.call(model, [one], {}, None, _again(at))
    if not kind.endswith("evaluator"):
        loss = run.call(engine.argument("loss_fn", 2) or Opaque("the loss", at), [result, other], {}, None, at)
        learn(run, loss, [engine.argument("optimizer", 1) or Opaque("the optimizer", at)], at)


# -- fastai and skorch --------------------------------------------------------------------------------------------


def fastai(run: Run, term: Term, learner: Term) -> None:
    """`learn.fit(…)`, `learn.fit_one_cycle(…)`, `learn.fine_tune(…)`."""
    at = term.at
    position = 0
    count = (
        term.argument("n_epoch", position) or term.argument("cyc_len", position) or term.argument("epochs", position)
    )
    data, model = learner.argument("dls", 0) or learner.kwargs.get("data"), learner.argument("model", 1)
    if model is None or not any(isinstance(o, (Instance, Term)) for o in options(model)):
        return
    loss_function = learner.argument("loss_func", 2)
    epochs = Loop(at, None, count or Const(1, "default"))
    _supervised(run, model, loss_function, learner, epochs, data, at)


def skorch(run: Run, term: Term, net: Term) -> None:
    """`NeuralNetRegressor(Module, …).fit(X, y)`: the module is made here, from the `module__` arguments."""
    at = net.at
    module = net.argument("module", 0)
    inside = {k[8:]: v for k, v in net.kwargs.items() if k.startswith("module__")}
    made = run.instantiate(module, [], inside, net.open, at) if isinstance(module, Class) else module
    if made is None:
        return
    optimizer = net.argument("optimizer")
    given = {"lr": net.argument("lr") or Const(0.01, "default")}
    given |= {k[11:]: v for k, v in net.kwargs.items() if k.startswith("optimizer__")}
    name = optimizer.name if isinstance(optimizer, External) else "torch.optim.SGD"
    stepper = run.term("call", name, None, [_event(run, "parameters", made, at)], given, at=at, event=True)
    criterion = net.argument("criterion", 1) or External(
        "torch.nn.MSELoss"
        if "Regressor" in net.name
        else "torch.nn.NLLLoss"
        if "Classifier" in net.name
        else "torch.nn.MSELoss"
    )
    loss_function = run.call(criterion, [], {}, None, at) if isinstance(criterion, External) else criterion
    epochs = Loop(term.at, None, net.argument("max_epochs") or Const(SKORCH_EPOCHS, "default"))
    _supervised(run, made, loss_function, stepper, epochs, term.argument("X", 0), term.at)


def _supervised(
    run: Run, model: Value, loss_function: Value | None, optimizer: Value, epochs: Loop, data: Value | None, at: Spot
) -> None:
    batches = Loop(at, data, Opaque("a loop over data", at))
    for turn in (0, 1):
        for evaluates_ in (False, True):
            with _turn(run, (epochs, 0), (batches, turn), without_gradient=at if evaluates_ else None):
                _event(run, "eval" if evaluates_ else "train", model, at)
                inputs = run.term("elem", "batch", data, [], at=at)
                result = run.call(model, [inputs], {}, None, _again(at))
                target = run.term("elem", "target", data, [], at=at)
                loss = run.call(loss_function, [result, target], {}, None, at) if loss_function is not None else result
                if not evaluates_:
                    learn(run, loss, [optimizer], at)


__all__ = [
    "Choice",
    "fastai",
    "hugging_face",
    "ignite",
    "learn",
    "lightning",
    "lonely_step",
    "skorch",
    "skorch_net",
    "trainer_of",
]
