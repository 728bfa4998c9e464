"""What a recurrent layer gives is read after it went through the padding."""

from lstmadvisor.rule import (
    Evidence,
    Finding,
    Iterator,
    NoOptions,
    Program,
    Read,
    RecurrentLayer,
    Severity,
    Undecided,
    active,
    items,
    measured,
    notes,
    of_keras,
    plain,
    rule,
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
