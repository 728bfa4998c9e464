"""Masks in Keras models: where they are made, and which layers drop them before a recurrent layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.keras.kinds import Layer, last_name
from lstmadvisor.facts import Edge

_KEEP = frozenset(
    "Dense Dropout SpatialDropout1D GaussianDropout GaussianNoise AlphaDropout Activation LeakyReLU ELU PReLU ReLU "
    "LayerNormalization BatchNormalization GroupNormalization UnitNormalization Normalization Rescaling Identity "
    "Softmax ActivityRegularization Add Concatenate Multiply Average Maximum Subtract Masking".split()
)
_DROP = frozenset(
    "Conv1D SeparableConv1D DepthwiseConv1D Conv1DTranspose MaxPooling1D AveragePooling1D MaxPool1D AvgPool1D Reshape "
    "Flatten Permute UpSampling1D Cropping1D ZeroPadding1D Lambda".split()
)


def makes_mask(layer: Layer) -> bool:
    """Whether a layer makes a mask of its input."""
    given = layer.term.argument("mask_zero", None)
    return layer.kind == "Masking" or (layer.kind == "Embedding" and isinstance(given, Const) and given.value is True)


def lost_masks(layers: Iterable[Layer]) -> Iterator[Edge]:
    """An edge, with the layer that drops the mask as its place, from each mask to a recurrent layer that misses it."""
    told: set[int] = set()
    for source in layers:
        if not source.active or not makes_mask(source):
            continue
        for layer in _reached(source):
            missing = _next_recurrent(layer) if _drops(layer) else None
            if missing is not None and id(layer.term.at.node) not in told:
                told.add(id(layer.term.at.node))
                yield Edge(
                    at=place(layer.term.at),
                    from_=place(source.term.at),
                    to=place(missing.term.at),
                    via=inferred("mask-dropped", place(layer.term.at)),
                )


def _reached(source: Layer) -> list[Layer]:
    """The layers that get the mask, nearest first."""
    queue, seen = [source], {source}
    for here in queue:
        if here is not source and not _keeps(here):
            continue
        for link in here.after:
            if not link.state and link.target.active and link.target not in seen:
                seen.add(link.target)
                queue.append(link.target)
    return queue[1:]


def _keeps(layer: Layer) -> bool:
    if layer.recurrent:
        given = layer.term.argument("return_sequences", None)
        return isinstance(given, Const) and given.value is True
    return layer.kind in _KEEP or any(last_name(wrapper) == "TimeDistributed" for wrapper in layer.wrappers)


def _drops(layer: Layer) -> bool:
    if any(last_name(wrapper) == "TimeDistributed" for wrapper in layer.wrappers):
        return False
    return layer.kind in _DROP and not (layer.kind == "Lambda" and {"mask"} & set(layer.term.kwargs))


def _next_recurrent(layer: Layer) -> Layer | None:
    """The first recurrent layer behind a layer that nothing gives a new mask."""
    queue, seen = [layer], {layer}
    for here in queue:
        for link in here.after:
            if link.state or link.target in seen or any("mask" in term.kwargs for term in link.via):
                continue
            if link.target.recurrent:
                return link.target
            seen.add(link.target)
            if not makes_mask(link.target):
                queue.append(link.target)
    return None
