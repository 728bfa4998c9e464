"""Batch size and order of the training samples."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Function,
    Instance,
    Map,
    Opaque,
    Range,
    Seq,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, default, fact, inferred, place, real_loops
from lstmadvisor.extract.data.feeds import Feed, first_layers, is_loader, upstream
from lstmadvisor.extract.data.fits import Fit
from lstmadvisor.extract.data.lengths import input_sizes
from lstmadvisor.extract.data.pipelines import ask, batch_of, is_pipeline, order_of
from lstmadvisor.extract.shapes.dims import number
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import Known, Unknown
from lstmadvisor.patterns import regex

_RANDOM_SAMPLERS = frozenset(("RandomSampler", "WeightedRandomSampler", "SubsetRandomSampler", "DistributedSampler"))
_DRAWS = frozenset(("choice", "choices", "sample", "permutation", "randperm", "multinomial"))
"""Functions that pick or reorder samples at random."""
_NUMBERS = frozenset(("randint", "randrange", "random_integers", "integers"))
"""Functions that give random numbers; they pick samples where they are an index."""
_BATCH_NAMES = frozenset(("batch_size", "batchsize", "bs", "batch", "n_batch", "bsz", "batch_sz", "size_of_batch"))
_BATCH = regex(r"batch_?(size|sz)|^bsz?$|mini_?batch(_?size)?$", re.I)
_SHUFFLES = frozenset(("random.shuffle", "numpy.random.shuffle", "sklearn.utils.shuffle"))


# -- batch size --------------------------------------------------------------------------------------


def batch_size(run: Run, found: list[Feed], fits: list[Fit], shapes: Shapes) -> Fact:
    """How many sequences one training step reads."""
    sizes = [s for feed in found[:1] for s in _of_loaders(feed.loaders(), shapes)]
    if not sizes:
        sizes = [s for s in (_of_pipeline(fit, shapes) for fit in fits[-1:]) if s is not None]
    if not sizes:
        sizes = [size for size, _ in _of_trainers(run)]
    if not sizes and found:
        sizes = list(_of_inputs(found[0], shapes))
    if not sizes and found:
        sizes = list(_named(found[0]))
    if not sizes and not found and not fits:
        sizes = _of_loaders([t for t in run.trace if is_loader(t) and t.scope.active], shapes)
    return _agreed(sizes)


def _agreed(sizes: list[Value]) -> Fact:
    if not sizes:
        return Unknown(unknown="no loop over batches was recognised")
    first = sizes[0]
    if number(first) and all(number(s) and s.value == first.value for s in sizes):  # type: ignore[attr-defined]
        return fact(first)
    if len(sizes) == 1:
        return fact(first)
    return Unknown(unknown="several batch sizes", at=next((place(s.at) for s in sizes if isinstance(s, Const)), None))


def _of_loaders(loaders: list[Term], shapes: Shapes) -> list[Value]:
    return [s for s in (loader_size(loader, shapes) for loader in loaders) if s is not None]


def loader_size(loader: Term, shapes: Shapes) -> Value | None:
    """The batch size of a loader."""
    sampler = loader.kwargs.get("batch_sampler")
    if isinstance(sampler, Term) and sampler.op == "call":
        loader = sampler
        given = loader.argument("batch_size", 1)
        return None if given is None else shapes.size(given) or given
    several = loader.kwargs.get("batch_sizes")
    if isinstance(several, Seq) and several.items:
        return shapes.size(several.items[0])
    given = loader.argument("batch_size", 1 if loader.op == "call" else None)
    if given is None:
        return Const(1, "default") if loader.name.endswith("DataLoader") else None
    if isinstance(given, Const) and given.value is None:
        return None
    return shapes.size(given) or given


def _of_pipeline(fit: Fit, shapes: Shapes) -> Value | None:
    data = next(iter(options(fit.data)), None)
    if isinstance(data, Term) and data.op == "comp" and data.name == "generator":
        from lstmadvisor.extract.data.fits import Lengths

        first = Lengths(shapes.run, shapes).inputs(data)[0]
        return first[0] if first and number(first[0]) else _parameter(data, shapes)
    if isinstance(data, Instance):
        for name, value in data.attrs.items():
            if name.lower() in _BATCH_NAMES:
                return shapes.size(value)
    given = batch_of(data)
    arrays = fit.act.argument("y", 1) is not None  # without targets it may be a dataset of batches
    if given is None and arrays and not is_pipeline(data) and fit.act.name == "fit" and not fit.act.open:
        given = fit.act.argument("batch_size", 2, Const(32, "default"))
    return None if given is None else shapes.size(given) or given


def _named(feed: Feed) -> Iterator[Value]:
    """A number called batch size that the loops around the training step are cut by."""
    for loop in feed.loops:
        iterable = loop.iterable
        if isinstance(iterable, Instance):
            yield from [v for k, v in iterable.attrs.items() if k.lower() in _BATCH_NAMES and number(v)][:1]
            return
        reach = [iterable, iterable.step] if isinstance(iterable, Range) else [iterable]
        for value in (v for r in reach for v in walk(r, 60)):
            if isinstance(value, Const) and number(value) and _BATCH.search(value.name):
                yield value
                return


def _parameter(generator: Term, shapes: Shapes) -> Value | None:
    """What a generator function was given as its batch size."""
    given = generator.attrs.get("$parameters")
    if isinstance(given, Map):
        for name, value in given.entries.items():
            if str(name).lower() in _BATCH_NAMES:
                return shapes.size(value)
    return None


def _of_trainers(run: Run) -> Iterator[tuple[Value, Value]]:
    """Batch size and order where a trainer of a library makes the loader: Hugging Face, skorch, fastai."""
    for term in run.trace:
        if term.op != "call" or not term.scope.active:
            continue
        if term.name in ("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments"):
            given = term.kwargs.get("per_device_train_batch_size") or term.kwargs.get("per_gpu_train_batch_size")
            yield given or Const(8, "default"), Const(True, "default")
        elif term.name.startswith("skorch.") and "NeuralNet" in term.name:
            shuffled = term.kwargs.get("iterator_train__shuffle") or Const(False, "default")
            yield term.kwargs.get("batch_size") or Const(128, "default"), shuffled
        elif term.name.startswith("fastai.") and term.name.rsplit(".", 1)[-1].startswith(("from_", "dataloaders")):
            yield term.kwargs.get("bs") or Const(64, "default"), Const(True, "default")


def _of_inputs(feed: Feed, shapes: Shapes) -> Iterator[Value]:
    """Hand-made batches: the batch axis of what the recurrent layers read."""
    for term in first_layers(feed.recurrent)[:4]:
        size = input_sizes(term, shapes)[0]
        if size is not None and number(size):
            yield size


# -- order -------------------------------------------------------------------------------------------


def shuffle(run: Run, found: list[Feed], fits: list[Fit], shapes: Shapes) -> Fact:
    """Whether training samples are visited at random, by any means."""
    for feed in found[:1]:
        loaders = feed.loaders()
        if loaders:
            facts = [loader_order(run, loader) for loader in loaders]
            return (
                facts[0]
                if len({f.value if isinstance(f, Known) else None for f in facts}) == 1
                else Unknown(unknown="several loaders")
            )
        return next((fact(order) for _, order in _of_trainers(run)), None) or _order_by_hand(run, feed)
    if fits:
        return _order_of_fit(run, fits[-1])
    for _, order in _of_trainers(run):
        return fact(order)
    made = [t for t in run.trace if is_loader(t) and t.scope.active]
    if made:
        return loader_order(run, made[0])
    return Unknown(unknown="no loop over batches was recognised")


def loader_order(run: Run, loader: Term) -> Fact:
    """Whether a loader shuffles."""
    if not loader.name.endswith("DataLoader") and loader.name.rsplit(".", 1)[-1] not in ("DataListLoader",):
        given = loader.kwargs.get("shuffle")
        if given is not None:
            return fact(given)
        last = loader.name.rsplit(".", 1)[-1]
        sequential = (
            "BPTT" in loader.name
            or "bptt_len" in loader.kwargs
            or (isinstance(loader.base, Term) and "BPTT" in loader.base.name)
        )
        if sequential:
            return default(False)
        train = loader.kwargs.get("train")
        plain = not (isinstance(train, Const) and train.value is False)
        return (
            default(plain)
            if last in ("splits", "iters", "BucketIterator", "Iterator")
            else Unknown(unknown="an iterator that is not known")
        )
    sampler = loader.kwargs.get("sampler") or loader.kwargs.get("batch_sampler")
    given = loader.argument("shuffle", 2)
    if isinstance(given, Const) and given.value:
        return fact(given)
    if sampler is not None and not (isinstance(sampler, Const) and sampler.value is None):
        return _order_of_sampler(run, sampler)
    if given is not None:
        return fact(given) if not (isinstance(given, Const) and given.value is None) else default(False)
    if loader.open:
        return Unknown(unknown=loader.open)
    return default(False)


def _order_of_sampler(run: Run, sampler: Value) -> Fact:
    for each in options(sampler):
        if isinstance(each, Term) and each.op == "call":
            last = each.name.rsplit(".", 1)[-1]
            if last == "BatchSampler" and (inner := each.argument("sampler", 0)) is not None:
                return _order_of_sampler(run, inner)
            if last == "DistributedSampler":
                given = each.kwargs.get("shuffle")
                return default(True) if given is None else fact(given)
            if last in _RANDOM_SAMPLERS:
                return inferred(True, place(each.at))
            if last == "SequentialSampler":
                return inferred(False, place(each.at))
        if isinstance(each, Instance):
            method = run.find(each.cls, "__iter__")
            if isinstance(method, Function):
                made = ask(run, Bound(method, each), [])
                if made is not None and any(draws(v) for v in walk(made)):
                    return inferred(True, place(each.at))
    return Unknown(unknown="a sampler that is not known")


def draws(value: Value) -> bool:
    """Whether a value is picked or reordered at random."""
    if not isinstance(value, Term) or value.op not in ("call", "method"):
        return False
    last = value.name.rsplit(".", 1)[-1]
    if value.name in _SHUFFLES or (value.op == "method" and last == "sample"):
        return True
    if last in _DRAWS:
        return value.op == "method" or value.name.startswith(
            ("random.", "numpy.random.", "torch.", "keras.random", "tensorflow.random", "sklearn.")
        )
    if last == "train_test_split":
        given = value.kwargs.get("shuffle")
        return not (isinstance(given, Const) and given.value is False)
    return last == "random_split"


def _order_by_hand(run: Run, feed: Feed) -> Fact:
    inputs = _data_of(feed)
    if any(isinstance(v, Term) and v.op == "method" and v.name in ("step", "reset") for v in inputs):
        return Unknown(unknown="an environment gives the samples")
    here = {id(v) for v in inputs}
    for value in inputs:
        if draws(value):
            return inferred(True, place(value.at) if isinstance(value, Term) else None)
        if isinstance(value, Term) and value.op == "item":
            for inner in walk(value.args[0], 200):
                if (
                    isinstance(inner, Term)
                    and inner.op in ("call", "method")
                    and inner.name.rsplit(".", 1)[-1] in _NUMBERS
                    # drawn before the loop over the batches, it is only where a pass in order begins
                    and len(real_loops(inner)) >= len(real_loops(value))
                ):
                    return inferred(True, place(inner.at))
    for term in run.trace:
        if (
            term.scope.active
            and term.op in ("call", "method")
            and term.name.rsplit(".", 1)[-1] == "shuffle"
            and term.args
        ) and id(term.args[0]) in here:
            return inferred(True, place(term.at))
    if not feed.recurrent:
        return Unknown(unknown="what the recurrent layers read is not known")
    if any(isinstance(v, Opaque) or (isinstance(v, Term) and (v.op == "param" or v.name == "?")) for v in inputs):
        return Unknown(unknown="where the samples come from is not known")
    return inferred(False)


def _data_of(feed: Feed) -> list[Value]:
    """What the inputs of the first recurrent layers (else the loss) were made from."""
    first = first_layers(feed.recurrent)
    if not first:
        return feed.sources
    out: list[Value] = []
    for term in first[:4]:
        for given in (*term.args[:1], *list(term.kwargs.values())[:1]):
            out.extend(upstream(given, feed.stored))
    return out


def _order_of_fit(run: Run, fit: Fit) -> Fact:
    data = next(iter(options(fit.data)), None)
    if isinstance(data, Instance) or (isinstance(data, Term) and data.op == "comp" and data.name == "generator"):
        return _order_of_generator(run, fit, data)
    if is_pipeline(data):
        order = order_of(data)
        return Unknown(unknown="a pipeline that is not known") if order is None else fact(order)
    if fit.act.name in ("fit", "search"):
        given = fit.act.kwargs.get("shuffle")
        if given is None and fit.act.open:
            return Unknown(unknown=fit.act.open)
        return default(True) if given is None else fact(given)
    return Unknown(unknown="where the batches come from is not known")


def _order_of_generator(run: Run, fit: Fit, data: Value) -> Fact:
    if isinstance(data, Term) and isinstance(data.base, Function):
        for term in run.trace:
            if any(f.function.node is data.base.node for f in term.scope.frames) and term.op in ("call", "method"):
                last = term.name.rsplit(".", 1)[-1]
                if last == "shuffle" or draws(term) or last in _NUMBERS:
                    return inferred(True, place(term.at))
        if data.args and not any(isinstance(v, Opaque) for v in walk(data.args[0], 500)):
            return inferred(False)
        return Unknown(unknown="a generator that is not known")
    if isinstance(data, Instance):
        for name in ("on_epoch_end", "__init__", "__getitem__"):
            method = run.find(data.cls, name)
            if isinstance(method, Function):
                for term in run.trace:
                    if (
                        any(f.function.node is method.node for f in term.scope.frames)
                        and term.name.rsplit(".", 1)[-1] == "shuffle"
                    ):
                        return inferred(True, place(term.at))
    return Unknown(unknown="a sequence that is not known")


__all__ = ["Choice", "batch_size", "shuffle"]
