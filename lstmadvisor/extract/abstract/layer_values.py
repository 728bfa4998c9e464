"""What attributes of PyTorch layers and their parameters are worth: `lstm.hidden_size`, `bias.size(0)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Const, Seq, Spot, Term, Value

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.access import Access

_RECURRENT = {
    "input_size": 0,
    "hidden_size": 1,
    "num_layers": 2,
    "bias": None,
    "batch_first": None,
    "dropout": None,
    "bidirectional": None,
    "proj_size": None,
}
_DEFAULTS: dict[str, object] = {
    "num_layers": 1,
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
    "p": 0.5,
    "padding_idx": None,
}
_ARGUMENTS: dict[str, dict[str, int | None]] = {
    "Linear": {"in_features": 0, "out_features": 1},
    "Embedding": {"num_embeddings": 0, "embedding_dim": 1, "padding_idx": 2},
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "RNN": _RECURRENT,
    "LSTMCell": {"input_size": 0, "hidden_size": 1},
    "GRUCell": {"input_size": 0, "hidden_size": 1},
    "RNNCell": {"input_size": 0, "hidden_size": 1},
    "Dropout": {"p": 0},
}
_LATE = ("bias", "batch_first", "dropout", "bidirectional", "proj_size")
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def attribute(run: Access, base: Term, name: str, at: Spot) -> Value | None:
    """`base.name` of a layer or parameter, where it is known."""
    if base.op == "call" and base.name.startswith("torch.nn."):
        return _of_layer(run, base, name, at)
    if name == "shape":
        return _shape(base, at)
    if name == "ndim" and (sizes := _sizes(base)) is not None:
        return Const(len(sizes), "arithmetic", at)
    return None


def method(base: Value | None, name: str, args: list[Value], at: Spot) -> Value | None:
    """`base.size(0)`, `base.dim()` of a parameter, where it is known."""
    if not isinstance(base, Term) or name not in ("size", "dim", "ndimension"):
        return None
    sizes = _sizes(base)
    if sizes is None:
        return None
    if name != "size":
        return Const(len(sizes), "arithmetic", at)
    if not args:
        return _shape(base, at)
    index = args[0]
    if isinstance(index, Const) and isinstance(index.value, int) and -len(sizes) <= index.value < len(sizes):
        return sizes[index.value]
    return None


def _of_layer(run: Access, layer: Term, name: str, at: Spot) -> Value | None:
    kind = layer.name.rsplit(".", 1)[-1]
    if kind in _GATES and name in ("_all_weights", "all_weights"):
        return _all_weights(run, layer, name == "_all_weights", at)
    places = _ARGUMENTS.get(kind, {})
    if name not in places or layer.open:
        return None
    position = places[name]
    if position is None and len(layer.args) > 3:
        position = 3 + _LATE.index(name) + (kind == "RNN" and isinstance(getattr(layer.args[3], "value", None), str))
    found = layer.argument(name, position)
    if found is not None:
        return found
    return Const(_DEFAULTS[name], "default") if name in _DEFAULTS else None


def _all_weights(run: Access, layer: Term, names: bool, at: Spot) -> Value | None:
    from lstmadvisor.extract.abstract.frameworks import parameter_names

    found = parameter_names(layer)
    if not found:
        return None
    groups: dict[str, list[Value]] = {}
    for name in found:
        suffix = name.partition("_l")[2]
        value: Value = Const(name, "constant", at) if names else run.attribute(layer, name, at)
        groups.setdefault(suffix, []).append(value)
    return Seq([Seq(group, "list", at=at) for group in groups.values()], "list", at=at)


def _shape(base: Term, at: Spot) -> Value | None:
    sizes = _sizes(base)
    return None if sizes is None else Seq(list(sizes), "tuple", at=at)


def _sizes(parameter: Term) -> list[Value] | None:
    """The sizes of a layer's parameter."""
    for _ in range(3):
        if parameter.op == "attr" and parameter.name == "data" and isinstance(parameter.base, Term):
            parameter = parameter.base
    layer = parameter.base
    if (
        parameter.op != "attr"
        or not isinstance(layer, Term)
        or layer.op != "call"
        or not layer.name.startswith("torch.nn.")
    ):
        return None
    kind = layer.name.rsplit(".", 1)[-1]
    if kind.removesuffix("Cell") in _GATES:
        return _recurrent_sizes(layer, kind, parameter.name, parameter.at)
    first, second = {"Linear": (1, 0), "Embedding": (0, 1)}.get(kind, (-1, -1))
    if first < 0 or parameter.name not in ("weight", "bias"):
        return None
    names = ("in_features", "out_features") if kind == "Linear" else ("num_embeddings", "embedding_dim")
    rows, columns = layer.argument(names[first], first), layer.argument(names[second], second)
    if not isinstance(rows, Const):
        return None
    if parameter.name == "bias":
        return [rows]
    return [rows, columns] if isinstance(columns, Const) else None


def _recurrent_sizes(layer: Term, kind: str, name: str, at: Spot) -> list[Value] | None:
    hidden, inputs = layer.argument("hidden_size", 1), layer.argument("input_size", 0)
    if not isinstance(hidden, Const) or not isinstance(hidden.value, int) or "proj_size" in layer.kwargs:
        return None
    rows = Const(_GATES[kind.removesuffix("Cell")] * hidden.value, "arithmetic", at, hidden.root or hidden)
    if name.startswith("bias"):
        return [rows]
    if name.startswith("weight_hh"):
        return [rows, hidden]
    if name in ("weight_ih", "weight_ih_l0") and isinstance(inputs, Const):
        return [rows, inputs]
    return None


def is_tensor(term: Term) -> bool | None:
    """Whether a value that comes from a recurrent layer is a tensor rather than a tuple; None for anything else."""
    if term.op == "elem":
        inner = term.base
        return True if isinstance(inner, Term) and is_tensor(inner) is False else None
    if term.op in ("attr", "method"):
        return (
            True if term.name in ("data", "detach") and isinstance(term.base, Term) and is_tensor(term.base) else None
        )
    if term.op == "apply":
        kind = _recurrent_kind(term)
        return None if not kind else kind in ("GRUCell", "RNNCell")
    if term.op != "item" or not isinstance(term.base, Term) or not isinstance(term.args[0], Const):
        return None
    base = term.base
    if base.op == "apply" and (kind := _recurrent_kind(base)):
        index = term.args[0].value
        if kind.endswith("Cell"):
            return True
        return True if index == 0 else kind != "LSTM" if index == 1 else None
    return True if is_tensor(base) is False else None


def _recurrent_kind(term: Term) -> str:
    layer = getattr(term.base, "term", None) or term.base
    if isinstance(layer, Term) and layer.op == "call" and layer.name.startswith("torch.nn."):
        kind = layer.name.rsplit(".", 1)[-1]
        return kind if kind.removesuffix("Cell") in _GATES else ""
    return ""
