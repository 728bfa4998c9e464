"""What a training sample is (a window, a piece of a stream, something of its own), and how samples are split."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Const, Function, Instance, Range, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, fact, inferred, place, real_loops
from lstmadvisor.extract.data.feeds import Feed, first_layers, is_loader
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lineage import Lineage, is_source
from lstmadvisor.extract.data.pipelines import ask, is_pipeline, links
from lstmadvisor.extract.data.splits import Part, Splits, moves
from lstmadvisor.extract.data.windows import windows_in
from lstmadvisor.extract.shapes.dims import integer, number, same_key
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import ABSENT, Dataset, Known, Split, Unknown

_DATES = ("date", "time", "year", "month", "day", "index", "timestamp", "ds")
_LIBRARIES = ("torchvision.datasets.", "torchtext.", "datasets.", "keras.datasets.", "pycocotools.")
"""Data sets whose samples have nothing to do with one another."""
_IMAGES = frozenset(
    f"{library}.{name}"
    for library, names in (
        ("keras.datasets", ("mnist.load_data", "fashion_mnist.load_data", "cifar10.load_data", "cifar100.load_data")),
        ("torchvision.datasets", ("MNIST", "FashionMNIST", "KMNIST", "CIFAR10", "CIFAR100")),
    )
    for name in names
)

MOST_WRITTEN = 64
"""Items of a list that is no data set to learn from, at most."""


# -- the data set ------------------------------------------------------------------------------------


def training_data(feeds: list[Feed], fits: list[Fit]) -> Iterator[Value]:
    """The values that the training reads: the data sets of loaders, the inputs of `fit`, of hand-made loops."""
    for feed in feeds[:1]:
        for loader in feed.loaders():
            given = loader.argument("dataset", 0)
            if given is not None:
                yield given
            yield from options(loader.result)
        for term in first_layers(feed.recurrent)[:2]:
            yield from term.args[:1]
    for fit in fits:
        for each in options(fit.data):
            if isinstance(each, Term) and each.op == "comp" and each.name == "generator":
                yield from each.args
            elif not is_pipeline(each):
                yield each
            else:
                for link in links(each):
                    yield link
                    yield from (a for a in link.args[:1] if not isinstance(a, Const))


def _fitted_by_others(run: Run) -> Iterator[Value]:
    """What a search or a wrapper of scikit-learn's kind is fitted to: it hands the data on to the model."""
    for term in run.trace:
        if term.op == "method" and term.name == "fit" and term.scope.active and term.args:
            for each in options(term.base):
                last = each.name.rsplit(".", 1)[-1] if isinstance(each, Term) and each.op == "call" else ""
                if last.endswith("SearchCV") or last.startswith(("NeuralNet", "KerasRegressor", "KerasClassifier")):
                    yield term.args[0]


def dataset(run: Run, lineage: Lineage, feeds: list[Feed], fits: list[Fit], shapes: Shapes, batch: Fact) -> Dataset:
    """What kind of samples there are, how many, and what becomes of the last batch."""
    data = list(training_data(feeds, fits)) or list(_fitted_by_others(run))
    loaders = [loader for feed in feeds[:1] for loader in feed.loaders()]
    return Dataset(
        at=place(loaders[0].at) if loaders else None,
        kind=_kind(run, lineage, feeds, data),
        size=_size(data, shapes, feeds, batch),
        written_out=inferred(_is_written_out(lineage, data)),
        loader_drop_last=_drop_last(feeds, fits),
    )


def _kind(run: Run, lineage: Lineage, feeds: list[Feed], data: list[Value]) -> Fact:
    stream = _stream(feeds)
    if stream is not None:
        return inferred("stream", place(stream.at))
    data = [*data, *(rows for value in data for rows in _counted(lineage, value))]
    for value in data:
        found = windows_in(run, lineage, value)
        act = found.act if found is not None else _batched_twice(value)
        if act is not None:
            return inferred("windows", place(act.at))
    for feed in feeds[:1]:
        if any("BPTT" in t.name or "bptt_len" in t.kwargs for t in feed.loaders()):
            return inferred("stream")
    for value in data:
        for each in lineage.upstream(value):
            if isinstance(each, Term) and each.op in ("call", "method"):
                if each.name.startswith(_LIBRARIES) or "torchtext" in each.name:
                    return inferred("independent", place(each.at))
                if each.name.rsplit(".", 1)[-1] in ("pad_sequences", "pad_sequence", "texts_to_sequences"):
                    return inferred("independent", place(each.at))
    for value in data:
        line = _fields_of_text(lineage, value)
        if line is not None:
            return inferred("independent", place(line.at))
    for feed in feeds[:1]:
        if any(is_loader(t) and "torchtext" in _names(t) for t in feed.loaders()):
            return inferred("independent")
    return Unknown(unknown="what a sample is cut from is not followed")


