"""The id that fills short sequences is also the id of a token."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    where,
)


@rule(
    code="LA618",
    name="padding-id-is-a-real-token",
    summary="The id that fills short sequences is also the id of a real token.",
    family="data",
    topic="padding-unpacked",
    severity="warning",
    grade="A",
    needs=("padding.value_is_token",),
    fix="display",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    padding = program.padding
    if plain(padding.value_is_token) is not True:
        return
    layers = active(program.embeddings)
    reserved = [layer.padding for layer in layers if plain(layer.padding) is True or plain(layer.padding) == 0]
    at = where(*reserved[:1], padding.value, padding, padding.value_is_token, program)
    yield Finding(
        at=at,
        message=f"{number(padding.value) or 0:g} is {'reserved for ' if reserved else ''}the padding and also the id "
        "of a real token: the model cannot tell them apart",
        label="padding or token",
        help="let the ids of tokens begin at 1 and give the embedding one row more",
        evidence=notes(
            at,
            (padding.value_is_token, "the ids are made here"),
            (padding.padded, "padded here"),
            *((layer, "the embedding") for layer in layers),
        ),
    )
