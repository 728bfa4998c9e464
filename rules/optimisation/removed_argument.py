"""An import, an argument, a layer or a method that current Keras refuses or ignores."""

from lstmadvisor.rule import (
    Edit,
    Finding,
    Fix,
    InsertItem,
    InsertStatements,
    Iterator,
    NoOptions,
    Place,
    Program,
    RemoveArgument,
    RemovedArgument,
    RenameArgument,
    RenameImported,
    ReplaceCallee,
    ReplaceExpression,
    ReplaceStatement,
    Undecided,
    aside,
    items,
    known,
    notes,
    plain,
    rule,
    safe,
    unsafe,
    where,
)


@rule(
    code="LA412",
    name="removed-argument",
    summary="An import, argument, layer or method is used that Keras 3 refuses or ignores.",
    family="optimisation",
    topic="deprecated-api",
    severity="error",
    grade="A",
    frameworks=("keras",),
    needs=("optimizers", "recurrent_layers"),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    calls: dict[Place, list[RemovedArgument]] = {}
    for removed in items(program.removed_arguments):
        if plain(removed.name) is not None:
            calls.setdefault(where(removed), []).append(removed)
    same: dict[tuple[object, ...], list[RemovedArgument]] = {}
    for gone in calls.values():
        same.setdefault((plain(gone[0].of), *sorted(str(plain(one.name)) for one in gone)), []).append(gone[0])
    for (of, *names), found in same.items():
        places = sorted(found, key=lambda removed: not removed.active)
        at, several = where(places[0]), len(names) > 1
        yield Finding(
            at=at,
            message=" and ".join(f"`{name}`" for name in names)
            + (f" of {of}" if of else "")
            + f" {'are' if several else 'is'} {'ignored by Keras 3' if names == ['decay'] else _gone(calls[at])}"
            + aside(places[0]),
            label="gone",
            help="; ".join(_step(name, one) for one in calls[at] for name in [str(plain(one.name))]),
            fix=_fix(program, [one for place in places for one in calls[where(place)]]),
            evidence=notes(at, *((place, "and here") for place in places[1:])),
        )


def _gone(removed: list[RemovedArgument]) -> str:
    """Since when: names of Keras 1 and 2 that were gone before Keras 3 name their version."""
    versions = {str(plain(one.since, "3.0")) for one in removed}
    return "gone in Keras 3" if "3.0" in versions else f"gone since Keras {max(versions)}"


def _step(name: str, removed: RemovedArgument) -> str:
    instead = str(plain(removed.instead, ""))
    if instead in ("", "nothing"):
        return f"take `{name}` away"
    return f"instead of `{name}` use {instead if ' ' in instead else f'`{instead}`'}"


def _fix(program: Program, found: list[RemovedArgument]) -> Fix | None:
    """What is gone written as Keras 3 has it, and taken away where it does nothing any more."""
    names = dict.fromkeys(f"`{plain(one.name)}`" for one in found)
    title = f"write {' and '.join(names)} as Keras 3 has it"
    edits = [edit for one in found for edit in _edits(program, one)]
    if any("tensorflow" in str(plain(one.rewritten)) for one in found):
        return unsafe(title, "it then needs TensorFlow, whatever Keras runs on", *edits)
    return safe(title, *dict.fromkeys(edits))


def _edits(program: Program, one: RemovedArgument) -> tuple[Edit | None, ...]:
    name, instead, at = str(plain(one.name)), str(plain(one.instead, "")), where(one)
    if plain(one.of) == "Model":
        return (_successor(program, name, instead, one),)
    if known(one.rewritten) and plain(one.rewritten) is not None:
        return (ReplaceStatement(at=at, code=str(plain(one.rewritten))),)
    if plain(one.input) is not None:
        return _described(name, one)
    if name.startswith("CuDNN"):
        return (RenameImported(at=at, name=name, to=instead),)
    if instead == "nothing" or name == "decay":
        return (RemoveArgument(at=at, name=name),)
    if not instead.isidentifier() or name == "forget_bias_init" or not plain(one.of):
        return (None,)
    return (RenameArgument(at=at, name=name, to=instead),)


def _successor(program: Program, name: str, instead: str, one: RemovedArgument) -> Edit | None:
    """The method that took the place of another one."""
    on, at = plain(one.called_on), where(one)
    if on is None:
        return None
    if name == "reset_states":
        return ReplaceStatement(at=at, code=_RESET.format(on))
    if name == "predict_classes":
        scores = f"{on}.predict({plain(one.arguments)})"
        activation = plain(program.output.activation)
        if activation == "softmax":
            return ReplaceExpression(at=at, code=f"{scores}.argmax(axis=-1)")
        likely = f'({scores} > 0.5).astype("int32")'
        return ReplaceExpression(at=at, code=likely) if activation == "sigmoid" else None
    return ReplaceCallee(at=at, was=name, code=f"{on}.{instead}")


_RESET = """for layer in {}.layers:
    if hasattr(layer, "reset_state"):
        layer.reset_state()"""


def _described(name: str, one: RemovedArgument) -> tuple[Edit | None, ...]:
    """An input of its own in front of the layer that was told about it."""
    at, given = where(one), f"`keras.layers.Input`({plain(one.input)})"
    away = [RemoveArgument(at=at, name=each) for each in (name, *(["input_shape"] if name == "batch_size" else []))]
    if not known(one.added_to):
        return (None,)
    model = plain(one.added_to)
    if model is None:
        return (InsertItem(at=at, code=given), *away)
    return (InsertStatements(at=at, side="before", code=f"{model}.add({given})"), *away)
