"""What Keras layers and functions are called, and what that says of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Class, Const, External, Function, Instance, Seq, Term, Value
from lstmadvisor.extract.common import Fact, default, fact
from lstmadvisor.extract.keras.kinds import Layer, last_name
from lstmadvisor.facts import Known

DROPOUTS = frozenset(
    ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout")
)
NORMALIZATIONS = {
    "BatchNormalization": "batch",
    "SyncBatchNormalization": "batch",
    "BatchNormalizationV2": "batch",
    "LayerNormalization": "layer",
    "RMSNormalization": "layer",
    "GroupNormalization": "group",
    "InstanceNormalization": "instance",
    "UnitNormalization": "unit",
    "SpectralNormalization": "weight",
    "WeightNormalization": "weight",
}
ACTIVATIONS = {
    "ReLU": "relu", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax",
    "ThresholdedReLU": "relu",
}  # fmt: skip
PASSIVE = DROPOUTS | {
    "Activation", "Reshape", "Flatten", "Permute", "Lambda", "RepeatVector", "Masking", "GaussianNoise",
    "ActivityRegularization", "BatchNormalization",
    "LayerNormalization", "Identity", "Cropping1D", "ZeroPadding1D", "UpSampling1D", *ACTIVATIONS,
}  # fmt: skip
"""Layers without an idea of their own between two that learn."""
MERGES = frozenset(("Concatenate", "Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot", "Merge"))
POOLING = frozenset(
    (
        "GlobalAveragePooling1D",
        "GlobalMaxPooling1D",
        "GlobalAvgPool1D",
        "GlobalMaxPool1D",
        "AveragePooling1D",
        "MaxPooling1D",
    )
)
SHAPING = frozenset(
    "reshape transpose expand_dims squeeze flatten cast identity concat concatenate stack unstack split "
    "permute_dimensions convert_to_tensor stop_gradient "
    "clip clip_by_value ensure_shape batch_flatten repeat tile".split()
)
ACTIVATION_CALLS = frozenset(
    ("softmax", "sigmoid", "tanh", "relu", "log_softmax", "softplus", "hard_sigmoid", "leaky_relu", "elu", "selu")
)


def spelled(name: str) -> str:
    """An activation's name as facts give it: no activation and `linear` are `none`."""
    plain = name.rsplit(".", 1)[-1]
    return {"linear": "none", "None": "none", "log_softmax": "logsoftmax"}.get(plain, ACTIVATIONS.get(plain, plain))


def activation(value: Value | None, otherwise: str) -> Fact:
    """The activation that an argument gives."""
    if value is None:
        return default(otherwise)
    at = place(getattr(value, "at", None))
    if isinstance(value, External):
        return Known(value=spelled(value.name), via="literal", at=at)
    if isinstance(value, Term) and value.op == "call":
        if value.name in ("keras.activations.get", "keras.activations.deserialize") and value.args:
            return activation(value.args[0], otherwise)
        return Known(value=spelled(value.name), via="literal", at=at)
    got = fact(value)
    if isinstance(got, Known):
        return got.model_copy(update={"value": spelled(str(got.value))})
    return got


def named(value: Value | None, otherwise: Any) -> Fact:
    """The name of an initializer or the like: text, a class, an object, a function."""
    if value is None:
        return default(otherwise)
    if isinstance(value, (External, Function, Class)):
        return Known(value=value.name.rsplit(".", 1)[-1], via="literal", at=place(getattr(value, "at", None)))
    if isinstance(value, Term) and value.op == "call":
        return Known(value=last_name(value), via="literal", at=place(value.at))
    if isinstance(value, Instance):
        return Known(value=value.cls.name.rsplit(".", 1)[-1], via="literal", at=place(value.at))
    return fact(value)


def separate_activation(layer: Layer) -> Fact | None:
    """The activation that an Activation layer (or the like) applies; None of any other layer."""
    if layer.kind == "Activation":
        got = activation(layer.term.argument("activation", 0), "none")
        at = place(layer.term.at)
        return got.model_copy(update={"at": got.at or at}) if isinstance(got, Known) else got
    if layer.kind in ACTIVATIONS:
        return Known(value=ACTIVATIONS[layer.kind], via="literal", at=place(layer.term.at))
    return None


def learns(layer: Layer) -> bool:
    """Whether a layer has an idea of its own: weights, mostly."""
    return layer.kind not in PASSIVE and layer.kind not in MERGES and layer.kind not in POOLING


def tails(layers: Iterable[Layer]) -> list[Layer]:
    """The learning layers nearest to an output, past activations, reshapes and merges."""
    out: list[Layer] = []
    queue = list(layers)
    seen = set(queue)
    for here in queue:
        if learns(here):
            out.append(here)
            continue
        for link in here.before:
            if link.source not in seen:
                seen.add(link.source)
                queue.append(link.source)
    return out


def takes_last_step(term: Term) -> bool:
    """`x[:, -1]` or `x[:, -1, :]`."""
    if term.op != "item" or not term.args or not isinstance(term.args[0], Seq) or term.args[0].kind != "tuple":
        return False
    items = term.args[0].items
    whole = isinstance(items[0], Seq) and items[0].kind == "slice" if items else False
    return whole and len(items) > 1 and isinstance(items[1], Const) and items[1].value == -1


def activation_call(via: tuple[Term, ...]) -> Term | None:
    """The activation function that was called last on the way (nearest the target first)."""
    for term in via:
        last = last_name(term)
        if term.op == "call" and last in ACTIVATION_CALLS:
            return term
        if not ((term.op in ("call", "method") and last in SHAPING) or term.op in ("item", "attr")):
            return None
    return None
