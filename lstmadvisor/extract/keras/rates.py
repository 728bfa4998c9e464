"""The learning rate that a Keras optimizer is made with."""

from __future__ import annotations

from lstmadvisor.extract.abstract.values import Instance, Term, Value
from lstmadvisor.extract.keras.kinds import last_name

RATES = ("lr", "learning_rate")
"""What the argument and the attribute are called."""
_SCHEDULES = frozenset(
    "ExponentialDecay PiecewiseConstantDecay PolynomialDecay InverseTimeDecay CosineDecay CosineDecayRestarts "
    "LinearCosineDecay NoisyLinearCosineDecay CyclicalLearningRate ExponentialCyclicalLearningRate "
    "TriangularCyclicalLearningRate exponential_decay polynomial_decay cosine_decay piecewise_constant".split()
)


def rate_of(made: Term) -> Value | None:
    """The learning rate that an optimizer is made with."""
    for name in RATES:
        if name in made.kwargs:
            return made.kwargs[name]
    return made.argument("learning_rate", 0)


def is_schedule(value: Value) -> bool:
    """Whether a value is a learning-rate schedule."""
    if isinstance(value, Instance):
        return (
            value.term is not None and ("chedule" in value.term.name or "chedule" in value.cls.name)
        ) or "chedule" in value.cls.name
    return isinstance(value, Term) and value.op == "call" and last_name(value) in _SCHEDULES
