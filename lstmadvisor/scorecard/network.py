"""What the network is made of: H1, H2, T5, T6, T7."""

from __future__ import annotations

from collections.abc import Sequence

from lstmadvisor.facts import Place, Program, RecurrentLayer, Unknown, Value, items, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, untold, used
from lstmadvisor.scorecard.words import counted, enumerated, shown, span, unset, worded

_STACKED_BY_NUMBER = {"LSTM", "GRU", "RNN"}
"""Kinds of which PyTorch stacks several layers in one module."""
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "LSTMCell": 4, "GRUCell": 3, "RNNCell": 1}


def units_and_layers(program: Program) -> Answer:
    """H1: one layer or two."""
    layers = used(program.recurrent_layers)
    if isinstance(layers, Unknown):
        return untold("recurrent layers", layers)
    depth = _depth(program, layers)
    deepest = max(layers, key=lambda layer: _height(program, layer) or 0)
    at = deepest.num_layers.at or deepest.at
    if isinstance(depth, Unknown):
        return untold("how many layers feed each other", depth, at, [notes.DEPTH])
    found = f"{_stack(depth, layers)} of {_units(layers)}"
    if depth > 3 and not _skips(program):
        step = "Cut the stack to two layers, or add residual connections."
        return departs(found, at, "change", step, [notes.DEEP_STACKS, notes.DEPTH])
    if depth > 2:
        skips = " with skip connections" if _skips(program) else ""
        return departs(found + skips, at, "keep" if skips else "your call", notes=[notes.DEEP_STACKS, notes.DEPTH])
    few = [layer.units for layer in layers if (size := span(layer.units)) and size[1] <= 4]
    if few:
        step = "Try more units: overfit one batch first, and see whether they suffice."
        return follows(found, few[0].at or at, "your call", step, [notes.DEPTH])
    return follows(found, at, notes=[notes.DEPTH])


def dense_layers(program: Program) -> Answer:
    """H2: Dense layers of 5 to 10 units."""
    dense = used(program.dense_layers)
    if isinstance(dense, Unknown):
        return untold("dense layers", dense, notes=[notes.DENSE_FOLKLORE])
    hidden = [layer for layer in dense if plain(layer.role) == "hidden"]
    vague = [layer for layer in dense if isinstance(layer.role, Unknown)]
    if not hidden and vague:
        return untold("which dense layers are hidden", vague[0].role, vague[0].at, [notes.DENSE_FOLKLORE])
    if not hidden:
        return inapplicable("no hidden dense layer", notes.DENSE_FOLKLORE)
    sizes = [span(layer.units) for layer in hidden]
    outside = [layer for layer, size in zip(hidden, sizes, strict=True) if size and not 5 <= size[0] <= size[1] <= 10]
    found = f"hidden dense {'layers' if len(hidden) > 1 else 'layer'} of {_worded([one.units for one in hidden])}"
    if outside:
        at = outside[0].units.at or outside[0].at
        return departs(found, at, "keep", notes=[notes.DENSE_FOLKLORE])
    if None in sizes:
        unread = hidden[sizes.index(None)]
        return untold("units of a dense layer", unread.units, unread.at, [notes.DENSE_FOLKLORE])
    step = "Try without the layer, or with more units than classes."
    return follows(found, hidden[0].units.at or hidden[0].at, "your call", step, [notes.DENSE_FOLKLORE])


