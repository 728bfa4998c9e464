"""Recurrent layers of Keras → facts: arguments with Keras' defaults, how results are read, state."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, External, Instance, Opaque, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, argument, default, fact, inferred
from lstmadvisor.extract.keras.kinds import CELLS, Layer, Link, last_name
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.names import POOLING, activation, named, takes_last_step
from lstmadvisor.facts import ABSENT, HiddenState, Known, Read, RecurrentLayer, Unknown


def recurrent(layers: Layers) -> tuple[RecurrentLayer, ...]:
    """All recurrent layers and cells."""
    kinds = {x.kind for x in layers.graph.layers if x.recurrent}
    return layers.shown(kinds, lambda layer: _recurrent(layers, layer))


def _recurrent(layers: Layers, layer: Layer) -> RecurrentLayer:
    term, kind = layer.term, layer.kind
    conv = kind.startswith("ConvLSTM")
    runner = next((w for w in layer.wrappers if last_name(w) == "RNN"), term)
    gated = "LSTM" in kind or "GRU" in kind
    fused = kind.startswith("CuDNN")

    def own(name: str, otherwise: Any, position: int | None = None) -> Fact:
        return argument(term, name, position, otherwise)

    units = term.argument("filters" if conv else "units", 0)
    if units is None:
        units = term.argument("nb_filter" if conv else "output_dim")
    if kind == "RNN":
        units = _cell_size(term)
    return RecurrentLayer(
        at=place(term.at),
        active=layer.active,
        kind=Known(value=kind, via="literal", at=place(term.at)),
        units=layers.size(units),
        input_size=ABSENT if conv else _input_size(layers, layer),
        dropout=default(0.0)
        if fused
        else own("dropout", 0.0)
        if "dropout_W" not in term.kwargs
        else fact(term.kwargs["dropout_W"]),
        recurrent_dropout=(
            default(0.0)
            if fused
            else own("recurrent_dropout", 0.0)
            if "dropout_U" not in term.kwargs
            else fact(term.kwargs["dropout_U"])
        ),
        bidirectional=_bidirectional(layer),
        return_sequences=argument(runner, "return_sequences", None, False)
        if kind not in CELLS or runner is not term
        else ABSENT,
        return_state=argument(runner, "return_state", None, False)
        if kind not in CELLS or runner is not term
        else ABSENT,
        stateful=argument(runner, "stateful", None, False) if kind not in CELLS or runner is not term else ABSENT,
        unroll=argument(runner, "unroll", None, False) if kind not in CELLS or runner is not term else ABSENT,
        activation=default("tanh") if fused else activation(term.argument("activation", None if conv else 1), "tanh"),
        recurrent_activation=(
            activation(term.argument("recurrent_activation", None if conv else 2), "sigmoid")
            if gated and not fused
            else ABSENT
        ),
        unit_forget_bias=own("unit_forget_bias", True) if "LSTM" in kind else ABSENT,
        kernel_initializer=named(term.argument("kernel_initializer"), "glorot_uniform"),
        recurrent_initializer=named(term.argument("recurrent_initializer"), "orthogonal"),
        bias_initializer=named(term.argument("bias_initializer"), "zeros"),
        reset_after=own("reset_after", True) if "GRU" in kind else ABSENT,
        use_bias=own("use_bias", True),
        input_layout=_layout(runner),
        stepped_by_hand=inferred(kind in CELLS and runner is term and layer.applied),
        initial_batch=_batch(layer),
        reads=_reads(layers, layer),
    )


def _bidirectional(layer: Layer) -> Fact:
    for wrapper in layer.wrappers:
        if last_name(wrapper) == "Bidirectional":
            if wrapper.scope.maybe > layer.term.scope.maybe:
                return Unknown(
                    unknown="wrapped in `Bidirectional` on a branch that cannot be decided", at=place(wrapper.at)
                )
            return Known(value=True, via="literal", at=place(wrapper.at))
    return default(False)


def _layout(runner: Term) -> Fact:
    major = runner.argument("time_major")
    if major is None:
        return default("batch-major")
    got = fact(major)
    return (
        got.model_copy(update={"value": "time-major" if got.value else "batch-major"})
        if isinstance(got, Known)
        else got
    )


def _input_size(layers: Layers, layer: Layer) -> Fact:
    """The features of one time step, where the layer or the `Input` before it declares them."""
    unknown = Unknown(unknown="no shape is declared")
    outer = (layer.term, *layer.wrappers)
    for term in outer:
        shape = term.kwargs.get("input_shape") or term.kwargs.get("batch_input_shape") or term.kwargs.get("batch_shape")
        if isinstance(shape, Seq) and shape.items:
            return _features(layers, shape)
    inputs = [given for term in outer for given in layers.fed_by_input(term)]
    sizes = {repr(size): size for given in inputs if (size := _declared(layers, given)) is not None}
    return next(iter(sizes.values())) if len(sizes) == 1 else unknown


def _declared(layers: Layers, given: Term) -> Fact | None:
    """The last axis of an `Input`."""
    shape = given.argument("shape", 0)
    shape = given.kwargs.get("batch_shape") if shape is None else shape
    return _features(layers, shape) if isinstance(shape, Seq) and len(shape.items) > 1 else None


def _features(layers: Layers, shape: Seq) -> Fact:
    size = layers.size(shape.items[-1])
    return Unknown(unknown="left open") if isinstance(size, Known) and size.value is None else size


def _batch(layer: Layer) -> Fact:
    for term in (layer.term, *layer.wrappers):
        shape = term.kwargs.get("batch_input_shape") or term.kwargs.get("batch_shape")
        if isinstance(shape, Seq) and shape.items:
            first = shape.items[0]
            return ABSENT if isinstance(first, Const) and first.value is None else fact(first)
        if "batch_size" in term.kwargs:
            return fact(term.kwargs["batch_size"])
    return ABSENT


def _reads(layers: Layers, layer: Layer) -> tuple[Read, ...] | Unknown:
    if not layer.after:
        if layers.leads_nowhere(layer):
            return (Read(at=place(layer.term.at), what=inferred("none", place(layer.term.at))),)
        return Unknown(unknown="its result was not followed to a layer")
    runner = next((w for w in layer.wrappers if last_name(w) == "RNN"), layer.term)
    whole = argument(runner, "return_sequences", None, False)
    both = any(last_name(w) == "Bidirectional" for w in layer.wrappers)
    out: list[Read] = []
    for link in layer.after:
        what = _read(link, whole, both)
        if what is not None:
            at = place(link.via[-1].at) if link.via else place(link.target.term.at)
            if not any(isinstance(r.what, Known) and r.what.value == what for r in out):
                out.append(Read(at=at, what=inferred(what, at)))
    return tuple(out)


def _read(link: Link, whole: Fact, both: bool) -> str | None:
    if link.state:
        return "last-state"
    for term in link.via:
        if takes_last_step(term):
            return "last-step"
        last = last_name(term)
        if (
            term.op == "item"
            and len(term.args) == 1
            and isinstance(term.args[0], Const)
            and term.args[0].value in (1, 2, 3, 4)
        ):
            return "last-state"
        if last in ("reduce_mean", "reduce_max", "reduce_sum", "mean", "max", "sum") and term.op in (
            "call",
            "method",
        ):
            return "pooled"
    if not isinstance(whole, Known) or not isinstance(whole.value, bool):
        return None
    if not whole.value:
        return "states-joined" if both else "last-state"
    if link.target.kind in POOLING:
        return "pooled"
    if link.target.kind == "Lambda" and _lambda_takes_last_step(link.target.term):
        return "last-step"
    return "all-steps"


def hidden_state(layers: Layers) -> HiddenState:
    """State across batches (`stateful`) and what a sequence starts from."""
    recurrent = [x for x in layers.layers if x.recurrent and x.active]
    fitted = layers.training.trained_groups()
    stateful = [x for x in recurrent if _is_stateful(x) and (x.group in fitted or not fitted)]
    states = [link for x in recurrent for link in x.before if link.state]
    resets = any(t.op == "method" and t.name in ("reset_states", "reset_state") for t in layers.run.trace)
    given = [t for t in layers.run.trace if t.op == "apply" and t.scope.active and "initial_state" in t.kwargs]
    initial = "encoder" if any(link.source.recurrent for link in states) else "learned" if states else "none"
    return HiddenState(
        at=place(stateful[0].term.at) if stateful else None,
        carried=inferred(bool(stateful)),
        detached=inferred(True),
        initial=inferred(initial)
        if states or not given
        else Unknown(unknown="the initial state was not followed", at=place(given[0].at)),
        reset=_reset(layers, resets) if stateful else ABSENT,
    )


def _reset(layers: Layers, resets: bool) -> Fact:
    """Whether the state is reset; a callback from elsewhere may do that."""
    handed = [t.kwargs["callbacks"] for t in layers.run.trace if t.op == "method" and "callbacks" in t.kwargs]
    for value in handed if not resets else []:
        for one in walk(value, 60):
            named = one.name if isinstance(one, (External, Term)) and getattr(one, "op", "call") == "call" else ""
            if isinstance(one, Opaque) or (named and not named.startswith(("keras.", "tensorflow.", "builtins."))):
                return Unknown(unknown="what the callbacks do is not seen")
    return inferred(resets)


def forget_bias(layers: Layers) -> Fact:
    """The forget bias in force: 1 where `unit_forget_bias` holds."""
    own = [
        argument(x.term, "unit_forget_bias", None, True)
        for x in layers.layers
        if "LSTM" in x.kind and x.active and x.recurrent
    ]
    if not own:
        return ABSENT
    if any(isinstance(f, Unknown) for f in own) or len({f.value for f in own if isinstance(f, Known)}) > 1:
        return Unknown(unknown="`unit_forget_bias` is not the same for all layers")
    first = own[0]
    assert isinstance(first, Known)
    return first.model_copy(update={"value": 1.0 if first.value else 0.0})


def _lambda_takes_last_step(term: Term) -> bool:
    result = term.result
    for _ in range(4):
        if isinstance(result, Term) and result.op == "item":
            if takes_last_step(result):
                return True
            result = result.base
    return False


def _cell_size(term: Term) -> Value | None:
    """The size of a cell of the program's own."""
    for cell in options(term.argument("cell", 0)):
        if isinstance(cell, Instance):
            return cell.attrs.get("units") or cell.attrs.get("state_size")
    return None


def _is_stateful(layer: Layer) -> bool:
    runner = next((w for w in layer.wrappers if last_name(w) == "RNN"), layer.term)
    value = runner.argument("stateful")
    return isinstance(value, Const) and bool(value.value)
