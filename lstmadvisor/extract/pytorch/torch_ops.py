"""What PyTorch's operations do to a tensor: which are activations, and which leave its meaning alone."""

from __future__ import annotations

from lstmadvisor.extract.abstract.values import Const, Instance, Seq, Term, Value, options

FUSED = ("LSTM", "GRU", "RNN")
CELLS = ("LSTMCell", "GRUCell", "RNNCell")
DENSE = ("Linear", "LazyLinear", "Bilinear")
RECURRENT = frozenset(f"torch.nn.{kind}" for kind in (*FUSED, *CELLS, "RNNBase"))

_ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leakyrelu",
    "leakyrelu": "leakyrelu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "silu": "silu",
    "mish": "mish",
    "prelu": "prelu",
    "rrelu": "rrelu",
    "glu": "glu",
    "sigmoid": "sigmoid",
    "hardsigmoid": "hardsigmoid",
    "logsigmoid": "logsigmoid",
    "tanh": "tanh",
    "hardtanh": "hardtanh",
    "softplus": "softplus",
    "softsign": "softsign",
    "softmax": "softmax",
    "softmax2d": "softmax",
    "softmin": "softmin",
    "log_softmax": "logsoftmax",
    "logsoftmax": "logsoftmax",
    "gumbel_softmax": "softmax",
    "exp": "exp",
    "expit": "sigmoid",
    "hardswish": "hardswish",
    "tanhshrink": "tanhshrink",
    "threshold": "threshold",
}

_SAME_METHODS = frozenset(
    "to cuda cpu float double half bfloat16 type type_as contiguous clone detach data requires_grad_ retain_grad_ "
    "clamp clamp_ squeeze unsqueeze squeeze_ unsqueeze_ view reshape view_as reshape_as flatten unflatten transpose "
    "permute swapaxes swapdims movedim t expand expand_as repeat masked_fill masked_fill_ nan_to_num rename "
    "narrow select gather index_select chunk split unbind data numpy tolist item mul div add sub".split()
)
_SAME_CALLS = frozenset(
    "squeeze unsqueeze transpose permute swapaxes reshape flatten clamp clone t movedim Variable as_tensor narrow "
    "select gather index_select chunk split unbind stack cat concat concatenate hstack vstack mul div add sub "
    "where".split()
)


def last(name: str) -> str:
    """The last part of a dotted name."""
    return name.rsplit(".", 1)[-1]


def module_name(value: Value | None) -> str:
    """`LSTM` of a value that is a `torch.nn.LSTM` (or an object of a class that extends it), else an empty string."""
    term = value.term if isinstance(value, Instance) else value
    if (
        isinstance(term, Term)
        and term.op == "call"
        and term.name.startswith("torch.nn.")
        and last(term.name)[:1].isupper()
    ):
        return last(term.name)
    return ""


def applied_module(term: Value) -> str:
    """`Linear` of an application of a `torch.nn.Linear`, else an empty string."""
    return module_name(term.base) if isinstance(term, Term) and term.op == "apply" else ""


def is_recurrent(value: Value | None) -> bool:
    """Whether a value is a recurrent layer or cell."""
    term = value.term if isinstance(value, Instance) else value
    return isinstance(term, Term) and term.op == "call" and term.name in RECURRENT


def constructor(value: Value | None) -> Term:
    """The constructor call of a module that is applied."""
    term = value.term if isinstance(value, Instance) else value
    assert isinstance(term, Term)
    return term


def activation_of(term: Value) -> str | None:
    """The activation that a term is, or None."""
    if not isinstance(term, Term):
        return None
    if term.op == "apply":
        return _ACTIVATIONS.get(applied_module(term).lower())
    if term.op == "method":
        return _ACTIVATIONS.get(term.name.rstrip("_"))
    if term.op == "call" and term.name.startswith(("torch.", "scipy.")):
        return _ACTIVATIONS.get(last(term.name).rstrip("_"))
    return None


def is_dropout(name: str) -> bool:
    """Whether a module name or function name of PyTorch is a dropout."""
    return name.lower().replace("_", "").rstrip("123d") in (
        "dropout",
        "alphadropout",
        "featurealphadropout",
        "featuredropout",
    )


def is_normalization(name: str) -> bool:
    """Whether a module name of PyTorch is a normalisation."""
    return name in ("LayerNorm", "GroupNorm", "RMSNorm") or name.startswith(
        ("BatchNorm", "InstanceNorm", "SyncBatchNorm", "LazyBatchNorm")
    )


def input_of(term: Term) -> Value | None:
    """The tensor that an operation works on: the receiver of a method, the first argument of a function or module."""
    if term.op in ("method", "attr", "item"):
        return term.base
    if term.op in ("apply", "call", "binop"):
        return (
            term.args[0]
            if term.args
            else next((term.kwargs[k] for k in ("input", "x", "tensor", "tensors") if k in term.kwargs), None)
        )
    return None


def keeps_meaning(term: Value) -> bool:
    """Whether an operation hands its input on: it moves, cuts or reshapes it, or is a dropout or normalisation."""
    if not isinstance(term, Term):
        return False
    if term.op == "attr":
        return term.name in ("data", "T", "mT")
    if term.op == "item":
        return True
    if term.op == "method":
        return term.name in _SAME_METHODS
    if term.op == "call":
        return last(term.name) in _SAME_CALLS or is_dropout(last(term.name))
    name = applied_module(term)
    return is_dropout(name) or is_normalization(name) or name in ("Identity", "Flatten", "Unflatten", "DataParallel")


def constant(value: Value | None) -> object:
    """The plain value of a constant that does not change in a loop; None for anything else."""
    return value.value if isinstance(value, Const) and value.via != "widened" else None


def whole(value: Value | None) -> int | None:
    """A known whole number, or None."""
    found = constant(value)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def numbers(values: list[Value]) -> list[int] | None:
    """Known whole numbers (given one by one or as one sequence), or None."""
    if len(values) == 1 and isinstance(values[0], Seq) and values[0].kind != "slice":
        values = values[0].items
    found = [whole(v) for v in values]
    return None if any(f is None for f in found) else [f for f in found if f is not None]


def terms(value: Value | None) -> list[Term]:
    """The terms that a value can be."""
    return [each for each in options(value) if isinstance(each, Term)]
