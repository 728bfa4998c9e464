"""Recurrent layers of PyTorch programs: their effective arguments, what they are fed and how they are called."""

from __future__ import annotations

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Loop, Term, walk
from lstmadvisor.extract.common import argument, default, inferred
from lstmadvisor.extract.pytorch import results
from lstmadvisor.extract.pytorch.flow import Flow
from lstmadvisor.extract.pytorch.gate_biases import Gates, gate_biases
from lstmadvisor.extract.pytorch.heads import heads
from lstmadvisor.extract.pytorch.layout import Layout, initial_batch, input_layout
from lstmadvisor.extract.pytorch.made import Made
from lstmadvisor.extract.pytorch.neighbours import Neighbours
from lstmadvisor.extract.pytorch.passes import only_pass
from lstmadvisor.extract.pytorch.picks import Shape
from lstmadvisor.extract.pytorch.reversal import unreversed
from lstmadvisor.extract.pytorch.sizes import Sizes
from lstmadvisor.extract.pytorch.torch_ops import CELLS, FUSED, constant
from lstmadvisor.facts import ABSENT, Known, Read, RecurrentLayer, Unknown
from lstmadvisor.facts import Value as Fact

KINDS = frozenset((*FUSED, *CELLS, "RNNBase"))


class Recurrent:
    """The recurrent layers of a run."""

    def __init__(self, run: Run, flow: Flow, around: Neighbours, layout: Layout) -> None:
        self.run = run
        self.flow = flow
        self.around = around
        self.layout = layout
        self.applied: list[tuple[Term, bool | None]] = []
        self.unreversed = unreversed(run)
        self.losses = {id(t) for t in run.trace if t.op == "method" and t.name in ("backward", "manual_backward")}
        """the calls that train"""
        self.training = {
            id(loop)
            for t in run.trace
            if t.op == "method" and t.name in ("backward", "manual_backward")
            for loop, _ in t.scope.loops
        }

    def layers(self, gates: list[tuple[Made, Gates | Unknown | None]]) -> tuple[RecurrentLayer, ...]:
        """All recurrent layers and cells, each with what was found of it."""
        out: list[RecurrentLayer] = []
        for made, biases in gates:
            out.append(self._layer(made, biases))
        return tuple(out)

    def _layer(self, made: Made, biases: Gates | Unknown | None) -> RecurrentLayer:
        term = made.term
        kind, found = _arguments(term, self.around.sizes)
        applied = self.around.uses(made)
        first = _flag(found["batch_first"]) if "batch_first" in found else None
        self.applied.extend((t, first) for t in applied)
        for use in applied:
            self.layout.learn(use, kind in CELLS)
        layer_ids = {id(t) for t in made.terms()} | ({id(made.instance)} if made.instance is not None else set())
        shape = _shape(kind, found)
        stepped = self._stepped(kind, applied)
        return RecurrentLayer(
            kind=inferred(kind, place(made.at))
            if made.kind == "RNNBase"
            else Known(value=kind, via="literal", at=place(made.at)),
            units=found.pop("hidden_size"),
            **found,
            gate_biases=gate_biases(biases),
            input_layout=input_layout(self.layout, applied) if kind in FUSED else ABSENT,
            initial_batch=initial_batch(applied),
            stepped_by_hand=stepped,
            model=inferred(made.model()) if made.model() else ABSENT,
            reads=self._reads(kind, applied, shape, layer_ids, _flag(stepped) is True),
            only_pass=only_pass(applied),
            heads=heads(self.around, made, applied),
            at=place(made.at),
            active=made.active,
        )

    def _reads(self, kind: str, applied: list[Term], shape: Shape, layer: set[int], stepped: bool) -> tuple[Read, ...]:
        found = results.reads(self.flow, applied, shape, layer, stepped)
        if kind not in CELLS:
            return found
        places = list(dict.fromkeys(place(t.at) for i in layer for t in self.unreversed.get(i, ())))
        return (*found, *(Read(what=inferred("unreversed", at), at=at) for at in places))

    def _stepped(self, kind: str, applied: list[Term]) -> Fact:
        """Whether the program calls the layer step by step, handing the state on inside the training step."""
        if not applied:
            return Unknown(unknown="it is never applied")
        if kind in CELLS:
            return inferred(True, place(applied[0].at))
        bases = {id(t.base) for t in applied}
        for term in applied:
            inner = [loop for loop, _ in term.scope.loops if id(loop) not in self.training]
            if not inner or not term.scope.active:
                continue
            before = [
                v
                for v in walk(term.argument("hx", 1), 60)
                if isinstance(v, Term) and v.op == "apply" and id(v.base) in bases and _turned(v, term) in inner
            ]
            if before and (not self.losses or self.flow.reaches(term, self.losses)):
                return inferred(True, place(term.at))
        return inferred(False)


def _turned(before: Term, after: Term) -> Loop | None:
    """The outermost loop that turned between two terms."""
    for (loop, turn), (other, later) in zip(before.scope.loops, after.scope.loops, strict=False):
        if loop is not other:
            return None
        if turn != later:
            return loop
    return None


def _arguments(term: Term, sizes: Sizes) -> tuple[str, dict[str, Fact]]:
    """Kind and effective arguments of a recurrent layer or cell."""
    kind = term.name.rsplit(".", 1)[-1]
    shift = 0
    if kind == "RNNBase":
        shift = 1
        mode = constant(term.argument("mode", 0))
        kind = str(mode).split("_")[0] if isinstance(mode, str) else "RNN"
    found: dict[str, Fact] = {
        "input_size": sizes.fact(term.argument("input_size", shift)),
        "hidden_size": sizes.fact(term.argument("hidden_size", shift + 1)),
    }
    if kind in CELLS:
        found["bias"] = argument(term, "bias", 2, True)
        found["activation"] = argument(term, "nonlinearity", 3, "tanh") if kind == "RNNCell" else default("tanh")
        for name, value in (("num_layers", 1), ("dropout", 0.0), ("bidirectional", False)):
            found[name] = default(value)
        return kind, found
    late = 1 if kind == "RNN" and not shift and _has_nonlinearity(term) else 0
    found["num_layers"] = argument(term, "num_layers", shift + 2, 1)
    found["bias"] = argument(term, "bias", shift + 3 + late, True)
    found["batch_first"] = argument(term, "batch_first", shift + 4 + late, False)
    found["dropout"] = argument(term, "dropout", shift + 5 + late, 0.0)
    found["bidirectional"] = argument(term, "bidirectional", shift + 6 + late, False)
    if kind == "LSTM":
        found["proj_size"] = argument(term, "proj_size", shift + 7, 0)
    found["activation"] = (
        argument(term, "nonlinearity", 3 if late else None, "tanh") if kind == "RNN" else default("tanh")
    )
    return kind, found


def _has_nonlinearity(term: Term) -> bool:
    """Whether the fourth positional argument of an `nn.RNN` is its non-linearity (it is since PyTorch 2)."""
    return len(term.args) > 3 and isinstance(constant(term.args[3]), str)


def _flag(found: Fact) -> bool | None:
    return bool(found.value) if isinstance(found, Known) and isinstance(found.value, (bool, int)) else None


def _shape(kind: str, found: dict[str, Fact]) -> Shape:
    both = _flag(found["bidirectional"])
    layers = (
        found["num_layers"].value
        if isinstance(found["num_layers"], Known) and isinstance(found["num_layers"].value, int)
        else None
    )
    states = layers * (2 if both else 1) if layers is not None and both is not None else None
    return Shape(kind, _flag(found["batch_first"]) if "batch_first" in found else None, both, states)
