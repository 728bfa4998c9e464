"""From which weights and states the network starts: H4, T8, T9/T10."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lstmadvisor.facts import UNSEEN, Initialization, Known, Program, RecurrentLayer, Unknown, items, known, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import counted, enumerated, folded, shown, span, worded

_CONSTANT = ("zeros", "ones", "constant", "fill")
_OUTSIDE = ("embed", "norm", "state", "parameter", "convolution")
_TOO_WIDE = 0.5
_LONG = 30
"""Steps from which a closed forget gate hurts."""


def initialisation(program: Program) -> Answer:
    """H4: small random weights, never all zero."""
    remarks = [notes.INIT_BY_ACTIVATION]
    remarks += [notes.INIT_IN_PYTORCH] if program.framework in ("pytorch", "both") else []
    remarks += [notes.INIT_IN_KERAS] if program.framework in ("keras", "both") else []
    layers, own = used(program.recurrent_layers), used(program.initializations)
    for one in () if isinstance(own, Unknown) else own:
        if answer := _unsound(one, remarks):
            return answer
    lacking = [fact for fact in (own, layers) if isinstance(fact, Unknown)]
    lacking += [
        fact
        for layer in (() if isinstance(layers, Unknown) else layers)
        for fact in (layer.kernel_initializer, layer.recurrent_initializer)
        if isinstance(fact, Unknown) and fact is not UNSEEN
    ]
    lacking += [one.scheme for one in (() if isinstance(own, Unknown) else own) if isinstance(one.scheme, Unknown)]
    if lacking:
        return untold("initialisation", lacking[0], notes=remarks)
    assert not isinstance(own, Unknown)
    at = own[0].at if own else None
    return follows(_initialised(own) or "the framework's own", at, notes=remarks)


def initial_state(program: Program) -> Answer:
    """T8: learn the initial state."""
    state = program.hidden_state
    initial, remarks = plain(state.initial), [notes.INITIAL_STATE]
    at = state.initial.at or state.at or next((one.at for one in items(program.recurrent_layers) if one.active), None)
    if plain(state.carried) is True:
        return inapplicable("the state is carried on", *remarks)
    if initial == "learned":
        return follows("a learned state", at, notes=remarks)
    if initial == "encoder":
        return inapplicable("the state comes from an encoder", *remarks)
    if initial == "random":
        step = "Start from zeros, or from an nn.Parameter that is learned."
        return departs("fresh noise in every pass", at, "change", step, remarks)
    if isinstance(state.initial, Unknown):
        return untold("initial state", state.initial, at, remarks)
    return departs("zeros", at, "keep", notes=remarks)


def forget_bias(program: Program) -> Answer:
    """T9 and T10: forget bias 1 for an LSTM, bias -1 for a GRU."""
    layers = used(program.recurrent_layers)
    if isinstance(layers, Unknown):
        return untold("recurrent layers", layers)
    parts = [answer for layer in layers if (answer := _bias(program, layer))]
    return joined(parts) if parts else inapplicable("plain recurrent layers have no gates")


def _bias(program: Program, layer: RecurrentLayer) -> Answer | None:
    kind = plain(layer.kind)
    if isinstance(layer.kind, Unknown) or kind is None:
        return untold("kind of the recurrent layer", layer.kind, layer.at)
    if "GRU" in str(kind):
        return _gru_bias(program, layer)
    return _lstm_bias(program, layer) if "LSTM" in str(kind) else None


def _lstm_bias(program: Program, layer: RecurrentLayer) -> Answer:
    in_keras = program.framework == "keras" or (program.framework == "both" and known(layer.unit_forget_bias))
    remarks = [notes.FORGET_BIAS_KERAS if in_keras else notes.FORGET_BIAS_PYTORCH]
    bias = program.forget_bias
    gates = _gates(layer, "forget")
    ends = (min(gates), max(gates)) if gates else span(bias)
    at = (layer.gate_biases.at if gates else bias.at) or layer.at
    if in_keras and (known(layer.unit_forget_bias) or isinstance(bias, Unknown)):
        return _keras_forget_bias(layer, remarks)
    if gates and (due := _gate_count(layer)) and len(gates) < due:
        step = "Set it in every layer and direction."
        return departs(f"set in {len(gates)} of {due} layers and directions", at, next=step, notes=remarks)
    if ends and ends[0] >= 0.5:
        how = shown(ends[0]) if gates else worded(bias)
        return follows(f"{how} in force", at, notes=remarks)
    if ends and ends[0] < -0.25:
        step = "Set the forget bias to +1: a negative one forgets."
        return departs(f"{shown(ends[0])} in force", at, "change", step, remarks)
    if isinstance(bias, Unknown) and not ends:
        return untold("forget bias", bias, at, remarks)
    if isinstance(plain(bias), str):
        return follows(f"{plain(bias)}", at, notes=remarks)
    length = span(program.sequence_length)
    step = "Set it to 1 in every layer and direction; for long lags try 2 or chrono initialisation."
    long = length is not None and length[1] >= _LONG
    over = f" over {counted(length[1], 'step')}" if length else ""
    found = f"not set: about 0{over}"
    short = length is not None and not long
    return departs(found, layer.at, "keep" if short else "your call", "" if short else step, remarks)


def _keras_forget_bias(layer: RecurrentLayer, remarks: list[str]) -> Answer:
    unit, used_bias = plain(layer.unit_forget_bias), plain(layer.use_bias)
    if used_bias is False:
        step = "Leave `use_bias` on, so that the forget gate can start open."
        return departs("no biases at all", layer.use_bias.at or layer.at, next=step, notes=remarks)
    if unit is True:
        how = "framework default" if isinstance(layer.unit_forget_bias, Known) and (
            layer.unit_forget_bias.via == "default"
        ) else "unit_forget_bias=True"  # fmt: skip
        return follows(f"1 ({how})", layer.unit_forget_bias.at or layer.at, notes=remarks)
    if unit is False:
        step = "Leave `unit_forget_bias` at True."
        return departs("unit_forget_bias=False", layer.unit_forget_bias.at or layer.at, "change", step, remarks)
    return untold("forget bias", layer.unit_forget_bias, layer.at, remarks)


def _gru_bias(program: Program, layer: RecurrentLayer) -> Answer:
    remarks = [notes.GRU_BIAS]
    at = layer.gate_biases.at or layer.at
    update, reset, new = (_gates(layer, gate) for gate in ("update", "reset", "new"))
    if update and min(update) < -0.25:
        found = f"update bias {shown(min(update))}"
        if new and max(new) < -0.25:
            step = "Prefer +1 on the update gate: -1 everywhere learned, but slowly (measured)."
            return follows(f"all biases {shown(min(update))}", at, "your call", step, remarks)
        return follows(found, at, "change", "Set the update bias to +1: a negative one forgets.", remarks)
    if reset and min(reset) < -0.25:
        step = "Set the update gate to +1 instead: -1 on the reset gate did not help (measured)."
        return follows(f"reset bias {shown(min(reset))}", at, "your call", step, remarks)
    if update:
        return departs(f"update bias {shown(min(update))}", at, "keep", notes=remarks)
    if known(layer.gate_biases) or plain(layer.bias_initializer) == "zeros" or program.initializations == ():
        return departs("GRU biases as the framework sets them", layer.at, "keep", notes=remarks)
    lacking = layer.gate_biases if layer.gate_biases is not UNSEEN else program.initializations
    return untold("biases of the GRU", lacking, layer.at, remarks)


def _gates(layer: RecurrentLayer, gate: str) -> list[float]:
    """The biases of a gate over the layers and directions where they are set."""
    return list(_numbers(plain(layer.gate_biases), gate, inside=False))


def _gate_count(layer: RecurrentLayer) -> int | None:
    """Over how many layers and directions a gate's biases spread, as far as that is known."""
    layers = span(layer.num_layers)
    if str(plain(layer.kind)).endswith("Cell"):
        return 1
    return int(layers[1]) * (2 if plain(layer.bidirectional) else 1) if layers and known(layer.bidirectional) else None


