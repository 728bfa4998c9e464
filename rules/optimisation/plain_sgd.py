"""Plain SGD where Adam would need no tuning."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    NoOptions,
    Optimizer,
    Program,
    RemoveArgument,
    ReplaceCallee,
    Undecided,
    active,
    argument,
    known,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
    written,
)


@rule(
    code="LA408",
    name="plain-sgd",
    summary="A recurrent net is trained with plain SGD, without momentum, clipping or decay.",
    family="optimisation",
    topic="optimizer",
    severity="advice",
    grade="B",
    article="T1",
    needs=("optimizers", "recurrent_layers"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    layers = active(program.recurrent_layers)
    if not layers or not known(program.clipping) or active(program.clipping):
        return
    if not known(program.schedules) or active(program.schedules) or program.api == "module":
        return
    for optimizer in active(program.optimizers):
        limits = (optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue)
        if plain(optimizer.name) != "SGD" or number(optimizer.momentum) != 0 or any(plain(x) for x in limits):
            continue
        at = where(optimizer)
        yield Finding(
            at=at,
            message="plain SGD trains this recurrent net: no momentum, no clipping, no decay",
            label="plain SGD",
            help="use Adam with a learning rate of 1e-3",
            fix=_fix(program, optimizer),
            evidence=notes(at, (layers[0], "what it trains")),
        )


def _fix(program: Program, optimizer: Optimizer) -> Fix | None:
    why = "steps are scaled by the size of past gradients"
    if plain(optimizer.by_hand) is True:
        return None
    if plain(optimizer.by_name) is not None:
        return unsafe("use Adam", why, written(optimizer.by_name, "adam"))
    at, keras, momentum = where(optimizer), program.framework == "keras", optimizer.momentum
    callee = "`keras.optimizers.Adam`" if keras else "`torch.optim.Adam`"
    edits = [
        ReplaceCallee(at=at, was="SGD", code=callee),
        argument(optimizer.learning_rate, optimizer, "learning_rate" if keras else "lr", 1e-3),
    ]
    if not isinstance(momentum, Known) or momentum.via != "default":
        edits.append(RemoveArgument(at=at, name="momentum"))
    return unsafe("use Adam with a learning rate of 0.001", why, *edits)
