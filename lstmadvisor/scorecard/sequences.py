"""What a step of training covers: H10, T3, T4."""

from __future__ import annotations

from lstmadvisor.facts import UNSEEN, Known, Loss, Program, Unknown, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, inapplicable, joined, untold, used
from lstmadvisor.scorecard.words import counted, folded, span, worded

_CHUNK, _WHOLE, _TOO_LONG = 250, 200, 500
"""Steps of a usual chunk at most; of a sequence that needs no chunks; of one that does."""
_ENOUGH = 320
"""Samples of which 32 are a tenth."""


def batch_size(program: Program) -> Answer:
    """H10: batches of 32."""
    size, remarks = program.batch_size, [notes.BATCHES]
    if isinstance(size, Unknown):
        return untold("batch size", size, notes=remarks)
    if plain(size) is None:
        return inapplicable("no batches", *remarks)
    ends, found, at = span(size), worded(size), size.at
    if ends is None:
        return untold("batch size", size, at, remarks)
    data = span(program.dataset.size)
    if ends[0] == ends[1] and data and data[0] >= _ENOUGH and ends[1] > data[0] / 10:
        step = "Take batches of less than a tenth of the data, 32 for a start."
        return departs(f"{found} of {counted(data[0], 'sample')}", at, "change", step, remarks)
    if ends == (1, 1) and size.via == "default":
        return departs(found, at, "change", "Pass `batch_size=32`: DataLoader takes 1 if it is not told.", remarks)
    usual = {32, 64, 96, 128, 160, 192, 224, 256}
    if ends[0] in usual and ends[1] in usual:
        return follows(found, at, notes=remarks)
    if ends[0] >= 8 and ends[1] <= 1024:
        return departs(found, at, "keep", notes=remarks)
    step = "Try 32." if ends[0] < 8 else "Try a smaller one at the same number of epochs."
    return departs(found, at, next=step, notes=remarks)


def loss_normalisation(program: Program) -> Answer:
    """T3: the sum over the sequence, divided by the maximum length, averaged over the batch."""
    losses = used(program.losses)
    if isinstance(losses, Unknown):
        return untold("loss", losses, notes=[notes.THREE_NORMALISATIONS])
    if not losses:
        return inapplicable("no loss")
    return joined([_normalised(program, loss) for loss in losses])


def chunks(program: Program) -> Answer:
    """T4: truncated backpropagation through time, in chunks of about 200 steps."""
    carried, length = _carried(program), span(program.sequence_length)
    remarks = [notes.CARRY_THE_STATE, notes.OVERLAP_AND_GROWTH]
    remarks += [notes.STATEFUL] if program.framework in ("keras", "both") else []
    at = program.sequence_length.at
    steps = counted(length[1], "step") if length else ""
    if carried is True:
        return _carrying(program, steps, length[1] if length else None, remarks)
    if length and length[1] > _TOO_LONG and carried is False:
        step = "Shorten or downsample the sequences, or cut them and carry the detached state."
        return departs(f"backpropagation through {steps}", at, "change", step, remarks)
    kind = plain(program.dataset.kind)
    if kind == "stream" and carried is False:
        step = "Carry the detached state from chunk to chunk: the data are one stream."
        found = f"chunks of {steps or 'unknown length'} of one stream, each from a fresh state"
        return departs(found, at, next=step, notes=remarks)
    if length is None:
        fact = program.sequence_length
        if isinstance(fact, Unknown):
            return untold("sequence length", fact, notes=remarks)
        return untold("sequence length", Unknown(unknown="not a number in the code"), at, remarks)
    if carried is None and kind not in ("windows", "independent"):
        return untold("whether the state is carried on", program.hidden_state.carried, at, remarks)
    if length[1] > _WHOLE:
        step = "Try chunks, or fewer steps: few tasks need gradients over more than 200."
        return departs(f"backpropagation through {steps}", at, next=step, notes=remarks)
    return inapplicable(f"sequences of {steps} fit in one piece", *remarks)


def _carrying(program: Program, steps: str, length: float | None, remarks: list[str]) -> Answer:
    state = program.hidden_state
    at = program.sequence_length.at or state.at
    if plain(state.detached) is False:
        step = "Detach the state before each chunk: `h = tuple(s.detach() for s in h)`."
        return departs("state carried without detaching", state.detached.at or state.at, "change", step, remarks)
    if length is None:
        return untold("state carried on; length of a chunk", program.sequence_length, at, remarks)
    found = f"chunks of {steps}, state carried on"
    if length > _TOO_LONG:
        return departs(found, at, "change", "Shorten the chunks to about 200 steps.", remarks)
    if length > _CHUNK:
        return departs(found, at, notes=remarks)
    return follows(found, at, notes=remarks)


def _carried(program: Program) -> bool | None:
    """Whether the state goes from batch to batch; None if that is not known."""
    layers = used(program.recurrent_layers)
    stateful = [] if isinstance(layers, Unknown) else [plain(layer.stateful) for layer in layers]
    if True in stateful or plain(program.hidden_state.carried) is True:
        return True
    by_layers = program.framework == "keras" and bool(stateful) and all(one is False for one in stateful)
    said = isinstance(program.hidden_state.carried, Known)
    return False if said or (by_layers and program.hidden_state.carried is UNSEEN) else None


def _normalised(program: Program, loss: Loss) -> Answer:
    remarks, name = [notes.THREE_NORMALISATIONS], folded(plain(loss.name))
    how, divisor = plain(loss.reduction), plain(loss.divided_by)
    if "ctc" in name or "crf" in name:
        return inapplicable(f"{plain(loss.name)} has its own")
    if divisor not in (None, "none") or how in ("sum", "none"):
        return _reduced(loss, remarks)
    if isinstance(loss.reduction, Unknown):
        return untold("how the loss is reduced", loss.reduction, loss.at, remarks)
    if how is None:
        return untold("how the loss is reduced", Unknown(unknown=f"{plain(loss.name)} does not say"), loss.at, remarks)
    if plain(program.padding.padded) is True and plain(program.padding.in_loss) is True:
        step = "Leave padded steps out of the loss, by `ignore_index`, a mask or sample weights."
        return departs("mean over all steps, padding included", loss.at, "change", step, remarks)
    return follows("mean over steps and batch", loss.reduction.at or loss.at, notes=remarks)


def _reduced(loss: Loss, remarks: list[str]) -> Answer:
    """A loss that is summed, or divided by the program itself."""
    at = loss.reduction.at or loss.at
    divisor = plain(loss.divided_by)
    if divisor not in (None, "none"):
        return follows(f"divided by {divisor}", loss.divided_by.at or at, notes=remarks)
    if isinstance(loss.divided_by, Unknown):
        return untold(f"reduction {worded(loss.reduction)}; what it is divided by", loss.divided_by, at, remarks)
    if plain(loss.reduction) == "none":
        return untold("how the losses of the steps are put together", Unknown(unknown="reduction is none"), at, remarks)
    step = "Use the mean, or divide by a constant: the sum ties the step to length and batch."
    return departs("sum, not divided", at, "change", step, remarks)