def _numbers(value: Any, gate: str, inside: bool) -> Iterator[float]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, gate, inside or key == gate)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _numbers(part, gate, inside)
    elif inside and isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _unsound(one: Initialization, remarks: list[str]) -> Answer | None:
    scheme, target, scale = folded(plain(one.scheme)), folded(plain(one.target)), span(one.scale)
    if any(word in target for word in (*_OUTSIDE, "bias")):
        return None
    found = f"{plain(one.target) or 'weights'} by {plain(one.scheme)}"
    if scheme.startswith(_CONSTANT):
        step = "Draw these weights at random, unless all others are: equal units learn alike."
        return departs(found, one.at, "your call", step, remarks)
    if scheme.startswith(("normal", "randomnormal", "uniform", "randomuniform", "randn")) and scale:
        size = max(abs(scale[0]), abs(scale[1]))
        if size >= _TOO_WIDE:
            found += f" with {shown(size)}"
            return departs(found, one.scale.at or one.at, "change", "Draw them from a scale below 0.1.", remarks)
    return None


def _initialised(own: Sequence[Initialization]) -> str:
    """The first three schemes, and how many more there are."""
    inside = [one for one in own if not any(word in folded(plain(one.target)) for word in _OUTSIDE)]
    schemes = list(dict.fromkeys(f"{plain(one.target) or 'weights'} by {plain(one.scheme)}" for one in inside))
    return enumerated([*schemes[:3], f"{len(schemes) - 3} more"] if len(schemes) > 3 else schemes)
