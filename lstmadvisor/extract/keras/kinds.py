"""The parts of Keras models: which terms are layers, wrappers and models; layers and the links between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lstmadvisor.extract.abstract.values import Instance, Loop, Opaque, Seq, Term, Value, options

HOMES = (
    "keras.layers.",
    "tensorflow_addons.layers.",
    "tensorflow_addons.rnn.",
    "tensorflow_addons.text.",
    "keras_contrib.layers.",
    "keras_nlp.layers.",
    "keras_hub.layers.",
    "keras_self_attention.",
    "keras_multi_head.",
    "keras_layer_normalization.",
    "keras_core.layers.",
    "tensorflow_hub.",
    "tcn.",
)
WRAPPERS = {
    "Bidirectional": ("layer", "backward_layer"),
    "TimeDistributed": ("layer",),
    "RNN": ("cell",),
    "StackedRNNCells": ("cells",),
    "SpectralNormalization": ("layer",),
    "WeightNormalization": ("layer",),
    "Wrapper": ("layer",),
    "DropoutWrapper": ("cell",),
    "ResidualWrapper": ("cell",),
}
"""Layers around layers, and the arguments that hold what is inside."""
CELLS = frozenset(
    ("LSTMCell", "GRUCell", "SimpleRNNCell", "PeepholeLSTMCell", "LayerNormLSTMCell", "LayerNormSimpleRNNCell")
)
RECURRENT = CELLS | {
    "LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "CuDNNLSTM", "CuDNNGRU",
}  # fmt: skip
MODELS = frozenset(("keras.Sequential", "keras.Model", "keras.Functional", "keras.models.Functional"))
ESTIMATORS = frozenset(("KerasClassifier", "KerasRegressor", "KerasMultiClassifier"))
"""Keras models dressed as scikit-learn estimators."""


@dataclass(eq=False)
class Link:
    """Data flows from one layer to another, through the operations `via` (nearest the target first)."""

    source: Layer
    target: Layer
    via: tuple[Term, ...] = ()
    state: bool = False
    """the target takes it as its initial state"""


@dataclass(eq=False)
class Layer:
    """One layer that the program builds, with what wraps it (nearest first)."""

    term: Term
    kind: str
    wrappers: list[Term] = field(default_factory=list)
    before: list[Link] = field(default_factory=list)
    after: list[Link] = field(default_factory=list)
    outside: list[tuple[Term, ...]] = field(default_factory=list)
    """what its result goes through on the way to a model's output or to code that is no layer"""
    group: int = -1
    """which connected model it belongs to"""
    applied: bool = False

    @property
    def recurrent(self) -> bool:
        """Whether it runs over time."""
        return self.kind in RECURRENT

    @property
    def active(self) -> bool:
        """Whether the defaults lead to it."""
        return self.term.scope.active


@dataclass(eq=False)
class Model:
    """A Keras model: the object, its layers' group, and the calls of `compile` and `fit` on it."""

    value: Term | Instance
    group: int = -1


def last_name(term: Term) -> str:
    """The last part of a canonical name."""
    return term.name.rsplit(".", 1)[-1]


def is_layer(value: Value | None) -> bool:
    """Whether a value is a layer of a library (wrappers included)."""
    return (
        isinstance(value, Term)
        and value.op == "call"
        and value.name.startswith(HOMES)
        and last_name(value)[:1].isupper()
        and last_name(value) not in ("InputLayer", "Input")
    )


def inner_values(wrapper: Term) -> list[Value]:
    """What a wrapper wraps."""
    out: list[Value] = []
    for position, name in enumerate(WRAPPERS[last_name(wrapper)]):
        value = wrapper.argument(name, position if position == 0 else None)
        for each in options(value):
            out.extend(each.items if isinstance(each, Seq) else [each])
    return out


def functional(model: Term, name: str, position: int) -> Value | None:
    """An argument of `Model(inputs, outputs)` (`input`, `output` in Keras 1)."""
    value = model.argument(name, position)
    return model.kwargs.get(name[:-1]) if value is None or isinstance(value, Opaque) else value


def unrolled(term: Term) -> tuple[tuple[int, int], ...]:
    """The turns of the loops that were followed one by one."""
    return tuple((id(loop), turn) for loop, turn in term.scope.loops if loop.unrolled)


def ancestors(layers: Iterable[Layer]) -> list[Layer]:
    """Layers and all that feed them."""
    queue = list(dict.fromkeys(layers))
    seen = set(queue)
    for layer in queue:
        for link in layer.before:
            if link.source not in seen:
                seen.add(link.source)
                queue.append(link.source)
    return queue


def descendants(layer: Layer) -> list[Layer]:
    """All layers that a layer feeds, nearest first."""
    queue = [layer]
    seen = {layer}
    for here in queue:
        for link in here.after:
            if link.target not in seen:
                seen.add(link.target)
                queue.append(link.target)
    return queue[1:]


def common_loops(layers: Iterable[Layer]) -> tuple[tuple[Loop, int], ...]:
    """The loops, with their turns, around all of some layers: around the model, not inside its construction."""
    common: tuple[tuple[Loop, int], ...] | None = None
    for layer in layers:
        loops = layer.term.scope.loops
        if common is None:
            common = loops
            continue
        size = 0
        while (
            size < min(len(common), len(loops))
            and common[size][0] is loops[size][0]
            and common[size][1] == loops[size][1]
        ):
            size += 1
        common = common[:size]
    return common or ()