def _is_written_out(lineage: Lineage, data: list[Value]) -> bool:
    """Whether the training reads nothing but a few texts or numbers that are written in the program."""
    seen = [each for value in data for each in lineage.upstream(value)]
    lists = [each for each in seen if isinstance(each, Seq) and each.kind in ("list", "tuple") and each.items]
    texts = [each.value for each in seen if isinstance(each, Const) and isinstance(each.value, str)]
    begins = any(isinstance(each, Term) and next(lineage.parents(each), None) is None for each in seen)
    stored = any(id(each) in lineage.stored for each in seen if not isinstance(each, Seq))
    if not (lists or texts) or begins or stored or any(is_source(e) or getattr(e, "open", None) for e in seen):
        return False
    inner = {id(item) for each in lists for item in each.items}
    return (
        all(len(e.items) < MOST_WRITTEN for e in lists if id(e) not in inner) and sum(map(len, texts)) < MOST_WRITTEN**2
    )


def _counted(lineage: Lineage, value: Value) -> Iterator[Value]:
    """What is counted through while the rows of an array are filled: `for i, row in enumerate(rows): x[i, …] = …`."""
    made = {id(v) for v in lineage.upstream(value) if isinstance(v, Term) and v.op == "call"}
    for term in lineage.run.trace:
        if term.op != "setitem" or id(term.base) not in made or not term.args:
            continue
        index = term.args[0]
        first = index.items[0] if isinstance(index, Seq) and index.kind == "tuple" and index.items else index
        if isinstance(first, Term) and first.op == "elem" and first.name == "index":
            count = first.base
            if isinstance(count, Term) and count.op == "call" and count.name == "builtins.enumerate":
                yield from count.args[:1]


def _batched_twice(value: Value) -> Term | None:
    """`from_tensor_slices(ids).batch(steps, drop_remainder=True)…batch(size)`: the first cuts a series into pieces."""
    batches: list[Term] = []
    for link in links(value):
        if link.op == "method" and link.name in ("unbatch", "rebatch"):
            return None
        if link.op == "method" and link.name == "batch":
            batches.append(link)
    inner = batches[-1] if len(batches) == 2 else None
    if inner is None or not isinstance(inner.base, Term) or not inner.base.name.endswith("from_tensor_slices"):
        return None
    if not inner.base.args or not isinstance(inner.base.args[0], Term):
        return None  # inputs and labels: rows rather than a series
    whole = inner.argument("drop_remainder", 1)
    return inner if isinstance(whole, Const) and whole.value is True else None


def _fields_of_text(lineage: Lineage, value: Value) -> Term | None:
    """Where each line of a file of texts is split into its fields at tabs: every line is a sample of its own."""
    found = None
    for each in lineage.upstream(value):
        if isinstance(each, Term) and each.op == "call" and each.name in ("builtins.float", "builtins.int"):
            return None
        if isinstance(each, Term) and each.op == "method" and each.name == "split" and found is None:
            mark = each.argument("sep", 0)
            line = isinstance(each.base, Term) and each.base.op in ("elem", "method")
            found = each if line and isinstance(mark, Const) and mark.value == "\t" else None
    return found


def of_one_length(lineage: Lineage, feeds: list[Feed], fits: list[Fit]) -> Term | None:
    """The library data set of images, all of one size, that the training reads."""
    for value in training_data(feeds, fits):
        for each in lineage.upstream(value):
            if isinstance(each, Term) and each.op == "call" and each.name in _IMAGES:
                return each
    return None


def _names(term: Term) -> str:
    return " ".join(v.name for v in walk(term, 20) if isinstance(v, Term) or hasattr(v, "name"))


