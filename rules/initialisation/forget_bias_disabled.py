"""The forget-gate bias of 1 that Keras sets by default is switched off."""

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Program,
    RemoveArgument,
    Undecided,
    active,
    notes,
    plain,
    rule,
    unclear,
    unsafe,
    where,
)


@rule(
    code="LA302",
    name="forget-bias-disabled",
    summary="`unit_forget_bias=False` switches off the forget-gate bias of 1 that Keras sets by default.",
    family="initialisation",
    topic="forget-bias",
    severity="warning",
    grade="A",
    article="T9",
    frameworks=("keras",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for layer in active(program.recurrent_layers):
        custom = unclear(layer.bias_initializer) or plain(layer.bias_initializer) not in (None, "zeros")
        if plain(layer.unit_forget_bias) is not False or custom or plain(layer.use_bias) is False:
            continue
        at = where(layer.unit_forget_bias, layer)
        yield Finding(
            at=at,
            message=f"`unit_forget_bias=False` starts this {plain(layer.kind)} with its forget gate half closed",
            label="switched off",
            help="delete the argument: the default of True sets the bias to 1",
            fix=unsafe(
                "leave it at its default, True",
                "the forget gates start open",
                RemoveArgument(at=where(layer), name="unit_forget_bias"),
            ),
            evidence=notes(at, (layer, "the layer")),
        )
