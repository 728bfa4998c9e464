"""Keras: a mask is made and lost on the way."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Severity,
    Undecided,
    active,
    notes,
    plain,
    rule,
    where,
)


@rule(
    code="LA609",
    name="mask-defeated",
    summary="A mask is made and then dropped before the layer that needs it, or defeats the fast kernel.",
    family="data",
    topic="masking-missing",
    severity="warning",
    grade="A",
    frameworks=("keras",),
    needs=("padding.masked", "recurrent_layers"),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    lost = [edge for edge in active(program.graph) if plain(edge.via) == "mask-dropped"]
    for edge in lost:
        at = where(edge, edge.to, program)
        yield Finding(
            at=at,
            message="the mask ends here: the recurrent layer behind it reads the padding like data",
            label="drops the mask",
            help="put the mask behind this layer, or pass it on in `compute_mask`",
            evidence=notes(at, (program.padding.masked, "the mask is made here"), (edge.to, "needs the mask")),
        )
    padding, layers = program.padding, active(program.recurrent_layers)
    if lost or plain(padding.masked) is not True or plain(padding.padded) is not True or not layers:
        return
    if plain(padding.side) in ("left", "pre") and plain(layers[0].kind) in ("LSTM", "GRU"):
        at = where(padding.side, padding, layers[0])
        default = getattr(padding.side, "via", "") == "default"
        yield Finding(
            at=at,
            severity=Severity.ADVICE,
            message=f"sequences are padded on the left{', the default,' if default else ''} under a mask: "
            "cuDNN in TensorFlow takes right padding only",
            label="left padding",
            help="pass `padding='post'` to `pad_sequences`",
            evidence=notes(at, (padding.masked, "the mask is made here"), (layers[0], "read by this layer")),
        )
