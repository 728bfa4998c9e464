"""Dense layers of PyTorch models: size, activation and role."""

from __future__ import annotations

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Term, Value
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.pytorch.made import Made
from lstmadvisor.extract.pytorch.neighbours import Neighbours
from lstmadvisor.extract.pytorch.outputs import inside_module
from lstmadvisor.extract.pytorch.results import first_and_last
from lstmadvisor.extract.pytorch.torch_ops import (
    DENSE,
    activation_of,
    constructor,
    is_recurrent,
    keeps_meaning,
    module_name,
    whole,
)
from lstmadvisor.facts import DenseLayer, Unknown
from lstmadvisor.facts import Value as Fact


def dense_layers(layers: Neighbours) -> tuple[DenseLayer, ...]:
    """All linear layers."""
    out: list[DenseLayer] = []
    for made in layers.modules.made(lambda n: n in DENSE):
        term = made.term
        inputs: Fact = Unknown(unknown="made at the first call")
        if made.kind != "LazyLinear":
            inputs = layers.sizes.fact(term.argument("in1_features" if made.kind == "Bilinear" else "in_features", 0))
        units = layers.sizes.fact(term.argument("out_features", {"LazyLinear": 0, "Bilinear": 2}.get(made.kind, 1)))
        activation = _activation(layers, made)
        item = DenseLayer(
            units=units,
            input_units=inputs,
            activation=activation,
            role=_role(layers, made),
            at=place(made.at),
            active=made.active,
        )
        out.append(item)
    return tuple(out)


def _role(layers: Neighbours, made: Made) -> Fact:
    """What a dense layer is for."""
    uses = first_and_last(layers.uses(made))
    if not uses:
        return Unknown(unknown="it is never applied")
    if any(layers.outputs.is_last(u) for u in uses):
        return inferred("output")
    ahead = [t for u in uses for t in layers.following(u)]
    if not ahead and not any(layers.outputs.is_output(u) for u in uses):
        return Unknown(unknown="where its result goes is not seen")
    if not ahead:
        return inferred("output")
    if all(is_recurrent(t.base) for t in ahead) and not any(layers.upstream(u) for u in uses):
        return inferred("projection")
    units, inputs = whole(made.term.argument("out_features", 1)), whole(made.term.argument("in_features", 0))
    if units is not None and inputs is not None and units * 2 < inputs and units * 2 < _classes(layers, uses):
        return inferred("bottleneck")
    return inferred("hidden")


def _classes(layers: Neighbours, uses: list[Term]) -> int:
    """The units of the dense layers that come right after."""
    ahead = [t for u in uses for t in layers.following(u, direct=True) if module_name(t.base) in DENSE]
    sizes = [whole(constructor(t.base).argument("out_features", 1)) for t in ahead]
    return max((s for s in sizes if s is not None), default=0)


def _activation(layers: Neighbours, made: Made) -> Fact:
    """The activation applied to a layer's result inside the model."""
    found: list[str] = []
    uses = layers.uses(made)
    ends = [u for u in uses if layers.outputs.is_last(u)]
    for use in ends or first_and_last(uses):
        found.append((layers.outputs.activation(use) if ends else _activation_after(layers, use)) or "none")
    if not found:
        return Unknown(unknown="it is never applied")
    named = [f for f in found if f != "none"]
    return inferred(named[0] if named else "none")


def _activation_after(layers: Neighbours, term: Term) -> str | None:
    inside_model = inside_module(layers.run, term)
    queue: list[Value] = [term]
    seen = {id(term)}
    for here in queue:
        for user in layers.flow.users(here):
            if id(user) in seen or len(seen) > 60:
                continue
            seen.add(id(user))
            if not isinstance(user, Term):
                queue.append(user)
                continue
            inside = inside_module(layers.run, user) if inside_model else user.at.node is term.at.node
            name = activation_of(user)
            if name is not None and inside and name != "exp":
                return name
            if keeps_meaning(user) and inside:
                queue.append(user)
    return None
