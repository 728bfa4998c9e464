"""PyTorch modules: what the program builds, put together; embeddings and unregistered modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Instance, Map, Seq, Term, Value, options
from lstmadvisor.extract.common import argument, inferred
from lstmadvisor.extract.pytorch.dense import dense_layers
from lstmadvisor.extract.pytorch.dropouts import dropouts, normalizations
from lstmadvisor.extract.pytorch.flow import Flow
from lstmadvisor.extract.pytorch.gate_biases import forget_bias, gates
from lstmadvisor.extract.pytorch.graph import edges
from lstmadvisor.extract.pytorch.initialisation import Initialisations
from lstmadvisor.extract.pytorch.layout import Layout, reshapes
from lstmadvisor.extract.pytorch.made import Modules
from lstmadvisor.extract.pytorch.neighbours import Neighbours
from lstmadvisor.extract.pytorch.recurrent import KINDS, Recurrent
from lstmadvisor.extract.pytorch.sizes import Sizes
from lstmadvisor.extract.pytorch.torch_ops import whole
from lstmadvisor.facts import ABSENT, Embedding, Unknown, Unregistered
from lstmadvisor.facts import Value as Fact


def are_not_recurrent(run: Run) -> bool:
    """Whether the modules of the program were seen, and none of them is a recurrent layer."""
    modules = Modules(run)
    return bool(modules.seen) and not modules.made(lambda name: name in KINDS)


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    flow = Flow(run)
    modules = Modules(run)
    around = Neighbours(run, flow, modules)
    initialised = Initialisations(run)
    made = modules.made(lambda name: name in KINDS)
    biases = [(m, gates(initialised, m)) for m in made]
    layout = Layout(flow)
    recurrent = Recurrent(run, flow, around, layout)
    if not modules.seen:
        unseen = Unknown(unknown="the model is not made in what was read")
        return dict.fromkeys(
            ("recurrent_layers", "dropouts", "dense_layers", "embeddings", "normalizations", "forget_bias"), unseen
        )
    return {
        "recurrent_layers": recurrent.layers(biases),
        "graph": edges(around),
        "reshapes": reshapes(run, layout, recurrent.applied),
        "dropouts": dropouts(around),
        "dense_layers": dense_layers(around),
        "output": around.outputs.fact(),
        "embeddings": embeddings(modules, around.sizes),
        "normalizations": normalizations(around),
        "initializations": initialised.facts(),
        "forget_bias": forget_bias(biases, initialised.unresolved),
        "unregistered": unregistered(run),
    }


def embeddings(modules: Modules, sizes: Sizes) -> tuple[Embedding, ...]:
    """Embedding tables."""
    out: list[Embedding] = []
    for made in modules.made(lambda name: name in ("Embedding", "EmbeddingBag")):
        term = made.term
        rows = term.argument("num_embeddings", 0)
        item = Embedding(
            dim=sizes.fact(term.argument("embedding_dim", 1)),
            vocabulary=sizes.fact(rows),
            vocabulary_offset=_offset(rows),
            padding=argument(term, "padding_idx", 2, None),
            at=place(made.at),
            active=made.active,
        )
        out.append(item)
    for term in modules.run.trace:
        if term.op == "call" and term.name in (
            "torch.nn.Embedding.from_pretrained",
            "torch.nn.EmbeddingBag.from_pretrained",
        ):
            unknown = Unknown(unknown="the size of a pretrained table")
            item = Embedding(
                dim=unknown,
                vocabulary=unknown,
                vocabulary_offset=ABSENT,
                padding=argument(term, "padding_idx", 2, None),
                at=place(term.at),
                active=term.scope.active,
            )
            if item not in out:
                out.append(item)
    return tuple(out)


def _offset(rows: Value | None) -> Fact:
    """What is added to a vocabulary's length: `len(vocab) + 1`."""
    for each in options(rows):
        if isinstance(each, Term) and each.op == "binop" and each.name in ("+", "-") and len(each.args) == 2:
            added = whole(each.args[1])
            if added is not None:
                return inferred(added if each.name == "+" else -added)
        if isinstance(each, Term) and each.op in ("call", "method", "attr"):
            return inferred(0)
    return ABSENT


def unregistered(run: Run) -> tuple[Unregistered, ...]:
    """Modules that a user's module keeps in a plain list or dict and nowhere else."""
    out: dict[object, Unregistered] = {}
    for instance in run.instances:
        if not frameworks.is_module(run, instance):
            continue
        registered = {id(m) for _, m in frameworks.submodules(run, instance)}
        for name, value in instance.attrs.items():
            for each in options(value):
                loose = [m for m in _contained(each) if _has_parameters(run, m) and id(m) not in registered]
                if loose:
                    at = next(
                        (place(m.at) for m in loose if isinstance(m, (Term, Instance)) and m.at is not None), None
                    )
                    kind = "dict" if isinstance(each, Map) else "list"
                    key = (name, at.line if at else 0, at.path if at else "")
                    written = getattr(each, "at", None)
                    out.setdefault(key, Unregistered(kind=inferred(kind, place(written) if written else at), at=at))
    return tuple(out.values())


def _has_parameters(run: Run, value: Value) -> bool:
    """Whether a value is a module with something to train."""
    if not frameworks.is_module(run, value):
        return False
    names, complete = frameworks.parameters(run, value)
    return bool(names) or not complete


def _contained(value: Value) -> Iterator[Value]:
    """The values in a plain list or dict, one level of nesting included."""
    inside: list[Value] = []
    if isinstance(value, Seq) and value.kind in ("list", "tuple", "set"):
        inside = value.items
    elif isinstance(value, Map) and value.kind == "dict":
        inside = list(value.entries.values())
    for each in inside:
        yield each
        if isinstance(each, (Seq, Map)):
            yield from _contained(each)
