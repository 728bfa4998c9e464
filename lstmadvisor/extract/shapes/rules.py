"""What functions and methods do to shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value, options
from lstmadvisor.extract.shapes.dims import integer, number
from lstmadvisor.extract.shapes.tables import CALLS, METHODS, Shape, is_open, rest_of, rule, sizes_in, subject_of

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes

# -- making arrays -----------------------------------------------------------------------------------


@rule(CALLS, "zeros ones empty randn rand torch.normal random_sample standard_normal placeholder")
def _filled(shapes: Shapes, term: Term) -> Shape | None:
    given: list[Value] = list(term.args)
    if not given:
        size = term.kwargs.get("shape") or term.kwargs.get("size")
        given = [size] if size is not None else []
    if given and isinstance(given[0], Seq):
        return None if is_open(shapes, given[0]) else sizes_in(shapes, given[0].items)
    if term.name.startswith("numpy.") and term.name.rsplit(".", 1)[-1] not in ("rand", "randn"):
        given = given[:1]
    return sizes_in(shapes, given) if given and not term.open else None


@rule(CALLS, "full")
def _full(shapes: Shapes, term: Term) -> Shape | None:
    size = term.argument("size", 0) or term.kwargs.get("shape")
    if isinstance(size, Seq):
        return None if is_open(shapes, size) else sizes_in(shapes, size.items)
    return (shapes.size(size),) if size is not None else None


@rule(METHODS, "permutation integers")
@rule(CALLS, "randint torch.randint random.randint choice permutation torch.randperm randperm multinomial uniform")
def _drawn(shapes: Shapes, term: Term) -> Shape | None:
    last = term.name.rsplit(".", 1)[-1]
    if term.name.startswith("random."):
        return ()
    size = term.kwargs.get("size")
    if size is None:
        tuples = [a for a in term.args if isinstance(a, Seq) and a.kind in ("tuple", "list")]
        if last == "randint":
            size = tuples[-1] if tuples else term.args[2] if len(term.args) > 2 else None
        elif last == "uniform":
            size = term.args[2] if len(term.args) > 2 else None
        elif last == "choice":
            size = term.args[1] if len(term.args) > 1 else None
        elif last == "multinomial":
            size = term.args[1] if len(term.args) > 1 and term.name.startswith("torch.") else None
        else:
            inner = shapes.of(term.args[0]) if term.args else None
            return inner if inner else (shapes.size(term.args[0]),) if term.args else None
    if size is None:
        return ()
    if isinstance(size, Seq):
        return None if is_open(shapes, size) else sizes_in(shapes, size.items)
    return (shapes.size(size),)


@rule(CALLS, "linspace")
def _linspace(shapes: Shapes, term: Term) -> Shape | None:
    steps = term.argument("num", 2) if "steps" not in term.kwargs else term.kwargs["steps"]
    return (
        shapes.size(steps) if steps is not None else Const(50 if term.name.startswith("numpy") else 100, "default"),
    )


@rule(CALLS, "deque")
def _deque(shapes: Shapes, term: Term) -> Shape | None:
    longest = term.argument("maxlen", 1)
    inner = shapes.stored_in(term)
    return (shapes.size(longest) if longest is not None else None, *inner) if inner is not None else None


@rule(CALLS, "as_strided")
def _strided(shapes: Shapes, term: Term) -> Shape | None:
    wanted = term.argument("shape", 1)
    return sizes_in(shapes, wanted.items) if isinstance(wanted, Seq) and not wanted.open else None


@rule(CALLS, "arange builtins.range torch.arange numpy.arange")
def _arange(shapes: Shapes, term: Term) -> Shape | None:
    return (shapes.size(term.args[0]),) if len(term.args) == 1 else (None,)


@rule(CALLS, "eye")
def _eye(shapes: Shapes, term: Term) -> Shape | None:
    size = shapes.size(term.args[0]) if term.args else None
    return (size, size)


@rule(CALLS, "pad_sequences")
def _padded(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(term.argument("sequences", 0))
    longest = term.argument("maxlen", 1)
    return (inner[0] if inner else None, shapes.size(longest) if longest is not None else None, *(inner or ())[2:])


@rule(CALLS, "pad")
def _filled_up(shapes: Shapes, term: Term) -> Shape | None:
    """`F.pad(x, (0, longest - len(x)))`."""
    subject = subject_of(term)
    amounts = term.args[1] if len(term.args) > 1 else term.kwargs.get("pad") or term.kwargs.get("pad_width")
    if not isinstance(amounts, Seq) or len(amounts.items) not in (1, 2, 4):
        return None
    flat = amounts.items[0].items if isinstance(amounts.items[0], Seq) else amounts.items
    inner = shapes.of(subject)
    for amount in flat:
        full = shapes.missing(amount, subject)
        if full is not None:
            return (
                (full,)
                if inner is None or len(inner) == 1
                else (*inner[:-2], full, inner[-1])
                if len(flat) == 4
                else None
            )
    return None


@rule(CALLS, "pad_sequence")
def _pad_sequence(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(term.args[0]) if term.args else None
    first = term.argument("batch_first", 1, Const(False))
    if inner is None or len(inner) < 2 or not isinstance(first, Const):
        return None
    return inner if first.value else (inner[1], inner[0], *inner[2:])


@rule(CALLS, "pack_padded_sequence")
def _packed(shapes: Shapes, term: Term) -> Shape | None:
    return shapes.of(term.argument("input", 0))


@rule(CALLS, "to_categorical one_hot")
def _one_hot(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    if inner is None:
        return None
    classes = term.args[1] if len(term.args) > 1 else term.kwargs.get("num_classes") or term.kwargs.get("depth")
    return (*inner, shapes.size(classes) if classes is not None else None)


@rule(CALLS, "sliding_window_view")
def _windows(shapes: Shapes, term: Term) -> Shape | None:
    inner = shapes.of(subject_of(term))
    size = term.argument("window_shape", 1)
    if inner is None or size is None:
        return None
    wide = sizes_in(shapes, size.items) if isinstance(size, Seq) else (shapes.size(size),)
    return (*(None for _ in inner), *wide)


@rule(METHODS, "unfold")
def _unfold(shapes: Shapes, term: Term) -> Shape | None:
    inner, axis, size = shapes.of(term.base), integer(term.argument("dimension", 0)), term.argument("size", 1)
    if inner is None or axis is None or size is None or not -len(inner) <= axis < len(inner):
        return None
    axis %= len(inner)
    return (*inner[:axis], None, *inner[axis + 1 :], shapes.size(size))


_IMAGES = {
    "mnist": (60_000, 28, 28),
    "fashion_mnist": (60_000, 28, 28),
    "cifar10": (50_000, 32, 32, 3),
    "cifar100": (50_000, 32, 32, 3),
}
_VISION = {"MNIST": (1, 28, 28), "FashionMNIST": (1, 28, 28), "KMNIST": (1, 28, 28), "CIFAR10": (3, 32, 32)}


def loaded(term: Term, split: int | None, part: int | None) -> Shape | None:
    """`(x_train, y_train), (x_test, y_test) = mnist.load_data()`: data sets whose shape everybody knows."""
    sizes = _IMAGES.get(term.name.split(".")[-2]) if term.name.startswith("keras.datasets.") else None
    if sizes is None or part not in (0, 1) or split not in (0, 1):
        return None
    rows = Const(sizes[0] if split == 0 else 10_000, "default")
    return (rows, *(Const(s, "default") for s in sizes[1:])) if part == 0 else (rows,)


def pictured(dataset: Value | None) -> Shape | None:
    """The shape of one sample of a data set of torchvision."""
    if isinstance(dataset, Term) and dataset.name.startswith("torchvision.datasets."):
        sizes = _VISION.get(dataset.name.rsplit(".", 1)[-1])
        return tuple(Const(s, "default") for s in sizes) if sizes else None
    return None


# -- the same shape ----------------------------------------------------------------------------------

_SAME_CALLS = """
from_numpy tensor as_tensor array asarray FloatTensor LongTensor DoubleTensor IntTensor Tensor Variable
zeros_like ones_like
rand_like randn_like full_like empty_like sin cos tan exp log log1p sqrt abs absolute tanh sigmoid relu softmax
log_softmax gelu
leaky_relu dropout where clip clamp cumsum float32 float64 int64 int32 cast convert_to_tensor nan_to_num sign
square round
ascontiguousarray copy deepcopy list tuple sorted reversed DataFrame Series scale minmax_scale robust_scale
normalize layer_norm
batch_norm enumerate constant
"""
_SAME_METHODS = """
to cuda cpu float double long int half bool detach clone contiguous numpy astype requires_grad_ type type_as
copy tolist values
to_numpy fillna dropna interpolate ffill bfill sort_values sort_index reset_index set_index round clip clamp abs
exp log sqrt
tanh sigmoid relu softmax masked_fill masked_fill_ cumsum diff pin_memory fit_transform transform
inverse_transform apply map
replace shift rename item_ add sub mul div add_ mul_ float_ share_memory_ rename_ infer_objects head
"""


@rule(CALLS, _SAME_CALLS)
def same_call(shapes: Shapes, term: Term) -> Shape | None:
    """Functions that leave the shape alone."""
    subject = subject_of(term)
    if (
        term.name in ("torch.Tensor", "torch.FloatTensor", "torch.LongTensor")
        and term.args
        and all(number(a) for a in term.args)
    ):
        return sizes_in(shapes, term.args)
    return shapes.of(subject)


_WIDTHS = frozenset(
    "OneHotEncoder LabelBinarizer MultiLabelBinarizer PCA IncrementalPCA KernelPCA TruncatedSVD FastICA NMF UMAP TSNE "
    "CountVectorizer TfidfVectorizer HashingVectorizer DictVectorizer PolynomialFeatures KBinsDiscretizer SelectKBest "
    "ColumnTransformer FeatureUnion Pipeline VarianceThreshold".split()
)


def changes_width(transformer: Value | None) -> bool:
    """Whether what fits and transforms gives another number of columns than it is given."""
    for given in options(transformer):
        each: Value | None = given
        while isinstance(each, Term) and each.op == "method" and each.name in ("fit", "set_output", "set_params"):
            each = each.base
        if isinstance(each, Term) and each.op == "call" and each.name.rsplit(".", 1)[-1] in _WIDTHS:
            return True
    return False


@rule(METHODS, _SAME_METHODS)
def same_method(shapes: Shapes, term: Term) -> Shape | None:
    """Methods that leave the shape alone."""
    if term.name in ("fit_transform", "transform", "inverse_transform"):
        inner = shapes.of(term.args[0]) if term.args else None
        return (inner[0], None) if inner and changes_width(term.base) else inner
    if term.name in ("dropna", "head"):
        inner = shapes.of(term.base)
        return (None, *inner[1:]) if inner else None
    return shapes.of(term.base)


@rule(METHODS, "read lower upper strip splitlines readlines split join rstrip lstrip")
def _text(shapes: Shapes, term: Term) -> Shape | None:
    """Text and lists of words: one axis of unknown length."""
    if term.name == "split" and (term.args and isinstance(term.args[0], Const) and isinstance(term.args[0].value, int)):
        return None
    return None if {"dim", "axis"} & set(term.kwargs) else (None,)


@rule(METHODS, "texts_to_sequences")
def _ids(shapes: Shapes, term: Term) -> Shape | None:
    """A list of ids per text."""
    texts = shapes.of(term.argument("texts", 0))
    return (texts[0], None) if texts else None


@rule(METHODS, "lookup_indices numericalize convert_tokens_to_ids doc2idx tokens_to_ids lookup_tokens")
def _looked_up(shapes: Shapes, term: Term) -> Shape | None:
    return (shapes.axis(term.args[0], 0),) if term.args else None


@rule(CALLS, "mean std var sum min max median amin amax nanmean nanstd nanmin nanmax ptp average percentile")
@rule(METHODS, "mean std var sum min max median amin amax item ptp argmax")
def _reduced(shapes: Shapes, term: Term) -> Shape | None:
    if term.name in ("builtins.max", "builtins.min", "builtins.sum"):
        return ()
    given = rest_of(term)[:1] if term.name.rsplit(".", 1)[-1] != "percentile" else []
    axes = [v for k, v in term.kwargs.items() if k in ("dim", "axis")] or given
    inner = shapes.of(subject_of(term))
    if not axes or (isinstance(axes[0], Const) and axes[0].value is None):
        return () if inner is None or len(inner) < 2 or not _framed(shapes, term) else (inner[1],)
    axis = integer(axes[0])
    if inner is None or axis is None or not -len(inner) <= axis < len(inner):
        return None
    keep = term.kwargs.get("keepdims") or term.kwargs.get("keepdim")
    axis %= len(inner)
    middle: Shape = (Const(1),) if isinstance(keep, Const) and keep.value else ()
    return (*inner[:axis], *middle, *inner[axis + 1 :])


def _framed(shapes: Shapes, term: Term) -> bool:
    return term.op == "method" and shapes.is_frame(term.base)


# -- reading text ------------------------------------------------------------------------------------


@rule(CALLS, "read_csv read_excel read_parquet")
def _frame(shapes: Shapes, term: Term) -> Shape | None:
    columns = term.kwargs.get("usecols")
    wide = (
        Const(len(columns.items), "arithmetic", columns.at) if isinstance(columns, Seq) and not columns.open else None
    )
    return (None, wide)
