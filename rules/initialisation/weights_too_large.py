"""Weights so large that the gates start saturated."""

import math

from lstmadvisor.rule import (
    Finding,
    Iterator,
    Options,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
    written,
)

_TARGETS = ("input-weights", "recurrent-weights")
_KERAS = tuple(f"{kind}.{part}" for kind in ("LSTM", "GRU", "SimpleRNN") for part in ("kernel", "recurrent"))


class Limits(Options):
    """From which spread on gates saturate."""

    deviation: float = 0.5
    """standard deviation of the weights; a uniform distribution between -a and a has a / 1.73"""


@rule(
    code="LA307",
    name="weights-too-large",
    summary="Recurrent weights are drawn so wide that a good part of the gates starts saturated.",
    family="initialisation",
    topic="init-bad",
    severity="warning",
    grade="A",
    article="H4",
    needs=("recurrent_layers", "initializations"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    last = {str(plain(one.target, "")): one for one in active(program.initializations)}
    said = set()
    for target in (*_TARGETS, *_KERAS):
        one = last.get(target)
        scale = number(one.scale) if one is not None else None
        if one is None or scale is None or one.at in said:
            continue
        scheme = str(plain(one.scheme, "")).lower().replace("_", "")
        deviation = scale / math.sqrt(3) if scheme.endswith("uniform") else scale
        if scheme not in ("normal", "randomnormal", "uniform", "randomuniform") or deviation < options.deviation:
            continue
        said.add(one.at)
        at = where(one.scale, one)
        how = f"between ±{scale:g}" if scheme.endswith("uniform") else f"with a standard deviation of {scale:g}"
        yield Finding(
            at=at,
            message=f"recurrent weights drawn {how} saturate many gates from the first step",
            label="too wide",
            help="use Xavier or orthogonal weights, or a standard deviation of 0.1 at most",
            fix=None
            if scheme.endswith("uniform")
            else unsafe(
                "use a standard deviation of 0.1", "gates start in their linear range", written(one.scale, 0.1)
            ),
            evidence=notes(at, (one, "drawn here")),
        )
