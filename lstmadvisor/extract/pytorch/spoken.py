"""What the code calls the model, its parameters and the optimizer, where it trains: names that a fix may use there."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Env, Frame, Instance, Loop, Named, Term, Value, options, walk
from lstmadvisor.extract.common import NAME, Fact, bound_name, inferred, place, receiver
from lstmadvisor.extract.pytorch.makers import is_optimizer, makers
from lstmadvisor.extract.pytorch.steps import Act, Training
from lstmadvisor.facts import EpochLoop, Known, Unknown

_SAME = frozenset(("to", "cuda", "cpu", "float", "double", "half", "train", "eval"))
"""methods of a model that give the model back"""


def called_on(act: Act) -> Fact:
    """What an act of training is called on, as the code says it."""
    text = receiver(act.term)
    return inferred(text) if text else Unknown(unknown="has no name", at=place(act.term.at))


class Spoken:
    """The names in the function that calls `backward`."""

    def __init__(self, run: Run, training: Training) -> None:
        self._training = training
        backward = training.backward
        self._here = [
            term
            for term in run.trace
            if term.scope.frames == backward.scope.frames and term.at.module is backward.at.module
        ]

    def optimizer(self) -> Fact:
        """The optimizer, an object of PyTorch's own kind."""
        found = self._optimizer()
        return inferred(found[0]) if found else self._nameless("the optimizer")

    def model(self) -> Fact:
        """The one model that the optimizer trains."""
        models = self._models()
        texts = [text for model in models if (text := self._called(model))]
        return inferred(texts[0]) if len(models) == len(texts) == 1 else self._nameless("the model")

    def parameters(self) -> Fact:
        """An expression for everything that the optimizer trains."""
        models = self._models()
        texts = [text for model in models if (text := self._called(model))]
        if models and len(models) == len(texts):
            each = [f"{text}.parameters()" for text in dict.fromkeys(texts)]
            return inferred(each[0] if len(each) == 1 else f"[{', '.join(f'*{one}' for one in each)}]")
        found = self._optimizer()
        if found:
            return inferred(f'[p for group in {found[0]}.param_groups for p in group["params"]]')
        return self._nameless("what is trained")

    def made(self) -> Term | None:
        """The call that made the optimizer, whatever it is called here."""
        found = self._optimizer()
        return found[1] if found else next((m for a in self._training.acts if (m := self._stepped(a))), None)

    @staticmethod
    def _stepped(act: Act) -> Term | None:
        return _made(act.term.base) if act.kind in ("step", "zero_grad") and not act.by_hand else None

    def _optimizer(self) -> tuple[str, Term] | None:
        for act in self._training.acts:
            if act.kind not in ("step", "zero_grad", "unscale") or act.by_hand or act.term not in self._here:
                continue
            call = act.term
            if (
                call.args and isinstance(call.at.node, cst.Call) and (made := _made(call.args[0]))
            ):  # scaler.step(optimizer)
                assert call.at.module is not None
                text = call.at.module.tree.code_for_node(call.at.node.args[0].value)
                if NAME.fullmatch(text):
                    return text, made
            if (made := _made(call.base)) and receiver(call):
                return receiver(call), made
        return None

    def _models(self) -> list[Value]:
        """The models whose parameters the optimizer was given."""
        found = self._optimizer()
        return [] if found is None else _given(found[1])

    def trained(self) -> list[Value]:
        """The models whose parameters were given to any optimizer that steps."""
        return list({id(model): model for each in self.stepping() for model in _given(each)}.values())

    def stepping(self) -> list[Term]:
        """The calls that made the optimizers of one training step, in the order of their steps."""
        made = [m for a in self._training.acts if a.kind == "step" and (m := self._stepped(a))]
        return list({id(each): each for each in made}.values())

    def _called(self, model: Value) -> str:
        """What the code calls a model here."""
        for term in self._here:
            used = term.op in ("enter", "apply", "method") and any(each is model for each in options(term.base))
            if used and (text := receiver(term)):
                return text
        return ""

    def _nameless(self, what: str) -> Unknown:
        return Unknown(unknown=f"{what} has no name where it trains", at=place(self._training.backward.at))


def _given(optimizer: Term) -> list[Value]:
    """The models whose parameters an optimizer was given."""
    models: dict[int, Value] = {}
    for value in walk(optimizer.argument("params", 0), 400):
        if isinstance(value, Term) and value.op == "method" and value.name in ("parameters", "named_parameters"):
            models.update((id(model), model) for model in options(value.base))
    return list(models.values())


def _made(value: Value | None) -> Term | None:
    """The call that made an optimizer; not one that a class of the user's wraps."""
    if any(isinstance(each, Instance) for each in options(value)):
        return None
    return next((term for term in makers(value) if is_optimizer(term.name)), None)


def epoch_loop(run: Run, training: Training | None, turns: Fact) -> EpochLoop:
    """The loop over the epochs, as far as it has names for what a fix may add to it; `turns` is how often it turns."""
    loop = None if training is None else training.epochs
    if training is None or loop is None or loop.spot.module is None:
        return EpochLoop()
    if not isinstance(loop.spot.node, (cst.For, cst.While)):
        return EpochLoop()
    node, at = loop.spot.node, place(loop.spot)
    count = _turns(node.iter) if isinstance(node, cst.For) else _limit(node, loop, turns)
    if count is not None:
        code = loop.spot.module.tree.code_for_node(count)
    made = Spoken(run, training).stepping()
    again = {text_of(each) for each in run.named if any(one is loop for one, _ in each.scope.loops)}
    names = [name for each in made if (name := _beside(run, training, loop, each)) not in again]
    nameless = Unknown(unknown="an optimizer has no name beside the loop over the epochs", at=at)
    return EpochLoop(
        at=at,
        count=inferred(code) if count is not None else Unknown(unknown="no number of turns", at=at),
        optimizers=inferred(names) if len(names) == len(made) > 0 and all(names) else nameless,
        made=tuple(here for each in made if (here := place(each.at)) is not None),
        models=_models_beside(run, training, loop),
        single=inferred(training.batches is loop),
    )


