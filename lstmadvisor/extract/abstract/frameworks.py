"""What PyTorch, Keras and the trainers around them do with user code: whom they call, what they hand back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

import libcst as cst

from lstmadvisor.extract.abstract import emulated, layer_values
from lstmadvisor.extract.abstract.values import (
    Bound,
    Class,
    Const,
    External,
    Function,
    Instance,
    Map,
    Object,
    Opaque,
    Seq,
    Spot,
    Term,
    Value,
    options,
)
from lstmadvisor.nodes import below

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run

RECURRENT_TORCH = frozenset(f"torch.nn.{k}" for k in ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"))
KEEPS_FUNCTIONS = frozenset(
    (
        "builtins.print",
        "torch.nn.Sequential",
        "torch.nn.ModuleList",
        "setattr",
        "ignite.engine.Engine",
        "ignite.engine.create_supervised_trainer",
    )
)
"""Library functions that keep what they are given and call nothing."""

_SAME_MODULE = frozenset(
    "to cuda cpu float double half bfloat16 train eval requires_grad_ share_memory to_empty type "
    "flatten_parameters".split()
)
_TRAINS = frozenset(
    (
        "backward",
        "fit",
        "fit_generator",
        "train_on_batch",
        "minimize",
        "apply_gradients",
        "fit_one_cycle",
        "manual_backward",
    )
)


def is_layer(name: str) -> bool:
    """Whether a library class can be a layer or model that a user's class extends."""
    return name.startswith(("torch.nn.", "keras.")) and name not in (
        "torch.nn.Module",
        "keras.Model",
        "keras.Layer",
        "keras.callbacks.Callback",
    )


def is_tool(name: str) -> bool:
    """Whether a library class that a user's class extends is a trainer, an optimizer or a schedule."""
    last = name.rsplit(".", 1)[-1]
    return name.startswith("torch.optim.") or (
        name.startswith(("transformers.", "lightning.", "skorch.", "fastai.", "ignite."))
        and last.endswith(("Trainer", "Net", "Learner", "Engine"))
    )


def forward_names(run: Run, instance: Instance) -> tuple[str, ...]:
    """Which method runs when the object is called."""
    bases = run.library_bases(instance.cls)
    if any(b.startswith(("torch.", "lightning.", "transformers.", "fairseq.", "allennlp.")) for b in bases):
        return ("forward", "__call__")
    if any(b.startswith("keras.") for b in bases):
        return ("call", "__call__")
    return ("__call__", "forward", "call")


def is_module(run: Run, value: Value | None) -> bool:
    """Whether a value is a PyTorch module (a user's or the library's)."""
    if isinstance(value, Instance):
        return any(
            b.startswith(("torch.nn.", "lightning.", "transformers.")) and not is_tool(b)
            for b in run.library_bases(value.cls)
        )
    return (
        isinstance(value, Term)
        and value.op == "call"
        and value.name.startswith("torch.nn.")
        and value.name[9:10].isupper()
    )


def is_keras_model(run: Run, value: Value | None) -> bool:
    """Whether a value is a Keras model or layer (a user's or the library's)."""
    if isinstance(value, Instance):
        return any(b.startswith("keras.") for b in run.library_bases(value.cls))
    return (
        isinstance(value, Term)
        and value.op == "call"
        and value.name.startswith("keras.")
        and value.name.rsplit(".", 1)[-1][:1].isupper()
    )


def is_model_class(run: Run, cls: Class) -> bool:
    """Whether a user's class is a model, a layer or a trainer of one."""
    return any(
        b.startswith(("torch.nn.", "lightning.", "keras.", "transformers.", "torch.utils.data."))
        for b in run.library_bases(cls)
    )


# -- plain calls -------------------------------------------------------------------------------------