def gru(program: Program) -> Answer:
    """T5: consider a GRU."""
    layers = used(program.recurrent_layers)
    if isinstance(layers, Unknown):
        return untold("recurrent layers", layers)
    kinds = [str(plain(layer.kind)) for layer in layers]
    plain_nets = [layer for layer, kind in zip(layers, kinds, strict=True) if "RNN" in kind]
    others = [layer for layer, kind in zip(layers, kinds, strict=True) if "GRU" not in kind]
    unread = [layer for layer in layers if isinstance(layer.kind, Unknown)]
    if plain_nets:
        step = "Try a GRU or LSTM where the memory has to reach further than about 20 steps."
        return departs(enumerated(kinds), plain_nets[0].at, next=step, notes=[notes.GRU_OR_LSTM])
    if unread:
        return untold("kind of the recurrent layer", unread[0].kind, unread[0].at, [notes.GRU_OR_LSTM])
    if not others:
        return follows(enumerated(kinds), layers[0].at, notes=[notes.GRU_OR_LSTM])
    sizes = [_parameters(program, layer) for layer in others]
    size = sum(filter(None, sizes))
    saving = "" if None in sizes else f"; GRUs would save about a quarter of {size:,} recurrent parameters"
    return departs(enumerated(kinds) + saving, others[0].at, "keep", notes=[notes.GRU_OR_LSTM])


def layer_normalisation(program: Program) -> Answer:
    """T6: layer normalisation."""
    found = used(program.normalizations)
    if isinstance(found, Unknown):
        return untold("normalisation", found, notes=[notes.LAYER_NORM])
    by_layer = [one for one in found if plain(one.kind) == "layer"]
    if by_layer:
        return follows("layer normalisation", by_layer[0].at, notes=[notes.LAYER_NORM])
    if vague := [one for one in found if isinstance(one.kind, Unknown)]:
        return untold("kind of normalisation", vague[0].kind, vague[0].at, [notes.LAYER_NORM])
    step = "If the gradient norms are unstable, or from three layers on, try LayerNorm between the layers."
    if found:
        kinds = enumerated([plain(one.kind) for one in found])
        return departs(f"{kinds} normalisation, not by layer", found[0].at, next=step, notes=[notes.LAYER_NORM])
    return departs("none", _first_layer(program), next=step, notes=[notes.LAYER_NORM])


def layers_on_the_input(program: Program) -> Answer:
    """T7: feed-forward layers between the input and the recurrence."""
    dense = used(program.dense_layers)
    if isinstance(dense, Unknown):
        return untold("dense layers", dense, notes=[notes.INPUT_LAYERS])
    layers = {layer.at for layer in items(program.recurrent_layers)}
    before = {edge.from_ for edge in items(program.graph) if edge.to in layers and edge.active}
    ahead = [layer for layer in dense if layer.at is not None and layer.at in before and plain(layer.role) != "output"]
    first = ahead or [layer for layer in dense if plain(layer.role) == "projection"]
    if first:
        found = f"dense layer of {worded(first[0].units, 'units')} before the recurrence"
        return follows(found, first[0].at, notes=[notes.INPUT_LAYERS])
    if embeddings := used(program.embeddings):
        if isinstance(embeddings, Unknown):
            return untold("embeddings", embeddings, notes=[notes.INPUT_LAYERS])
        return inapplicable("the input comes through an embedding", notes.INPUT_LAYERS)
    if dense and isinstance(program.graph, Unknown):
        return untold("what lies before the recurrence", program.graph, notes=[notes.INPUT_LAYERS])
    step = "Try one with a nonlinearity if the inputs are very wide or sparse."
    found = "no dense layer before the recurrence"
    return departs(found, _first_layer(program), next=step, notes=[notes.INPUT_LAYERS])


def _first_layer(program: Program) -> Place | None:
    return next((layer.at for layer in items(program.recurrent_layers) if layer.active), None)


def _depth(program: Program, layers: Sequence[RecurrentLayer]) -> int | Unknown:
    """How many recurrent layers lie one upon the other."""
    heights = [_height(program, layer) for layer in layers]
    unread = [layer.num_layers for layer, height in zip(layers, heights, strict=True) if height is None]
    if unread:
        return unread[0] if isinstance(unread[0], Unknown) else Unknown(unknown="not one number")
    known = [height for height in heights if height is not None]
    if len(known) == 1 or max(known) > 3:
        return max(known)
    if not isinstance(program.graph, Unknown):
        depth = _longest_path(program, layers, known)
        coded = depth > 2 and plain(program.hidden_state.initial) == "encoder"
        return Unknown(unknown="encoder and decoder are not told apart") if coded else depth
    if _in_one_row(program, layers):
        return sum(known)
    models = [plain(layer.model) for layer in layers]
    if None not in models and len(set(models)) == len(models):
        return max(known)
    return program.graph