def _stream(feeds: list[Feed]) -> Term | None:
    """`data.view(n, -1)` or `data.view(n, len(data) // n)`, then cut along time: each batch goes on from the last."""
    for feed in feeds[:1]:
        for value in feed.sources:
            if isinstance(value, Term) and value.op == "method" and value.name in ("view", "reshape") and _rows(value):
                inner = [s for s in feed.sources if isinstance(s, Term) and s.op == "item" and _cuts(s, value)]
                if inner:
                    return value
    return None


def _rows(term: Term) -> bool:
    given = term.args[0].items if len(term.args) == 1 and isinstance(term.args[0], Seq) else term.args
    if len(given) not in (2, 3):
        return False
    rows, rest = given[:2]
    shared = (
        isinstance(rest, Term) and rest.op == "binop" and rest.name == "//" and same_key(rest.args[1]) == same_key(rows)
    )
    return (integer(rest) == -1 and integer(rows) != -1) or shared


def _cuts(item: Term, stream: Term) -> bool:
    index = item.args[0]
    parts = index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]
    if not any(isinstance(p, Seq) and p.kind == "slice" and moves(p.items[0]) for p in parts):
        return False
    return any(v is stream for v in walk(item.base, 200))


def _size(data: list[Value], shapes: Shapes, feeds: list[Feed], batch: Fact) -> Fact:
    if feeds and not feeds[0].loaders():
        epochs_only = all(isinstance(loop.iterable, Range) or loop.is_while for loop in feeds[0].loops)
        if isinstance(batch, Known) and epochs_only and not _turns_over_data(feeds[0]):
            return batch  # all data in every step
        return Unknown(unknown="depends on data")
    for value in data[:1]:
        if isinstance(value, Seq) and value.kind == "list" and not value.open and 1 < len(value.items) <= 8:
            value = value.items[0]
        if any(isinstance(each, Seq) and each.kind == "tuple" for each in options(value)):
            continue  # a batch that a generator hands out
        size: Value | None = None
        if isinstance(value, Instance):
            size = _length(shapes.run, value) if feeds else None  # the length of a Sequence of Keras is in batches
        elif isinstance(value, Term) and value.name.endswith("TensorDataset") and value.args:
            size = shapes.axis(value.args[0], 0)
        elif not feeds and not (
            isinstance(value, Term) and value.op == "call" and value.name.startswith("tensorflow.data")
        ):
            size = (
                shapes.axis(value, 0)
                if not any(True for v in links(value) if v.name.startswith("tensorflow.data"))
                else None
            )
        if size is not None and number(size):
            return fact(size)
    return Unknown(unknown="depends on data")


def _length(run: Run, dataset: Instance) -> Value | None:
    method = run.find(dataset.cls, "__len__")
    return ask(run, Bound(method, dataset), []) if isinstance(method, Function) else None


def _turns_over_data(feed: Feed) -> bool:
    """Whether the loops around the training step go through the data."""
    for term in first_layers(feed.recurrent)[:2]:
        for value in walk(term.args[0] if term.args else None, 2000):
            if (isinstance(value, Term) and value.op == "elem" and value.name in ("element", "batch", "index")) or (
                isinstance(value, Const) and value.via == "widened"
            ):
                return True
            if isinstance(value, Term) and value.op == "call" and ".rand" in value.name and real_loops(value):
                return True  # made anew for every step
    return False


def _drop_last(feeds: list[Feed], fits: list[Fit]) -> Fact:
    for feed in feeds[:1]:
        for loader in feed.loaders():
            if loader.name.endswith("DataLoader"):
                given = loader.argument("drop_last", 8)
                return Known(value=False, via="default") if given is None else fact(given)
    for fit in fits[-1:]:
        for link in links(fit.data):
            if link.op == "method" and link.name.endswith("batch"):
                given = link.argument("drop_remainder", 1)
                return Known(value=False, via="default") if given is None else fact(given)
    return ABSENT if feeds or fits else Unknown(unknown="no loop over batches was recognised")


# -- the split ---------------------------------------------------------------------------------------