def called(run: Run, term: Term) -> Value | None:
    """What a library function gives back when that is more than a term."""
    name, args = term.name, term.args
    last = name.rsplit(".", 1)[-1]
    if last in ("weight_norm", "spectral_norm", "orthogonal") and name.startswith("torch.nn.utils.") and args:
        return args[0]
    if name == "lightning.Trainer.add_argparse_args" and args:
        return args[0]
    if name in ("torch.nn.ModuleList", "torch.nn.ParameterList"):
        items = run.elements(args[0]) if args else []
        if items is None:
            inner = args[0]
            items = list(inner.args) if isinstance(inner, Term) and inner.op == "comp" else []
            return Seq(items, "modulelist", "a list that is not known", term.at)
        return Seq(items, "modulelist", at=term.at)
    if name in ("torch.nn.ModuleDict", "torch.nn.ParameterDict"):
        return Map(dict(args[0].entries) if args and isinstance(args[0], Map) else {}, None, term.at, "moduledict")
    if name in (
        "tensorflow.function",
        "keras.utils.register_keras_serializable",
        "keras.saving.register_keras_serializable",
    ):
        return args[0] if args and isinstance(args[0], (Function, Bound)) else term
    if name in (
        "fire.Fire",
        "absl.app.run",
        "tensorflow.app.run",
        "plac.call",
        "typer.run",
        "defopt.run",
        "begin.start",
        "argh.dispatch_command",
    ):
        return _command_line(run, term)
    if name in ("torch.multiprocessing.spawn", "torch.multiprocessing.start_processes"):
        function = term.argument("fn", 0)
        extra = term.argument("args", 1)
        if isinstance(function, (Function, Bound)):
            given = [Opaque("the rank", term.at), *(extra.items if isinstance(extra, Seq) else [])]
            run.virtual(function, term.at, given)
        return term
    if name in ("wandb.agent", "threading.Thread", "multiprocessing.Process", "torch.multiprocessing.Process"):
        function = term.argument("function", 1) if last == "agent" else term.argument("target", 1)
        extra = term.kwargs.get("args")
        if isinstance(function, (Function, Bound)):
            run.virtual(function, term.at, extra.items if isinstance(extra, Seq) else None)
        return term
    if name.startswith("keras_tuner.") or last == "GridSearchCV":
        _search_space(run, term)
    if last in ESTIMATORS and name.startswith(("keras", "scikeras", "tensorflow")):
        return term
    if last in SEARCHES or last in ("cross_val_score", "cross_validate"):
        for value in (*args, *term.kwargs.values()):
            for each in value.items if isinstance(value, Seq) else [value]:
                if is_estimator(each):
                    _build_estimator(run, each, grid_values(term))
    if name == "keras.layers.Lambda":
        function = term.argument("function", 0)
        if isinstance(function, (Function, Bound)):
            term.result = run.virtual(function, term.at)
    return None


