"""A state is taken for a pair where it is one tensor, or the reverse."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    NoOptions,
    Pass,
    Program,
    ReplaceExpression,
    Undecided,
    active,
    notes,
    of_keras,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA117",
    name="wrong-state-unpacking",
    summary="The state of the layer is unpacked as if it were of another kind of layer.",
    family="architecture",
    topic="other",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        for read in active(layer.reads):
            if plain(read.what) != "wrong-unpack" or of_keras(program, layer):
                continue
            at, kind = where(read, layer), plain(layer.kind, "layer")
            lstm = str(kind).startswith("LSTM")
            pair = "the state of this LSTM is a pair (h, c), taken for one tensor here"
            yield Finding(
                at=at,
                message=pair if lstm else f"the state of this {kind} is one tensor, unpacked as a pair here",
                label="not of this kind",
                help="write `out, (h, c) = lstm(x)`" if lstm else "write `out, h = gru(x)`",
                fix=None if lstm else _whole(layer.only_pass),
                evidence=notes(at, (layer, f"the {kind}")),
            )


def _whole(call: Pass) -> Fix | None:
    names = call.without_cell
    if not isinstance(names, Known) or names.at is None:
        return None
    edit = ReplaceExpression(at=names.at, code=names.value)
    return unsafe("take the state whole", "it holds all layers, as the first state of an LSTM does", edit)
