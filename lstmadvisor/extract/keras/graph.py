"""Keras models as graphs of layers: `Sequential`, functional and subclassed models and all mixtures of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Const,
    Function,
    Instance,
    Map,
    Seq,
    Term,
    Value,
    options,
)
from lstmadvisor.extract.keras.kinds import (
    ESTIMATORS,
    MODELS,
    WRAPPERS,
    Layer,
    Link,
    Model,
    ancestors,
    functional,
    inner_values,
    is_layer,
    last_name,
    unrolled,
)

_OUTSIDE = (
    "numpy.", "pandas.", "sklearn.", "scipy.", "cv2.", "PIL.", "keras.utils.", "keras.datasets.",
    "keras.preprocessing.", "tensorflow.data.",
    "builtins.open", "builtins.print", "keras.Input", "keras.InputLayer", "keras.layers.InputLayer",
)  # fmt: skip
_NOT_FLOW = frozenset(
    ("predict", "predict_on_batch", "fit", "fit_generator", "evaluate", "summary", "get_weights", "numpy", "save")
)
_COPIES = frozenset(("multi_gpu_model", "clone_model"))
_FARTHEST = 600  # values looked at from one use of a layer back to the layers before it


class Graph:
    """Layers of a run and how data flows between them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.layers: list[Layer] = []
        self.models: list[Model] = []
        self._of_term: dict[int, Layer] = {}
        self._of_key: dict[object, Layer] = {}
        self._wrapping: dict[int, list[Layer]] = {}
        self._added: dict[int, list[Term]] = {}
        self._enters: dict[int, list[Term]] = {}
        self._model_of: dict[int, Model] = {}
        self._parent: dict[int, int] = {}
        self._busy: set[int] = set()
        self._memo: dict[int, list[tuple[Layer, tuple[Term, ...]]]] = {}
        self._collect()
        self._link_applications()
        self._link_chains()
        self._group()

    # -- collecting ------------------------------------------------------------------------------------

    def _collect(self) -> None:
        wrappers: list[Term] = []
        for term in self.run.trace:
            if term.op == "enter":
                self._enters.setdefault(id(term.base), []).append(term)
            elif term.op == "method" and term.name == "add" and term.args:
                for each in options(term.base):
                    self._added.setdefault(id(each), []).append(term)
            elif term.op == "call":
                if is_layer(term):
                    if last_name(term) in WRAPPERS and inner_values(term):
                        wrappers.append(term)
                    else:
                        self._add_layer(term)
                elif term.name in MODELS:
                    self._add_model(term)
        for instance in self.run.instances:
            if any(b.startswith("keras.") for b in self.run.library_bases(instance.cls)):
                self._add_model(instance)
        for wrapper in wrappers:
            self._wrap(wrapper)

    def _add_layer(self, term: Term) -> Layer:
        key = (
            id(term.at.node),
            unrolled(term),
            tuple(id(f.spot.node) if f.spot else 0 for f in term.scope.frames),
            term.scope.active,
        )
        found = self._of_key.get(key) if any(turn for loop, turn in term.scope.loops if not loop.unrolled) else None
        if found is None:
            found = Layer(term, last_name(term))
            self.layers.append(found)
            self._of_key[key] = found
        self._of_term[id(term)] = found
        return found

    def _add_model(self, value: Term | Instance) -> None:
        model = Model(value)
        self.models.append(model)
        self._model_of[id(value)] = model

    def _wrap(self, wrapper: Term) -> list[Layer]:
        if id(wrapper) in self._wrapping:
            return self._wrapping[id(wrapper)]
        self._wrapping[id(wrapper)] = inner = []
        for value in inner_values(wrapper):
            if isinstance(value, Term) and is_layer(value):
                if last_name(value) in WRAPPERS and inner_values(value):
                    inner.extend(self._wrap(value))
                elif id(value) in self._of_term:
                    inner.append(self._of_term[id(value)])
            elif isinstance(value, Instance) and value.term is not None and id(value.term) in self._of_term:
                inner.append(self._of_term[id(value.term)])
            elif id(value) in self._model_of and last_name(wrapper) == "TimeDistributed":
                return inner
        if not inner and last_name(wrapper) == "RNN":
            inner.append(self._add_layer(wrapper))
            return inner
        for layer in inner:
            if wrapper not in layer.wrappers and (wrapper.scope.active or not layer.active):
                layer.wrappers.append(wrapper)
        if last_name(wrapper) in ("RNN", "StackedRNNCells"):
            for source, target in itertools.pairwise(inner):
                self._link(source, target)
        return inner

    # -- what feeds what ---------------------------------------------------------------------------------

    def exits(self, value: Value | None) -> list[Layer]:
        """The layers whose results a layer or model gives."""
        out: list[Layer] = []
        for each in options(value):
            if id(each) in self._wrapping:
                inner = self._wrapping[id(each)]
                stacked = isinstance(each, Term) and last_name(each) in ("RNN", "StackedRNNCells")
                if inner:
                    out.extend(inner[-1:] if stacked else inner)
                elif isinstance(each, Term):
                    for value_inside in inner_values(each):
                        out.extend(self.exits(value_inside))
            elif id(each) in self._of_term:
                out.append(self._of_term[id(each)])
            elif id(each) in self._model_of and id(each) not in self._busy:
                self._busy.add(id(each))
                out.extend(self._exits_of_model(each))
                self._busy.discard(id(each))
        return list(dict.fromkeys(out))

    def _exits_of_model(self, model: Value) -> list[Layer]:
        if isinstance(model, Term) and model.name != "keras.Sequential":
            return [layer for layer, _ in self.sources(functional(model, "outputs", 1))]
        for element in reversed(self.chain(model)):
            found = self.exits(element)
            if found:
                return found
        if isinstance(model, Instance):
            marks = self._enters.get(id(model), [])
            marks = [m for m in marks if m.scope.active] or marks
            found = [layer for mark in marks for layer, _ in self.sources(mark.result)]
            if not found and model.term is not None and model.term.name not in ("keras.Layer", "keras.Model"):
                return self.exits(model.term)
            return found
        return []

    def entries(self, value: Value | None) -> list[Layer]:
        """The layers that first see what a layer or model is fed with."""
        out: list[Layer] = []
        for each in options(value):
            if id(each) in self._wrapping:
                inner = self._wrapping[id(each)]
                stacked = isinstance(each, Term) and last_name(each) in ("RNN", "StackedRNNCells")
                if inner:
                    out.extend(inner[:1] if stacked else inner)
                elif isinstance(each, Term):
                    for value_inside in inner_values(each):
                        out.extend(self.entries(value_inside))
            elif id(each) in self._of_term:
                out.append(self._of_term[id(each)])
            elif id(each) in self._model_of and id(each) not in self._busy:
                self._busy.add(id(each))
                for element in self.chain(each):
                    found = self.entries(element)
                    if found:
                        out.extend(found)
                        break
                else:
                    own = self.members(each)
                    out.extend(x for x in own if not any(link.source in own for link in x.before))
                self._busy.discard(id(each))
        return list(dict.fromkeys(out))

    def chain(self, model: Value) -> list[Value]:
        """The elements of a `Sequential` in order."""
        base = model.term if isinstance(model, Instance) else model
        out: list[Value] = []
        if isinstance(base, Term) and base.name == "keras.Sequential":
            for each in options(base.argument("layers", 0)):
                if isinstance(each, Seq):
                    out.extend(each.items)
        elif not (isinstance(model, Instance) and "keras.Sequential" in self.run.library_bases(model.cls)):
            return []
        around = base.scope.loops if isinstance(base, Term) else ()
        for event in self._added.get(id(model), []):
            inner = [(loop, turn) for loop, turn in event.scope.loops if not any(loop is o for o, _ in around)]
            if event.scope.active and not any(turn for loop, turn in inner if not loop.unrolled):
                out.append(event.args[0])
        return out

    def members(self, model: Value) -> list[Layer]:
        """The layers that belong to a model."""
        if isinstance(model, Instance):
            out = [layer for element in self.chain(model) for layer in self._inside(element)]
            return list(dict.fromkeys([*out, *self._held(model, 0, set())]))
        if isinstance(model, Term) and model.name == "keras.Sequential":
            return list(dict.fromkeys(layer for element in self.chain(model) for layer in self._inside(element)))
        return ancestors(self.exits(model))

    def _inside(self, element: Value) -> list[Layer]:
        out: list[Layer] = []
        for each in options(element):
            if id(each) in self._wrapping and not self._wrapping[id(each)] and isinstance(each, Term):
                for inner in inner_values(each):
                    out.extend(self._inside(inner))
            elif id(each) in self._of_term or id(each) in self._wrapping:
                out.extend(self.exits(each))
                out.extend(self._wrapping.get(id(each), []))
            elif id(each) in self._model_of and id(each) not in self._busy:
                self._busy.add(id(each))
                out.extend(self.members(each))
                self._busy.discard(id(each))
        return out

    def _held(self, value: Value, depth: int, seen: set[int]) -> Iterator[Layer]:
        if id(value) in seen or depth > 6:
            return
        seen.add(id(value))
        parts: Iterable[Value] = ()
        if isinstance(value, Instance):
            parts = [*value.attrs.values(), *([value.term] if value.term is not None else [])]
        elif isinstance(value, Seq):
            parts = value.items
        elif isinstance(value, Map):
            parts = value.entries.values()
        elif isinstance(value, Choice):
            parts = value.options
        elif isinstance(value, Term):
            yield from self._inside(value)
        for part in list(parts):
            yield from self._held(part, depth + 1, seen)

    def sources(self, value: Value | None) -> list[tuple[Layer, tuple[Term, ...]]]:
        """The nearest layers that a value was computed with, each with the operations between."""
        if value is None:
            return []
        if id(value) in self._memo:
            return self._memo[id(value)]
        found: dict[Layer, tuple[Term, ...]] = {}
        queue: list[tuple[Value, tuple[Term, ...]]] = [(value, ())]
        seen: set[int] = set()
        for here, via in queue:
            if id(here) in seen or len(seen) > _FARTHEST:
                continue
            seen.add(id(here))
            if isinstance(here, Choice):
                queue.extend((o, via) for o in here.options)
            elif isinstance(here, Seq):
                queue.extend((i, via) for i in here.items)
            elif isinstance(here, Map):
                queue.extend((i, via) for i in here.entries.values())
            elif isinstance(here, Term):
                part = self.part(here)
                if part is not None:
                    queue.append((part, via))
                    continue
                layers = self._given_by(here)
                for layer in layers:
                    found.setdefault(layer, via)
                if not layers:
                    queue.extend((v, (*via, here)) for v in _operands(here))
        self._memo[id(value)] = out = list(found.items())
        return out

    def part(self, term: Term) -> Value | None:
        """Of `model(x)[i]`: the i-th output of a functional model."""
        if term.op != "item" or not isinstance(term.base, Term) or term.base.op != "apply" or len(term.args) != 1:
            return None
        index = term.args[0]
        for each in options(term.base.base):
            if isinstance(each, Term) and each.name in MODELS and each.name != "keras.Sequential":
                outputs = functional(each, "outputs", 1)
                if not isinstance(outputs, Seq) or not isinstance(index, Const) or not isinstance(index.value, int):
                    continue
                if -len(outputs.items) <= index.value < len(outputs.items):
                    return outputs.items[index.value]
        return None

    def _given_by(self, term: Term) -> list[Layer]:
        if term.op == "apply" or (term.op == "method" and term.name in ("call", "__call__")):
            return self.exits(term.base)
        if term.op == "attr" and term.name in ("output", "outputs") and term.base is not None:
            return self.exits(term.base)
        return []

    def _link(self, source: Layer, target: Layer, via: tuple[Term, ...] = (), state: bool = False) -> None:
        if source is target or any(old.source is source and old.state == state for old in target.before):
            return
        link = Link(source, target, via, state)
        source.after.append(link)
        target.before.append(link)

    def _link_applications(self) -> None:
        for term in self.run.trace:
            if term.op == "apply" or (term.op == "method" and term.name in ("call", "__call__")):
                targets = self.entries(term.base)
                for layer in (*targets, *self.exits(term.base)):
                    layer.applied = True
                for name, value in [*enumerate(term.args), *term.kwargs.items()]:
                    for source, via in self.sources(value) if targets else []:
                        for target in targets:
                            self._link(source, target, via, name == "initial_state" or (name == 1 and target.recurrent))

    def _link_chains(self) -> None:
        for model in self.models:
            earlier: list[Layer] = []
            for element in self.chain(model.value):
                targets = self.entries(element)
                for source in earlier:
                    for target in targets:
                        self._link(source, target)
                exits = self.exits(element) or targets
                for layer in (*targets, *exits):
                    layer.applied = True
                earlier = exits or earlier
        self._memo.clear()

    # -- which layers belong together ------------------------------------------------------------------------

    def _root(self, key: int) -> int:
        while self._parent.setdefault(key, key) != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def _unite(self, one: int, other: int) -> None:
        self._parent[self._root(one)] = self._root(other)

    def _group(self) -> None:
        for layer in self.layers:
            for link in layer.after:
                self._unite(id(layer), id(link.target))
        for model in self.models:
            for layer in self.members(model.value):
                self._unite(id(layer), id(model.value))
        for layer in self.layers:
            layer.group = self._root(id(layer))
        for model in self.models:
            model.group = self._root(id(model.value))

    def model(self, value: Value | None) -> Model | None:
        """The model that a value is."""
        for each in options(value):
            while isinstance(each, Term) and each.op == "call" and last_name(each) in _COPIES and each.args:
                each = next(options(each.args[0]), each.args[0])
            if (
                isinstance(each, Term)
                and each.op == "call"
                and last_name(each) in ESTIMATORS
                and each.result is not None
            ):
                return self.model(each.result)
            if id(each) in self._model_of:
                return self._model_of[id(each)]
            if isinstance(each, Instance) and each.term is not None and id(each.term) in self._model_of:
                return self._model_of[id(each.term)]
        return None

    def recurrent_groups(self) -> set[int]:
        """The groups that hold a recurrent layer (on the way that the defaults take, if there is one)."""
        active = {layer.group for layer in self.layers if layer.recurrent and layer.active}
        return active or {layer.group for layer in self.layers if layer.recurrent}

    def outputs(self, model: Value) -> list[tuple[Layer, tuple[Term, ...]]]:
        """The layers that give a model's outputs, with the operations after them."""
        if isinstance(model, Term) and model.name != "keras.Sequential":
            return self.sources(functional(model, "outputs", 1))
        if self.chain(model):
            return [(layer, ()) for layer in self._exits_of_model(model)]
        marks = self._enters.get(id(model), [])
        return [pair for mark in [m for m in marks if m.scope.active] or marks for pair in self.sources(mark.result)]

    def results(self, model: Value) -> list[Value]:
        """What calling a model gives, as values; a `Sequential` that nobody calls gives none."""
        if isinstance(model, Term) and model.name != "keras.Sequential":
            value = functional(model, "outputs", 1)
            if isinstance(value, Map):
                return list(value.entries.values())
            return [] if value is None else list(value.items) if isinstance(value, Seq) else [value]
        marks = self._enters.get(id(model), [])
        return [m.result for m in [m for m in marks if m.scope.active] or marks if m.result is not None]


def _operands(term: Term) -> list[Value]:
    if term.op == "param" or (term.op == "method" and term.name in _NOT_FLOW):
        return []
    if term.op == "call" and (term.name.startswith(_OUTSIDE) or is_layer(term) or term.name in MODELS):
        return []
    out = [*term.args, *term.kwargs.values()]
    if term.result is not None:
        out.append(term.result)
    if term.base is not None and not isinstance(term.base, (Function, Bound)):
        out.append(term.base)
    return [v for v in out if not isinstance(v, Const)]
