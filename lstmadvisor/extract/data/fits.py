"""Keras training: what `fit` is given, and what the recurrent layers of the model see of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import turns
from lstmadvisor.extract.data.pipelines import Pipelines, is_pipeline
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.extract.shapes.tables import LAYERS, Dim, Shape

RECURRENT = frozenset("LSTM GRU SimpleRNN RNN ConvLSTM1D ConvLSTM2D ConvLSTM3D CuDNNLSTM CuDNNGRU".split())
_WRAPPERS = frozenset(("Bidirectional", "TimeDistributed"))
_FITS = frozenset(("fit", "fit_generator", "train_on_batch", "search"))
_TRAINING_WORDS = frozenset(
    "epochs batch_size validation_data validation_split callbacks steps_per_epoch nb_epoch".split()
)


@dataclass(eq=False)
class Fit:
    """One call that trains a Keras model."""

    act: Term
    model: Value | None
    data: Value | None
    """the training inputs, or a pipeline or generator of batches"""


def fits(run: Run) -> list[Fit]:
    """The calls that train a Keras model on the way that the defaults take, in order."""
    out: list[Fit] = []
    places: set[int] = set()
    for act in run.trace:
        if (
            act.op == "method"
            and act.name in _FITS
            and act.scope.active
            and not any(turns(act))
            and _trains_keras(run, act)
        ) and id(act.at.node) not in places:
            places.add(id(act.at.node))
            first = "generator" if act.name == "fit_generator" else "x"
            out.append(Fit(act, act.base, act.argument(first, 0)))
    return out or list(_tapes(run))


def _tapes(run: Run) -> Iterator[Fit]:
    """Training steps written with `tf.GradientTape`: the loop around them goes through the data."""
    for act in run.trace:
        if (
            act.op != "method"
            or act.name not in ("apply_gradients", "apply", "minimize")
            or not act.scope.active
            or any(turns(act))
        ):
            continue
        if act.name == "apply" and not any(isinstance(v, Term) and v.name == "gradient" for v in walk(act, 60)):
            continue
        models = [
            v.base
            for v in walk(act, 4000)
            if isinstance(v, Term) and v.op in ("apply", "enter") and _is_model(run, v.base)
        ]
        for loop, _ in reversed(act.scope.loops):
            data = _unwrapped(loop.iterable)
            if is_pipeline(data) or (isinstance(data, Term) and data.op == "comp" and data.name == "generator"):
                yield Fit(act, models[-1] if models else None, data)
                return


def _is_model(run: Run, value: Value | None) -> bool:
    for each in options(value):
        if isinstance(each, Term) and each.op == "call" and each.name in ("keras.Sequential", "keras.Model"):
            return True
        if isinstance(each, Instance) and any(b.startswith("keras.") for b in run.library_bases(each.cls)):
            return True
    return False


def _unwrapped(value: Value | None) -> Value | None:
    """The pipeline inside `enumerate(…)`, `tqdm(…)`, `dataset.take(n)`."""
    here = next(iter(options(value)), None)
    while (
        isinstance(here, Term)
        and here.op == "call"
        and here.name in ("builtins.enumerate", "builtins.zip", "builtins.iter")
        and here.args
    ):
        here = next(iter(options(here.args[0])), None)
    return here


def _trains_keras(run: Run, act: Term) -> bool:
    for each in options(act.base):
        if isinstance(each, Term) and each.op == "call":
            if each.name.startswith(("keras.", "keras_tuner.")):
                return not each.name.startswith(("keras.preprocessing.", "keras.datasets."))
            if each.name.startswith(("sklearn.", "numpy.", "pandas.", "scipy.", "torch.", "lightning.")):
                return False
        if isinstance(each, Instance) and any(b.startswith("keras.") for b in run.library_bases(each.cls)):
            return True
    return act.name == "fit_generator" or (bool(_TRAINING_WORDS & set(act.kwargs)) and act.name != "search")


def last_name(term: Term) -> str:
    """The last part of a library name."""
    return term.name.rsplit(".", 1)[-1]


def recurrent_inside(value: Value | None, depth: int = 0) -> Term | None:
    """The recurrent layer that a layer is, or that its wrappers hold."""
    for each in options(value):
        if isinstance(each, Instance):
            each = each.term or each
        if isinstance(each, Term) and each.op == "call" and each.name.startswith(("keras.", "tensorflow")):
            if last_name(each) in RECURRENT:
                return each
            if last_name(each) in _WRAPPERS and depth < 4:
                inner = each.argument("layer", 0)
                if (found := recurrent_inside(inner, depth + 1)) is not None:
                    return found
    return None


class Lengths:
    """Time steps that the recurrent layers of fitted Keras models read."""

    def __init__(self, run: Run, shapes: Shapes) -> None:
        self.run = run
        self.shapes = shapes
        self.pipelines = Pipelines(run)

    def of_fit(self, fit: Fit) -> list[Dim]:
        """The time steps of each first recurrent layer of the model that is fitted; empty where it holds none."""
        data = self.inputs(fit.data)
        for each in options(fit.model):
            if isinstance(each, Instance):
                return self._of_instance(each, data)
            if isinstance(each, Term) and each.op == "call" and last_name(each) == "Sequential":
                return self._of_sequential(each, data[0] if data else None)
            if isinstance(each, Term) and each.op == "call" and last_name(each) in ("Model", "Functional"):
                return self._of_functional(each, data)
        return []

    def declared_steps(self, fit: Fit) -> Dim:
        """The second axis of the one input of a functional model; what a layer inside turns round is not followed."""
        for each in options(fit.model):
            if isinstance(each, Term) and each.op == "call" and last_name(each) in ("Model", "Functional"):
                inputs = each.argument("inputs", 0)
                if isinstance(inputs, Seq):
                    inputs = inputs.items[0] if len(inputs.items) == 1 else None
                shape = self.shapes.of(inputs)
                return shape[1] if shape is not None and len(shape) > 2 else None
        return None

    def inputs(self, data: Value | None) -> list[Shape | None]:
        """The shapes of the arrays that a model is fed with, the batch axis first."""
        here = next(iter(options(data)), None)
        batches = isinstance(here, Instance) or (
            isinstance(here, Term) and ((here.op == "comp" and here.name == "generator") or is_pipeline(here))
        )
        if batches:
            element = next(iter(options(self.pipelines.element(here))), None)
            here = (
                element.items[0] if isinstance(element, Seq) and element.kind == "tuple" and element.items else element
            )
        if (
            isinstance(here, Seq)
            and here.kind == "list"
            and here.at is not None
            and 1 < len(here.items) <= 8
            and not here.open
        ):
            return [self._fed(i) for i in here.items]
        return [self._fed(data if not batches else here)]

    def _fed(self, value: Value | None) -> Shape | None:
        """The shape of one input; of an array whose number of axes is not known, batch and time at least."""
        shape = self.shapes.of(value)
        if shape is not None or value is None:
            return shape
        steps = self.shapes.axis(value, 1)
        return (self.shapes.axis(value, 0), steps, None) if steps is not None else None

    # -- models ------------------------------------------------------------------------------------

    def layers(self, model: Term) -> list[Value]:
        """The layers of a `Sequential`, in order."""
        out: list[Value] = []
        given = model.argument("layers", 0)
        if isinstance(given, Seq):
            out.extend(given.items)
        for event in self.run.trace:
            if (
                (
                    event.op == "method"
                    and event.name == "add"
                    and event.args
                    and any(model is o for o in options(event.base))
                )
                and event.scope.active
                and not any(turns(event))
            ):
                out.append(event.args[0])
        return out

    def _of_sequential(self, model: Term, data: Shape | None) -> list[Dim]:
        shape = data
        for layer in self.layers(model):
            each = next(iter(options(layer)), None)
            if not isinstance(each, Term):
                shape = None
                continue
            given = self.declared(each)
            if given is not None:
                shape = _filled(given, shape)
            if recurrent_inside(each) is not None:
                return [shape[1] if shape is not None and len(shape) > 1 else None]
            if last_name(each) == "Sequential" and each.op == "call":
                inner = self._of_sequential(each, shape)
                if inner:
                    return inner
                shape = None
                continue
            if last_name(each) not in ("Input", "InputLayer"):
                shape = self.through(each, shape)
        return []

    def declared(self, layer: Term) -> Shape | None:
        """The input shape that a layer declares (`input_shape=(T, F)`, `input_length=T`, …), the batch axis first."""
        if layer.op == "call" and last_name(layer) in ("Input", "InputLayer"):
            return (
                self.shapes.of(layer)
                if last_name(layer) == "Input"
                else self._declared(layer, "shape") or self._declared(layer, "input_shape")
            )
        for holder in (layer, recurrent_inside(layer)):
            if holder is None:
                continue
            made = self._declared(holder, "input_shape")
            if made is not None:
                return made
            length = holder.kwargs.get("input_length")
            if length is not None:
                steps = self.shapes.size(length)
                wide = self.shapes.size(holder.kwargs.get("input_dim"))
                return (None, steps) if last_name(holder) == "Embedding" else (None, steps, wide)
            if (
                last_name(holder) != "Embedding"
                and "input_dim" in holder.kwargs
                and recurrent_inside(holder) is not None
            ):
                return (None, None, self.shapes.size(holder.kwargs["input_dim"]))
        return None

    def _declared(self, layer: Term, key: str) -> Shape | None:
        whole = layer.kwargs.get("batch_input_shape") or layer.kwargs.get("batch_shape")
        given = layer.kwargs.get(key)
        if given is None and key == "shape" and layer.args:
            given = layer.args[0]
        sizes = self.shapes.sizes_of(whole if whole is not None else given)
        if sizes is None:
            return None
        plain = tuple(None if isinstance(s, Const) and s.value is None else s for s in sizes)
        return plain if whole is not None else (None, *plain)

    def through(self, layer: Term, shape: Shape | None) -> Shape | None:
        """The shape behind a layer."""
        rule = LAYERS.get(last_name(layer))
        if shape is None or rule is None:
            return None
        before = self.shapes.stand_in(self.run, layer, shape)
        return rule(self.shapes, self.run.term("apply", "()", layer, [before], at=layer.at))

    def _of_functional(self, model: Term, data: list[Shape | None]) -> list[Dim]:
        inputs, outputs = model.argument("inputs", 0), model.argument("outputs", 1)
        self._fill(inputs, data)
        return self._read(outputs)

    def _fill(self, inputs: Value | None, data: list[Shape | None]) -> None:
        """What an input leaves open (`shape=(None,)`) is what it is fed with."""
        listed = inputs.items if isinstance(inputs, Seq) else [inputs]
        for value, shape in zip(listed, data, strict=False):
            declared = self.shapes.of(value)
            if value is not None and shape is not None:
                self.shapes.suppose(value, _filled(declared, shape) if declared is not None else shape)

    def _of_instance(self, model: Instance, data: list[Shape | None]) -> list[Dim]:
        out: list[Dim] = []
        for mark in self.run.trace:
            if mark.op == "enter" and mark.base is model:
                for given, shape in zip(mark.args, data, strict=False):
                    if shape is not None and self.shapes.of(given) is None:
                        self.shapes.suppose(given, shape)
                out = out or self._read(mark.result)
        return out

    def _read(self, outputs: Value | None) -> list[Dim]:
        applied = [
            t for t in walk(outputs) if isinstance(t, Term) and t.op == "apply" and recurrent_inside(t.base) is not None
        ]
        out: list[Dim] = []
        for term in applied:
            given = term.args[0] if term.args else next(iter(term.kwargs.values()), None)
            before = (t for t in walk(given) if isinstance(t, Term) and t is not term and t.op == "apply")
            if any(recurrent_inside(t.base) is not None for t in before):
                continue
            shape = self.shapes.of(given)
            out.append(shape[1] if shape is not None and len(shape) > 1 else None)
        return out


def _filled(declared: Shape, data: Shape | None) -> Shape:
    """A declared shape, its open sizes taken from the data."""
    if data is None:
        return declared
    known = [*data, *(None for _ in declared)]
    return tuple(d if d is not None else known[i] for i, d in enumerate(declared))


__all__ = ["Fit", "Iterable", "Iterator", "Lengths", "fits"]