def called_beside(training: Training | None, made: Term) -> Fact:
    """What the code calls something that is made before the loop over the epochs, in the same function."""
    loop = None if training is None else training.epochs
    if training is not None and loop is not None and made.at.module is loop.spot.module:
        name = bound_name(made) if made.scope.frames == around(training, loop) else ""
        if name and made.serial < training.backward.serial:
            return inferred(name)
    return Unknown(unknown="it has no name beside the loop over the epochs", at=place(made.at))


def _turns(iterable: cst.BaseExpression) -> cst.BaseExpression | None:
    """`n` of `range(n)`, `range(1, n + 1)` and `tqdm(range(n))`."""
    if not isinstance(iterable, cst.Call) or not iterable.args or any(a.star for a in iterable.args):
        return None
    name = iterable.func.attr.value if isinstance(iterable.func, cst.Attribute) else getattr(iterable.func, "value", "")
    given = [argument.value for argument in iterable.args if argument.keyword is None]
    if name in ("tqdm", "enumerate", "track") and given:
        return _turns(given[0])
    if name not in ("range", "trange", "xrange") or not given:
        return None
    if len(given) == 1:
        return given[0]
    start, stop = given[:2]
    if len(given) == 2 and isinstance(start, cst.Integer) and start.value == "0":
        return stop
    one_more = isinstance(stop, cst.BinaryOperation) and isinstance(stop.operator, cst.Add)
    if len(given) == 2 and one_more and isinstance(start, cst.Integer) and start.value == "1":
        assert isinstance(stop, cst.BinaryOperation)
        return stop.left if isinstance(stop.right, cst.Integer) and stop.right.value == "1" else None
    return None


def _limit(node: cst.While, loop: Loop, turns: Fact) -> cst.BaseExpression | None:
    """`n` of `while epoch < n`, if the loop turns so often."""
    test = node.test
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1 or not isinstance(turns, Known):
        return None
    (comparison,) = test.comparisons
    limits = [each for condition in loop.conditions for each in walk(condition, 20) if isinstance(each, Const)]
    reached = any(each.value == turns.value and each.via != "widened" for each in limits)
    is_plain = isinstance(comparison.comparator, (cst.Name, cst.Attribute, cst.Integer))
    return comparison.comparator if isinstance(comparison.operator, cst.LessThan) and is_plain and reached else None


def _beside(run: Run, training: Training, loop: Loop, made: Term) -> str:
    """What the code calls an optimizer in the function that holds a loop; empty where it has no name."""
    frames = around(training, loop)
    for term in run.trace:
        if term.scope.frames != frames or term.at.module is not loop.spot.module:
            continue
        name = bound_name(term) if term is made else ""
        if not name and term.op == "method" and made is _made(term.base):
            name = receiver(term)
        if name:
            return name
    return _name_around(training, loop, made)


def _models_beside(run: Run, training: Training, loop: Loop) -> Fact:
    """What the code calls the models that are trained, in the function that holds a loop."""
    models = Spoken(run, training).trained()
    texts = [_name_around(training, loop, model) for model in models]
    if not models or not all(texts):
        return Unknown(unknown="a model has no name beside the loop over the epochs", at=place(loop.spot))
    return inferred(list(dict.fromkeys(texts)))


def _name_around(training: Training, loop: Loop, thing: Value) -> str:
    """What stands for an object in the function that holds a loop: a name of its own, or one of the module's."""
    frames = around(training, loop)
    assert loop.spot.module is not None
    own = frames[-1].env if frames else None
    outer = name_in(loop.spot.module.env, thing)
    return (name_in(own, thing) if own is not None else "") or (
        outer if own is None or outer.partition(".")[0] not in own.names else ""
    )


def name_in(env: Env, thing: Value) -> str:
    """The name or attribute that stands for an object, or for one of several that the options choose between."""

    def stands(value: Value) -> bool:
        found = [_itself(each) for each in options(value)]
        return any(each is _itself(thing) for each in found) and all(isinstance(e, (Instance, Term)) for e in found)

    this = env.names.get("self")
    attrs = this.attrs if isinstance(this, Instance) else {}
    named = [name for name, value in env.names.items() if name.isidentifier() and stands(value)]
    named += [f"self.{name}" for name, value in attrs.items() if stands(value)]
    return named[0] if named else ""


def _itself(value: Value) -> Value:
    """The model of `model.to(device)`."""
    while isinstance(value, Term) and value.op == "method" and value.name in _SAME and value.base is not None:
        value = value.base
    return value


def text_of(named: Named) -> str:
    """A name or attribute as it is written."""
    return cst.Module([]).code_for_node(named.target)


def around(training: Training, loop: Loop) -> tuple[Frame, ...]:
    """The calls under way when a loop began."""
    depth = depth_of(training, loop)
    return tuple(frame for frame in training.backward.scope.frames if frame.loops <= depth)


def depth_of(training: Training, loop: Loop) -> int:
    """How many loops are around a loop of the training."""
    return next(n for n, (each, _) in enumerate(training.backward.scope.loops) if each is loop)
