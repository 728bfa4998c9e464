"""Keras layers → facts: recurrent layers with their defaults, dropouts, dense layers, output, embeddings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Term, Value
from lstmadvisor.extract.common import Fact, argument, fact, inferred, stands_alone
from lstmadvisor.extract.keras.graph import Graph
from lstmadvisor.extract.keras.kinds import Layer, Link, ancestors, common_loops, descendants, last_name
from lstmadvisor.extract.keras.masks import lost_masks
from lstmadvisor.extract.keras.names import (
    ACTIVATION_CALLS,
    ACTIVATIONS,
    DROPOUTS,
    NORMALIZATIONS,
    SHAPING,
    activation,
    activation_call,
    learns,
    separate_activation,
    spelled,
    tails,
    takes_last_step,
)
from lstmadvisor.extract.keras.training import ItemT, Training, distinct, handed_over
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import (
    ABSENT,
    DenseLayer,
    Dropout,
    Edge,
    Embedding,
    Known,
    Normalization,
    Reshape,
    Unknown,
)


class Layers:
    """Facts of the layers of one run."""

    def __init__(self, graph: Graph, training: Training) -> None:
        self.graph = graph
        self.training = training
        self.run = graph.run
        groups = training.groups
        self._alone = self._singles()
        self._keys = self._numbered()
        self.layers = [x for x in graph.layers if not groups or x.group in groups or x.group in self._alone]
        self.shapes = Shapes(self.run)
        self._outputs: set[Layer] | None = None
        self._handed: set[int] | None = None

    def _singles(self) -> set[int]:
        """Groups of one layer that hangs together with nothing."""
        sizes: dict[int, int] = {}
        for layer in self.graph.layers:
            sizes[layer.group] = sizes.get(layer.group, 0) + 1
        models = {m.group for m in self.graph.models}
        return {g for g, n in sizes.items() if n == 1 and g not in models}

    def shown(self, kinds: Iterable[str], make: Callable[[Layer], ItemT]) -> tuple[ItemT, ...]:
        """An item per layer of some kinds: each copy of a loop, repeated builds of one line once if they are alike."""
        wanted = set(kinds)
        chosen = [x for x in self.layers if x.kind in wanted]
        trained = self.training.trained_groups()
        keys = {x: self._keys[x] for x in chosen}
        live = {k for x, k in keys.items() if x.active}
        fitted = {k for x, k in keys.items() if x.group in trained}
        here = [
            x for x in chosen if (x.active or keys[x] not in live) and (x.group in trained or keys[x] not in fitted)
        ]
        places = {(k[0]) for x, k in keys.items() if x.active}
        here = [x for x in here if x.active or keys[x][0] not in places]
        return distinct((keys[x], make(x)) for x in here)

    def size(self, value: Value | None) -> Fact:
        """A number of units, read off the shape of the data where the code proves it."""
        got = fact(value, Unknown(unknown="no units are given"))
        if isinstance(got, Unknown) and isinstance(value, Term):
            found = self.shapes.size(value)
            if isinstance(found, Const):
                return fact(found)
        return got

    def fed_by_input(self, term: Term) -> list[Term]:
        """The `Input`s that a layer (or its wrapper) reads without another layer between."""
        ahead = [t.args[0] for t in self.run.trace if t.op == "apply" and t.base is term and t.args]
        for model in self.graph.models:
            chain = self.graph.chain(model.value)
            ahead.extend(before for before, after in itertools.pairwise(chain) if after is term)
        return [t for t in ahead if isinstance(t, Term) and last_name(t) in ("Input", "InputLayer")]

    def _numbered(self) -> dict[Layer, tuple[Any, ...]]:
        """A key per layer that repeated builds of one model share, while the copies inside a model differ."""
        groups: dict[int, list[Layer]] = {}
        for layer in self.graph.layers:
            groups.setdefault(layer.group, []).append(layer)
        out: dict[Layer, tuple[Any, ...]] = {}
        for group in groups.values():
            outside = len(common_loops(group)) if len(group) > 1 else 0
            seen: dict[tuple[Any, ...], int] = {}
            for layer in group:
                inner = layer.term.scope.loops[outside:]
                key = (
                    id(layer.term.at.node),
                    tuple((id(loop.spot.node), turn) for loop, turn in inner if loop.unrolled),
                    layer.active,
                )
                seen[key] = seen.get(key, -1) + 1
                out[layer] = (*key[:2], seen[key])
        return out

    # -- dropouts and dense layers -----------------------------------------------------------------------

    def dropouts(self) -> tuple[Dropout, ...]:
        """Dropout layers with their position in the model."""
        return self.shown(
            DROPOUTS,
            lambda x: Dropout(
                at=place(x.term.at),
                active=x.active,
                rate=self._rate(x.term),
                kind=Known(value=x.kind, via="literal", at=place(x.term.at)),
                position=self.position(x),
                alone=inferred(stands_alone(x.term)),
            ),
        )

    @staticmethod
    def _rate(term: Term) -> Fact:
        value = term.argument("rate", 0)
        return fact(value if value is not None else term.argument("p"), Unknown(unknown="no rate is given"))

    def position(self, layer: Layer) -> Fact:
        """input, between, pre-output, head, output or unused."""
        if not layer.applied and not layer.after and not layer.before:
            if self._handed is None:
                self._handed = handed_over(self.run)
            known = {id(v) for i in self.run.instances if not i.called for v in i.attrs.values()}
            if id(layer.term) in self._handed or id(layer.term) in known or self.run.exhausted:
                return Unknown(unknown="its use was not followed")
            return inferred("unused")
        if self.leads_nowhere(layer):
            return inferred("unused")
        before = any(x.recurrent for x in ancestors([layer])[1:])
        later = descendants(layer)
        after = any(x.recurrent for x in later)
        if before and after:
            return inferred("between")
        if after:
            return inferred("input")
        if not any(learns(x) for x in later) and (layer in self.output_layers() or not later):
            return inferred("output") if any(learns(x) for x in ancestors([layer])[1:]) else inferred("input")
        following = self._next(layer)
        if following and all(x in self.output_layers() for x in following):
            return inferred("pre-output")
        if not before and not any(learns(x) and x.kind != "Embedding" for x in ancestors([layer])[1:]):
            return inferred("input")
        return inferred("head")

    def leads_nowhere(self, layer: Layer) -> bool:
        """Whether a layer is applied but its result reaches no output of its model."""
        if not layer.applied:
            return False
        whole = [m for m in self.graph.models if isinstance(m.value, Term)]
        models = [m for m in self.graph.models if m.group == layer.group]
        if not models:
            return (
                any(m.value.name != "keras.Sequential" for m in whole if isinstance(m.value, Term))
                and not self.training.steps
            )
        ends = [x for m in models if isinstance(m.value, Term) for x, _ in self.graph.outputs(m.value)]
        return bool(ends) and layer not in ancestors(ends)

    def _next(self, layer: Layer) -> list[Layer]:
        """The next layers that are more than a change of shape or another dropout."""
        out: list[Layer] = []
        queue, seen = [layer], {layer}
        for here in queue:
            for link in here.after:
                if link.target in seen:
                    continue
                seen.add(link.target)
                plain = (
                    link.target.kind in ("Flatten", "Reshape", "Permute", "Masking", "Lambda", "RepeatVector")
                    or link.target.kind in DROPOUTS
                )
                (queue if plain else out).append(link.target)
        return out

    def dense(self) -> tuple[DenseLayer, ...]:
        """Dense layers, wrapped ones and the output included."""
        return self.shown(("Dense", "TimeDistributedDense"), self._dense)

    def _dense(self, layer: Layer) -> DenseLayer:
        units = layer.term.argument("units", 0)
        if units is None:
            units = layer.term.argument("output_dim")
        before = [x for link in layer.before for x in [link.source]]
        return DenseLayer(
            at=place(layer.term.at),
            active=layer.active,
            units=self.size(units),
            input_units=self._width(before[0]) if len(before) == 1 else Unknown(unknown="not followed"),
            activation=self.activation_of(layer),
            role=self._role(layer),
        )

    def _width(self, layer: Layer) -> Fact:
        for _ in range(6):
            if (
                layer.kind in DROPOUTS | {"Activation", "BatchNormalization", "LayerNormalization", *ACTIVATIONS}
                and len(layer.before) == 1
            ):
                layer = layer.before[0].source
        if layer.kind == "Dense" or (layer.recurrent and not layer.kind.startswith("Conv")):
            units = fact(layer.term.argument("units", 0), Unknown(unknown="not followed"))
            if any(last_name(w) == "Bidirectional" for w in layer.wrappers):
                merge = next(w for w in layer.wrappers if last_name(w) == "Bidirectional").argument("merge_mode", 1)
                joined = merge is None or (isinstance(merge, Const) and merge.value == "concat")
                if not joined or not isinstance(units, Known) or not isinstance(units.value, int):
                    return Unknown(unknown="both directions merged") if joined else units
                return Known(value=2 * units.value, via="arithmetic", at=units.at)
            return units
        return Unknown(unknown="not followed")

    def _role(self, layer: Layer) -> Fact:
        if layer in self.output_layers():
            return inferred("output")
        if not layer.applied and not layer.after:
            return Unknown(unknown="its use was not followed")
        later = descendants(layer)
        if any(x.recurrent for x in later):
            before = any(x.recurrent for x in ancestors([layer])[1:])
            return inferred("bottleneck" if before else "projection")
        return inferred("hidden")

    def activation_of(self, layer: Layer) -> Fact:
        """A layer's activation, its own or that of an Activation layer (or function) right after it."""
        own = activation(layer.term.argument("activation", 1 if layer.kind == "Dense" else None), "none")
        if not isinstance(own, Known) or own.value != "none":
            return own
        here = layer
        for _ in range(3):
            links = [link for link in here.after if link.target.active]
            if links and links[0].via:
                called = activation_call(links[0].via)
                if called is not None:
                    return inferred(spelled(called.name), place(called.at))
            if len(links) != 1:
                break
            here = links[0].target
            separate = separate_activation(here)
            if separate is not None:
                return separate
            if here.kind not in ("BatchNormalization", "LayerNormalization"):
                break
        return own

    def output_layers(self) -> set[Layer]:
        """The learning layers that give the outputs of the models."""
        if self._outputs is None:
            self._outputs = set()
            fitted = [f.model for f in self.training.all_fits if f.model is not None]
            compiled = [m for t in self.training.all_compiles if (m := self.graph.model(t.base)) is not None]
            models = fitted or compiled
            groups = {m.group for m in models}
            for model in [*models, *[m for m in self.graph.models if m.group not in groups]]:
                pairs = self.graph.outputs(model.value)
                for layer, _ in pairs:
                    if model in models or not any(learns(x) for x in descendants(layer)):
                        self._outputs.update(tails([layer]))
            touched = {x.group for x in self._outputs}
            for layer in self.graph.layers:
                last = layer.group not in touched and layer.applied and learns(layer)
                if last and not any(learns(x) for x in descendants(layer)):
                    self._outputs.add(layer)
        return self._outputs

    # -- the rest ----------------------------------------------------------------------------------------

    def embeddings(self) -> tuple[Embedding, ...]:
        """Embeddings; `padding` is `mask_zero`."""
        return self.shown(
            ("Embedding",),
            lambda x: Embedding(
                at=place(x.term.at),
                active=x.active,
                dim=fact(x.term.argument("output_dim", 1), Unknown(unknown="no dimension is given")),
                vocabulary=fact(x.term.argument("input_dim", 0), Unknown(unknown="no vocabulary is given")),
                padding=argument(x.term, "mask_zero", None, False),
            ),
        )

    def normalizations(self) -> tuple[Normalization, ...]:
        """Normalising layers."""
        return self.shown(
            NORMALIZATIONS,
            lambda x: Normalization(
                at=place(x.term.at),
                active=x.active,
                kind=inferred(NORMALIZATIONS[x.kind], place(x.term.at)),
                position=self.position(x),
            ),
        )

    def edges(self) -> tuple[Edge, ...]:
        """Which layer feeds which."""
        out: list[Edge] = []
        seen: set[tuple[int, int]] = set()
        for layer in self.layers:
            for link in layer.after if layer.active else ():
                key = (id(layer.term.at.node), id(link.target.term.at.node))
                if link.target.active and key not in seen:
                    seen.add(key)
                    out.append(
                        Edge(
                            from_=place(layer.term.at),
                            to=place(link.target.term.at),
                            via=_way(link),
                            skip=inferred(link.target.kind in ("Add", "Concatenate") and len(link.target.before) > 1),
                        )
                    )
        return (*out, *lost_masks(self.layers))

    def reshapes(self) -> tuple[Reshape, ...]:
        """Reshape and Permute layers."""

        def one(x: Layer) -> Reshape:
            axes = fact(x.term.argument("target_shape" if x.kind == "Reshape" else "dims", 0))
            swaps = x.kind == "Permute"
            return Reshape(
                at=place(x.term.at),
                active=x.active,
                to_axes=axes,
                swaps_batch_and_time=inferred(False) if swaps else ABSENT,
            )

        return self.shown(("Reshape", "Permute"), one)


def _way(link: Link) -> Fact:
    """What happens between two layers; absent where one simply feeds the other."""
    if link.state:
        return inferred("state")
    if any(last_name(w) == "TimeDistributed" for x in (link.source, link.target) for w in x.wrappers):
        return inferred("time-distributed")
    return inferred(_via(link)) if link.via else ABSENT


def _via(link: Link) -> str:
    for term in link.via:
        last = last_name(term)
        if last in ("concatenate", "concat", "add", "stack"):
            return "concatenation"
        if last in ACTIVATION_CALLS:
            return "activation"
        if last in SHAPING:
            return "reshape"
        if takes_last_step(term):
            return "last-step"
    return "operation"
