"""What a Keras model gives: units and activation of its output."""

from __future__ import annotations

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Map, Seq, Term, Value, walk
from lstmadvisor.extract.common import Fact, fact, inferred
from lstmadvisor.extract.keras.graph import Graph
from lstmadvisor.extract.keras.kinds import Layer, Model, last_name
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.names import DROPOUTS, MERGES, POOLING, activation, separate_activation, spelled
from lstmadvisor.extract.keras.training import Training, agreed
from lstmadvisor.facts import Known, Output, Place, Unknown

_SHAPE_ONLY = frozenset(
    "reshape transpose expand_dims squeeze flatten cast identity permute_dimensions convert_to_tensor ensure_shape "
    "batch_flatten stack concat concatenate split unstack".split()
)
_GIVES = frozenset(("softmax", "sigmoid", "tanh", "relu", "log_softmax", "softplus", "hard_sigmoid", "exp"))
_PASSES = (
    DROPOUTS
    | POOLING
    | {"Reshape", "Flatten", "Permute", "Identity", "BatchNormalization", "Cropping1D", "RepeatVector"}
)


class Outputs:
    """Outputs of the trained (else compiled, else defined) recurrent models."""

    def __init__(self, graph: Graph, training: Training, layers: Layers) -> None:
        self.graph = graph
        self.training = training
        self.layers = layers

    def fact(self) -> Output:
        """The output of the program's model, or why there is not one."""
        found = [o for model in self._models() for o in self.of(model)]
        if not found:
            return Output()
        last = found[-1]
        units = agreed([o.units for o in found], "the number of outputs")
        act = agreed([o.activation for o in found], "the activation of the outputs")
        assert units is not None
        assert act is not None
        return last.model_copy(update={"units": units, "activation": act})

    def before_loss(self, term: Term) -> Fact:
        """The activation of the output of the model that is compiled."""
        model = self.graph.model(term.base)
        found = self.of(model) if model is not None else []
        return agreed([o.activation for o in found], "the activation of the outputs") or self.fact().activation

    def _models(self) -> list[Model]:
        main = [f.model for f in self.training.main_fits() if f.model is not None]
        if not main:
            compiled = [
                m for t in self.training.compiles if t.scope.active and (m := self.graph.model(t.base)) is not None
            ]
            main = [
                m
                for m in compiled
                if not any(o is not m and _same_line(o, m) for o in compiled[compiled.index(m) + 1 :])
            ]
        if not main:
            inside = {id(e) for m in self.graph.models for e in self.graph.chain(m.value)}
            main = [
                m
                for m in self.graph.models
                if self.training.relevant(m) and m.group in self.training.groups and id(m.value) not in inside
            ]
            main = [m for m in main if not isinstance(m.value, Term) or m.value.scope.active][-1:]
        return list(dict.fromkeys(main))

    def of(self, model: Model) -> list[Output]:
        """One output per head."""
        if self.graph.chain(model.value):
            exits = self.graph.exits(model.value)
            return [self._ending(layer) for layer in exits[-1:]]
        return [o for value in self.graph.results(model.value) for o in self._heads(value)]

    def _heads(self, value: Value) -> list[Output]:
        if isinstance(value, (Seq, Map)):
            parts = value.items if isinstance(value, Seq) else list(value.entries.values())
            return [o for item in parts[:8] for o in self._heads(item)]
        act: Fact | None = None
        here: Value | None = value
        for _ in range(30):
            while isinstance(here, Term) and (part := self.graph.part(here)) is not None:
                here = part
            if isinstance(here, Term) and here.op == "apply" and (inner := self._of_model(here)):
                return [o.model_copy(update={"activation": act}) if act is not None else o for o in inner]
            if isinstance(here, Term) and here.op == "apply" and self.graph.exits(here.base):
                found = [self._ending(layer) for layer in self.graph.exits(here.base)[-1:]]
                return [o.model_copy(update={"activation": act}) if act is not None else o for o in found]
            if not isinstance(here, Term):
                return [Output(units=Unknown(unknown="not followed"), activation=Unknown(unknown="not followed"))]
            last = last_name(here)
            if here.op == "call" and last in _GIVES and act is None:
                act = inferred(spelled(here.name), place(here.at))
            elif not ((here.op in ("call", "method") and last in _SHAPE_ONLY) or here.op in ("item", "attr")):
                return [self._computed(here, act)]
            inputs = [v for v in ([here.base] if here.base is not None else []) + here.args if not isinstance(v, Const)]
            here = inputs[0] if inputs else None
            if isinstance(here, Seq) and here.items:
                here = here.items[0]
        return []

    def _of_model(self, term: Term) -> list[Output]:
        """The outputs of a functional model that is called."""
        model = self.graph.model(term.base)
        if model is None or not isinstance(model.value, Term) or model.value.name == "keras.Sequential":
            return []
        return [o for value in self.graph.results(model.value) if value is not term for o in self._heads(value)]

    def _computed(self, value: Term, act: Fact | None) -> Output:
        """An output that code computes from layers: scaled, added or more."""
        why = Unknown(unknown="the output is computed from layers", at=place(value.at))
        feeding = self.graph.sources(value)
        scaled = value.op == "binop" and value.name in ("+", "-", "*", "/") and len(feeding) == 1
        if scaled:
            ending = self._ending(feeding[0][0])
            return ending.model_copy(update={"activation": act}) if act is not None else ending
        return Output(at=place(value.at), units=why, activation=act or why)

    def _ending(self, layer: Layer) -> Output:
        """The output that ends in a layer, looking through activations and changes of shape at the end."""
        act: Fact | None = None
        for _ in range(12):
            separate = separate_activation(layer)
            if separate is not None:
                if act is None or (isinstance(act, Known) and act.value == "none"):
                    act = separate
            elif layer.kind in MERGES and layer.kind not in ("Concatenate",):
                why = Unknown(unknown="the output merges several layers", at=place(layer.term.at))
                return Output(
                    at=place(layer.term.at), units=why, activation=act or inferred("none", place(layer.term.at))
                )
            elif layer.kind not in _PASSES and not (
                layer.kind == "Lambda" and (_harmless(layer.term) or _computes_loss(layer.term))
            ):
                break
            if not layer.before:
                break
            called = next((t for t in layer.before[0].via if t.op == "call" and last_name(t) in _GIVES), None)
            if called is not None and act is None:
                act = inferred(spelled(called.name), place(called.at))
            layer = layer.before[0].source
        own = self._own(layer)
        if isinstance(own, Known) and own.value == "none" and act is not None:
            own = act
        at: Place | None = place(layer.term.at)
        return Output(at=at, active=layer.active, units=self._units(layer), activation=own)

    @staticmethod
    def _own(layer: Layer) -> Fact:
        if layer.kind == "Dense" or (
            layer.kind.startswith(("Conv", "SeparableConv", "LocallyConnected", "EinsumDense")) and not layer.recurrent
        ):
            return activation(layer.term.argument("activation", 1 if layer.kind == "Dense" else None), "none")
        if layer.recurrent:
            return activation(
                layer.term.argument("activation", 1 if not layer.kind.startswith("ConvLSTM") else None), "tanh"
            )
        return Unknown(unknown=f"the output comes from `{layer.kind}`", at=place(layer.term.at))

    @staticmethod
    def _units(layer: Layer) -> Fact:
        name = "filters" if "Conv" in layer.kind else "units"
        if layer.kind == "Dense" or layer.recurrent or "Conv" in layer.kind:
            value = layer.term.argument(name, 0)
            return fact(
                value if value is not None else layer.term.argument("output_dim"), Unknown(unknown="no units are given")
            )
        return Unknown(unknown=f"the output comes from `{layer.kind}`", at=place(layer.term.at))


def _harmless(term: Term) -> bool:
    """A Lambda that only scales or reshapes."""
    result = term.result
    for _ in range(6):
        if not isinstance(result, Term):
            return False
        if result.op == "param":
            return True
        if result.op == "binop" and result.name in ("+", "-", "*", "/"):
            result = next((a for a in result.args if isinstance(a, Term)), None)
        elif result.op in ("item", "attr"):
            result = result.base
        elif result.op == "call" and last_name(result) in _SHAPE_ONLY:
            result = next((a for a in result.args if isinstance(a, Term)), None)
        else:
            return False
    return False


def _computes_loss(term: Term) -> bool:
    """A Lambda that turns the model's real output into its loss."""
    return any(isinstance(v, Term) and "ctc" in last_name(v) for v in walk(term.result, 60))


def _same_line(one: Model, other: Model) -> bool:
    return one.value.at is not None and other.value.at is not None and one.value.at.node is other.value.at.node
