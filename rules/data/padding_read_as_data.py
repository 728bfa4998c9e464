"""What a recurrent layer gives is read after it went through the padding."""

import re

from lstmadvisor.rule import (
    Edit,
    Evidence,
    Finding,
    Fix,
    InsertStatements,
    Iterator,
    NoOptions,
    Pass,
    Program,
    Read,
    RecurrentLayer,
    ReplaceExpression,
    Severity,
    Undecided,
    active,
    items,
    known,
    measured,
    notes,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)

_ENDS = {"last-step": "the last step", "last-state": "the last state", "first-state": "the state",
         "half-state": "the state", "states-joined": "the state", "viewed-state": "the state"}  # fmt: skip


@rule(
    code="LA606",
    name="padding-read-as-data",
    summary="The last step of padded sequences is read, which for the shorter ones is padding.",
    family="data",
    topic="padding-unpacked",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    padding = program.padding
    lengths = plain(padding.lengths_known) is True
    probe = measured(program)
    share = None if probe is None else probe.statistics.padding
    rare = share is not None and share < 0.02
    for layer in active(program.recurrent_layers):
        found = (
            [] if of_keras(program, layer) else [read for read in items(layer.reads) if _spoilt(program, layer, read)]
        )
        if not found:
            continue
        what, at = str(plain(found[0].what)), where(found[0], layer)
        is_read = "the mean or maximum over all steps is taken" if what == "pooled" else f"{_ENDS[what]} is read"
        yield Finding(
            at=at,
            severity=Severity.ADVICE if rare else Severity.ERROR if lengths else None,
            message=f"{is_read} although shorter sequences end in padding there"
            + (", and their lengths are known and not used" if lengths else ""),
            label="after the padding",
            help=_remedy(what, lengths),
            fix=_fix(program, layer, found),
            evidence=notes(
                at,
                (layer, "this layer reads the padding like data"),
                (padding.padded, "padded here"),
                (padding, "padded here"),
                (padding.lengths_known, "the lengths are known here"),
                *((read, "read here, too") for read in found[1:]),
            )
            + (() if share is None else (Evidence(text=f"measured: {share:.0%} of the positions are padding"),)),
        )


def _spoilt(program: Program, layer: RecurrentLayer, read: Read) -> bool:
    """Left padding spoils nothing that is read at the end, unless a second direction ends in it."""
    what = plain(read.what)
    if not read.active or plain(read.after_padding) is not True or what not in {*_ENDS, "pooled"}:
        return False
    left = plain(program.padding.side) in ("left", "pre")
    return not left or what == "pooled" or (what != "last-step" and plain(layer.bidirectional) is True)


def _remedy(what: str, lengths: bool) -> str:
    if what == "pooled":
        return "leave the padded steps out of the mean, with a mask made of the lengths"
    pack = "pack the batch: `pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)`"
    return pack if lengths else f"return the lengths from the collate function and {pack}"


def _fix(program: Program, layer: RecurrentLayer, found: list[Read]) -> Fix | None:
    """The last real step picked, or the batch packed where the state is read."""
    lengths, kinds, first = _lengths(program, layer.only_pass), {plain(read.what) for read in found}, layer.batch_first
    if lengths is None or plain(first) is None:
        return None
    if kinds == {"last-step"} and plain(layer.bidirectional) is False:
        picked = (_last_real(layer, read, lengths) for read in found)
        return unsafe("take the last real step of each sequence", "the padding behind it is not read", *picked)
    if "last-step" in kinds or "pooled" in kinds:
        return None
    return unsafe("pack the batch", "the layer stops at the end of each sequence", *_packed(layer, lengths))


def _lengths(program: Program, call: Pass) -> str | None:
    """An expression for the lengths, as a tensor: a parameter, or what is not padding."""
    padding = program.padding
    if plain(padding.lengths_known) is True and plain(call.lengths) is not None:
        return str(plain(call.lengths))
    sure = plain(padding.value) == 0 and plain(padding.side) in ("right", "post")
    if not sure or plain(padding.value_is_token) is True or plain(call.ids) is None:
        return None
    return f"({plain(call.ids)} != 0).sum(dim=DIM).clamp(min=1)"


def _last_real(layer: RecurrentLayer, read: Read, lengths: str) -> Edit | None:
    out, first = plain(layer.only_pass.output), plain(layer.batch_first) is True
    old = str(plain(read.expression, ""))
    if read.at is None or not re.fullmatch(rf"{out}\[{':, ' if first else ''}-1(?:, :)*\]", old):
        return None
    each, last = f"`torch.arange`({out}.size({0 if first else 1}))", f"{lengths} - 1".replace("DIM", str(int(first)))
    return ReplaceExpression(at=read.at, was=old, code=f"{out}[{each}, {last}]" if first else f"{out}[{last}, {each}]")


def _packed(layer: RecurrentLayer, lengths: str) -> Iterator[Edit | None]:
    call, first = layer.only_pass, plain(layer.batch_first) is True
    at, out, ids = call.input.at, plain(call.output), plain(call.ids, plain(call.input))
    if at is None or not known(call.output):
        yield None
        return
    flag = "batch_first=True, " if first else ""
    given = f"{lengths}.cpu()".replace("DIM", str(int(first)))
    packed = f"`torch.nn.utils.rnn.pack_padded_sequence`({plain(call.input)}, {given}, {flag}enforce_sorted=False)"
    yield InsertStatements(at=at, side="before", code=f"packed = {packed}")
    yield ReplaceExpression(at=at, code="packed")
    if out is not None:
        steps = f"total_length={ids}.size({int(first)})"
        unpacked = f"{out} = `torch.nn.utils.rnn.pad_packed_sequence`({out}, {flag}{steps})[0]"
        yield InsertStatements(at=at, side="after", code=unpacked) if str(ids).isidentifier() else None