ESTIMATORS = frozenset(("KerasClassifier", "KerasRegressor", "KerasMultiClassifier"))
SEARCHES = frozenset(
    ("GridSearchCV", "RandomizedSearchCV", "BayesSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
)
_GRIDS = ("param_grid", "param_distributions", "search_spaces")


def is_estimator(value: Value | None) -> TypeGuard[Term]:
    """Whether a value is a Keras model dressed as a scikit-learn estimator."""
    return isinstance(value, Term) and value.op == "call" and value.name.rsplit(".", 1)[-1] in ESTIMATORS


def _build_estimator(run: Run, estimator: Term, grid: dict[str, Value]) -> None:
    """Call the function that builds the model, with what the estimator was given and what a search tries."""
    build = estimator.argument("build_fn", 0)
    if not isinstance(build, (Function, Bound)):
        build = estimator.kwargs.get("model")
    if not isinstance(build, (Function, Bound)) or (estimator.result is not None and not grid):
        return
    function = build.function if isinstance(build, Bound) else build
    params = {p.name.value for p in (*function.node.params.params, *function.node.params.kwonly_params)}
    given = {n.removeprefix("model__"): v for n, v in {**estimator.kwargs, **grid}.items()}
    run.set(
        estimator, "result", run.call(build, [], {n: v for n, v in given.items() if n in params}, None, estimator.at)
    )


def build_estimators(run: Run) -> None:
    """Build the models of estimators that no search, fit or validation was seen to use."""
    for term in [t for t in run.trace if is_estimator(t) and t.result is None]:
        _build_estimator(run, term, {})


def grid_values(search: Term) -> dict[str, Value]:
    """The parameters of `GridSearchCV(…, param_grid)`, each as a choice of its values."""
    out: dict[str, Value] = {}
    for given in [search.argument("param_grid", 1), *(search.kwargs.get(n) for n in _GRIDS)]:
        for name, value in given.entries.items() if isinstance(given, Map) else ():
            if isinstance(value, Seq) and len(value.items) == 1:
                out[str(name)] = value.items[0]
            else:
                out[str(name)] = Term("call", "sklearn.choice", None, [value], {}, search.at, search.scope)
    return out


def grid_of(run: Run, estimator: Term) -> dict[str, Value]:
    """What a search of the trace tries for an estimator."""
    for term in run.trace:
        searches = term.op == "call" and term.name.rsplit(".", 1)[-1] in SEARCHES
        given = (*term.args, *term.kwargs.values()) if searches else ()
        if any(each is estimator for value in given for each in options(value)):
            return grid_values(term)
    return {}


def _command_line(run: Run, term: Term) -> Value:
    target: Value | None = term.args[0] if term.args else term.kwargs.get("main") or term.kwargs.get("component")
    if target is None and term.at.module is not None:
        target = term.at.module.env.names.get("main") or term.at.module.env.names.get("train")
    if isinstance(target, Map):
        for each in target.entries.values():
            if isinstance(each, (Function, Bound)):
                run.virtual(each, term.at)
    elif isinstance(target, Class):
        made = run.instantiate(target, [], {}, None, term.at, virtual=True)
        if isinstance(made, Instance):
            for method in ("train", "run", "main", "fit"):
                found = run.find(target, method)
                if isinstance(found, Function):
                    run.virtual(Bound(found, made), term.at)
                    break
    elif isinstance(target, (Function, Bound)):
        run.virtual(target, term.at)
    return term


def _search_space(run: Run, term: Term) -> None:
    for value in (*term.args, *term.kwargs.values()):
        if isinstance(value, Instance):
            build = run.find(value.cls, "build")
            if isinstance(build, Function):
                run.virtual(Bound(build, value), term.at)


# -- objects that are called ---------------------------------------------------------------------------


def applied(run: Run, term: Term) -> Value:
    """An object made by a library is called: an `nn.Sequential` hands its input through its layers."""
    base = term.base
    if isinstance(base, Term) and base.op == "call" and base.name == "torch.nn.Sequential":
        layers = run.children(base)
        if layers is None:
            return term
        value: Value = term.args[0] if term.args else Opaque("nothing", term.at)
        for layer in layers:
            value = run.call(layer, [value], {}, None, term.at)
        term.result = value
        return value
    if isinstance(base, Instance) and base.term is None:
        _forward_of_keras(run, base, term)
    if (
        isinstance(base, Term)
        and base.op == "call"
        and base.name in ("keras.layers.TimeDistributed", "keras.layers.Bidirectional")
    ):
        inner = base.args[0] if base.args else base.kwargs.get("layer")
        if isinstance(inner, Instance):
            term.result = run.call(inner, term.args, {}, None, term.at)
    return term


def _forward_of_keras(run: Run, instance: Instance, term: Term) -> None:
    build = run.find(instance.cls, "build")
    if isinstance(build, Function) and not instance.called:
        instance.called = True
        run.call(Bound(build, instance), [Opaque("an input shape", term.at)], {}, None, term.at)


def left(run: Run, instance: Instance, mark: Term, value: Value) -> Value:
    """A user's module has been called; its result flows on."""
    return value


def instantiated(run: Run, instance: Instance) -> Value:
    """A user's object has been made."""
    return instance


def iterated(run: Run, iterable: Value, at: Spot) -> Value:
    """Before a loop over a loader: what its dataset and collate function give becomes the batch."""
    if isinstance(iterable, Term):
        if iterable.name in (
            "builtins.enumerate",
            "builtins.zip",
            "builtins.iter",
            "itertools.islice",
            "itertools.cycle",
            "accelerate.prepare",
        ):
            for arg in iterable.args:
                iterated(run, arg, at)
        elif iterable.name.rsplit(".", 1)[-1] in ("DataLoader", "prepare_data_loader") and iterable.result is None:
            _batch(run, iterable, at)
    return iterable


def _batch(run: Run, loader: Term, at: Spot) -> None:
    dataset, collate = loader.argument("dataset", 0), loader.kwargs.get("collate_fn")
    sample: Value | None = None
    dataset = next(iter(options(dataset)), None)
    while isinstance(dataset, Term) and dataset.name.rsplit(".", 1)[-1] in ("Subset", "random_split") and dataset.args:
        dataset = dataset.args[0]
    if (
        isinstance(dataset, Term)
        and dataset.op == "item"
        and isinstance(dataset.base, Term)
        and dataset.base.name.endswith("random_split")
        and dataset.base.args
    ):
        dataset = dataset.base.args[0]
    if isinstance(dataset, Instance):
        method = run.find(dataset.cls, "__getitem__")
        if isinstance(method, Function):
            sample = run.call(Bound(method, dataset), [run.term("elem", "index", loader, [], at=at)], {}, None, at)
        elif isinstance(method := run.find(dataset.cls, "__iter__"), Function):
            made = run.call(Bound(method, dataset), [], {}, None, at)
            sample = run.element_of(made, at)
    elif (
        isinstance(dataset, Term)
        and dataset.name == "torch.utils.data.TensorDataset"
        and dataset.op == "call"
        and not dataset.open
    ):
        sample = Seq([run.term("elem", "sample", a, [], at=at) for a in dataset.args], "tuple")
    if isinstance(collate, (Function, Bound, Instance)):
        one = sample or run.term("elem", "sample", loader, [], at=at)
        batch = run.call(collate, [run.term("comp", "list", loader, [one], at=at)], {}, None, at)
        if isinstance(batch, (Seq, Map)):
            loader.result = batch
            return
        sample = batch
    sample = next(iter(options(sample)), None)
    if isinstance(sample, Seq) and not sample.open:
        loader.result = Seq([run.term("elem", "batch", loader, [item], at=at) for item in sample.items], sample.kind)
    elif isinstance(sample, Map):
        loader.result = Map(
            {k: run.term("elem", "batch", loader, [v], at=at) for k, v in sample.entries.items()}, sample.open
        )
    elif isinstance(sample, (Term, Const)):
        loader.result = run.term("elem", "batch", loader, [sample], at=at)


# -- methods -------------------------------------------------------------------------------------------


def method(run: Run, term: Term) -> Value | None:
    """What a method of a library object gives back when that is more than a term."""
    name, base = term.name, term.base
    if name == "fit":
        for each in options(base):
            if is_estimator(each):
                _build_estimator(run, each, {})
    if name in _TRAINS and is_training(run, term):
        run.trains()
        if name in ("fit", "fit_generator"):
            return _fit(run, term)
    if name == "step" and term.args and isinstance(term.args[0], (Function, Bound)):
        return run.virtual(term.args[0], term.at, again=True)
    if (size := layer_values.method(base, name, term.args, term.at)) is not None:
        return size
    if name in ("__getattr__", "__getattribute__") and base is not None and len(term.args) == 1:
        asked = term.args[0]
        return (
            run.attribute(base, asked.value, term.at)
            if isinstance(asked, Const) and isinstance(asked.value, str)
            else None
        )
    if isinstance(base, Instance) and name == "save_hyperparameters":
        return _save_hyperparameters(run, base, term)
    if is_module(run, base):
        return _module_method(run, term)
    if isinstance(base, Instance) and name == "add_module" and len(term.args) == 2 and isinstance(term.args[0], Const):
        run.put(base.attrs, str(term.args[0].value), term.args[1])
        return Const(None)
    if name in ("prepare", "setup", "setup_dataloaders", "prepare_model", "prepare_data_loader") and term.args:
        kind = _kind(base)
        if kind.startswith(("accelerate.", "lightning.")):
            return Seq(list(term.args), "tuple", at=term.at) if len(term.args) > 1 else term.args[0]
    if _is_acted_out(run, term):
        return None
    if name == "search" and _kind(base).startswith("keras_tuner."):
        run.trains()
        _callbacks(run, term)
    if name == "map" and isinstance(base, Term) and term.args and _is_dataset(base):
        row = run.term("elem", "row", base, [], at=term.at)
        extra = term.kwargs.get("fn_kwargs")
        term.result = run.call(
            term.args[0], [row], dict(extra.entries) if isinstance(extra, Map) else {}, None, term.at
        )
        return term
    return None


def _save_hyperparameters(run: Run, module: Instance, term: Term) -> Value:
    """Lightning keeps the arguments of `__init__` as `self.hparams`; a dict or namespace given is kept itself."""
    given: dict[str, Value] = dict(module.given)
    for value in term.args:
        if isinstance(value, Map):
            given.update({str(k): v for k, v in value.entries.items()})
        elif isinstance(value, Object):
            given.update(value.attrs)
    run.put(module.attrs, "hparams", Object("namespace", given, at=term.at))
    return Const(None)


def _is_acted_out(run: Run, term: Term) -> bool:
    """Whether a trainer of a library starts to train here, which is then acted out."""
    trainer = emulated.trainer_of(term.base)
    if trainer is None:
        return False
    kind, name = trainer.name, term.name
    if name == "train" and kind.startswith("transformers.") and kind.endswith("Trainer"):
        emulated.hugging_face(run, term)
    elif name == "run" and kind.startswith("ignite.engine."):
        run.trains()
        emulated.ignite(run, term, trainer)
    elif name in ("fit", "fit_one_cycle", "fine_tune", "fit_flat_cos", "fit_sgdr") and kind.startswith("fastai."):
        run.trains()
        emulated.fastai(run, term, trainer)
    elif name == "fit" and (net := emulated.skorch_net(trainer)) is not None:
        run.trains()
        emulated.skorch(run, term, net)
    else:
        return False
    return True


def _is_dataset(value: Value | None) -> bool:
    """Whether a value is a data set of Hugging Face's `datasets`."""
    for _ in range(40):
        if not isinstance(value, Term):
            return False
        if value.op == "call":
            return value.name.startswith("datasets.")
        value = value.base
    return False


def _kind(value: Value | None) -> str:
    """The library name of what made a value."""
    for each in options(value):
        if isinstance(each, Term) and each.op == "call":
            return each.name
        if isinstance(each, Instance) and each.term is not None:
            return each.term.name
    return ""


def is_training(run: Run, term: Term) -> bool:
    """Whether a method called `fit` (or the like) trains a network rather than a scaler or a tree."""
    if term.name != "fit":
        return True
    for each in options(term.base):
        if is_keras_model(run, each) or is_module(run, each):
            return True
        kind = _kind(each)
        if kind.startswith(("sklearn.", "pandas.", "numpy.", "scipy.", "statsmodels.")):
            return False
        if kind.startswith(("lightning.", "keras")) or (
            isinstance(each, Term) and each.op in ("method", "item", "elem", "param", "apply")
        ):
            return bool(
                {"epochs", "batch_size", "validation_data", "validation_split", "callbacks"} & set(term.kwargs)
            ) or kind.startswith("lightning.")
    return bool({"epochs", "batch_size", "validation_data", "validation_split", "callbacks"} & set(term.kwargs))


def _fit(run: Run, term: Term) -> Value | None:
    base = term.base
    if (
        _kind(base) in ("lightning.Trainer", "lightning.Trainer.from_argparse_args", "lightning.Fabric") and term.args
    ) or "model" in term.kwargs:
        model = term.argument("model", 0)
        for each in options(model):
            if isinstance(each, Instance):
                emulated.lightning(run, term, each)
        return None
    for each in options(base):
        if isinstance(each, Instance):
            _keras_fit(run, term, each)
        elif isinstance(each, Term):
            for layer in layers_of(run, each):
                if isinstance(layer, Instance):
                    _keras_fit(run, term, layer)
    _callbacks(run, term)
    return None


_HOOKS = (
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_batch_begin",
    "on_train_batch_end",
    "on_batch_end",
)


def _callbacks(run: Run, term: Term) -> None:
    """Call the hooks of the user's own callbacks."""
    position = 4 if term.name == "fit_generator" else 5
    for given in options(term.argument("callbacks", position)):
        for value in given.items if isinstance(given, Seq) else [given]:
            for each in options(value):
                if isinstance(each, Instance):
                    _call_hooks(run, term, each)


def _call_hooks(run: Run, term: Term, callback: Instance) -> None:
    if isinstance(term.base, Term):
        run.put(callback.attrs, "model", term.base)
    logs = run.term("param", "logs", None, [], at=term.at)
    for name in (*_HOOKS, "on_epoch_end", "on_train_end"):
        found = run.find(callback.cls, name)
        if isinstance(found, Function):
            number = (
                []
                if "_train_" in f"{name}_" and "batch" not in name
                else [run.term("param", "epoch", None, [], at=term.at)]
            )
            run.virtual(Bound(found, callback), term.at, [*number, logs])
        if name == "on_train_begin":
            _widen_attributes(run, callback)


def _widen_attributes(run: Run, instance: Instance) -> None:
    """Numbers that a callback's hooks change are not known inside them."""
    for cls in run.lineage(instance.cls):
        for method in cls.names.values() if isinstance(cls, Class) else ():
            if isinstance(method, Function) and isinstance(method.node, cst.FunctionDef) and method.name != "__init__":
                for name in attributes_set(method.node):
                    value = instance.attrs.get(name)
                    if isinstance(value, Const) and isinstance(value.value, (int, float)):
                        run.put(instance.attrs, name, Const(value.value, "widened", value.at, name=name))


def attributes_set(node: cst.CSTNode) -> set[str]:
    """The attributes of `self` that code below a node assigns."""
    out: set[str] = set()
    queue = [node]
    for here in queue:
        if isinstance(here, (cst.Assign, cst.AugAssign, cst.AnnAssign)):
            targets = [t.target for t in here.targets] if isinstance(here, cst.Assign) else [here.target]
            for target in targets:
                if (
                    isinstance(target, cst.Attribute)
                    and isinstance(target.value, cst.Name)
                    and target.value.value == "self"
                ):
                    out.add(target.attr.value)
        else:
            queue.extend(below(here))
    return out


def layers_of(run: Run, model: Term) -> Iterator[Value]:
    """The layers handed to a Keras `Sequential`."""
    for arg in (*model.args, *model.kwargs.values()):
        if isinstance(arg, Seq):
            yield from arg.items
    for event in run.trace:
        if event.op == "method" and event.name == "add" and event.base is model and event.args:
            yield event.args[0]


def _keras_fit(run: Run, term: Term, model: Instance) -> None:
    x: Value = run.term("param", "inputs", None, [], at=term.at)
    for name in ("train_step", "call"):
        found = run.find(model.cls, name)
        if isinstance(found, Function) and id(found.node) not in run.called:
            if name == "call":
                run.set(model, "called", True)
                mark = run.term("enter", model.cls.name, model, [x], at=term.at, event=True)
                mark.result = run.virtual(Bound(found, model), term.at, [x])
            else:
                run.virtual(Bound(found, model), term.at, [x])


def _module_method(run: Run, term: Term) -> Value | None:
    name, base = term.name, term.base
    assert base is not None
    if name in _SAME_MODULE:
        return base
    if name in ("forward", "__call__") and isinstance(base, Term):
        return run.call(base, term.args, term.kwargs, term.open, term.at)
    if name == "apply" and term.args:
        function = term.args[0]
        if isinstance(function, (Function, Bound)):
            for _, module in submodules(run, base):
                run.call(function, [module], {}, None, term.at)
        return base
    if name in ("add_module", "register_module", "register_buffer", "register_parameter") and len(term.args) >= 2:
        key = term.args[0]
        if isinstance(key, Const) and isinstance(base, Instance):
            run.put(base.attrs, str(key.value), term.args[1])
        elif isinstance(base, Term) and isinstance(key, Const):
            run.put(base.attrs, f"+{key.value}", term.args[1])
        elif isinstance(base, Instance):
            run.put(base.attrs, f"+{term.serial}", term.args[1])
        return Const(None)
    if name == "append" and isinstance(base, Term):
        run.put(base.attrs, f"+{term.serial}", term.args[0] if term.args else Opaque("nothing"))
        return base
    if name == "named_parameters":
        pairs, complete = parameters(run, base)
        if pairs:
            return (
                Seq(
                    [Seq([Const(n, "constant", term.at), p], "tuple") for n, p in pairs],
                    "list",
                    None if complete else "parameters that are not known",
                    term.at,
                )
                if complete
                else None
            )
    if name in ("named_modules", "named_children"):
        return Seq(
            [Seq([Const(n, "constant", term.at), m], "tuple") for n, m in submodules(run, base)], "list", at=term.at
        )
    if name in ("modules", "children"):
        own = submodules(run, base)
        return Seq([m for n, m in own if name == "modules" or (n and "." not in n)], "list", at=term.at)
    if name == "reset_parameters" and isinstance(base, Instance):
        return Const(None)
    return None


def submodules(run: Run, module: Value, prefix: str = "", depth: int = 0) -> list[tuple[str, Value]]:
    """All modules inside `module`, itself first, with their dotted names."""
    out: list[tuple[str, Value]] = [(prefix, module)]
    if depth > 8:
        return out
    inner: list[tuple[str, Value]] = []
    if isinstance(module, Instance):
        inner = [(k, v) for k, v in module.attrs.items()]
    elif isinstance(module, Term) and module.name == "torch.nn.Sequential":
        inner = [(str(i), v) for i, v in enumerate(run.children(module) or [])]
    for name, value in inner:
        for each in options(value):
            dotted = f"{prefix}.{name}" if prefix else name
            held: list[tuple[str, Value]] = []
            if isinstance(each, Seq) and each.kind == "modulelist":
                held = [(str(i), item) for i, item in enumerate(each.items)]
            elif isinstance(each, Map) and each.kind == "moduledict":
                held = [(str(key), item) for key, item in each.entries.items()]
            if held:
                for key, item in held:
                    if is_module(run, item):
                        out.extend(submodules(run, item, f"{dotted}.{key}", depth + 1))
            elif is_module(run, each) and not any(each is m for _, m in out):
                out.extend(submodules(run, each, dotted, depth + 1))
    return out


def parameters(run: Run, module: Value) -> tuple[list[tuple[str, Value]], bool]:
    """The named parameters of a module, and whether all are known by name."""
    out: list[tuple[str, Value]] = []
    complete = True
    for prefix, part in submodules(run, module):
        head = f"{prefix}." if prefix else ""
        inside = part.term if isinstance(part, Instance) else part
        if isinstance(part, Instance):
            for name, value in part.attrs.items():
                if isinstance(value, Term) and value.name == "torch.nn.Parameter":
                    out.append((head + name, value))
        if isinstance(inside, Term):
            names = parameter_names(inside)
            if names is None:
                complete = False
                continue
            for name in names:
                key = f"${name}"
                if key not in inside.attrs:
                    inside.attrs[key] = run.term("attr", name, inside, [], at=inside.at)
                out.append((head + name, inside.attrs[key]))
    return out, complete


def parameter_names(layer: Term) -> list[str] | None:
    """Names of the parameters of a library layer; None where the layer is not known well enough."""
    kind = layer.name
    if kind in ("torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN"):
        layers, both = layer.argument("num_layers", 2, Const(1)), layer.argument("bidirectional", 6, Const(False))
        count = layers.value if isinstance(layers, Const) and isinstance(layers.value, int) else 1
        suffixes = ["", "_reverse"] if isinstance(both, Const) and both.value else [""]
        return [
            f"{what}_l{i}{s}"
            for i in range(min(count, 16))
            for s in suffixes
            for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
    if kind in RECURRENT_TORCH:
        return ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    last = kind.rsplit(".", 1)[-1]
    if last in ("Linear", "Bilinear", "LayerNorm", "GroupNorm") or last.startswith(("Conv", "BatchNorm", "LazyLinear")):
        bias = layer.argument("bias", None, Const(True))
        return ["weight"] if isinstance(bias, Const) and bias.value is False else ["weight", "bias"]
    if last in ("Embedding", "EmbeddingBag", "PReLU"):
        return ["weight"]
    if last in (
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "ReLU",
        "Tanh",
        "Sigmoid",
        "Softmax",
        "LogSoftmax",
        "Flatten",
        "Identity",
        "Sequential",
        "GELU",
        "LeakyReLU",
    ) or last.endswith(("Loss", "Pool1d", "Pool2d")):
        return []
    return None


__all__ = ["External", "Object", "cst"]