def _height(program: Program, layer: RecurrentLayer) -> int | None:
    """How many layers one object holds: PyTorch's num_layers, else 1."""
    if program.framework == "keras" or plain(layer.kind) not in _STACKED_BY_NUMBER:
        return 1
    size = span(layer.num_layers)
    if size is None and program.framework == "both" and not isinstance(layer.return_sequences, Unknown):
        return 1
    return int(size[1]) if size else None


def _in_one_row(program: Program, layers: Sequence[RecurrentLayer]) -> bool:
    """Whether each layer but the last hands its whole sequence to the next one of the same Keras model."""
    models = {plain(layer.model) for layer in layers}
    handed = all(plain(layer.return_sequences) is True for layer in layers[:-1])
    return program.framework == "keras" and len(models) == 1 and handed


def _longest_path(program: Program, layers: Sequence[RecurrentLayer], heights: Sequence[int]) -> int:
    """The longest way through the graph, counted in recurrent layers, that does not leave its model."""
    height = {layer.at: count for layer, count in zip(layers, heights, strict=True)}
    model = {layer.at: plain(layer.model) for layer in layers}
    onward: dict[Place | None, list[Place | None]] = {}
    for edge in items(program.graph):
        if edge.active and plain(edge.via) != "state":
            onward.setdefault(edge.from_, []).append(edge.to)

    def longest(at: Place | None, seen: frozenset[Place | None], name: str | None) -> int:
        beyond = [to for to in onward.get(at, ()) if to not in seen and model.get(to, name) == name]
        return height.get(at, 0) + max((longest(to, seen | {to}, name) for to in beyond), default=0)

    return max(longest(layer.at, frozenset({layer.at}), model[layer.at]) for layer in layers)


def _skips(program: Program) -> bool:
    return any(plain(edge.skip) is True for edge in items(program.graph))


def _stack(depth: int, layers: Sequence[RecurrentLayer]) -> str:
    kinds = enumerated([plain(layer.kind) for layer in layers if plain(layer.kind)]) or "recurrent"
    return f"{counted(depth, f'stacked {kinds} layer')}" if depth > 1 else f"1 {kinds} layer"


def _units(layers: Sequence[RecurrentLayer]) -> str:
    values = [layer.units for layer in layers]
    return _worded(values) if all(span(value) for value in values) else "an unknown number of units"


def _worded(values: Sequence[Value]) -> str:
    """Numbers of units, with how they are set where that is one and the same."""
    texts = list(dict.fromkeys(worded(value, "units") for value in values))
    return texts[0] if len(texts) == 1 else f"{enumerated([shown(plain(value)) for value in values])} units"


def _parameters(program: Program, layer: RecurrentLayer) -> int | None:
    """How many weights and biases a recurrent layer of PyTorch or Keras has; None if that is not known."""
    sizes = [span(value) for value in (layer.units, layer.input_size)]
    gates = _GATES.get(str(plain(layer.kind)))
    height, ways = _height(program, layer), 2 if plain(layer.bidirectional) else 1
    torch = program.framework == "pytorch"
    usual = plain(layer.bias) is True and unset(layer.proj_size) if torch else plain(layer.use_bias) is True
    if not gates or height is None or not usual or isinstance(layer.bidirectional, Unknown):
        return None
    if any(size is None or size[0] != size[1] for size in sizes):
        return None
    units, inputs = (int(size[0]) for size in sizes if size)
    widths = inputs + units * ways * (height - 1)  # of what the layers read, all together
    return gates * ways * units * (widths + height * (units + (2 if torch else 1)))
