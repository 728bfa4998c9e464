"""What layers do to shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value
from lstmadvisor.extract.shapes.dims import integer, quotient
from lstmadvisor.extract.shapes.tables import CALLS, LAYERS, Dim, Shape, rule, sizes_in

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes

# -- layers ------------------------------------------------------------------------------------------


def _input(term: Term) -> Value | None:
    return term.args[0] if term.args else next(iter(term.kwargs.values()), None)


def _layer(term: Term) -> Term:
    base = term.base
    inner = getattr(base, "term", None)
    layer = inner if isinstance(inner, Term) else base
    assert isinstance(layer, Term)
    return layer


@rule(
    LAYERS,
    "Dropout ReLU Tanh Sigmoid Softmax LogSoftmax LayerNorm BatchNorm1d BatchNormalization LayerNormalization GELU "
    "LeakyReLU ELU SELU Identity "
    "SpatialDropout1D Activation GaussianNoise Masking Dropout1d Dropout2d Dropout3d AlphaDropout InputLayer "
    "Normalization Rescaling SiLU",
)
def same_layer(shapes: Shapes, term: Term) -> Shape | None:
    """Layers that leave the shape alone."""
    return shapes.of(_input(term))


@rule(LAYERS, "Linear Dense LazyLinear")
def _linear(shapes: Shapes, term: Term) -> Shape | None:
    inner, layer = shapes.of(_input(term)), _layer(term)
    units = layer.argument("out_features", 1) if layer.name.startswith("torch.") else layer.argument("units", 0)
    return (*inner[:-1], shapes.size(units)) if inner else None


@rule(LAYERS, "Embedding")
def _embedding(shapes: Shapes, term: Term) -> Shape | None:
    inner, layer = shapes.of(_input(term)), _layer(term)
    wide = layer.argument("embedding_dim" if layer.name.startswith("torch.") else "output_dim", 1)
    return (*inner, shapes.size(wide)) if inner is not None else None


@rule(LAYERS, "LSTM[0] GRU[0] RNN[0]")
def _recurrent(shapes: Shapes, term: Term) -> Shape | None:
    inner, layer = shapes.of(_input(term)), _layer(term)
    both = layer.argument("bidirectional", 6, Const(False))
    hidden = layer.argument("hidden_size", 1)
    single = isinstance(both, Const) and not both.value
    return (*inner[:-1], shapes.size(hidden) if single else None) if inner else None


@rule(LAYERS, "LSTM GRU SimpleRNN Bidirectional CuDNNLSTM CuDNNGRU RNN")
def _keras_recurrent(shapes: Shapes, term: Term) -> Shape | None:
    inner, layer = shapes.of(_input(term)), _layer(term)
    if layer.name.startswith("torch.") or inner is None or len(inner) != 3:
        return None
    both = layer.name.endswith("Bidirectional")
    if both:
        wrapped = layer.argument("layer", 0)
        if not isinstance(wrapped, Term):
            return None
        layer = wrapped
    every = layer.kwargs.get("return_sequences", Const(False))
    units = None if both else shapes.size(layer.argument("units", 0))
    if not isinstance(every, Const):
        return None
    return (inner[0], inner[1], units) if every.value else (inner[0], units)


@rule(LAYERS, "RepeatVector")
def _repeated(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(_input(term))
    return (inner[0], shapes.size(_layer(term).argument("n", 0)), *inner[1:]) if inner else None


@rule(LAYERS, "Reshape")
def _reshape_layer(shapes: Shapes, term: Term) -> Shape | None:
    wanted = _layer(term).argument("target_shape", 0)
    if not isinstance(wanted, Seq) or wanted.open:
        return None
    sizes = sizes_in(shapes, wanted.items)
    return (None, *(None if integer(s) == -1 else s for s in sizes))


@rule(LAYERS, "TimeDistributed")
def _each_step(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(_input(term))
    return (inner[0], inner[1], None) if inner is not None and len(inner) > 2 else None


@rule(LAYERS, "Lambda")
def _lambda_layer(shapes: Shapes, term: Term) -> Shape | None:
    given = _input(term)
    return shapes.given_by(_layer(term).argument("function", 0), given) if given is not None else None


@rule(LAYERS, "Permute")
def _permute_layer(shapes: Shapes, term: Term) -> Shape | None:
    inner, order = shapes.of(_input(term)), _layer(term).argument("dims", 0)
    axes = [integer(i) for i in order.items] if isinstance(order, Seq) else []
    if inner is None or any(a is None or not 0 < a < len(inner) for a in axes) or len(axes) != len(inner) - 1:
        return None
    return (inner[0], *(inner[a] for a in axes if a is not None))


@rule(LAYERS, "Conv1D Conv1d MaxPooling1D AveragePooling1D MaxPool1D")
def _convolved(shapes: Shapes, term: Term) -> Shape | None:
    """One-dimensional convolution and pooling of Keras along the time axis."""
    inner, layer = shapes.of(_input(term)), _layer(term)
    if inner is None or len(inner) != 3 or layer.name.startswith("torch."):
        return None
    padding = layer.kwargs.get("padding", Const("valid"))
    pools = "Pool" in layer.name
    stride = layer.argument(
        "strides", 1 if pools else 2, layer.argument("pool_size", 0, Const(2)) if pools else Const(1)
    )
    width = layer.argument("pool_size", 0, Const(2)) if pools else layer.argument("kernel_size", 1)
    if isinstance(stride, Const) and stride.value is None:
        stride = width
    units: Dim = inner[2] if pools else shapes.size(layer.argument("filters", 0))
    steps, jump, wide = integer(inner[1]), integer(stride), integer(width)
    same = isinstance(padding, Const) and padding.value in ("same", "causal")
    if same and jump == 1:
        return (inner[0], inner[1], units)
    if steps is None or not jump or wide is None or not isinstance(inner[1], Const):
        return (inner[0], None, units)
    after = -(-steps // jump) if same else (steps - wide) // jump + 1
    return (inner[0], Const(after, "arithmetic", layer.at, inner[1].root or inner[1]), units)


@rule(LAYERS, "Flatten")
def _flatten_layer(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(_input(term))
    if not inner:
        return None
    tail = inner[1:]
    whole = (
        quotient([s for s in tail if s is not None], [], shapes.resolve, term.at)
        if all(s is not None for s in tail)
        else None
    )
    return (inner[0], whole)


@rule(CALLS, "Input")
def _input_layer(shapes: Shapes, term: Term) -> Shape | None:
    """`keras.Input(shape=…)`: the batch axis comes on top."""
    wanted = term.argument("shape", 0)
    if isinstance(wanted, Seq) and not wanted.open:
        batch = term.kwargs.get("batch_size")
        return (
            shapes.size(batch) if batch is not None else None,
            *(None if _none(s) else shapes.size(s) for s in wanted.items),
        )
    whole = term.kwargs.get("batch_shape") or term.kwargs.get("batch_input_shape")
    if isinstance(whole, Seq) and not whole.open:
        return tuple(None if _none(s) else shapes.size(s) for s in whole.items)
    if isinstance(wanted, Term):
        tail = shapes.sizes_of(wanted)
        return (None, *tail) if tail is not None else None
    return None


def _none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None
