"""Activations in the cells and at the output, held against the loss: H6."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.facts import UNSEEN, Loss, Program, RecurrentLayer, Unknown, Value, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import enumerated, folded

_NONE, _SOFTMAX, _SIGMOID, _LOG = "none", "softmax", "sigmoid", "logsoftmax"
_WANTS = {
    "crossentropyloss": {_NONE, _LOG}, "crossentropy": {_NONE, _LOG}, "nllloss": {_LOG}, "nll": {_LOG},
    "bcewithlogitsloss": {_NONE}, "binarycrossentropywithlogits": {_NONE},
    "bceloss": {_SIGMOID}, "bce": {_SIGMOID}, "binarycrossentropy": {_SIGMOID},
    "categoricalcrossentropy": {_SOFTMAX}, "sparsecategoricalcrossentropy": {_SOFTMAX},
    "mse": {_NONE}, "mseloss": {_NONE}, "meansquarederror": {_NONE}, "mae": {_NONE}, "l1loss": {_NONE},
    "meanabsoluteerror": {_NONE}, "smoothl1loss": {_NONE}, "huber": {_NONE}, "huberloss": {_NONE},
    "logcosh": {_NONE}, "mape": {_NONE}, "meanabsolutepercentageerror": {_NONE},
}  # fmt: skip
"""Through what the output may go before it meets the loss."""
_PROBABILITIES = {"binarycrossentropy", "categoricalcrossentropy", "sparsecategoricalcrossentropy"}
_REGRESSION = frozenset(name for name, wants in _WANTS.items() if wants == {_NONE} and "logits" not in name)


def activations(program: Program) -> Answer:
    """H6: sigmoid and tanh in the block, sigmoid or softmax at the output."""
    parts = list(dict.fromkeys((*_cells(program), *_outputs(program))))
    if not parts:
        return inapplicable("no gated layer and no loss")
    answer = joined(parts)
    extra = [notes.LOGITS] if program.framework in ("pytorch", "both") else []
    return Answer(
        answer.verdict, answer.found, answer.action, answer.next, (notes.RECTIFIER, *extra, *answer.notes), answer.at
    )


def _cells(program: Program) -> Iterator[Answer]:
    layers = used(program.recurrent_layers)
    if isinstance(layers, Unknown):
        yield untold("recurrent layers", layers)
        return
    for layer in layers:
        gated = any(name in str(plain(layer.kind)) for name in ("LSTM", "GRU"))
        if gated and (program.framework == "pytorch" or _fixed(program, layer)):
            yield follows(f"tanh and sigmoid in the {plain(layer.kind)}", layer.at)
        elif gated:
            yield _cell(layer)
        elif isinstance(layer.kind, Unknown):
            yield untold("kind of the recurrent layer", layer.kind, layer.at)
        else:
            yield _plain_cell(layer)


def _fixed(program: Program, layer: RecurrentLayer) -> bool:
    """Whether the activations cannot be chosen: PyTorch's gated layers, and Keras' CuDNN ones."""
    of_torch = program.framework == "both" and layer.activation is UNSEEN and layer.num_layers is not UNSEEN
    return of_torch or str(plain(layer.kind)).startswith("CuDNN")


def _cell(layer: RecurrentLayer) -> Answer:
    block, gates = plain(layer.activation), plain(layer.recurrent_activation)
    kind = plain(layer.kind)
    for fact in (layer.activation, layer.recurrent_activation):
        if isinstance(fact, Unknown) and block in (None, "tanh") and gates in (None, "sigmoid"):
            return untold(f"activations of the {kind}", fact, layer.at)
    if block != "tanh" and not isinstance(layer.activation, Unknown):
        step = "Leave `activation` at tanh; use the rectifier in dense layers."
        name = "no activation" if block in (None, _NONE, "linear") else block
        return departs(f"{name} in the {kind}", layer.activation.at or layer.at, "change", step)
    if gates != "sigmoid":
        return departs(f"{gates} gates in the {kind}", layer.recurrent_activation.at or layer.at)
    return follows(f"tanh and sigmoid gates in the {kind}", layer.at)


def _plain_cell(layer: RecurrentLayer) -> Answer:
    block = plain(layer.activation)
    if isinstance(layer.activation, Unknown):
        return untold(f"activation of the {plain(layer.kind)}", layer.activation, layer.at)
    if block in (None, "tanh"):
        return follows(f"tanh in the {plain(layer.kind)}", layer.at)
    step = "Keep relu only with an identity or orthogonal recurrence."
    return departs(f"{block} in the {plain(layer.kind)}", layer.activation.at or layer.at, next=step)


def _outputs(program: Program) -> Iterator[Answer]:
    losses = used(program.losses)
    if isinstance(losses, Unknown):
        yield untold("loss", losses)
        return
    for loss in losses:
        yield _output(program, loss)


def _output(program: Program, loss: Loss) -> Answer:
    name, last = folded(plain(loss.name)), _last(program, loss)
    if isinstance(loss.name, Unknown):
        return untold("loss", loss.name, loss.at)
    wants = _WANTS.get(name)
    if wants is None:
        if "ctc" in name or "crf" in name:
            return inapplicable(f"{plain(loss.name)}")
        return untold("output", Unknown(unknown=f"what {plain(loss.name)} expects is not known", at=loss.at))
    if name in _PROBABILITIES and program.framework != "pytorch":
        if isinstance(loss.from_logits, Unknown) and loss.from_logits is not UNSEEN:
            return untold("whether the loss takes logits", loss.from_logits, loss.at)
        wants = {_NONE} if plain(loss.from_logits) is True else wants
    if isinstance(last, Unknown):
        return untold("last activation", last, loss.at)
    given = str(plain(last) or _NONE)
    found = f"{'no activation' if given == _NONE else given} into {plain(loss.name)}"
    at = last.at or program.output.at or loss.at
    remarks = [notes.REGRESSION] if name in _REGRESSION else []
    if given in wants:
        return follows(found, at, notes=remarks)
    if name in _REGRESSION:
        step = "Make the output linear, unless the targets have the same range."
        return departs(found, at, next=step, notes=remarks)
    wanted = enumerated(sorted("nothing" if one == _NONE else one for one in wants), "or")
    return departs(found, at, "change", f"Pass the output through {wanted} before {plain(loss.name)}.", remarks)


def _last(program: Program, loss: Loss) -> Value:
    """What the output went through before the loss, as the loss sees it, else as the model makes it."""
    return program.output.activation if loss.input_activation is UNSEEN else loss.input_activation
