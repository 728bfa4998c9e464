"""Weights and masks of Keras layers: initializers, penalties, masking, arguments that Keras has no more."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Term, Value
from lstmadvisor.extract.common import Fact, default, fact, inferred
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.names import named
from lstmadvisor.extract.keras.training import distinct
from lstmadvisor.facts import ABSENT, Initialization, Padding, Regularizer


def initializations(layers: Layers) -> tuple[Initialization, ...]:
    """Initializers that are given explicitly."""
    out: list[tuple[Any, Initialization]] = []
    for layer in layers.layers:
        for target in ("kernel", "recurrent", "bias", "embeddings"):
            value = (
                layer.term.argument(f"{target}_initializer")
                if not layer.term.open
                else layer.term.kwargs.get(f"{target}_initializer")
            )
            if value is None and target == "kernel":
                value = layer.term.kwargs.get("init")
            if value is not None and layer.active:
                item = Initialization(
                    at=place(layer.term.at),
                    target=inferred(f"{layer.kind}.{target}"),
                    scheme=named(value, None),
                    scale=_scale(value),
                )
                out.append(((id(layer.term.at.node), target), item))
    return distinct(out)


def regularizers(layers: Layers) -> tuple[Regularizer, ...]:
    """Weight and activity penalties."""
    out: list[tuple[Any, Regularizer]] = []
    for layer in layers.layers:
        for target in ("kernel", "recurrent", "bias", "activity", "embeddings"):
            value = layer.term.kwargs.get(f"{target}_regularizer")
            if value is None or (isinstance(value, Const) and value.value is None) or not layer.active:
                continue
            kind = named(value, None)
            amount: Fact = ABSENT
            if isinstance(value, Term) and value.op == "call":
                kind = inferred(last_name(value).lower().replace("l1l2", "l1_l2"), place(value.at))
                strength = value.argument("l2") or value.argument("l1") or value.argument("l", 0)
                amount = default(0.01) if strength is None else fact(strength)
            out.append(
                (
                    (id(layer.term.at.node), target),
                    Regularizer(
                        at=place(layer.term.at), kind=kind, target=inferred(f"{layer.kind}.{target}"), amount=amount
                    ),
                )
            )
    return distinct(out)


def padding(layers: Layers) -> Padding:
    """Whether a mask reaches the recurrent layers."""
    masking = [x for x in layers.layers if x.active and x.kind == "Masking"]
    zeros = [
        x
        for x in layers.layers
        if x.active and x.kind == "Embedding" and isinstance(v := x.term.argument("mask_zero"), Const) and v.value
    ]
    source = next(iter([*masking, *zeros]), None)
    if source is not None:
        return Padding(masked=inferred(True, place(source.term.at)), packed=inferred(False))
    by_hand = any(
        t.op == "apply"
        and isinstance(t.kwargs.get("mask"), Term)
        and any(x.recurrent for x in layers.graph.entries(t.base))
        for t in layers.run.trace
    )
    return Padding(masked=inferred(by_hand), packed=inferred(False))


def _scale(value: Value) -> Fact:
    if isinstance(value, Term) and value.op == "call":
        second = 1 if last_name(value) in ("RandomNormal", "TruncatedNormal", "RandomUniform") else 0
        for name in ("stddev", "gain", "scale", "maxval", "value"):
            if (got := value.argument(name)) is not None:
                return fact(got)
        if (got := value.argument("", second)) is not None:
            return fact(got)
    return ABSENT