def split(run: Run, lineage: Lineage, splits: Splits, feeds: list[Feed], fits: list[Fit]) -> Split:
    """How the training rows were separated from those held out."""
    mine = {id(v) for value in training_data(feeds, fits) for v in lineage.upstream(value)}
    used = [p for p in splits.all if id(p.term) in mine and p.term.scope.active and splits.side(p) is not None]
    used.sort(key=lambda p: (not p.shuffled, p.term.serial))
    if used:
        part = used[0]
        at = place(_folding(part).at)
        return Split(
            at=at,
            kind=inferred(_how(lineage, part), at),
            of_overlapping_windows=_overlapping(run, lineage, part.base),
        )
    for fit in fits:
        share = fit.act.kwargs.get("validation_split")
        if share is not None and not (isinstance(share, Const) and not share.value):
            at = place(fit.act.at)
            kind = "random" if _shuffled_before(run, lineage, fit.data, fit.act.serial) else "chronological"
            return Split(at=at, kind=inferred(kind, at), of_overlapping_windows=_overlapping(run, lineage, fit.data))
    return Split(kind=Unknown(unknown="no split was recognised"))


def _overlapping(run: Run, lineage: Lineage, base: Value | None) -> Fact:
    found = windows_in(run, lineage, base)
    if found is None:
        return inferred(False)
    if found.overlap is None:
        return Unknown(unknown="how far apart the windows are is not known", at=place(found.act.at))
    return inferred(found.overlap, place(found.act.at))


def _how(lineage: Lineage, part: Part) -> str:
    if part.kind == "mask" and any(isinstance(v, Term) and ".random." in v.name for v in walk(part.test, 20)):
        return "random"
    if part.kind == "mask":
        return "chronological" if _dated(part.test) else "groups"
    fold = _folds(part)
    if fold:
        return fold
    if part.shuffled or _shuffled_before(lineage.run, lineage, part.base, part.term.serial, part.term):
        return "random"
    return "chronological"


def _folding(part: Part) -> Term:
    """The call of `split` that made the fold that a part is, or else the part."""
    index = part.term.args[0] if part.term.op == "item" else None
    for value in walk(index, 20):
        if isinstance(value, Term) and value.op == "method" and value.name == "split":
            return value
    return part.term


def _folds(part: Part) -> str:
    index = part.term.args[0] if part.term.op == "item" else None
    for value in walk(index, 20):
        if isinstance(value, Term) and value.op == "call":
            last = value.name.rsplit(".", 1)[-1]
            if last == "TimeSeriesSplit":
                return "chronological"
            if last.startswith("Group"):
                return "groups"
            if last in ("ShuffleSplit", "StratifiedShuffleSplit"):
                return "random"
            if last.endswith("KFold"):
                given = value.kwargs.get("shuffle")
                return "random" if isinstance(given, Const) and given.value else "folds"
    return ""


def _dated(test: Value | None) -> bool:
    """Whether a mask compares dates."""
    for value in walk(test, 20):
        name = (
            value.name
            if isinstance(value, Term) and value.op == "attr"
            else value.value
            if isinstance(value, Const)
            else ""
        )
        if isinstance(name, str) and any(word in name.lower() for word in _DATES):
            return True
    return False


def _shuffled_before(run: Run, lineage: Lineage, base: Value | None, serial: int, part: Term | None = None) -> bool:
    """Whether the rows (or the indices that pick them) were shuffled before they were split."""
    rows = lineage.upstream(base, serial)
    here = {id(v) for v in rows}
    if part is not None and part.op == "item":
        here |= {id(v) for v in walk(part.args[0], 60)}
    for value in rows:
        if isinstance(value, Term) and value.op in ("call", "method"):
            last = value.name.rsplit(".", 1)[-1]
            if (
                last in ("permutation", "randperm")
                or value.name == "sklearn.utils.shuffle"
                or (value.op == "method" and last == "sample" and "frac" in value.kwargs)
            ):
                return True
        if isinstance(value, Term) and value.op == "item":
            for inner in walk(value.args[0], 30):
                if isinstance(inner, Term) and inner.name.rsplit(".", 1)[-1] in ("permutation", "randperm"):
                    return True
                here.add(id(inner))
    for term in run.trace:
        if (
            (
                term.op in ("call", "method")
                and term.name.rsplit(".", 1)[-1] == "shuffle"
                and term.args
                and term.serial < serial
            )
            and id(term.args[0]) in here
            and not isinstance(term.args[0], Const)
        ):
            return True
    return False
